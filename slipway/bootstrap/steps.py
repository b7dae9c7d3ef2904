"""One thing that a bootstrap looks after: what differs from what is wanted, and how to mend it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["kept", "made", "changed"]


class Part(Protocol):
    """Something in the account."""

    @property
    def name(self) -> str:
        """What it is, with its name."""

    def look(self) -> Sequence[str] | None:
        """Give what differs from what is wanted; None where there is nothing yet.

        Raises:
            BootstrapError: it belongs to somebody else, or cannot be mended from here.
        """

    def make(self) -> None:
        """Make it, and nothing of what `mend` does."""

    def mend(self) -> None:
        """Bring everything of it to what is wanted."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of a part.

    Attributes:
        name: what it is.
        state: kept as it was, made, or changed.
        changes: what differed.
    """

    name: str
    state: State
    changes: tuple[str, ...] = ()


def settle(part: Part, *, dry_run: bool) -> Done:
    """Bring a part to what is wanted, or only say what would be done."""
    differs = part.look()
    if differs is not None and not differs:
        return Done(name=part.name, state="kept")
    if not dry_run:
        if differs is None:
            part.make()
        part.mend()
    return Done(name=part.name, state="made" if differs is None else "changed", changes=tuple(differs or ()))
