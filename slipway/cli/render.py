"""`slipway render`: the files that an environment's commit would hold, without a cloud and without Git."""

from pathlib import Path
from typing import Annotated

import typer

from slipway.cli import console
from slipway.cli.console import Output


def render(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment: stacks/Pulumi.ENV.yaml.")],
    facts: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Facts of the real environment (pulumi stack output facts); - for stdin."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Write the files below DIR.")] = None,
    manifests: Annotated[
        bool, typer.Option("--manifests", help="Harbor's objects in place of its HelmRelease; needs the chart.")
    ] = False,
    output: Annotated[Output, typer.Option(help="json: one object of path and text.")] = Output.text,
) -> None:
    """Show the Helm values and Flux objects of an environment.

    Without --facts they are made from example facts, which are marked as such and which publishing refuses.
    Every key is checked against the Harbor chart's version first. With --manifests the chart is rendered as well, and
    refused unless it gives the same bytes twice and no secret.

    \b
    Examples:
      slipway render dev
      slipway render prod --out build/ && kubectl kustomize build/apps/harbor/prod/release
      slipway render prod --manifests --out build/
      pulumi stack output facts --stack prod | slipway render prod --facts -
    """
    from slipway.rendering import render_environment, write_files

    files = render_environment(environment, facts, manifests=manifests, progress=console.note)
    if out:
        write_files(files, out)
        console.note(f"{len(files)} files written below {out}")
    elif output is Output.json:
        console.result_json(files)
    else:
        console.result("\n".join(f"---\n# Source: {path}\n{text}".rstrip("\n") for path, text in files.items()))
