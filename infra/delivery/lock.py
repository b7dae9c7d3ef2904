"""The lock file: which files of the GitOps repository are ours, and with which content we last wrote them.

It stands beside what it describes, in the same commit. A file that it names and that has other content was edited by
somebody; a file that it does not name is not ours to overwrite. Content is compared by git's blob ids, so a check
reads trees and one blob, this file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.errors import HumanEdit, Problem

VERSION = 1
NOTE = "Written by Slipway. It tells which files are generated; edit neither them nor this."


class Lock(BaseModel):
    """What one environment owns in the repository.

    Attributes:
        environment: its name.
        slipway: version that wrote the files.
        chart: version of the Harbor chart that they deliver.
        inputs: digest of the facts and overrides that they were made from.
        host: the registry's host name; empty in a lock of before it was kept.
        release: ``namespace/name`` of the Helm release; empty likewise.
        files: path in the repository → blob id.
    """

    model_config = ConfigDict(frozen=True)

    environment: str
    slipway: str
    chart: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    inputs: str
    host: str = ""
    release: str = ""
    files: Mapping[str, str]

    def to_json(self) -> str:
        """Give the lock as it stands in the repository: stable text."""
        document = {"//": NOTE, "version": VERSION, **self.model_dump(), "files": dict(sorted(self.files.items()))}
        return json.dumps(document, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, path: str) -> "Lock":
        """Read a lock.

        Raises:
            HumanEdit: it is not what we wrote, or a newer Slipway wrote it.
        """
        try:
            version = json.loads(text)["version"]
            if version == VERSION:
                return cls.model_validate_json(text)
        except (ValidationError, ValueError, KeyError, TypeError) as error:
            what = "is not the lock that Slipway wrote"
            raise HumanEdit(
                Problem(where=path, what=what, fix="restore it from Git's history"), detail=f"    {error}"
            ) from None
        what = f"is a lock of version {version}, this Slipway knows {VERSION}"
        raise HumanEdit(Problem(where=path, what=what, fix="use the Slipway that wrote it, or a newer one"))


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a publish has to do.

    Attributes:
        write: paths that are new or different.
        remove: our paths that are rendered no longer.
        edited: paths where somebody else's content is in the way.
    """

    write: tuple[str, ...]
    remove: tuple[str, ...]
    edited: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Everything that changes, sorted."""
        return tuple(sorted({*self.write, *self.remove}))


def compare(owned: Mapping[str, str], present: Mapping[str, str], wanted: Mapping[str, str]) -> Changes:
    """Compare three states of the files, each path → blob id.

    Args:
        owned: as we last wrote them (the lock); empty before the first publish.
        present: as they are in the branch, for every path of the other two.
        wanted: as they are rendered now.
    """
    edited = {path for path in owned if present.get(path) not in {owned[path], wanted.get(path)}}
    edited |= {path for path in wanted if path not in owned and path in present and present[path] != wanted[path]}
    return Changes(
        write=tuple(sorted(path for path in wanted if present.get(path) != wanted[path])),
        remove=tuple(sorted(path for path in owned if path not in wanted and path in present)),
        edited=tuple(sorted(edited)),
    )


def blob_id(text: str | bytes) -> str:
    """Give git's id of a file with this text (gitformat: SHA-1 over header and content)."""
    content = text.encode() if isinstance(text, str) else text
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
