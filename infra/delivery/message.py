"""What a commit says of itself, and a pull request with it: subject, what changes, and trailers that git reads. Pure.

str(delivery(plans, summary="core: replicas 2 → 3"))
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from infra.delivery.plan import Plan

#: So many paths are listed one by one.
_LISTED_PATHS = 200
#: And so many environments by name in the text; the trailers name all.
_LISTED_ENVIRONMENTS = 50
#: Lines of what changes in the values, all environments together.
_SUMMARY_LINES = 60


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is said of one revision.

    Attributes:
        subject: one line.
        body: paragraphs.
        trailers: pairs of key and value.
    """

    subject: str
    body: Sequence[str]
    trailers: Sequence[tuple[str, str]]

    def __str__(self) -> str:
        """Give the commit's message."""
        trailers = "\n".join(f"{key}: {value}" for key, value in self.trailers)
        return "\n\n".join(filter(None, (self.subject, *self.body, trailers))) + "\n"


def message(plans: Sequence[Plan], summary: str = "") -> Message:
    """Say what is delivered, or what is taken out of the branch.

    Args:
        plans: of the environments that change.
        summary: what changes in their values, by component.
    """
    verb = "Withdraw Harbor from" if plans[0].withdrawn else "Deliver Harbor for"
    digests = sorted(plan.lock.inputs for plan in plans)
    combined = f"sha256:{hashlib.sha256(' '.join(digests).encode()).hexdigest()}"
    return Message(
        subject=f"{verb} {plans[0].environment if len(plans) == 1 else f'{len(plans)} environments'}",
        body=[*_about(plans), summary.strip(), _listing(plans)],
        trailers=[
            ("Slipway-Version", plans[0].lock.slipway),
            *(("Slipway-Environment", plan.environment) for plan in plans),
            ("Slipway-Input-Digest", digests[0] if len(plans) == 1 else combined),
        ],
    )


def _about(plans: Sequence[Plan]) -> Iterator[str]:
    charts = Counter(plan.lock.chart for plan in plans)
    if len(plans) == 1:
        yield f"Chart {plans[0].lock.chart}."
        return
    yield f"Charts: {', '.join(f'{chart} ({count})' for chart, count in sorted(charts.items()))}."
    names = [plan.environment for plan in plans]
    more = f" and {len(names) - _LISTED_ENVIRONMENTS} more" if len(names) > _LISTED_ENVIRONMENTS else ""
    yield f"Environments: {', '.join(names[:_LISTED_ENVIRONMENTS])}{more}."


def _listing(plans: Sequence[Plan]) -> str:
    written = {path for plan in plans for path in plan.changes.write}
    removed = {path for plan in plans for path in plan.changes.remove}
    if len(written) + len(removed) > _LISTED_PATHS:
        return f"{len(written)} files written, {len(removed)} removed."
    return "\n".join(f"{'remove' if path in removed else 'write'} {path}" for path in sorted(written | removed))


def summarised(before: Mapping[str, str], plans: Sequence[Plan]) -> str:
    """Say what changes in the values, by component, and by environment where there are several.

    Args:
        before: texts of the values documents as they were, path → text; what is not in it is new.
        plans: with the texts as they will be.
    """
    from values.changes import changes, summary  # noqa: PLC0415  # only a commit needs it

    paragraphs = []
    for plan in plans:
        old = {path: before[path] for path in plan.values if path in before}
        if text := summary(changes(old, plan.values), lines=max(_SUMMARY_LINES // len(plans), 4)):
            paragraphs.append(text if len(plans) == 1 else f"{plan.environment}:\n{text}")
    return "\n\n".join(paragraphs)
