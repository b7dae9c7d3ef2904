"""From an environment's name to its files, and from its files to the commit: what `render` and `publish` share."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import ValidationError

from infra.errors import Problem, SettingsError, ToolError
from infra.settings import Settings
from infra.stack_config import from_stack_file, stack_file
from slipway.project import find_root
from values.facts import Facts
from values.render import render


def render_environment(environment: str, facts_source: str | None) -> dict[str, str]:
    """Render the files of one environment: path in the GitOps repository → text.

    Args:
        environment: name of the stack file.
        facts_source: file with facts, ``-`` for stdin, or None for example facts.

    Raises:
        SettingsError: the stack file or the facts are not usable.
        ValuesError: a key that the chart does not know, or a value of the wrong type.
    """
    root = find_root(Path.cwd())
    settings = from_stack_file(stack_file(root, environment))
    return render(_facts(settings, facts_source), read_overrides(root, environment))


def write_files(files: Mapping[str, str], folder: Path) -> None:
    """Write the files below `folder`.

    Raises:
        SettingsError: the folder cannot be written to.
    """
    try:
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    except OSError as error:
        raise SettingsError(
            Problem(
                where=str(error.filename or folder),
                what=f"cannot be written: {error.strerror}",
                fix="choose another --out",
            )
        ) from None


def read_facts(source: str) -> Facts:
    """Read facts from a file, or from stdin for ``-``: what `pulumi stack output facts` prints.

    Raises:
        SettingsError: no such file, or no facts in it.
    """
    named = "stdin" if source == "-" else source
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text()
    except OSError as error:
        raise SettingsError(Problem(where=named, what=f"cannot be read: {error.strerror}")) from None
    try:
        return Facts.from_json(text)
    except ValidationError as error:
        raise SettingsError(
            *(
                Problem(where=f"{named} {'.'.join(map(str, found['loc']))}", what=found["msg"])
                for found in error.errors(include_url=False, include_input=False)
            ),
            detail="    give what `pulumi stack output facts` prints",
        ) from None
