"""What is asked for, wherever it goes, and what came of it: shared by the three ways to deliver."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from infra.delivery.git import Git
from infra.delivery.ground import BranchGround, Ground
from infra.delivery.message import Message, message, summarised
from infra.delivery.plan import SUMMARISED, Plan, Store
from infra.delivery.revision import Writer

Progress = Callable[[str], None]

#: What takes less is not worth a word.
_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a publish did.

    Attributes:
        commit: id of the last commit, afterwards, of the branch that Flux reads; empty if there is none (a dry run on
            an empty repository, or files only).
        changed: paths that were written or removed, or would be in a dry run; in a pull request, against the branch.
        created: a commit was made, or files were written.
        pull_request: URL of the one in which the changes wait; empty where they do not.
    """

    commit: str
    changed: tuple[str, ...]
    created: bool
    pull_request: str = ""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is asked for.

    Attributes:
        environments: names, each with its folder of the repository: all that are looked at, changed or not.
        folders: below which everything of them stands.
        plan: judges the ground, and gives the texts to write to a store.
        dry_run: say what would change and write nothing.
        progress: told about lost races, and how far it is.
        stored: blobs that earlier attempts left in the scratch repository.
    """

    environments: Sequence[tuple[str, str]]
    folders: Collection[str]
    plan: Callable[[Ground, Store], list[Plan]]
    dry_run: bool = False
    progress: Progress = lambda _: None
    stored: set[str] = field(default_factory=set)


class Revision(NamedTuple):
    """What an order comes to on one base."""

    changed: tuple[str, ...]
    tree: str
    message: Message


def revise(git: Git, base: str | None, order: Order) -> Revision | None:
    """Plan an order on a base, and write its tree unless nothing changes or it is a dry run (the tree is empty then).

    Raises:
        PublishError, ValuesError: what speaks against it.
    """
    ground = BranchGround(git, base, order.folders)
    with Writer(git, order.stored) as writer:
        due = [plan for plan in order.plan(ground, writer) if plan.due]
        if not due:
            return None
        changed = tuple(sorted(path for plan in due for path in plan.changes.paths))
        if order.dry_run:
            return Revision(changed, "", message(due))
        write = {path: blob for plan in due for path, blob in plan.write.items()}
        tree = writer.tree(base, write, [path for plan in due for path in plan.remove])
    return Revision(changed, tree, message(due, _summary(ground, due)))


def _summary(ground: Ground, due: Sequence[Plan]) -> str:
    if len(due) > SUMMARISED:
        return ""
    return summarised(ground.read([path for plan in due for path in plan.values]), due)


def patient(progress: Progress) -> Progress:
    """Say something only when it has taken over two seconds, and then once a second."""
    started = last = time.monotonic()

    def tell(text: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - started > _PATIENCE_SECONDS and now - last > 1:
            last = now
            progress(text)

    return tell
