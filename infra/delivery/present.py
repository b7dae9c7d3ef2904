"""An environment's files as the branch holds them now, with their text: one fetch of trees, one of texts.

there = present(remote, gitops_path="", environment="prod")
there.lock.chart, there.texts["apps/harbor/prod/release/release.yaml"]
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.delivery.git import Remote, repository
from infra.delivery.inputs import lock_path
from infra.delivery.lock import Lock, blob_id
from infra.errors import Problem, SettingsError


@dataclass(frozen=True, kw_only=True)
class Present:
    """What the branch holds of one environment.

    Attributes:
        commit: the branch's last; empty for an empty repository.
        lock: what we wrote last; None before the first publish.
        texts: path → text, of the lock's files and of those asked for.
        edited: paths of the lock whose content is somebody else's, or that are gone.
    """

    commit: str
    lock: Lock | None
    texts: Mapping[str, str]
    edited: tuple[str, ...]


def present(
    remote: Remote,
    *,
    gitops_path: str,
    environment: str,
    also: Callable[[Lock | None], Collection[str]] = lambda _: (),
) -> Present:
    """Read an environment's files from the branch.

    Args:
        remote: the branch.
        gitops_path, environment: which files.
        also: more paths to read where they exist, from the lock: what a publish would write.

    Raises:
        RemoteUnavailable, HumanEdit: see `infra.errors`.
        ToolError: there is no git.
    """
    path = lock_path(gitops_path, environment)
    with repository(remote) as git:
        base = git.fetch()
        blob = git.blobs(base, [path]).get(path)
        lock = Lock.from_json(git.read_blob(blob), path) if blob else None
        owned = lock.files if lock else {}
        there = git.blobs(base, sorted({*owned, *also(lock)}))
        texts = git.read_blobs(sorted(set(there.values())))
    return Present(
        commit=base or "",
        lock=lock,
        texts={path: texts[blob] for path, blob in there.items()},
        edited=tuple(path for path in owned if there.get(path) != owned[path]),
    )


def in_folder(root: Path, *, gitops_path: str, environment: str, also: Collection[str] = ()) -> Present:
    """Read an environment's files from a folder: a clone of the branch, or what `slipway render --out` wrote.

    Raises:
        SettingsError: there is no such folder.
        HumanEdit: its lock is not what we wrote.
    """
    if not root.is_dir():
        raise SettingsError(Problem(where=str(root), what="is no folder", fix="give a clone of the GitOps repository"))
    path = lock_path(gitops_path, environment)
    locked = _text(root / path)
    lock = Lock.from_json(locked, path) if locked is not None else None
    owned = lock.files if lock else {}
    homes = [root / gitops_path / part / environment for part in ("clusters", "apps/harbor")]
    there = {one.relative_to(root).as_posix() for home in homes for one in home.rglob("*") if one.is_file()}
    texts = {one: text for one in sorted({*owned, *also, *there}) if (text := _text(root / one)) is not None}
    return Present(
        commit="",
        lock=lock,
        texts={one: text for one, text in texts.items() if one != path},
        edited=tuple(one for one in owned if one not in texts or blob_id(texts[one]) != owned[one]),
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace") if path.is_file() else None
    except OSError as error:
        raise SettingsError(Problem(where=str(path), what=f"cannot be read: {error.strerror}")) from None
