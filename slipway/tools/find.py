"""Find a program, or build it once.

    pulumi = find("pulumi", progress=print, announce=print)

Looked for in this order: SLIPWAY_<NAME>, PATH, the cache. One that is too old is passed over and said.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.errors import Problem, ToolError
from slipway.tools.build import build
from slipway.tools.table import Tool, tools

Progress = Callable[[str], None]
_ANSWER_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Found:
    """A usable program.

    Attributes:
        path: of the executable.
        version: without the v.
    """

    path: Path
    version: str


def find(name: str, *, progress: Progress, announce: Progress) -> Found:
    """Give a program that is new enough, building it if there is none.

    Args:
        name: in tables/tools.yaml.
        progress: told how far a build is, every two seconds.
        announce: told what a person must know: that a build begins, that one on PATH is too old.

    Raises:
        ToolError: SLIPWAY_<NAME> is not usable; or there is none, and no Go to build it; or the build failed.
    """
    tool = tools()[name]
    variable = f"SLIPWAY_{name.upper().replace('-', '_')}"
    if given := os.environ.get(variable):
        found = usable(tool, Path(given))
        if isinstance(found, str):
            wanted = f"{name} {tool.oldest} or newer" if tool.oldest else f"{name} {tool.pinned}"
            raise ToolError(Problem(where=variable, what=found, fix=f"name a {wanted}"))
        return found
    passed_over = ""
    if tool.oldest and (on_path := shutil.which(name)):
        found = usable(tool, Path(on_path))
        if not isinstance(found, str):
            return found
        passed_over = found
    if tool.is_built:
        return Found(path=tool.built, version=tool.pinned.lstrip("v"))
    if shutil.which("go") is None:
        raise ToolError(
            Problem(
                what=passed_over or f"there is no {name} on PATH, and no go to build it with",
                fix=f"install {name} {tool.oldest} or newer, or Go, and run this again"
                if tool.oldest
                else "install Go and run this again: it builds the one that Slipway is tested with",
            )
        )
    if passed_over:
        announce(f"{passed_over}; going on with one of our own")
    build(tool, progress=progress, announce=announce)
    return Found(path=tool.built, version=tool.pinned.lstrip("v"))


def usable(tool: Tool, path: Path) -> Found | str:
    """Give the program at `path`, or why it cannot be used."""
    if not tool.version:  # it cannot be asked
        return Found(path=path, version="unknown") if os.access(path, os.X_OK) else f"{path} is no executable"
    try:
        answer = subprocess.run(
            [str(path), *tool.version], capture_output=True, text=True, check=True, timeout=_ANSWER_SECONDS,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return f"{path} does not run ({type(error).__name__})"
    version = re.search(r"\bv?(\d+)\.(\d+)\.(\d+)\b", answer)
    if not version:
        return f"{path} does not tell its version, it says {answer.strip()[:80]!r}"
    if tuple(map(int, version.groups())) < tuple(map(int, tool.oldest.split("."))):
        return f"{path} is {tool.name} {version[0].lstrip('v')}, which is older than {tool.oldest}"
    return Found(path=path, version=version[0].lstrip("v"))
