"""`slipway forecast`: minutes and dollars, before anything is made."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.errors import Problem, SettingsError
from slipway.cli import console

if TYPE_CHECKING:
    from slipway.forecast.forecast import Forecast

_GB = 1000


class Output(StrEnum):
    """What the forecast is written as."""

    text = "text"
    json = "json"
    markdown = "markdown"


def forecast(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment: stacks/Pulumi.ENV.yaml.")],
    stored_tb: Annotated[float | None, typer.Option(metavar="TB", help="What the registry holds.")] = None,
    pushed_gb: Annotated[float | None, typer.Option(metavar="GB", help="Pushed in a month.")] = None,
    pulled_gb: Annotated[float | None, typer.Option(metavar="GB", help="Pulled in a month.")] = None,
    compare: Annotated[str | None, typer.Option(metavar="ENV", help="Show what another one has otherwise.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="KEY=VALUE", help="Show what a changed setting does. Repeatable."),
    ] = None,
    output: Annotated[Output, typer.Option(help="text, json, or markdown for a pull request.")] = Output.text,
) -> None:
    """Tell what an environment will cost a month, and how long its first `pulumi up` takes; no account takes part.

    The program is recorded with the environment's settings, and every resource is priced by tables/prices.yaml and
    timed by tables/creation-times.yaml. What people do with the registry is assumed by profile, printed, and settable.

    \b
    Examples:
      slipway forecast ha
      slipway forecast ha --stored-tb 5 --pushed-gb 800 --pulled-gb 12000
      slipway forecast ha --compare large
      slipway forecast ha --with network.nat=single --with sizes.nodeType=m7i.xlarge
      slipway forecast prod --with profile=large --output markdown >> "$GITHUB_STEP_SUMMARY"

    Exit codes: 0 forecast, 1 something has no price in the table, 2 settings or usage.
    """
    from slipway.forecast import written
    from slipway.forecast.forecast import forecast as of
    from slipway.project import find_root

    root = find_root(Path.cwd())
    said = {
        "stored_gb": None if stored_tb is None else stored_tb * _GB,
        "pushed_gb": pushed_gb,
        "pulled_gb": pulled_gb,
    }
    if compare and changes:
        problem = Problem(where="slipway forecast", what="got --compare and --with", fix="give one of them")
        raise SettingsError(problem)
    found = of(root, environment, said=said)
    other: Forecast | None = None
    if compare:
        other = of(root, compare, said=said)
    elif changes:
        other = of(root, environment, changes=_settings(changes), said=said)
    if output is Output.json:
        console.result_json(written.json_value(found, other))
    else:
        write = written.markdown if output is Output.markdown else written.text
        console.result(write(found, other))
    if found.cost.unpriced or (other and other.cost.unpriced):
        raise typer.Exit(1)


def _settings(changes: list[str]) -> dict[str, Any]:
    """Read ``key=value``; a value is YAML, as in the stack file.

    Raises:
        SettingsError: one that is neither.
    """
    import yaml

    from infra import tables

    found, problems = {}, []
    for change in changes:
        key, equals, text = change.partition("=")
        try:
            value = tables.parse_yaml(text)
        except yaml.YAMLError:
            equals = ""
        if key and equals:
            found[key.strip()] = value
        else:
            fix = "give a key of docs/settings.md and a value, as in --with network.nat=single"
            problems.append(Problem(where=f"--with {change}", what="is no KEY=VALUE", fix=fix))
    if problems:
        raise SettingsError(*problems)
    return found
