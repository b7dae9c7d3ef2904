"""`slipway rehearse`: the whole delivery with no cloud."""

import gc
import shlex
import signal
import textwrap
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
import typer.core

from slipway.cli import console
from slipway.cli.console import Output
from slipway.teardown.procedure import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slipway.rehearse.report import Report

#: Beyond this many, the report counts files instead of naming them.
_SHOWN_FILES = 40


class To(StrEnum):
    """Where a rehearsal ends."""

    cluster = "cluster"
    commit = "commit"


class _EnvironmentOrCommand(typer.core.TyperGroup):
    """`slipway rehearse dev` is `slipway rehearse run dev`, unless the word is a command's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # typer's own click
        """Put the default command's name before what is no command."""
        if not args or args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_EnvironmentOrCommand, rich_markup_mode=None, help="Play the delivery of an environment.")
_ENVIRONMENT = typer.Argument(metavar="ENV", help="Name of the environment: stacks/Pulumi.ENV.yaml.")


@app.command()
def run(
    environment: Annotated[str, _ENVIRONMENT],
    to: Annotated[To, typer.Option(help="Where to end: when Flux has delivered, or at the commit.")] = To.cluster,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the cluster running; see attach and stop.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start with an empty account, an empty repository and an empty cluster.")
    ] = False,
    destroy: Annotated[bool, typer.Option("--destroy", help="Play the end as well: allow deletion, destroy.")] = False,
    teardown: Annotated[
        Mode | None,
        typer.Option(help="Play `slipway teardown` as well, and prove what it promises."),
    ] = None,
    fail: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE", help="Let the creation of this type fail; TYPE::NAME for one. Repeatable."),
    ] = None,
    policy_pack: Annotated[
        bool, typer.Option("--policy-pack", help="Let the engine judge the preview by policy/, as `up` does with it.")
    ] = False,
    speed: Annotated[
        float, typer.Option(min=0, help="Simulated seconds in one real second; 0: creation takes no time.")
    ] = 600.0,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Play the delivery of an environment: the real Pulumi engine, Git, Kubernetes and Flux; simulated AWS.

    Runs preview, up, a second up that must change nothing, and refresh, with the project's own Pulumi.yaml and stack
    file; then Flux's real controllers deliver the commit to a real control plane, whose nodes are played. Everything
    stays in .slipway/rehearse/ENV, so the next rehearsal goes on from there. No AWS credential and no configured
    remote is ever used.

    \b
    Also: slipway rehearse attach [ENV]   the kubeconfig of a cluster that was kept
          slipway rehearse stop [ENV]     end it

    \b
    Examples:
      slipway rehearse dev
      slipway rehearse ha --fresh --to commit --output json
      slipway rehearse ha --to commit --policy-pack
      slipway rehearse ha --to commit --teardown keep-data
      slipway rehearse dev --keep && export KUBECONFIG=$(slipway rehearse attach dev) && slipway status dev
      slipway rehearse dev --fresh --fail aws:rds/instance:Instance; slipway rehearse dev

    Exit codes: 0 delivered, 1 something failed (run it again to go on), 2 settings, 130 interrupted.
    """
    from slipway.cli.live import Live
    from slipway.project import find_root
    from slipway.rehearse.rehearsal import Options, rehearse

    gc.enable()  # off for short commands
    # A supervisor's SIGTERM must stop the engine as gracefully as Ctrl-C does.
    signal.signal(signal.SIGTERM, _interrupt)
    options = Options(
        to=to.value,
        keep=keep,
        fresh=fresh,
        destroy=destroy,
        teardown=teardown,
        fail=tuple(fail or ()),
        policy_pack=policy_pack,
        speed=speed,
    )
    with Live() as watcher:
        try:
            report = rehearse(find_root(Path.cwd()), environment, options, watcher)
        except KeyboardInterrupt:
            watcher.note("interrupted; what was made is in the state: run it again and it goes on from here")
            raise
    if output is Output.json:
        console.result_json(report.to_json_value())
    else:
        console.result(_text(report))


_KEPT = typer.Argument(metavar="[ENV]", help="Name of the environment; may be left out if only one was kept.")


@app.command()
def attach(environment: Annotated[str, _KEPT] = "") -> None:
    """Print the kubeconfig of a cluster that `slipway rehearse ENV --keep` left running.

    \b
    Examples:
      export KUBECONFIG=$(slipway rehearse attach dev)
      kubectl --kubeconfig "$(slipway rehearse attach)" get helmrelease -A
    """
    from slipway.project import find_root
    from slipway.rehearse.folders import kept_cluster, kubeconfig_of

    console.result(str(kubeconfig_of(kept_cluster(find_root(Path.cwd()), environment))))


@app.command()
def stop(environment: Annotated[str, _KEPT] = "") -> None:
    """End the processes of a cluster that was kept; its data stay, and the next rehearsal goes on from them.

    \b
    Example:
      slipway rehearse stop dev
    """
    from slipway.project import find_root
    from slipway.rehearse.cluster.processes import Processes
    from slipway.rehearse.folders import kept_cluster

    folder = kept_cluster(find_root(Path.cwd()), environment)
    Processes(folder).stop()
    console.note(f"stopped {folder.parent.name}")


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
        "real engine, Git and Flux, simulated AWS",
        "",
        *steps,
        "",
        *textwrap.wrap(
            f"Resources      {sum(report.resources.values())}: {resources}",
            width=118,
            initial_indent="  ",
            subsequent_indent=" " * 17,
        ),
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
    return "\n".join([*lines, *_delivery(report)])


def _delivery(report: "Report") -> list[str]:
    """Say how Flux fared; the last line is one to click on."""
    delivery, page = report.delivery, Path(report.page).as_uri()
    if delivery is None:
        return ["", f"committed {report.commit.id}, where this rehearsal ends", page]
    started = f"{delivery.cluster_seconds} s to start" if delivery.cluster_seconds else "kept from before"
    kept = f"  Cluster kept   export KUBECONFIG={shlex.quote(delivery.kubeconfig)}"
    return [
        f"  Flux           {delivery.chart}; cluster {started}, {delivery.cluster_mebibytes} MiB",
        *([kept] if delivery.kubeconfig else []),
        "",
        f"delivered {report.commit.id}" + ("" if delivery.new else " (nothing new: Flux had delivered it before)"),
        delivery.url,
        page,
    ]


def _changes(changes: "Mapping[str, int]", files: int) -> str:
    done = [f"{count} {what}" for what, count in changes.items()]
    return ", ".join(done + ([f"{files} files"] if files else [])) or "0 changes"


def _commits(created: int) -> str:
    return {0: "0 commits: HEAD is still", 1: "1 commit:"}.get(created, f"{created} commits, the last:")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
