"""The one runner of long procedures: named steps in order, each told when it begins and how long it took.

A step that fails or is interrupted ends the procedure; what it left is for the next run to go on from, so every step
must be safe to do again.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Result = TypeVar("Result")


class Watcher(Protocol):
    """Whoever shows a procedure while it runs."""

    def begin(self, name: str) -> None:
        """A step begins."""

    def tell(self, text: str) -> None:
        """The step that runs has something to say."""

    def note(self, text: str) -> None:
        """The step has something that a person must read, also afterwards."""

    def end(self, name: str, seconds: float) -> None:
        """The step is done."""


@dataclass(frozen=True)
class Step(Generic[Result]):
    """A part of a procedure.

    Attributes:
        name: what it does, as a person would say it.
        do: does it and gives what there is to report.
    """

    name: str
    do: Callable[[], Result]


def run_steps(steps: Iterable[Step[Result]], watcher: Watcher) -> list[Result]:
    """Do the steps in order and give their results; an exception ends it where it is."""
    results = []
    for step in steps:
        watcher.begin(step.name)
        started = time.monotonic()
        results.append(step.do())
        watcher.end(step.name, time.monotonic() - started)
    return results
