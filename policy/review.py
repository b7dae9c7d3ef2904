"""Hold a team's waivers against what was judged: one that fits nothing is a mistake, one that ends soon a surprise."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from infra.errors import Problem
from policy.judge import Verdict
from policy.waivers import Waiver

#: How long before its end a waiver is told about.
NOTICE = timedelta(days=30)


def misfits(waivers: Sequence[Waiver], verdicts: Collection[Verdict], where: str) -> list[Problem]:
    """Give a problem for each waiver whose rule judges no resource of that name."""
    return [
        Problem(
            where=f"{where}: {number}",
            what=f"{waiver.rule} judges no resource called {waiver.resource!r} here",
            fix="correct the name, or take the waiver out",
        )
        for number, waiver in enumerate(waivers)
        if not any(waiver.fits(one.rule.id, one.subject) for one in verdicts)
    ]


def notices(waivers: Sequence[Waiver], verdicts: Collection[Verdict], today: date) -> list[str]:
    """Say which waivers have ended, end within thirty days, or cover nothing that is still violated."""
    told = []
    for waiver in waivers:
        states = {one.state for one in verdicts if waiver.fits(one.rule.id, one.subject)}
        named = f"the waiver of {waiver.rule} for {waiver.resource}"
        if waiver.until < today:
            told.append(f"{named} ended on {waiver.until}")
        elif not states & {"waived", "not decided"}:
            told.append(f"{named} is no longer needed: nothing violates the rule")
        elif waiver.until - today <= NOTICE:
            told.append(f"{named} ends on {waiver.until}, in {(waiver.until - today).days} days")
    return told
