"""`slipway diagram`: the environment as a picture."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from infra.errors import Problem, SettingsError
from slipway.cli import console


class Output(StrEnum):
    """What the picture is written as."""

    svg = "svg"
    json = "json"


def diagram(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment: stacks/Pulumi.ENV.yaml.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to. Default: stdout.")] = None,
    output: Annotated[Output, typer.Option(help="The picture, or what is in it.")] = Output.svg,
) -> None:
    """Draw an environment: zones as columns, tiers as rows, who talks to whom on which port.

    Everything in it comes from what `pulumi up` would register; the load balancer's controller makes its part in the
    cluster. The same settings give the same bytes.

    \b
    Examples:
      slipway diagram ha > ha.svg
      slipway diagram ha --out docs/images/ha.svg
      slipway diagram prod --output json
    """
    import json

    from slipway.diagram.model import picture
    from slipway.diagram.svg import svg
    from slipway.graph.environment import record_environment
    from slipway.project import find_root

    recorded = record_environment(find_root(Path.cwd()), environment)
    found = picture(recorded.graph, recorded.settings)
    text = svg(found) if output is Output.svg else json.dumps(found.to_json_value(), indent=2)
    if out is None:
        console.result(text)
        return
    try:
        out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        problem = Problem(where=str(out), what=f"cannot be written: {error.strerror}", fix="choose another --out")
        raise SettingsError(problem) from None
    console.note(f"{out} written")
