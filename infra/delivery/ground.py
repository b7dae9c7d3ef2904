"""What is there already: the branch as it was fetched, or a folder; all that a plan asks of either.

ground = BranchGround(git, base, folders=["clusters/prod", "apps/harbor/prod"])
ground.files["apps/harbor/prod/.slipway.lock.json"]      # a blob id
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple, Protocol

from infra.delivery.git import Entry, Git
from infra.delivery.lock import blob_id

#: Above so many folders their parents are listed as a whole: git compares every path with every pattern.
_MANY = 64
_HOME = re.compile(r"^(?:(?P<root>.+)/)?apps/harbor/(?P<environment>[^/]+)$")


class Neighbour(NamedTuple):
    """Another environment that is delivered from the same place."""

    home: str
    environment: str
    host: str


class Ground(Protocol):
    """A place that files are written to."""

    @property
    def files(self) -> Mapping[str, str]:
        """Files below the environments' folders: path → blob id."""

    def read(self, paths: Collection[str]) -> dict[str, str]:
        """Give the texts of those of `paths` that are files."""

    def obstacles(self, paths: Collection[str]) -> dict[str, str]:
        """Give what stands where a new file, or a folder above it, would be: path → what it is."""

    def neighbours(self) -> Sequence[Neighbour]:
        """Give all environments that are delivered from here."""


class BranchGround:
    """A commit of the branch; reads trees, and the few blobs that are asked for.

    Args:
        git: the scratch repository.
        base: the commit; None for an empty repository.
        folders: of the environments in question.
    """

    def __init__(self, git: Git, base: str | None, folders: Collection[str]) -> None:
        self._git, self._base = git, base
        listed = folders if len(folders) <= _MANY else {folder.rpartition("/")[0] for folder in folders}
        self._entries: dict[str, Entry] = git.entries(base, *sorted(listed))

    @cached_property
    def files(self) -> Mapping[str, str]:
        """Files below the environments' folders: path → blob id."""
        return {path: entry.id for path, entry in self._entries.items() if entry.kind == "blob"}

    def read(self, paths: Collection[str]) -> dict[str, str]:
        """Give the texts of those of `paths` that are files; they come in one fetch."""
        there = {path: self.files[path] for path in paths if path in self.files}
        texts = self._git.read_blobs(there.values())
        return {path: texts[blob] for path, blob in there.items()}

    def obstacles(self, paths: Collection[str]) -> dict[str, str]:
        """Give what stands where a new file, or a folder above it, would be: path → what it is."""
        parents = {parent for path in paths for parent in parents_of(path)}
        # What is above the folders that were listed is looked up by name, without what is below it.
        above = [parent for parent in parents if parent not in self._entries]
        looked_up = self._git.entries(self._base, *sorted(above), options=[]) if above else {}
        entries = {**self._entries, **looked_up}
        found = {path: "a folder" for path in paths if path in entries and entries[path].kind != "blob"}
        return found | {
            parent: "a file" if entries[parent].kind == "blob" else "a submodule"
            for parent in parents
            if parent in entries and entries[parent].kind != "tree"
        }

    def neighbours(self) -> Sequence[Neighbour]:
        """Give all environments that the branch delivers, from their facts, in one fetch."""
        homes = [path for path in self._git.entries(self._base, options=["-r", "-d"]) if _HOME.match(path)]
        blobs = self._git.blobs(self._base, [f"{home}/facts.json" for home in homes]) if homes else {}
        texts = self._git.read_blobs(blobs.values())
        return [neighbour(path.rpartition("/")[0], texts[blob]) for path, blob in blobs.items()]


class FolderGround:
    """A folder on this machine.

    Args:
        root: the folder.
        folders: of the environments in question, below it.
    """

    def __init__(self, root: Path, folders: Collection[str]) -> None:
        self._root, self._folders = root, folders

    @cached_property
    def files(self) -> Mapping[str, str]:
        """Files below the environments' folders: path → blob id."""
        found = (path for folder in self._folders for path in sorted((self._root / folder).rglob("*")))
        return {
            path.relative_to(self._root).as_posix(): blob_id(path.read_bytes())
            for path in found
            if path.is_file() or path.is_symlink()
        }

    def read(self, paths: Collection[str]) -> dict[str, str]:
        """Give the texts of those of `paths` that are files."""
        return {
            path: (self._root / path).read_bytes().decode(errors="replace")
            for path in paths
            if (self._root / path).is_file()
        }

    def obstacles(self, paths: Collection[str]) -> dict[str, str]:
        """Give what stands where a new file, or a folder above it, would be; a link would lead out of the folder."""
        found = {path: "a folder" for path in paths if (self._root / path).is_dir()}
        for parent in {parent for path in paths for parent in parents_of(path)}:
            place = self._root / parent
            if place.is_symlink():
                found[parent] = "a link"
            elif place.exists() and not place.is_dir():
                found[parent] = "a file"
        return found

    def neighbours(self) -> Sequence[Neighbour]:
        """Give all environments whose files stand beside these."""
        homes = sorted({str(Path(folder).parent) for folder in self._folders if _HOME.match(folder)})
        found = (path for home in homes for path in sorted((self._root / home).glob("*/facts.json")))
        return [
            neighbour(path.parent.relative_to(self._root).as_posix(), path.read_text(errors="replace"))
            for path in found
        ]


def parents_of(path: str) -> list[str]:
    """Give the folders above a file, outermost first."""
    *parents, _ = path.split("/")
    return list(accumulate(parents, lambda above, name: f"{above}/{name}"))


def neighbour(home: str, facts: str) -> Neighbour:
    """Read the little that matters of somebody's facts, which another Slipway may have written."""
    try:
        host = json.loads(facts)["host"]
    except (ValueError, KeyError, TypeError):
        host = ""
    return Neighbour(home=home, environment=home.rpartition("/")[2], host=str(host))
