"""A part of a proof: one command, what to make of what it wrote, and what to do around it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from slipway.prove.commands import Command


def _nothing() -> None:
    pass


def _says_nothing(_out: str) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One step of a proof.

    Attributes:
        name: what it does; the same name is not played twice where it passed.
        command: what is run; None where there is none.
        more: gives variables for it, when it is run; they may be secret.
        before, after: done around it, ``after`` only if it passed.
        says: makes a line of what the command wrote.
        pays: from here on something costs.
        essential: what follows makes no sense without it.
        otherwise: played in its place when it failed.
        left_out: why it is not played; empty if it is.
    """

    name: str
    command: Command | None = None
    more: Callable[[], Mapping[str, str]] = dict
    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing
    says: Callable[[str], str] = _says_nothing
    pays: bool = False
    essential: bool = True
    otherwise: "Part | None" = None
    left_out: str = ""


class Stage(Protocol):
    """Where a proof is played."""

    def parts(self) -> list[Part]:
        """Give the steps."""

    def ending(self) -> list[Part]:
        """Give the steps of the end, for what was made so far; none if nothing was."""

    def remains(self) -> list[str]:
        """Say what is still there, and how it is ended. It asks, and changes nothing."""

    def facts(self) -> Mapping[str, Any]:
        """Say what is proved, for the report: no names, no accounts."""

    def programs(self) -> Mapping[str, tuple[str, ...]]:
        """Give the programs that take part, with what asks each for its version."""


def parsed(read: Callable[[Any], str]) -> Callable[[str], str]:
    """Make a line of JSON; what is none, as of a command that failed early, says nothing."""

    def says(out: str) -> str:
        try:
            return read(json.loads(out))
        except (ValueError, LookupError, TypeError, AttributeError):
            return ""

    return says


def pulumi_says(out: str) -> str:
    """Give Pulumi's own summary of what it changed."""
    _, found, after = out.partition("\nResources:\n")
    if not found:
        return ""
    counted, _, rest = after.partition("\n\n")
    lasted = re.search(r"^Duration: (.+)$", f"{counted}\n{rest}", re.MULTILINE)
    changes = [line.strip() for line in counted.splitlines() if line.strip() and not line.startswith("Duration")]
    return ", ".join([*changes, *([lasted[1]] if lasted else [])])


status_says = parsed(lambda data: f"{data['verdict']}: {data['commit'][:12]} {data['url']}".strip())
upgrade_says = parsed(
    lambda data: (
        f"chart {data['chart']['from']} → {data['chart']['to']}: {'; '.join(one['says'] for one in data['done'])}"
    )
)
rehearse_says = parsed(
    lambda data: (
        f"{sum(data['resources'].values())} resources, commit {data['commit']['id'][:12]}, "
        f"{(data.get('delivery') or {}).get('verdict', 'not delivered')}"
    )
)


@parsed
def verify_says(data: Any) -> str:  # noqa: ANN401  # JSON
    """Count the checks, and name those that did not pass with what to do."""
    counts = ", ".join(f"{count} {state}" for state, count in data["counts"].items() if count)
    bad = [one for one in data["checks"] if one["state"] in {"failed", "undecided"}]
    return "; ".join([counts, *(f"{one['id']}: {one['says']} (do: {one['fix']})" for one in bad)])
