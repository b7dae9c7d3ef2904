"""`slipway diff`: what the next publish would change, before it does."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from infra.errors import SettingsError
from slipway.cli import console

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


class Output(StrEnum):
    """What the diff is written as."""

    text = "text"
    json = "json"
    markdown = "markdown"


def diff(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment: stacks/Pulumi.ENV.yaml.")],
    facts: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Facts; - for stdin. Default: what is delivered, renewed by the stack file."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Compare with this folder instead of the GitOps branch.")
    ] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Name the objects; leave their lines out.")] = False,
    with_checks: Annotated[
        bool | None,
        typer.Option("--with-checks/--without-checks", help="Forecast and rules beside it. Default: for markdown."),
    ] = None,
    output: Annotated[Output, typer.Option(help="text, json, or markdown for a pull request.")] = Output.text,
) -> None:
    """Show what the next publish would change, as values and as Kubernetes objects; nothing is written.

    Both sides are rendered by Helm's own engine, each with the version of the Harbor chart that it names. It tells
    which pods roll and which change the cluster would refuse. The chart comes from the cache (SLIPWAY_CHART_CACHE) or
    from its Helm repository; without it, values and Flux's objects are still compared. Secrets are placeholders.

    \b
    Examples:
      slipway diff prod
      slipway diff prod --summary
      slipway diff prod --output markdown >> "$GITHUB_STEP_SUMMARY"
      slipway diff prod --against ../gitops
      pulumi stack output facts --stack prod | slipway diff prod --facts -

    Exit codes: 0 no difference, 1 failed (settings among it), 2 a difference.
    """
    from slipway.diff.diff import diff as compared
    from slipway.project import find_root

    others = None
    try:
        root = find_root(Path.cwd())
        found = compared(root, environment, facts_source=facts, against=against, progress=console.note)
        if with_checks if with_checks is not None else output is Output.markdown:
            from slipway.diff.beside import beside

            others = beside(root, environment)
    except SettingsError as error:  # elsewhere 2, which here means a difference
        console.failure(error)
        raise typer.Exit(1) from None
    from slipway.diff import written

    if output is Output.json:
        console.result_json(written.json_value(found, others))
    elif output is Output.markdown:
        console.result(written.markdown(found, others))
    else:
        console.result("\n".join(map(_coloured, written.text(found, lines=not summary).splitlines())))
    if found.differs:
        raise typer.Exit(2)


def _coloured(line: str) -> str:
    inner = line.strip()
    if line[:1].strip() and line[:1].islower() and " " not in line:
        return typer.style(line, bold=True)
    if "WOULD " in line or line.startswith("publish would stop"):
        return typer.style(line, fg="red", bold=True)
    return typer.style(line, fg=_COLOURS[inner[0]]) if inner[:1] in _COLOURS and line[:1] == " " else line
