"""`slipway doctor`: what stands in the way, on this machine and wherever an environment reaches."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli import console, login
from slipway.cli.console import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slipway.doctor.check import Check, Outcome, State
    from slipway.doctor.scene import Scene

_MARKS: "dict[State, tuple[str, str]]" = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "failed": ("✗", "red"),
    "skipped": ("·", ""),
}
#: Seconds without a word that a person takes for a hang, in beats of one.
_PATIENCE = 1.9


def doctor(
    environment: Annotated[
        str, typer.Argument(metavar="[ENV]", help="Environment: stacks/Pulumi.ENV.yaml. Without: this machine alone.")
    ] = "",
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CHECK,...", help="Groups or checks, with what they need; may be repeated."),
    ] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: KUBECONFIG, then ~/.kube/config.")
    ] = None,
    context: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the current context.")] = None,
    registry: Annotated[
        str, typer.Option(metavar="URL", help="Address of the registry. Default: https:// and the domain.")
    ] = "",
    username: Annotated[str, typer.Option(metavar="NAME", help="Who logs in to the registry.")] = "admin",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read its password from standard input.")
    ] = False,
    ca_file: login.CaFile = None,
    at_once: Annotated[int, typer.Option(metavar="N", min=1, max=32, help="Checks at the same time.")] = 8,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Look for what stands in the way: this machine, and of an environment its stack, cloud, Git, cluster and registry.

    It changes nothing anywhere: a push is a dry run, and the cloud, the cluster and the registry are only asked. Each
    line says ok, warning, failed or skipped, why, and the fix. What does not exist yet is no failure. The registry's
    password comes from SLIPWAY_HARBOR_PASSWORD, --password-stdin, or for the administrator from Secrets Manager; the
    GitOps repository's token from SLIPWAY_GIT_TOKEN. All checks: docs/doctor.md.

    \b
    Examples:
      slipway doctor
      slipway doctor prod
      slipway doctor prod --only machine,git
      slipway doctor prod --only cluster --context prod --output json

    Exit codes: 0 all ok, skipped or a warning, 1 something failed, 2 wrong usage, 130 interrupted.
    """
    from slipway.doctor.catalogue import CHECKS
    from slipway.doctor.check import select
    from slipway.doctor.scene import Scene
    from slipway.project import find_root

    root = find_root(Path.cwd())
    names = [name.strip() for part in only or () for name in part.split(",") if name.strip()]
    checks = select(CHECKS, only=names, environment=bool(environment))
    scene = Scene(
        root=root,
        environment=environment,
        kubeconfig=kubeconfig,
        context=context,
        registry=registry,
        username=username,
        password=login.password(stdin=password_stdin),
        ca_file=ca_file,
    )
    started = time.monotonic()
    outcomes = _run(checks, scene, at_once)
    if output is Output.json:
        console.result_json(_json(environment, outcomes))
    else:
        console.result(_text(environment, outcomes, time.monotonic() - started))
    if any(one.state == "failed" for one in outcomes):
        raise typer.Exit(1)


def _run(checks: "Sequence[Check]", scene: "Scene", at_once: int) -> "list[Outcome]":
    """Run them, and say after two seconds how far it is."""
    from slipway.cli.live import Live
    from slipway.doctor.runner import run_checks

    over, told = 0, time.monotonic()
    with Live() as live:
        live.begin(f"{len(checks)} checks")

        def tell(_outcome: "Outcome") -> None:
            nonlocal over
            over += 1

        def wait(running: "Sequence[str]") -> None:
            nonlocal told
            how = f"{over} of {len(checks)} are over; at work: {', '.join(running)}"
            if sys.stderr.isatty():
                live.tell(how)
            elif time.monotonic() - told > _PATIENCE:
                told = time.monotonic()
                live.note(f"… {how}")

        return run_checks(checks, scene, at_once=at_once, tell=tell, wait=wait)


def _json(environment: str, outcomes: "Sequence[Outcome]") -> dict[str, object]:
    return {
        "environment": environment,
        "ok": all(one.state != "failed" for one in outcomes),
        "checks": [
            {
                "id": one.check.id,
                "state": one.state,
                "shows": one.check.shows,
                "says": one.says,
                "fix": one.fix,
                "seconds": round(one.seconds, 3),
            }
            for one in outcomes
        ],
    }


def _text(environment: str, outcomes: "Sequence[Outcome]", seconds: float) -> str:
    width = max(len(one.check.id) for one in outcomes)
    lines, group = [], ""
    for one in outcomes:
        if group and one.check.group != group:
            lines.append("")
        group = one.check.group
        lines += _lines(one, width)
    counts = {state: sum(one.state == state for one in outcomes) for state in _MARKS}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return "\n".join([*lines, "", f"{environment or 'this machine'}: {told}, in {seconds:.1f} s"])


def _lines(outcome: "Outcome", width: int) -> list[str]:
    mark, colour = _MARKS[outcome.state]
    state = typer.style(f"{mark} {outcome.state:7}", fg=colour) if colour else f"{mark} {outcome.state:7}"
    first, *more = outcome.says.splitlines() or [""]
    margin = " " * (width + 12)
    lines = [f"{state}  {outcome.check.id:{width}}  {first}".rstrip(), *(f"{margin}{line}" for line in more)]
    fixes = outcome.fix.splitlines()
    lines += [f"{margin}{'fix: ' if at == 0 else '     '}{line}" for at, line in enumerate(fixes)]
    return lines
