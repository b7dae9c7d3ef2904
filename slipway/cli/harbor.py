"""`slipway harbor`: what lives inside Harbor, from a reviewed file."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from slipway.harbor.apply import Outcome
    from slipway.harbor.drift import Report
    from slipway.harbor.environment import Environment
    from slipway.harbor.plan import Consent, Plan

app = typer.Typer(
    help="What lives inside Harbor, as code: projects, members, robots, policies, settings.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_Name = Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment: stacks/ENV/harbor.yaml.")]
_Files = Annotated[
    list[Path] | None,
    typer.Option("--file", "-f", metavar="PATH", help="A file or folder instead of the environment's; repeatable."),
]
_Url = Annotated[str | None, typer.Option(metavar="URL", help="Where Harbor is. Default: the environment's domain.")]
_Adopt = Annotated[
    bool, typer.Option("--adopt", help="Take over what is there and not ours, and change it to what is declared.")
]
_DeleteContent = Annotated[
    list[str] | None,
    typer.Option(
        "--delete-content",
        metavar="PROJECT",
        help="Delete this project with all its images, where its deletion policy is force.",
    ),
]
_Format = Annotated[Output, typer.Option(help="How to report.")]


@app.command()
def plan(
    environment: _Name,
    file: _Files = None,
    url: _Url = None,
    adopt: _Adopt = False,
    delete_content: _DeleteContent = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the plan to a file that `apply --plan` executes.")
    ] = None,
    output: _Format = Output.text,
) -> None:
    """Compare Harbor with harbor.yaml and show what apply would do; changes nothing.

    Reads only what the file declares, and what the ledger says is ours. The administrator's password comes from
    SLIPWAY_HARBOR_PASSWORD (or HARBOR_PASSWORD), else from the environment's secret in AWS Secrets Manager; another
    user's or robot's name from SLIPWAY_HARBOR_USERNAME.

    \b
    Examples:
      slipway harbor plan prod
      slipway harbor plan prod --out prod.plan
      slipway harbor plan prod --adopt --output json

    Exit codes: 0 Harbor is as declared (what is not ours yet is noted by the next apply), 2 differences, 1 an error or
    something that stands in the way.
    """
    from slipway.cli.harbor_text import plan_lines
    from slipway.harbor.plan.file import as_data
    from slipway.harbor.session import run_plan

    opened = _open(environment, file, url)
    planned = run_plan(opened, _consent(adopt, delete_content), to_file=out is not None)
    found = planned.plan
    if out:
        _write_plan(out, planned.file)
    if output is Output.json:
        about = {"environment": environment, "url": opened.url, "version": planned.version}
        console.result_json(about | {"requests": planned.requests} | as_data(found), default=str)
    else:
        for line in plan_lines(found):
            console.result(line)
    _show_problems(found)
    raise typer.Exit(1 if found.problems else 2 if found.differs else 0)


@app.command()
def apply(
    environment: _Name,
    file: _Files = None,
    url: _Url = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Do exactly this plan, or nothing if anything moved since.")
    ] = None,
    adopt: _Adopt = False,
    delete_content: _DeleteContent = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    output: _Format = Output.text,
) -> None:
    """Bring Harbor to what harbor.yaml says, and note in the ledger what is ours.

    Shows the plan and asks. What fails is told at the end, all else is done; killed anywhere, the next run finishes.
    What is there and not ours is only taken over as policy.adopt (or --adopt) allows, and only what is ours is
    deleted. Everything is read again before it is changed, and after.

    \b
    Examples:
      slipway harbor apply prod
      slipway harbor apply prod --plan prod.plan
      slipway harbor apply prod --yes --output json

    Exit codes: 0 all is as declared, 1 refused, or something was not done.
    """
    from slipway.cli.harbor_text import outcome_lines
    from slipway.harbor.plan.file import as_data
    from slipway.harbor.session import run_apply

    given = _read_plan(plan) if plan else None
    consent = _consent(adopt, delete_content)
    if given:
        consent = _consent_of_file(given, adopt=adopt, delete_content=delete_content)
    opened, progress = _open(environment, file, url), _Progress()

    def agreed(found: "Plan") -> bool:
        wanted = _agreed(found, asks=not (yes or given), shown=output is Output.text)
        progress.begin(len(found.actions))
        return wanted

    done = run_apply(opened, consent, agreed=agreed, tell=progress.tell, file=given)
    outcomes = done.applied.outcomes if done.applied else ()
    if output is Output.json:
        results = [_outcome(each) for each in outcomes]
        about = {"environment": environment, "url": opened.url, "requests": done.requests}
        console.result_json(about | {"plan": as_data(done.plan), "outcomes": results}, default=str)
    elif done.applied:
        for line in outcome_lines(outcomes):
            console.result(line)
    _show_problems(done.plan)
    raise typer.Exit(0 if done.applied and done.applied.good else 1)


@app.command()
def drift(
    environment: _Name,
    file: _Files = None,
    url: _Url = None,
    notify: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Post the differences there, as JSON that Slack shows too.", envvar="SLIPWAY_NOTIFY_URL"
        ),
    ] = None,
    metrics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a file for Prometheus' textfile collector.")
    ] = None,
    output: _Format = Output.text,
) -> None:
    """Tell whether Harbor is still as declared: a plan for a schedule, with a webhook and a metric.

    Changes nothing, the ledger neither, and runs as a robot with the rights to read (docs/harbor-as-code.md).
    That it could not be told is reported in the same ways.

    \b
    Examples:
      slipway harbor drift prod
      slipway harbor drift prod --metrics /var/lib/node_exporter/harbor.prom
      slipway harbor drift prod --notify https://hooks.example.com/T0/B0

    Exit codes: 0 as declared, 2 differences, 1 it could not be told, or nobody took the report.
    """
    from infra.errors import SlipwayError
    from slipway.cli.harbor_text import plan_lines
    from slipway.harbor.drift import Report, write_metrics
    from slipway.harbor.drift import notify as post
    from slipway.harbor.plan import Consent
    from slipway.harbor.session import run_plan

    failure: SlipwayError | None = None
    report = Report(environment=environment, url=url or "")
    lines: list[str] = []
    try:
        opened = _open(environment, file, url)
        found = run_plan(opened, Consent()).plan
        report, lines = Report.of(found, environment=environment, url=opened.url), list(plan_lines(found))
    except SlipwayError as error:
        failure, report = error, Report(environment=environment, url=report.url, error=str(error))
    # What was found is shown first: it is not to be lost where nobody takes it.
    if failure:
        console.failure(failure)
    else:
        _show_drift(report, lines, output)
    if metrics:
        write_metrics(metrics, report, now=time.time())
    if notify and (report.drifted or report.error):
        post(notify, report)
    raise typer.Exit(failure.exit_code if failure else 2 if report.drifted else 0)


# --- what they share


def _open(environment: str, files: list[Path] | None, url: str | None) -> "Environment":
    import gc

    from slipway.harbor.environment import open_environment

    # Nothing of what is declared or read refers to itself, so to look for what does, again and again among a million
    # objects, was half the time with ten thousand projects.
    gc.set_threshold(100_000, 20, 20)
    return open_environment(environment, paths=files or (), url=url)


def _consent(adopt: bool, delete_content: list[str] | None) -> "Consent":  # a flag as it was given
    from slipway.harbor.plan import Consent

    return Consent(adopt=adopt, delete_content=tuple(delete_content or ()))


def _write_plan(path: Path, data: Any) -> None:  # noqa: ANN401  # a plan file
    from slipway.harbor.plan.file import to_text

    with path.open("w") as file:
        file.writelines(to_text(data))
    console.note(f"{path} written: slipway harbor apply … --plan {path}")


def _read_plan(path: Path) -> tuple[Any, str]:
    import json

    from infra.errors import PlanStale, Problem

    try:
        return json.loads(path.read_text()), str(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is no JSON"
        raise PlanStale(Problem(where=str(path), what=f"cannot be read: {reason}")) from None


def _consent_of_file(given: tuple[Any, str], *, adopt: bool, delete_content: list[str] | None) -> "Consent":
    from slipway.harbor.plan.file import consent_of

    if adopt or delete_content:
        raise typer.BadParameter("a plan file has its own consent: give it to `plan`", param_hint="--plan")
    return consent_of(*given)


def _agreed(found: "Plan", *, asks: bool, shown: bool) -> bool:
    from infra.errors import PlanStale, Problem
    from slipway.cli.harbor_text import plan_lines

    if shown:
        for line in plan_lines(found):
            console.result(line)
    if not asks:
        return True
    if not sys.stdin.isatty():
        fix = "give --yes, or a plan that somebody looked at: --plan FILE"
        raise PlanStale(Problem(where="apply", what="there is nobody to ask", fix=fix))
    if typer.confirm("Do this?", err=True):
        return True
    console.note("nothing was changed")
    return False


def _show_problems(found: "Plan") -> None:
    from infra.errors import SpecError

    if found.problems:
        console.failure(SpecError(*found.problems))


def _show_drift(report: "Report", lines: list[str], output: Output) -> None:
    if output is Output.json:
        console.result_json(report.as_data())
        return
    for line in lines:
        console.result(line)
    for each in report.refs:
        if each.startswith("blocked: "):
            console.result(each)


def _outcome(outcome: "Outcome") -> dict[str, Any]:
    ref = outcome.action.ref
    data = {"verb": outcome.action.verb, "kind": ref.kind, "key": ref.key, "state": outcome.state}
    problems = [{"where": each.where, "what": each.what, "fix": each.fix} for each in outcome.problems]
    return data | ({"problems": problems} if problems else {})


class _Progress:
    """Says how far it is, every two seconds."""

    def __init__(self) -> None:
        self._total, self._count, self._told = 0, 0, 0.0

    def begin(self, total: int) -> None:
        self._total, self._told = total, time.monotonic()

    def tell(self, _: "Outcome") -> None:
        self._count += 1
        if time.monotonic() - self._told > 2:
            self._told = time.monotonic()
            console.note(f"{min(self._count, self._total)} of {self._total}")
