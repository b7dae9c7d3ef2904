"""`slipway schema`: the JSON Schema that lets an editor complete and check the stack files."""

import json
from pathlib import Path
from typing import Annotated

import typer

from slipway.cli import console


def schema(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a file is not current.")] = False,
    stdout: Annotated[bool, typer.Option("--stdout", help="Write the stack files' schema to stdout instead.")] = False,
) -> None:
    """Write the JSON Schemas of the stack files, of what they share, and of harbor.yaml into stacks/.

    The files name theirs in their first line, so any editor with a YAML language server completes the settings,
    shows what each means and marks what is wrong.

    \b
    Examples:
      slipway schema
      slipway schema --check
    """
    from infra.schema import shared_file_schema, stack_file_schema
    from infra.stack_config import STACKS
    from slipway.harbor.spec.schema import harbor_schema
    from slipway.project import find_root

    made = {
        "schema.json": stack_file_schema(),
        "shared-schema.json": shared_file_schema(),
        "harbor-schema.json": harbor_schema(),
    }
    if stdout:
        console.result(json.dumps(made["schema.json"], indent=2))
        return
    folder, stale = find_root(Path.cwd()) / STACKS, False
    for name, value in made.items():
        path, text = folder / name, json.dumps(value, indent=2) + "\n"
        current = path.exists() and path.read_text() == text
        stale |= not current
        if check and not current:
            console.note(f"{path} is not current: run slipway schema")
            continue
        if not current:
            path.write_text(text)
        console.note(f"{path} {'is current' if current else 'written'}")
    if check and stale:
        raise typer.Exit(1)
