"""`slipway publish`: the commit that `pulumi up` makes, by hand."""

from typing import Annotated

import typer

from slipway.cli import console
from slipway.cli.console import Output


def publish(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment: stacks/Pulumi.ENV.yaml.")],
    facts: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Facts of the environment; - for stdin. Default: pulumi stack output facts."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; push nothing.")] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Overwrite generated files that somebody edited by hand.")
    ] = False,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Commit the rendered files to the GitOps repository, or nothing if nothing changed.

    pulumi up does this by itself; by hand it is for a changed override or template when AWS did not change.
    The token for the push comes from SLIPWAY_GIT_TOKEN or from git's own credential helpers.

    \b
    Examples:
      slipway publish prod
      slipway publish prod --dry-run
      pulumi stack output facts --stack prod | slipway publish prod --facts -

    Exit codes: 0 committed or current, 1 refused, 2 settings, 3 others pushed first again and again.
    """
    from slipway.rendering import publish_environment

    published = publish_environment(environment, facts, dry_run=dry_run, take_over=take_over, progress=console.note)
    if output is Output.json:
        console.result_json(
            {"commit": published.commit, "created": published.created, "changed": list(published.changed)}
        )
        return
    for path in published.changed:
        console.result(f"  {path}")
    if dry_run:
        console.result(f"{len(published.changed)} files would change")
    elif published.created:
        console.result(f"committed {published.commit}: {len(published.changed)} files")
    else:
        console.result(f"nothing to change: {published.commit} is current")
