"""`slipway rehearse`: the whole delivery with no cloud."""

import gc
import shlex
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slipway.rehearse.report import Report

#: Beyond this many, the report counts files instead of naming them.
_SHOWN_FILES = 40


def rehearse(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment: stacks/Pulumi.ENV.yaml.")],
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start with an empty account and an empty repository.")
    ] = False,
    destroy: Annotated[bool, typer.Option("--destroy", help="Play the end as well: allow deletion, destroy.")] = False,
    fail: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE", help="Let the creation of this type fail; TYPE::NAME for one. Repeatable."),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="Simulated seconds in one real second; 0: creation takes no time.")
    ] = 600.0,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Play the delivery of an environment: the real Pulumi engine and real Git, simulated AWS.

    Runs preview, up, a second up that must change nothing, and refresh, with the project's own Pulumi.yaml and stack
    file. The commit goes to a scratch repository. State and repository stay in .slipway/rehearse/ENV, so the next
    rehearsal goes on from there. No AWS credential and no configured remote is ever used.

    \b
    Examples:
      slipway rehearse dev
      slipway rehearse ha --fresh --output json
      slipway rehearse dev --fresh --fail aws:rds/instance:Instance; slipway rehearse dev

    Exit codes: 0 rehearsed, 1 something failed (run it again to go on), 2 settings, 130 interrupted.
    """
    from slipway.cli.live import Live
    from slipway.project import find_root
    from slipway.rehearse.rehearsal import Options
    from slipway.rehearse.rehearsal import rehearse as play

    gc.enable()  # off for short commands
    # A supervisor's SIGTERM must stop the engine as gracefully as Ctrl-C does.
    signal.signal(signal.SIGTERM, _interrupt)
    options = Options(fresh=fresh, destroy=destroy, fail=tuple(fail or ()), speed=speed)
    with Live() as watcher:
        try:
            report = play(find_root(Path.cwd()), environment, options, watcher)
        except KeyboardInterrupt:
            watcher.note("interrupted; what was made is in the state: run it again and it goes on from here")
            raise
    if output is Output.json:
        console.result_json(report.to_json_value())
    else:
        console.result(_text(report))


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _text(report: "Report") -> str:
    steps = [
        f"  {step.name:24}{_changes(step.changes, len(step.files)):44}{step.seconds:6.1f} s" for step in report.steps
    ]
    resources = ", ".join(f"{service} {count}" for service, count in report.resources.items())
    real, commit = report.real_time, report.commit
    path = [f"    {_clock(step.seconds):>6}  {step.type.split(':')[-1]} {step.name}" for step in real.critical_path]
    files = commit.files if len(commit.files) <= _SHOWN_FILES else [f"{len(commit.files)} files"]
    lines = [
        f"Rehearsed {report.environment} with pulumi {report.pulumi} in {report.seconds:.1f} s: "
        "real engine, real Git, simulated AWS",
        "",
        *steps,
        "",
        f"  Resources      {sum(report.resources.values())}: {resources}",
        f"  Time on AWS    about {_clock(real.seconds)} minutes for this graph, {_clock(real.one_by_one)} one by one",
        "  Critical path",
        *path,
        f"  Commit         {_commits(commit.created)} {commit.id}",
        *(f"    {path}" for path in files),
        "",
        f"  Look at it:    git -C {shlex.quote(commit.repository)} show",
    ]
    if report.kept:
        lines.append(f"  Kept           {len(report.kept)} resources that hold data stay at AWS after the destroy")
    return "\n".join(lines)


def _changes(changes: "Mapping[str, int]", files: int) -> str:
    done = [f"{count} {what}" for what, count in changes.items()]
    return ", ".join(done + ([f"{files} files"] if files else [])) or "0 changes"


def _commits(created: int) -> str:
    return {0: "0 commits: HEAD is still", 1: "1 commit:"}.get(created, f"{created} commits, the last:")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
