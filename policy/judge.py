"""Apply the rules to an environment."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from policy.rule import Context, Rule
from policy.waivers import Waiver

State = Literal["passed", "violated", "not decided", "waived"]
_STATES: dict[bool | None, State] = {True: "passed", False: "violated", None: "not decided"}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one rule says of one resource.

    Attributes:
        rule: that judged.
        subject: ``type::logical name``, or what is missing.
        state: passed, violated, not decided (an input is known only in `up`), or waived.
        waiver: of a violation that is waived.
    """

    rule: Rule
    subject: str
    state: State
    waiver: Waiver | None = None


def judge(context: Context, rules: Iterable[Rule], waivers: Iterable[Waiver] = ()) -> list[Verdict]:
    """Give a verdict for each rule of the profile and each resource that it judges."""
    known = list(waivers)
    return [
        _verdict(rule, finding.subject, _STATES[finding.answer], known, context)
        for rule in rules
        if context.profile in rule.profiles
        for finding in rule.look(context)
    ]


def _verdict(rule: Rule, subject: str, state: State, waivers: list[Waiver], context: Context) -> Verdict:
    for waiver in waivers:
        if state == "violated" and waiver.fits(rule.id, subject) and waiver.until >= context.today:
            return Verdict(rule=rule, subject=subject, state="waived", waiver=waiver)
    return Verdict(rule=rule, subject=subject, state=state)
