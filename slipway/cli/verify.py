"""`slipway verify`: prove that a registry works."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli import console, login
from slipway.cli.console import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slipway.verify.check import Outcome, Selection, State
    from slipway.verify.scene import Options, Target
    from slipway.verify.verify import Report

_MARKS: "dict[State, tuple[str, str]]" = {
    "passed": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("·", ""),
    "undecided": ("?", "yellow"),
}
_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
#: The OCI specification's conformance wants no size; S3's driver copies differently above this one.
_LEAST, _MOST = 1 << 20, 8 << 30


def verify(
    target: Annotated[
        str, typer.Argument(metavar="ENV|URL", help="An environment (stacks/Pulumi.ENV.yaml), or https://HOST[:PORT].")
    ],
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CHECK", help="A check or a group, with what it needs; may be repeated."),
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option("--skip", metavar="CHECK", help="A check or a group to leave out.")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Change nothing at all: no round trip.")] = False,
    username: Annotated[str, typer.Option(metavar="NAME", help="A user, or a robot with its prefix.")] = "admin",
    password_stdin: login.PasswordStdin = False,
    robot: Annotated[
        bool | None, typer.Option("--robot/--user", help="What NAME is; by default a robot if it begins with robot$.")
    ] = None,
    ca_file: login.CaFile = None,
    allow_http: login.AllowHttp = False,
    blob_size: Annotated[str, typer.Option(metavar="SIZE", help="Of the round trip's layer: 36MiB, 1GiB.")] = "36MiB",
    webhook_address: Annotated[
        str, typer.Option(metavar="URL", help="http://HOST:PORT at which Harbor reaches this machine.")
    ] = "",
    gc: Annotated[bool, typer.Option("--gc", help="Also a garbage collection, as a dry run.")] = False,
    remove_leftovers: Annotated[
        bool,
        typer.Option("--remove-leftovers", help="Delete what killed runs left: slipway-verify-*, over an hour old."),
    ] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="How long one answer may take.")] = 60,
    at_once: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Checks at the same time.")] = 8,
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default of an environment: KUBECONFIG, then ~/.kube/config.")
    ] = None,
    context: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the current context.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as JUnit's XML as well.")] = None,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Prove that a registry works: in the cluster, by its certificate, from outside, and by a round trip.

    The round trip makes a project slipway-verify-<random> with a robot, pushes, pulls, scans, signs and deletes in it,
    and takes everything away again, also when it is interrupted. The password comes from SLIPWAY_HARBOR_PASSWORD,
    --password-stdin, or for an environment's administrator from Secrets Manager; without one, what needs a login is
    skipped. Each failure says what it means and what to do. All checks: docs/verify.md.

    \b
    Examples:
      slipway verify prod
      slipway verify prod --read-only --output json
      slipway verify https://registry.example.com --only outside --skip outside.logins
      slipway verify https://registry.example.com --username 'robot$verify' --junit verify.xml

    Exit codes: 0 all passed (or skipped with a reason), 1 one failed or could not be decided, 2 wrong usage or
    settings, 130 interrupted.
    """
    from slipway.verify.catalogue import CHECKS
    from slipway.verify.check import select
    from slipway.verify.scene import Cluster, Options
    from slipway.verify.target import target_of

    asked = ["round-trip.collect"] if gc else []
    selection = select(CHECKS, only=_names(only), skip=_names(skip), read_only=read_only, asked=asked)
    _refuse_contradictions(read_only=read_only, removes=remove_leftovers, gc=gc)
    options = Options(
        blob_size=_bytes(blob_size),
        webhook_address=_address(webhook_address),
        remove_leftovers=remove_leftovers,
        seconds=timeout,
    )
    if junit and not junit.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {junit.absolute().parent}", param_hint="--junit")
    found = target_of(
        target,
        username=username,
        given=login.password(stdin=password_stdin),
        robot=robot,
        cluster=Cluster(kubeconfig=kubeconfig, context=context, sure=bool(kubeconfig or context)),
        ca_file=ca_file,
        allow_http=allow_http,
    )
    report = _run(found, options, selection, at_once, shows=output is Output.text)
    if junit:
        from slipway.verify.junit import write

        write(report, junit)
    if output is Output.json:
        from slipway.verify.verify import as_data

        console.result_json(as_data(report))
    else:
        console.result(_text(report))
    raise typer.Exit(0 if report.verdict == "passed" else 1)


