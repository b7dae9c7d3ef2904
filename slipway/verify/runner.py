"""Checks at the same time, as many as a bound allows, each as soon as what it waits for is over.

outcomes = await run_checks(selection.run, scene, at_once=8, seconds=60, tell=print)
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from infra.errors import AnswerLost, ClusterError, HarborError, RightMissing, SlipwayError
from slipway.verify.check import Check, Failed, Outcome, Skipped, State, Undecided
from slipway.verify.scene import Scene


async def run_checks(
    checks: Sequence[Check],
    scene: Scene,
    *,
    at_once: int,
    seconds: float,
    left_out: Sequence[Outcome] = (),
    tell: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Run checks and give what came of each, in their order.

    Args:
        checks: what to run.
        scene: what they share.
        at_once: how many at the same time.
        seconds: how long one may take that has no limit of its own.
        left_out: what came of those that do not run.
        tell: told of each as soon as it is over.
    """
    over = {check.id: asyncio.Event() for check in checks}
    outcomes: dict[str, Outcome] = {one.check.id: one for one in left_out}
    places = asyncio.Semaphore(at_once)

    async def one(check: Check) -> None:
        for other in (*check.needs, *check.after):
            if other in over:
                await over[other].wait()
        if blocked := _blocked(check, outcomes):
            outcome = blocked
        else:
            async with places:
                outcome = await _run(check, scene, check.seconds or seconds)
        outcomes[check.id] = outcome
        over[check.id].set()
        tell(outcome)

    try:
        async with asyncio.TaskGroup() as group:
            for check in checks:
                group.create_task(one(check))
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    return [outcomes[check.id] for check in checks]


def _blocked(check: Check, outcomes: Mapping[str, Outcome]) -> Outcome | None:
    """Give the outcome of a check that needs something that did not pass."""
    for other in check.needs:
        found = outcomes.get(other)
        if found is None or found.state != "passed":
            how = {"failed": "failed", "undecided": "was not decided"}.get(found.state if found else "", "did not run")
            # A reason why it does not apply holds for all that needs it.
            reason = f": {found.says}" if found and found.state == "skipped" else ""
            return Outcome(check=check, state="skipped", says=f"needs {other}, which {how}{reason}")
    return None


async def _run(check: Check, scene: Scene, seconds: float) -> Outcome:
    started = time.monotonic()
    state, says, fix = await _judged(check, scene, seconds)
    return Outcome(check=check, state=state, says=says, fix=fix, seconds=time.monotonic() - started)


async def _judged(check: Check, scene: Scene, seconds: float) -> tuple[State, str, str]:
    try:
        async with asyncio.timeout(seconds):
            return "passed", await check.do(scene), ""
    except Skipped as skipped:
        return "skipped", str(skipped), ""
    except Failed as failed:
        state: State = "undecided" if isinstance(failed, Undecided) else "failed"
        return state, failed.says, failed.fix or check.fix
    except TimeoutError:
        return "failed", f"not over within {seconds:g} s", check.fix
    except (HarborError, ClusterError) as error:
        unsure = isinstance(error, RightMissing | AnswerLost | ClusterError)
        return "undecided" if unsure else "failed", *_words(error, check)


def _words(error: SlipwayError, check: Check) -> tuple[str, str]:
    """Give what an error says, and its advice before the check's own."""
    says = "; ".join(problem.what for problem in error.problems)
    fixes = dict.fromkeys([*(problem.fix for problem in error.problems if problem.fix), check.fix])
    return says, "; ".join(fixes)
