"""The lock file: which files of the GitOps repository are ours, and with which content we last wrote them.

It stands beside what it describes, in the same commit. A file that it names and that has other content was edited by
somebody; a file that it does not name is not ours to overwrite. Content is compared by git's blob ids, so a check
reads trees and one blob, this file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from infra.errors import HumanEdit, Problem

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Lock:
    """What one environment owns in the repository.

    Attributes:
        environment: its name.
        slipway: version that wrote the files.
        chart: version of the Harbor chart that they deliver.
        inputs: digest of the facts and overrides that they were made from.
        files: path in the repository → blob id.
    """

    environment: str
    slipway: str
    chart: str
    inputs: str
    files: Mapping[str, str]

    def to_json(self) -> str:
        """Give the lock as it stands in the repository: stable text."""
        document = {
            "//": "Written by Slipway. It tells which files are generated; edit neither them nor this.",
            "version": VERSION,
            "environment": self.environment,
            "slipway": self.slipway,
            "chart": self.chart,
            "inputs": self.inputs,
            "files": dict(sorted(self.files.items())),
        }
        return json.dumps(document, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, path: str) -> "Lock":
        """Read a lock.

        Raises:
            HumanEdit: it is not what we wrote, or a newer Slipway wrote it.
        """
        try:
            document = json.loads(text)
            version = document["version"]
            if version == VERSION:
                names = ("environment", "slipway", "chart", "inputs", "files")
                return cls(**{name: document[name] for name in names})
        except (ValueError, KeyError, TypeError) as error:
            raise HumanEdit(
                Problem(
                    where=path,
                    what=f"is not the lock that Slipway wrote ({error})",
                    fix="restore it from Git's history",
                )
            ) from None
        raise HumanEdit(
            Problem(
                where=path,
                what=f"is a lock of version {version}, this Slipway knows {VERSION}",
                fix="use the newer Slipway",
            )
        )


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


def blob_id(text: str) -> str:
    """Give git's id of a file with this text (gitformat: SHA-1 over header and content)."""
    content = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