def _run(target: "Target", options: "Options", selection: "Selection", at_once: int, *, shows: bool) -> "Report":
    """Run it; Ctrl-C and SIGTERM end it after everything is taken away."""
    import asyncio
    import contextlib
    import signal

    from slipway.cli.live import Live
    from slipway.verify.verify import verify as verified

    async def cancellable(live: Live) -> "Report":
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        over: list[Outcome] = []

        def stop() -> None:
            live.note("interrupted: taking away what was made in the registry")
            if task:
                task.cancel()

        def tell(outcome: "Outcome") -> None:
            over.append(outcome)
            live.tell(f"{len(over)} of {len(selection.run)} checks are over, {outcome.check.id} the last")

        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows
                loop.add_signal_handler(number, stop)
        return await verified(target, options, selection, at_once=at_once, tell=tell, note=live.note)

    with Live() as live:
        if shows:
            live.begin(f"verifying {target.url}")
        try:
            return asyncio.run(cancellable(live))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


# --- what was given


def _names(given: list[str] | None) -> list[str]:
    return [name for part in given or () for name in part.split(",") if name]


def _refuse_contradictions(*, read_only: bool, removes: bool, gc: bool) -> None:
    given = [option for option, is_there in {"--remove-leftovers": removes, "--gc": gc}.items() if is_there]
    if read_only and given:
        raise typer.BadParameter(f"{' and '.join(given)} would change something", param_hint="--read-only")


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+)(KiB|MiB|GiB)?", text)
    size = int(found[1]) * _UNITS[found[2] or ""] if found else 0
    if not _LEAST <= size <= _MOST:
        raise typer.BadParameter(f"{text!r}: use 1MiB to 8GiB, such as 36MiB", param_hint="--blob-size")
    return size


def _address(text: str) -> str:
    if text and not re.fullmatch(r"http://[^/@\s:]+:\d{1,5}/?", text):
        raise typer.BadParameter(f"{text!r}: use http://HOST:PORT", param_hint="--webhook-address")
    return text.rstrip("/")


# --- what is shown


def _text(report: "Report") -> str:
    width = max(len(outcome.check.id) for outcome in report.outcomes) + 2
    lines = [line for alike in _folded(report.outcomes) for line in _lines(*alike, width=width)]
    counts = ", ".join(f"{count} {_shown(state)}" for state in _MARKS if (count := report.counts[state]))
    verdict = typer.style(report.verdict, fg="green" if report.verdict == "passed" else "red")
    name = f"{report.target.environment} at " if report.target.environment else ""
    return "\n".join([*lines, "", f"{name}{report.target.url}: {verdict}; {counts}; {report.seconds:.1f} s"])


def _folded(outcomes: "Sequence[Outcome]") -> "list[tuple[Outcome, int]]":
    """Give each outcome with 1, and those that wait in vain for one and the same check as one, with their number."""
    folded: list[tuple[Outcome, int]] = []
    for outcome in outcomes:
        last, count = folded[-1] if folded else (None, 0)
        is_same = last and last.state == outcome.state == "skipped" and last.says == outcome.says
        if last and is_same and last.check.group == outcome.check.group:
            folded[-1] = (last, count + 1)
        else:
            folded.append((outcome, 1))
    return folded


def _lines(outcome: "Outcome", count: int, *, width: int) -> list[str]:
    mark, colour = _MARKS[outcome.state]
    shown = typer.style(mark, fg=colour) if colour else mark
    says = outcome.says if outcome.state == "passed" else f"{_shown(outcome.state)}: {outcome.says}"
    more = f" (so are the {count - 1} after it)" if count > 1 else ""
    first = f"{shown} {outcome.check.id:{width}}{says}{more}"
    if outcome.state not in {"failed", "undecided"}:
        return [first]
    margin = " " * (width + 2)
    return [first, f"{margin}means: {outcome.check.reading}", f"{margin}do:    {outcome.fix}"]


def _shown(state: "State") -> str:
    return "not decided" if state == "undecided" else state
