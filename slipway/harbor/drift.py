"""Tell of drift: a webhook, and a file for Prometheus' textfile collector.

notify(url, report)
write_metrics(path, report, now=time.time())
"""

import asyncio
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.errors import HarborAway, Problem
from slipway.harbor.plan import Plan

_LISTED = 20
_TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a look for drift came to.

    Attributes:
        counts: differences by verb; `blocked` is what stands in the way of an apply.
        refs: what is concerned, each with its verb.
        unread: kinds that were not looked at, since the sender may not read them.
        error: why nothing could be told; empty where it could.
    """

    environment: str
    url: str
    counts: Mapping[str, int] = field(default_factory=dict)
    refs: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    error: str = ""

    @classmethod
    def of(cls, plan: Plan, *, environment: str, url: str) -> "Report":
        """Tell what of a plan is a difference; that something is not ours yet is none."""
        actions = [each for each in plan.actions if not each.is_note]
        counts = Counter(each.verb for each in actions) + Counter(blocked=len(plan.problems))
        refs = [f"{each.verb} {each.ref}" for each in actions] + [f"blocked: {each.what}" for each in plan.problems]
        return cls(environment=environment, url=url, counts=counts, refs=tuple(refs), unread=tuple(plan.unread))

    @property
    def drifted(self) -> bool:
        """Whether anything is other than declared."""
        return bool(self.refs)

    def as_data(self) -> dict[str, Any]:
        """Give what a webhook gets. `text` is what Slack and its like show."""
        listed = "\n".join(self.refs[:_LISTED])
        more = f"\nand {len(self.refs) - _LISTED} more" if len(self.refs) > _LISTED else ""
        if self.error:
            text = f"Harbor of {self.environment} ({self.url}) could not be compared with harbor.yaml: {self.error}"
        elif not self.drifted:
            text = f"Harbor of {self.environment} ({self.url}) is as declared"
        else:
            count, noun = len(self.refs), "difference" if len(self.refs) == 1 else "differences"
            text = f"Harbor of {self.environment} ({self.url}) is not as declared, {count} {noun}:\n{listed}{more}"
        return {
            "text": text,
            "environment": self.environment,
            "url": self.url,
            "drift": self.drifted,
            "error": self.error,
            "counts": dict(self.counts),
            "objects": list(self.refs),
            "notRead": list(self.unread),
        }


def notify(url: str, report: Report) -> None:
    """Post it.

    Raises:
        HarborAway: it was not taken, three times over.
    """
    asyncio.run(_notify(url, report))


async def _notify(url: str, report: Report) -> None:
    import aiohttp  # noqa: PLC0415  # only where there is something to tell

    reason = ""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10), trust_env=True) as http:
        for attempt in range(_TRIES):
            await asyncio.sleep(attempt)
            try:
                async with http.post(url, json=report.as_data()) as answer:
                    if answer.status < 300:
                        return
                    reason = f"answered {answer.status}"
            except (aiohttp.ClientError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
    # The address is often the secret itself: its host is enough to know which it is.
    host = aiohttp.client.URL(url).host or "the address"
    raise HarborAway(Problem(where="--notify", what=f"{host} did not take the report: {reason}", fix="check it"))


def write_metrics(path: Path, report: Report, *, now: float) -> None:
    """Write the file whole, since the collector may read it at any time."""
    label = f'environment="{report.environment}"'
    lines = [
        "# HELP slipway_harbor_drift Objects in Harbor that are not as harbor.yaml declares, by what would be done.",
        "# TYPE slipway_harbor_drift gauge",
        *(
            f'slipway_harbor_drift{{{label},verb="{verb}"}} {report.counts.get(verb, 0)}'
            for verb in ("create", "adopt", "update", "delete", "forget", "blocked")
        ),
        "# HELP slipway_harbor_drift_known Whether the last look could tell.",
        "# TYPE slipway_harbor_drift_known gauge",
        f"slipway_harbor_drift_known{{{label}}} {0 if report.error else 1}",
        "# HELP slipway_harbor_drift_unread_kinds Kinds of object that were not looked at: their drift is not seen.",
        "# TYPE slipway_harbor_drift_unread_kinds gauge",
        f"slipway_harbor_drift_unread_kinds{{{label}}} {len(report.unread)}",
        "# HELP slipway_harbor_drift_looked_seconds When the last look was, in seconds since 1970.",
        "# TYPE slipway_harbor_drift_looked_seconds gauge",
        f"slipway_harbor_drift_looked_seconds{{{label}}} {now:.0f}",
    ]
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text("\n".join(lines) + "\n")
    scratch.replace(path)
