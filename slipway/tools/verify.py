"""What there is of each program: where it would come from, and whether the cache still holds what was built."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from slipway.tools.build import digest, digest_file
from slipway.tools.find import usable
from slipway.tools.table import Tool

State = Literal["on PATH", "built", "to build", "damaged"]


@dataclass(frozen=True, kw_only=True)
class Status:
    """One program as a rehearsal would find it.

    Attributes:
        name, version: of the program; the pinned version where it is not on PATH.
        state: where it comes from; ``damaged`` for a file in the cache that is not what was built.
        path: of the executable, or where it will be.
    """

    name: str
    version: str
    state: State
    path: str


def status(tool: Tool, *, check: bool) -> Status:
    """Tell what there is of a program.

    Args:
        tool: the program.
        check: also hold a built one against the digest that was taken when it was built.
    """
    if tool.oldest and (on_path := shutil.which(tool.name)):
        found = usable(tool, Path(on_path))
        if not isinstance(found, str):
            return Status(name=tool.name, version=found.version, state="on PATH", path=on_path)
    state: State = "to build"
    if tool.is_built:
        state = "damaged" if check and not _is_whole(tool) else "built"
    return Status(name=tool.name, version=tool.pinned.lstrip("v"), state=state, path=str(tool.built))


def remove_damaged(statuses: Iterable[Status]) -> None:
    """Remove what is damaged from the cache, so that the next rehearsal builds it again."""
    for one in statuses:
        if one.state == "damaged":
            Path(one.path).unlink()


def _is_whole(tool: Tool) -> bool:
    """Compare with the recorded digest; a file without one is not ours."""
    recorded = digest_file(tool)
    if not recorded.exists() or not os.access(tool.built, os.X_OK):
        return False
    return recorded.read_text().strip() == digest(tool.built)
