"""Write the chart's version into a team's stack file: those characters change, and no others.

    edited(text, "1.19.2")

By position and not by a round-trip YAML library: those write the whole file anew (quotes, widths, indents, flow style),
and a team's review should show one line. PyYAML says where the value stands, and the result is held against the old.
"""

import os
import tempfile
from pathlib import Path

import yaml

from infra import tables
from infra.errors import Problem, UpgradeError
from infra.stack_config import PROJECT

KEY = f"{PROJECT}:chartVersion"
#: Every stack file has it, so a new line goes below it.
_NEIGHBOUR = f"{PROJECT}:domain"


def write_version(path: Path, version: str) -> bool:
    """Bring the stack file to this version, whole or not at all; tells whether it had another.

    Raises:
        UpgradeError: it is written in a way that nothing but a person should edit.
    """
    text = path.read_bytes().decode()
    new = edited(text, version, where=str(path))
    if new == text:
        return False
    target = path.resolve()  # a link stays one
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(new.encode())
        Path(temporary).chmod(target.stat().st_mode & 0o7777)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True


def edited(text: str, version: str, *, where: str = "the stack file") -> str:
    """Give the text of a stack file with the chart's version in it.

    Raises:
        UpgradeError: see `write_version`.
    """
    before = tables.parse_yaml(text)
    if before["config"].get(KEY) == version:
        return text
    new = _replaced(text, version) or _added(text, version)
    wanted = {**before, "config": {**before["config"], KEY: version}}
    # An anchor or a flow mapping can make a good position a bad edit: what is read back decides.
    if new is None or _read(new) != wanted:
        what = f"{KEY} is written in a way that only a person should edit"
        raise UpgradeError(
            Problem(where=where, what=what, fix=f"set it to {version} by hand, and run the upgrade again")
        )
    return new


def _read(text: str) -> object:
    try:
        return tables.parse_yaml(text)
    except yaml.YAMLError:
        return None


def _config(text: str) -> list[tuple[yaml.Node, yaml.Node]]:
    # The pure loader: libyaml's marks have no index.
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    return next(value.value for key, value in document.value if key.value == "config")


def _replaced(text: str, version: str) -> str | None:
    """Replace the value that stands there, in its own quotes; None where there is none that stands by itself."""
    for key, value in _config(text):
        if key.value != KEY:
            continue
        start, end = value.start_mark.index, value.end_mark.index
        for quote in ('"', "'", ""):
            if text[start:end] == f"{quote}{value.value}{quote}":
                return f"{text[:start]}{quote}{version}{quote}{text[end:]}"
    return None


def _added(text: str, version: str) -> str | None:
    """Add a line below the domain's; None where the configuration is not one key a line, or has the key."""
    found = {key.value: (key, value) for key, value in _config(text)}
    if KEY in found or _NEIGHBOUR not in found:
        return None
    key, value = found[_NEIGHBOUR]
    end = text.find("\n", value.end_mark.index)
    line_start = text.rfind("\n", 0, key.start_mark.index) + 1
    indent = text[line_start : key.start_mark.index]
    if indent.strip():
        return None
    if end < 0:
        return f"{text}\n{indent}{KEY}: {version}\n"
    newline = "\r\n" if text[end - 1] == "\r" else "\n"
    return f"{text[: end + 1]}{indent}{KEY}: {version}{newline}{text[end + 1 :]}"
