"""What a plan consists of.

Action(verb="update", object=…, changes=(Change("storage_quota", 53687091200, -1),))
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from infra.errors import Problem
from slipway.harbor.kinds.base import Object, Ref

#: create, adopt (take what is there and not ours, changing it if need be), update, delete, forget (ours no longer,
#: left as it is).
Verb = Literal["create", "adopt", "update", "delete", "forget"]


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs. Of a secret only that it does."""

    field: str
    before: Any
    after: Any
    secret: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One thing to do.

    Attributes:
        changes: fields that differ; of what is created, all.
        unknown: secret fields of which only the apply can tell whether they differ.
        why: of a deletion or an adoption, what led to it.
        wanted, present: what it is to be, what it is; None where there is none.
    """

    verb: Verb
    ref: Ref
    changes: tuple[Change, ...] = ()
    unknown: tuple[str, ...] = ()
    why: str = ""
    wanted: Object | None = None
    present: Object | None = None

    @property
    def is_note(self) -> bool:
        """Whether nothing in Harbor differs: what is as declared is only noted to be ours."""
        return self.verb == "adopt" and not self.changes


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What a person allowed for this run.

    Attributes:
        adopt: take over what is there and not ours, and change it.
        delete_content: projects that may go with all that is in them, if their policy says so as well.
    """

    adopt: bool = False
    delete_content: Collection[str] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What has to be done for Harbor to be as the file says.

    Attributes:
        actions: in the order in which they are done, kind by kind.
        problems: what stands in the way; with any, nothing is applied.
        claims: ours already, of which the ledger does not know the id yet (an interrupted run).
        foreign: kind → how many things in declared lists are not ours, and left alone.
        same: how many objects are as declared.
        warnings: what somebody should know; nothing stops for them.
        unread: kinds that the sender may not read, so that nothing is known of them.
    """

    actions: Sequence[Action] = ()
    problems: Sequence[Problem] = ()
    claims: Sequence[Object] = ()
    foreign: Mapping[str, Sequence[str]] = field(default_factory=dict)
    same: int = 0
    warnings: Sequence[Problem] = ()
    unread: Sequence[str] = ()

    @property
    def differs(self) -> bool:
        """Whether Harbor is other than declared; that we do not own something yet is no difference in it."""
        return not all(each.is_note for each in self.actions)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many actions of each verb."""
        return Counter(each.verb for each in self.actions)
