"""What became of an action.

Outcome(action=…, state="failed", problems=(…,))
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from infra.errors import AnswerLost, AnswerUnreadable, HarborAway, ListMoved, Problem, SlipwayError
from slipway.harbor.plan.action import Action

_PASSES = (AnswerLost, AnswerUnreadable, HarborAway, ListMoved)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One action, and what became of it.

    Attributes:
        state: done; failed; skipped, because what it needs failed.
        problems: why, of the last two.
        again: whether another try may end otherwise.
    """

    action: Action
    state: Literal["done", "failed", "skipped"]
    problems: Sequence[Problem] = ()
    again: bool = False


def failed(action: Action, error: SlipwayError) -> Outcome:
    """Give the outcome of an error."""
    return Outcome(action=action, state="failed", problems=error.problems, again=isinstance(error, _PASSES))
