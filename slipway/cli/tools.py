"""`slipway tools`: the programs that a rehearsal runs."""

from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from slipway.tools.table import Tool
    from slipway.tools.verify import Status

app = typer.Typer(
    help="The programs that a rehearsal runs: found on PATH, or built once from their Go modules.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_NAMES = typer.Argument(metavar="[NAME]...", help="Programs; all without a name.", show_default=False)


@app.command("list")
def list_(output: Annotated[Output, typer.Option(help="How to report.")] = Output.text) -> None:
    """Show each program, its version and where it comes from.

    \b
    Examples:
      slipway tools list
      slipway tools list --output json
    """
    from slipway.tools.verify import status

    _show([status(tool, check=False) for tool in _chosen(None)], output)


@app.command()
def build(names: Annotated[list[str] | None, _NAMES] = None) -> None:
    """Build what is neither on PATH nor in the cache; what is built stays, so a run that was cut short goes on.

    \b
    Examples:
      slipway tools build
      slipway tools build pulumi
    """
    from slipway.cli.live import Live
    from slipway.tools.find import find

    with Live() as watcher:
        for tool in _chosen(names):
            watcher.begin(tool.name)
            found = find(tool.name, progress=watcher.tell, announce=watcher.note)
            watcher.note(f"{tool.name} {found.version}: {found.path}")


@app.command()
def verify(
    names: Annotated[list[str] | None, _NAMES] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove what is damaged; it is built again.")] = False,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Hold every built program against the digest that was taken when it was built.

    \b
    Examples:
      slipway tools verify
      slipway tools verify --remove && slipway tools build

    Exit codes: 0 all whole, 1 something is damaged.
    """
    from slipway.tools.verify import remove_damaged, status

    statuses = [status(tool, check=True) for tool in _chosen(names)]
    _show(statuses, output)
    if remove:
        remove_damaged(statuses)
    elif any(one.state == "damaged" for one in statuses):
        raise typer.Exit(1)


def _chosen(names: list[str] | None) -> "list[Tool]":
    from slipway.tools.table import tools

    known = tools()
    if unknown := [name for name in names or () if name not in known]:
        raise typer.BadParameter(f"unknown: {', '.join(unknown)}. Known: {', '.join(known)}", param_hint="NAME")
    return [known[name] for name in names or known]


def _show(statuses: "list[Status]", output: Output) -> None:
    if output is Output.json:
        console.result_json([vars(one) for one in statuses])
        return
    for one in statuses:
        console.result(f"{one.name:24}{one.version:12}{one.state:10}{one.path}")
