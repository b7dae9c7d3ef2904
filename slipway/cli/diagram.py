"""`slipway diagram`: a picture of an environment, drawn from what `pulumi up` would register."""

from pathlib import Path
from typing import Annotated

import typer

from slipway.cli import console
from slipway.cli.console import Output


def diagram(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment: stacks/Pulumi.ENV.yaml.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the SVG to FILE instead of stdout.")
    ] = None,
    output: Annotated[Output, typer.Option(help="json: what the picture shows, without places.")] = Output.text,
) -> None:
    """Draw an environment as SVG: zones as columns, tiers as rows, and who talks to whom on which port.

    Everything in it comes from the recorded program, without a cloud: no account, no credentials. The same settings
    always give the same bytes, so a picture in a repository changes only with the architecture.

    \b
    Examples:
      slipway diagram ha -o docs/images/ha.svg
      slipway diagram prod > prod.svg
      slipway diagram prod --output json
    """
    import json
    from dataclasses import asdict

    from slipway.diagram.read import picture_of
    from slipway.graph.environment import record_environment
    from slipway.project import find_root

    picture = picture_of(record_environment(find_root(Path.cwd()), environment).graph)
    if output is Output.json:
        text = json.dumps(asdict(picture), indent=2)
    else:
        from slipway.diagram.draw import svg_of

        text = svg_of(picture)
    if out:
        out.write_text(text, encoding="utf-8")
        console.note(f"{out}: {environment}, {sum(1 for _ in picture.boxes)} boxes, {len(picture.flows)} flows")
    else:
        console.result(text.rstrip())
