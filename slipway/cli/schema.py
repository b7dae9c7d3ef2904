"""`slipway schema`: the JSON Schema that lets an editor complete and check the stack files."""

import json
from pathlib import Path
from typing import Annotated

import typer

from slipway.cli import console


def schema(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if the file is not current.")] = False,
    stdout: Annotated[bool, typer.Option("--stdout", help="Write the schema to stdout instead.")] = False,
) -> None:
    """Write stacks/schema.json, the JSON Schema of the stack files.

    The stack files name it in their first line, so any editor with a YAML language server completes the settings,
    shows what each means and marks what is wrong.

    \b
    Examples:
      slipway schema
      slipway schema --check
    """
    from infra.schema import stack_file_schema
    from infra.stack_config import STACKS
    from slipway.project import find_root

    text = json.dumps(stack_file_schema(), indent=2) + "\n"
    if stdout:
        console.result(text.rstrip("\n"))
        return
    path = find_root(Path.cwd()) / STACKS / "schema.json"
    current = path.exists() and path.read_text() == text
    if check and not current:
        console.note(f"{path} is not current: run slipway schema")
        raise typer.Exit(1)
    if not current:
        path.write_text(text)
    console.note(f"{path} {'is current' if current else 'written'}")
