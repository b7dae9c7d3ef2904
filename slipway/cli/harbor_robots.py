"""`slipway harbor robots` and `rotate`: when robots end, and their renewal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli import console
from slipway.cli.console import Output
from slipway.cli.harbor import _Files, _Format, _Name, _open, _Url

if TYPE_CHECKING:
    from slipway.harbor.robots.expiry import Row
    from slipway.harbor.robots.renewal import Renewed


def robots(
    environment: _Name,
    file: _Files = None,
    url: _Url = None,
    within: Annotated[int, typer.Option(metavar="DAYS", min=0, help="What ends in so many days ends soon.")] = 14,
    output: _Format = Output.text,
) -> None:
    """Tell when robots end: those that harbor.yaml declares, and those beside them in the same lists.

    Changes nothing. `slipway harbor rotate` renews what has `rotation`.

    \b
    Examples:
      slipway harbor robots prod
      slipway harbor robots prod --within 30 --output json

    Exit codes: 0 all live, 2 a declared one is missing, over, or ends soon, 1 an error.
    """
    from slipway.harbor.robots.session import run_report

    found = _open(environment, file, url)
    rows = run_report(found, within=within)
    if output is Output.json:
        console.result_json({"environment": environment, "url": found.url, "robots": [row.as_data() for row in rows]})
    else:
        for line in _table(rows):
            console.result(line)
    raise typer.Exit(2 if any(row.declared and not row.is_good for row in rows) else 0)


def rotate(
    environment: _Name,
    name: Annotated[
        list[str] | None,
        typer.Option("--robot", "-r", metavar="NAME", help="Only this one: PROJECT/NAME, or NAME; repeatable."),
    ] = None,
    file: _Files = None,
    url: _Url = None,
    now: Annotated[bool, typer.Option("--now", help="Also those that have long to live yet.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    output: _Format = Output.text,
) -> None:
    """Renew the robots that have `rotation` in harbor.yaml and are due; for a schedule, once a day.

    A pair goes one step: a second robot with a new secret; nothing while both are needed; the end of the older one.
    One that is renewed in place gets longer to live and another secret, and the old one stops to work at once.
    Each secret is stored first, proven at the registry, and only then made current; a run that was killed is
    finished by the next.

    \b
    Examples:
      slipway harbor rotate prod
      slipway harbor rotate prod --robot payments/ci --now
      slipway harbor rotate prod --dry-run --output json

    Exit codes: 0 all that was due is done, 1 an error, or one of them was not done.
    """
    from slipway.harbor.robots.session import run_rotate

    found = _open(environment, file, url)
    renewed = run_rotate(found, names=tuple(name or ()), now=now, dry_run=dry_run)
    if output is Output.json:
        data = {"environment": environment, "url": found.url, "dryRun": dry_run}
        console.result_json(data | {"robots": [each.as_data() for each in renewed]})
    else:
        for line in _told(renewed):
            console.result(line)
    raise typer.Exit(1 if any(each.act == "failed" for each in renewed) else 0)


def add_to(app: typer.Typer) -> None:
    """Add both commands to `slipway harbor`."""
    app.command()(robots)
    app.command()(rotate)


_COLOURS = {"missing": "red", "over": "red", "soon": "yellow"}


def _table(rows: "Sequence[Row]") -> list[str]:
    lines = []
    for row in rows:
        left = "" if row.ends is None else f"{row.ends:%Y-%m-%d}  {row.days:5} days"
        state = typer.style(f"{row.state:10}", fg=_COLOURS.get(row.state))
        name = row.robot or row.key
        lines.append(f"{state} {left:22} {name}{'' if row.declared else '  (not declared)'}".rstrip())
    return lines or ["no robots are declared, and there are none beside"]


def _told(renewed: "Sequence[Renewed]") -> list[str]:
    lines = []
    for each in renewed:
        if each.act == "failed":
            lines.append(f"{typer.style('✗', fg='red')} {each.key}: {'; '.join(map(str, each.problems))}")
            continue
        until = f", until {each.until:%Y-%m-%d %H:%M}" if each.until else ""
        lines.append(f"{each.act:7} {each.key}: {each.why}{until}")
    return lines or ["nothing in harbor.yaml has rotation"]
