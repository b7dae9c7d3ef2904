"""`slipway prove`: the whole life of an environment on the real thing, within a limit, to a report."""

import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.errors import Problem, ProofError
from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from slipway.prove.prove import Prepared
    from slipway.steps import Watcher

_EXIT_CODES = {"passed": 0, "interrupted": 130}


class On(StrEnum):
    """Where it is played."""

    aws = "aws"
    kind = "kind"
    rehearsal = "rehearsal"


def prove(
    environment: Annotated[
        str, typer.Argument(metavar="ENV", help="What to prove: stacks/Pulumi.ENV.yaml. On kind: a name.")
    ],
    on: Annotated[On, typer.Option(help="A real account, a kind cluster, or the rehearsal.")],
    limit: Annotated[
        float | None,
        typer.Option(metavar="USD", min=0, max=100_000, help="Accept to spend at most that; without it you are asked."),
    ] = None,
    registry: Annotated[
        str, typer.Option(metavar="URL", help="With --on rehearsal: a Harbor to verify, as a rehearsed one is played.")
    ] = "",
    skip: Annotated[
        list[str] | None, typer.Option("--skip", metavar="STEP", help="verify or upgrade; may be repeated.")
    ] = None,
    teardown: Annotated[bool, typer.Option("--teardown", help="Only end what an earlier run left.")] = False,
    account_ids: Annotated[
        bool, typer.Option("--account-ids", help="Leave ids of AWS accounts in the report; they are taken out.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print commands and cost; make and run nothing.")] = False,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Play up, status, verify, upgrade and teardown, in a stack of its own, and write a report to send back.

    The stack is called prove-ENV (on AWS with four more characters): ENV's own settings, another domain, tags and
    names of its own, nothing protected. On AWS the cost is stated first and must be accepted, by --limit or on the
    terminal; when the limit's time is over, less what the teardown takes, the proof stops and tears down.

    The teardown also comes after a step that failed, and after Ctrl-C. A second Ctrl-C leaves everything standing, and
    says what that is. A run that was killed goes on when it is run again. The report is in .slipway/prove/NAME:
    report.md and report.json, without secrets.

    \b
    Examples:
      slipway prove dev --on aws --dry-run
      slipway prove dev --on aws --limit 2.50
      slipway prove trial --on kind
      slipway prove dev --on rehearsal --registry https://registry.example.com
      slipway prove dev --on aws --teardown

    Exit codes: 0 every step passed and nothing is left (of a run that only ends: nothing is left), 1 a step failed, the
    limit ended it, or something is left, 2 wrong usage or settings, 130 interrupted.
    """
    from slipway.project import find_root
    from slipway.prove.prove import Wishes, prepare
    from slipway.prove.record import held

    wishes = Wishes(
        environment=_named(environment),
        on=on.value,
        registry=registry,
        skip=frozenset(name for part in skip or () for name in part.split(",") if name),
        accounts=account_ids,
        only_end=teardown,
    )
    root = find_root(Path.cwd())
    if dry_run:
        _show_plan(prepare(root, wishes), output)
        return
    with held(root, environment, wishes.on):
        prepared = prepare(root, wishes)
        if not prepared.is_new:
            console.note(f"going on with {prepared.record.name}, begun {prepared.record.begun}")
        prepared.agreed(_accepted(prepared, limit))
        report = _play(prepared)
    if output is Output.json:
        console.result_json(report)
    else:
        console.result(_text(prepared, report))
    if prepared.only_ends:
        raise typer.Exit(1 if report["finish"] else 0)
    raise typer.Exit(_EXIT_CODES.get(report["verdict"], 1))


def _named(environment: str) -> str:
    import re

    if not re.fullmatch(r"[a-z][a-z0-9-]{0,18}[a-z0-9]", environment):
        raise typer.BadParameter(
            f"{environment!r} is no name: 2 to 20 lower-case letters, digits and dashes", param_hint="ENV"
        )
    return environment


def _play(prepared: "Prepared") -> dict[str, Any]:
    import json

    from slipway.cli.live import Live

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Live() as live:
        watcher: Watcher = live
        live.begin("ask the programs for their versions")
        proof = prepared.proof(watcher)
        proof.run(prepared.seconds())
    return json.loads((prepared.record.folder / "report.json").read_text())


def _accepted(prepared: "Prepared", limit: float | None) -> float | None:
    """Give the limit that somebody has agreed to; None where nothing costs, or it was agreed to before.

    Raises:
        ProofError: it is too little, or nobody agreed.
    """
    money, record = prepared.money, prepared.record
    if money is None:
        return None
    console.note("\n".join(_cost(prepared)))
    if limit is not None:
        money.refuse_too_little(limit)
        return limit
    if record.limit is not None:
        console.note(f"  agreed to before: ${record.limit:,.2f}")
        return None
    wanted = f"{money.planned:.2f}"
    if sys.stdin.isatty() and typer.prompt(f"Type {wanted} to spend at most that", err=True).strip("$ ") == wanted:
        return money.planned
    fix = f"type the sum, or give --limit {wanted} or more; nothing is made"
    raise ProofError(Problem(where="--limit", what=f"${wanted} was not accepted", fix=fix))


def _cost(prepared: "Prepared") -> list[str]:
    money = prepared.money
    if money is None:
        return ["Costs nothing: no cloud takes part."]
    expected = ", ".join(f"{name} {minutes:.0f}" for name, minutes in money.minutes.items())
    return [
        f"{prepared.record.name} costs ${money.hourly:.2f} an hour by tables/prices.yaml, before tax and traffic.",
        f"  expected minutes: {expected}, teardown {money.teardown:.0f}",
        f"  planned, with a margin of {money.margin:g}: {money.hours:g} h, ${money.planned:,.2f} at most",
        "  that it ends is up to this machine: leave it on, and look at the report",
    ]


def _show_plan(prepared: "Prepared", output: Output) -> None:
    money, record = prepared.money, prepared.record
    commands = prepared.commands()
    if output is Output.json:
        cost = None
        if money:
            cost = {
                "hourly": round(money.hourly, 4),
                "hours": money.hours,
                "planned": money.planned,
                "minutes": {**money.minutes, "teardown": money.teardown},
            }
        charts = {"before": record.charts[0], "after": record.charts[1]}
        console.result_json({"name": record.name, "charts": charts, "cost": cost, "commands": commands})
        return
    lines = [*_cost(prepared), "", f"Chart {record.charts[0]} → {record.charts[1]}. Would run:"]
    console.result("\n".join([*lines, *(f"  {command}" for command in commands)]))


def _text(prepared: "Prepared", report: dict[str, Any]) -> str:
    lines = []
    for step in report["steps"]:
        good = step["result"] == "passed"
        mark = (
            typer.style("✓", fg="green")
            if good
            else "·"
            if step["result"] == "left out"
            else typer.style("✗", fg="red")
        )
        lines.append(
            f"{mark} {step['name']:24}{step['seconds']:8.1f} s  {'' if good else step['result'] + ': '}{step['says']}"
        )
    left = report["remains"]
    lines += ["", f"{report['name']} on {report['on']}: {report['verdict']}"]
    lines += [f"Left: {one}" for one in left] or ["Nothing of it is left."]
    if report["finish"]:
        lines.append(f"End it: {report['finish']}")
    if report["leftOut"]:
        lines.append(f"Not proved: {', '.join(report['leftOut'])}")
    folder = prepared.record.folder
    return "\n".join([*lines, f"Report: {folder / 'report.md'}", f"        {folder / 'report.json'}"])
