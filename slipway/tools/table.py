"""The programs that a rehearsal runs, read from tables/tools.yaml and the Go modules below tools/."""

import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from infra import tables
from infra.cache_folder import cache_folder
from infra.errors import Problem, ToolError

MODULES = Path(__file__).parents[2] / "tools"


class Tool(BaseModel):
    """One program. See tables/tools.yaml for what the fields mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    module: str
    package: str
    requires: str
    oldest: str = ""
    version: tuple[str, ...] = ()
    tags: str = ""
    files: tuple[str, ...] = ()
    stamp: Mapping[str, str] = {}

    @property
    def folder(self) -> Path:
        """The Go module that builds it."""
        return MODULES / self.module

    @cached_property
    def pinned(self) -> str:
        """The version that its module requires, with the v.

        Raises:
            ToolError: the module does not require it.
        """
        text = (self.folder / "go.mod").read_text()
        found = re.search(rf"^\s*{re.escape(self.requires)} (v\S+)", text, re.MULTILINE)
        if not found:
            where = str(self.folder / "go.mod")
            raise ToolError(Problem(where=where, what=f"does not require {self.requires}", fix="restore it from Git"))
        return found[1]

    @property
    def built(self) -> Path:
        """Where it is once built."""
        return cache_folder() / "tools" / f"{self.module}-{self.pinned}" / self.name

    @property
    def files_folder(self) -> Path:
        """Where its files are once it is built, flat."""
        return self.built.parent / "files"

    @property
    def is_built(self) -> bool:
        """It is there, with its files."""
        return self.built.exists() and (not self.files or self.files_folder.exists())


@cache
def tools() -> Mapping[str, Tool]:
    """Give every program by its name, in the order of the table."""
    return {name: Tool(name=name, **row) for name, row in tables.read("tools").items()}
