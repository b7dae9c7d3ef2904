"""What every command prints in the same way: results on stdout, everything about the run on stderr.

Colour is off when the stream is no terminal and where NO_COLOR is set (no-color.org).
"""

import json
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from itertools import islice
from typing import Any, TextIO

import typer

_PARTS = 50_000


class Output(StrEnum):
    """What a command writes to stdout."""

    text = "text"
    json = "json"


def coloured(stream: TextIO) -> bool:
    """Tell whether to write colour to `stream`."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def failure(error: Exception | str) -> None:
    """Show an error that the user can act on."""
    label = typer.style("error:", fg="red", bold=True)
    lines = str(error).splitlines()
    note("\n".join(f"{label} {line}" if line[:1].strip() else f"  {line}" for line in lines))


def note(text: str) -> None:
    """Say something about the run."""
    typer.echo(text, err=True, color=coloured(sys.stderr))


def result(text: str) -> None:
    """Write what the user asked for."""
    typer.echo(text, color=coloured(sys.stdout))


def result_json(value: Any, *, default: Callable[[Any], Any] | None = None) -> None:  # noqa: ANN401  # any result
    """Write what a machine asked for: one JSON document; `default` makes plain what is not."""
    parts = json.JSONEncoder(indent=2, default=default).iterencode(value)
    while piece := "".join(islice(parts, _PARTS)):  # the whole text may be larger than all else together
        typer.echo(piece, nl=False)
    typer.echo()
