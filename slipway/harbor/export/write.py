"""Put the files of an export into their place: none is overwritten unasked, and none is half written.

write(Path("stacks/prod/harbor.yaml"), exported, force=False)     # or a folder
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.errors import Problem, SpecError
from slipway.harbor.export.exported import FIRST_LINE, Exported

_YAML = {".yaml", ".yml"}


def is_folder(path: Path) -> bool:
    """Tell whether a path means a folder: it is one, or has no ending of a YAML file."""
    return path.is_dir() or path.suffix not in _YAML


def check(path: Path, *, force: bool) -> None:
    """Refuse a place that cannot take an export, before Harbor is asked for everything.

    Raises:
        SpecError: with all that stands there.
    """
    folder = is_folder(path)
    taken = sorted(each for each in path.rglob("*") if each.suffix in _YAML) if folder else [path]
    fix = "give --force to replace what is there, or another --out"
    problems = [
        Problem(where=str(each), what="is there already", fix=fix) for each in taken if each.exists() and not force
    ]
    if folder:
        # What somebody else wrote would be read with it as one file.
        problems += [
            Problem(where=str(each), what="is in the folder and was not exported", fix="move it, or export elsewhere")
            for each in taken
            if force and not _is_ours(each)
        ]
    above = path if path.is_dir() else next(each for each in path.absolute().parents if each.exists())
    if not os.access(above, os.W_OK | os.X_OK) or not above.is_dir():
        fix = "choose another --out, or give yourself the right to write there"
        problems.append(Problem(where=str(above), what="cannot be written to", fix=fix))
    if problems:
        raise SpecError(*problems)


def write(path: Path, exported: Exported, *, force: bool) -> list[Path]:
    """Write the files; gives where.

    Raises:
        SpecError: something is there already.
        OSError: a file cannot be written.
    """
    check(path, force=force)
    folder = is_folder(path)
    texts = {path / name if folder else path: text for name, text in exported.files(folder=folder).items()}
    stale = [each for each in path.rglob("*") if each.suffix in _YAML and each not in texts] if folder else []
    _replaced(texts)
    for each in stale:
        each.unlink()
    return list(texts)


def _is_ours(path: Path) -> bool:
    with path.open() as file:
        return file.readline().rstrip("\n") == FIRST_LINE


def _replaced(texts: Mapping[Path, str]) -> None:
    """Write all beside their places first, so that a full disk leaves what was there."""
    scratch: list[tuple[str, Path]] = []
    try:
        scratch += ((_beside(path, text), path) for path, text in texts.items())
        for name, path in scratch:
            Path(name).replace(path)
    finally:
        for name, _ in scratch:
            Path(name).unlink(missing_ok=True)


def _beside(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(name).chmod(0o666 & ~_umask())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return name


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
