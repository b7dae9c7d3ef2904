"""Files only: the same files below a folder of the user's, who brings them to Git by other means.

Everything is first written aside, in the same folder, so a full disk or a missing right changes nothing; then each file
is moved into its place, what is stale goes, and the lock comes last.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

from infra.delivery.ground import FolderGround, parents_of
from infra.delivery.order import Order, Published
from infra.delivery.plan import Plan
from infra.errors import Problem, PublishError


class FolderStore:
    """Texts that wait beside their places."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def holds(self, blob: str) -> bool:  # noqa: ARG002
        """Tell whether it has this content already: each path has a file of its own here."""
        return False

    def add(self, path: str, text: str) -> None:
        """Take a text."""
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())


class _NoStore:
    """Takes nothing: a dry run writes nothing."""

    def holds(self, blob: str) -> bool:  # noqa: ARG002
        return True

    def add(self, path: str, text: str) -> None:
        """Take nothing."""


def write_folder(root: Path, order: Order) -> Published:
    """Bring a folder to what is ordered.

    Raises:
        PublishError: what speaks against it, or the folder cannot be written to.
    """
    ground = FolderGround(root, order.folders)
    if order.dry_run:
        due = [plan for plan in order.plan(ground, _NoStore()) if plan.due]
        return Published(commit="", changed=_changed(due), created=False)
    try:
        with _aside(root) as aside:
            due = [plan for plan in order.plan(ground, FolderStore(aside)) if plan.due]
            for plan in due:
                _move(aside, root, plan)
    except OSError as error:
        raise PublishError(
            Problem(
                where=str(error.filename or root),
                what=f"cannot be written: {error.strerror}",
                fix="free some space or correct its rights, or set gitops.folder to another one",
            )
        ) from None
    return Published(commit="", changed=_changed(due), created=bool(due))


def _changed(due: list[Plan]) -> tuple[str, ...]:
    return tuple(sorted(path for plan in due for path in plan.changes.paths))


@contextlib.contextmanager
def _aside(root: Path) -> Generator[Path]:
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".slipway-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move(aside: Path, root: Path, plan: Plan) -> None:
    *files, lock = [*plan.write, *plan.remove] if plan.withdrawn else [*plan.remove, *plan.write]
    for path in (*files, lock):
        place = root / path
        if path in plan.write:
            place.parent.mkdir(parents=True, exist_ok=True)
            (aside / path).replace(place)
        else:
            place.unlink(missing_ok=True)
            _remove_empty(root, path)


def _remove_empty(root: Path, path: str) -> None:
    for parent in reversed(parents_of(path)):
        with contextlib.suppress(OSError):  # not empty
            (root / parent).rmdir()
