"""One verification from its first check to the removal of its last trace.

report = await verify(target, Options(), select(CHECKS, read_only=True))
report.verdict      # "passed" or "failed"
"""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from infra.errors import HarborError
from slipway.harbor.client import Connection
from slipway.verify.check import Check, Outcome, Selection, State
from slipway.verify.held import settle
from slipway.verify.runner import run_checks
from slipway.verify.scene import Options, Scene, Target
from slipway.verify.throwaway import could_not
from slipway.verify.web import opened

#: How long an interrupted run may take to clean up.
_CLEANING_SECONDS = 60
_LEFT = "delete it in the portal, or run again with --remove-leftovers in an hour"


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a run found."""

    target: Target
    outcomes: Sequence[Outcome]
    seconds: float

    @property
    def counts(self) -> Counter[State]:
        """How many checks came to which end."""
        return Counter(outcome.state for outcome in self.outcomes)

    @property
    def verdict(self) -> str:
        """Passed when nothing failed and nothing was left undecided."""
        counts = self.counts
        return "failed" if counts["failed"] or counts["undecided"] or not counts["passed"] else "passed"


async def verify(
    target: Target,
    options: Options,
    selection: Selection,
    *,
    at_once: int = 8,
    tell: Callable[[Outcome], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> Report:
    """Run checks against a registry; what they make is taken away again, also when the run is cancelled.

    Args:
        target: which registry, and who looks.
        options: how.
        selection: which checks.
        at_once: how many at the same time.
        tell: told of each check that is over.
        note: told what an interrupted run could not take away.

    Raises:
        SettingsError: the address is none, or is not encrypted.
        HarborAway: the CA file cannot be read.
    """
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        web = await stack.enter_async_context(opened(target.url, trust=_trust(target), seconds=options.seconds))
        scene = Scene(target=target, options=options, web=web, stack=stack)
        try:
            outcomes = await run_checks(
                selection.run,
                scene,
                at_once=at_once,
                seconds=max(options.seconds * 2, 60),
                left_out=selection.left_out,
                tell=tell,
            )
        finally:
            await _clean(scene, note)
    every: list[Outcome] = [*outcomes, *selection.left_out]
    return Report(target=target, outcomes=_in_order(every), seconds=time.monotonic() - started)


def _trust(target: Target) -> ssl.SSLContext | bool:
    """Give what decides about certificates; an address that is none, or not encrypted, is refused."""
    nobody = SecretStr("")
    connection = Connection(
        url=target.url, name="", secret=nobody, ca_file=target.ca_file, allow_http=target.allow_http
    )
    return connection.trust()


def _in_order(outcomes: Sequence[Outcome]) -> list[Outcome]:
    from slipway.verify.catalogue import CHECKS  # noqa: PLC0415  # a run of other checks needs none of these

    place = {check.id: number for number, check in enumerate(CHECKS)}
    return sorted(outcomes, key=lambda one: place.get(one.check.id, len(place)))


async def _clean(scene: Scene, note: Callable[[str], None]) -> None:
    """Take the throw-away project away if a check has not done so: the run was interrupted."""
    if scene.throwaway is None or not scene.throwaway.begun:
        return
    name = scene.throwaway.name
    removal = asyncio.ensure_future(scene.throwaway.remove())
    await settle(removal, _CLEANING_SECONDS)  # a second Ctrl-C must not leave it behind either
    try:
        await removal
    except HarborError as error:
        note(f"project {name} is left in the registry: {could_not(error)}; {_LEFT}")
    except asyncio.CancelledError:
        note(f"project {name} is left in the registry: not removed within {_CLEANING_SECONDS} s; {_LEFT}")


def as_data(report: Report) -> dict[str, Any]:
    """Give a report as a machine takes it."""
    return {
        "url": report.target.url,
        "environment": report.target.environment,
        "verdict": report.verdict,
        "seconds": round(report.seconds, 3),
        "counts": {state: report.counts[state] for state in ("passed", "failed", "skipped", "undecided")},
        "checks": [_outcome(outcome) for outcome in report.outcomes],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    check: Check = outcome.check
    said = {
        "id": check.id,
        "group": check.group,
        "state": outcome.state,
        "seconds": round(outcome.seconds, 3),
        "proves": check.proves,
        "says": outcome.says,
    }
    if outcome.state in {"failed", "undecided"}:
        said |= {"reading": check.reading, "fix": outcome.fix}
    return said
