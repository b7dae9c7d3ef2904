"""`slipway harbor migrate`: from Amazon ECR or another Harbor, in waves."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli import console
from slipway.cli.console import Output
from slipway.cli.harbor import _Format, _Name, _Url

if TYPE_CHECKING:
    from slipway.harbor.environment import Environment
    from slipway.harbor.migrate.sources import Source

app = typer.Typer(
    help="Bring repositories over from Amazon ECR or another Harbor, in waves: plan, run, check.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_Globs = list[str] | None
_Plan = Annotated[
    Path | None,
    typer.Option("--plan", metavar="FILE", help="The plan. Default: stacks/ENV/harbor/migration.json."),
]


@app.command()
def plan(
    environment: _Name,
    from_ecr: Annotated[bool, typer.Option("--from-ecr", help="The source is Amazon ECR.")] = False,
    from_harbor: Annotated[str | None, typer.Option(metavar="URL", help="The source is this Harbor.")] = None,
    region: Annotated[str | None, typer.Option(metavar="REGION", help="Of ECR. Default: that of AWS.")] = None,
    registry_id: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Of ECR. Default: one's own.")] = None,
    source_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificates to trust, of the other Harbor.")
    ] = None,
    include: Annotated[_Globs, typer.Option(metavar="GLOB", help="Only these repositories; repeatable.")] = None,
    exclude: Annotated[_Globs, typer.Option(metavar="GLOB", help="Not these; repeatable.")] = None,
    first: Annotated[_Globs, typer.Option(metavar="GLOB", help="These go before all others; repeatable.")] = None,
    default_project: Annotated[
        str, typer.Option(metavar="PROJECT", help="Of repositories without a slash in their name.")
    ] = "",
    rename: Annotated[_Globs, typer.Option(metavar="OLD=NEW", help="Another project; repeatable.")] = None,
    wave_size: Annotated[
        str, typer.Option(metavar="SIZE", help="The most of a wave: 500GiB, or a number of repositories.")
    ] = "500GiB",
    bandwidth: Annotated[str, typer.Option(metavar="RATE", help="For the estimate: 100MiB/s, 1Gbit/s.")] = "100MiB/s",
    headroom: Annotated[
        int, typer.Option(metavar="PERCENT", min=0, max=1000, help="Of a quota, above what comes over.")
    ] = 20,
    credentials: Annotated[
        str, typer.Option(metavar="WAY", help="How Harbor logs in there: env, role (ECR), awsSecretsManager:NAME.")
    ] = "env",
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to write. Default: stacks/ENV/harbor.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an older plan.")] = False,
    url: _Url = None,
    output: _Format = Output.text,
) -> None:
    """Read the source, and write projects, replication rules in waves, and a plan; changes nothing in any registry.

    Writes migration-projects.yaml and migration.yaml, which `slipway harbor plan` and `apply` take, and
    migration.json, which `run` and `check` take. AWS credentials are those of the AWS command line; another Harbor's
    come from SLIPWAY_SOURCE_USERNAME and SLIPWAY_SOURCE_PASSWORD. The Harbor of ENV is looked at for projects that
    are there, if a password for it can be had. In GLOB, * stands for slashes too.

    \b
    Examples:
      slipway harbor migrate plan prod --from-ecr --region eu-central-1 --default-project base
      slipway harbor migrate plan prod --from-ecr --include 'payments/*' --wave-size 20 --bandwidth 1Gbit/s
      slipway harbor migrate plan prod --from-harbor https://old.example.com --first 'base/*'

    Exit codes: 0 written, 1 an error; then nothing is written.
    """
    from slipway.cli.harbor_migrate_text import plan_lines
    from slipway.harbor.migrate.plan_file import as_data
    from slipway.harbor.migrate.session import run_plan, source_username
    from slipway.harbor.migrate.wishes import Asked

    if from_ecr == bool(from_harbor):
        raise typer.BadParameter("give one of --from-ecr and --from-harbor", param_hint="--from-ecr")
    if from_harbor and (region or registry_id):
        raise typer.BadParameter("--region and --registry-id are for ECR", param_hint="--from-harbor")
    wishes = Asked(
        environment=environment,
        kind="harbor" if from_harbor else "aws-ecr",
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
        first=tuple(first or ()),
        default_project=default_project,
        renames=tuple(rename or ()),
        wave_size=wave_size,
        bandwidth=bandwidth,
        headroom=headroom,
        credentials=credentials,
        username=source_username(),
    ).read()
    folder = out or _folder(environment)
    target = _target(environment, url)
    source = _source(from_harbor, region, registry_id, source_ca)
    told = _Told("repositories read")
    done = run_plan(target, source, wishes, folder=folder, force=force, tell=told.count)
    if output is Output.json:
        data = {"files": [str(path) for path in done.files], "warnings": list(done.warnings)}
        console.result_json(dict(as_data(done.migration)) | data)
        return
    for line in plan_lines(done):
        console.result(line)
    named = "" if out is None else f" -f {folder}"
    plan_named = "" if out is None else f" --plan {folder / 'migration.json'}"
    console.note(f"next: slipway harbor apply {environment}{named}")
    console.note(f"then: slipway harbor migrate run {environment} --wave 1{plan_named}")


@app.command()
def run(
    environment: _Name,
    wave: Annotated[int, typer.Option(metavar="N", min=1, help="Which wave.")],
    plan: _Plan = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also what is done: for what was pushed at the source since.")
    ] = False,
    pause: Annotated[float, typer.Option(metavar="SECONDS", min=0.05, help="Between two looks.")] = 5.0,
    url: _Url = None,
    output: _Format = Output.text,
) -> None:
    """Start a wave in Harbor, which copies by itself, and follow it to its end.

    What is done is not started again, what runs is followed. Ctrl-C ends only the watching: Harbor goes on, and the
    same command follows it further.

    \b
    Examples:
      slipway harbor migrate run prod --wave 1
      slipway harbor migrate run prod --wave 1 --again

    Exit codes: 0 all is copied, 1 something is not, or an error, 130 interrupted.
    """
    from slipway.cli.harbor_migrate_text import run_data, run_lines
    from slipway.harbor.migrate.plan_file import read_plan
    from slipway.harbor.migrate.session import run_wave, wave_of

    migration = read_plan(plan or _plan_of(environment))
    chosen, target = wave_of(migration, wave), _target(environment, url)
    told = _Told("repositories copied")
    try:
        done = run_wave(
            target,
            migration,
            chosen,
            again=again,
            tell=lambda counts: told.count(counts["copied"] + counts["failed"], counts["repositories"]),
            pause=pause,
        )
    except KeyboardInterrupt:
        console.note("not watched any more; Harbor goes on copying, and the same command follows it further")
        raise typer.Exit(130) from None
    if output is Output.json:
        console.result_json({"environment": environment, "wave": wave, "rules": run_data(done)})
    else:
        for line in run_lines(done, wave):
            console.result(line)
    raise typer.Exit(1 if any(each.problem for each in done) else 0)


@app.command()
def check(
    environment: _Name,
    wave: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only this wave.")] = None,
    plan: _Plan = None,
    allow_extra: Annotated[
        bool, typer.Option("--allow-extra", help="What is only in Harbor is no difference: after a cut-over.")
    ] = False,
    url: _Url = None,
    output: _Format = Output.text,
) -> None:
    """Read the source again, and tell whether Harbor has the same digests under the same tags.

    \b
    Examples:
      slipway harbor migrate check prod
      slipway harbor migrate check prod --wave 1 --output json

    Exit codes: 0 all the same, 2 differences, 1 it could not be told.
    """
    from slipway.cli.harbor_migrate_text import check_data, check_lines
    from slipway.harbor.migrate.plan_file import read_plan
    from slipway.harbor.migrate.session import run_check

    migration = read_plan(plan or _plan_of(environment))
    found = run_check(_target(environment, url), migration, wave, tell=_Told("repositories read").count)
    differs = bool(found.new) or any(row.state != "extra" or not allow_extra for row in found.rows)
    if output is Output.json:
        about = {"environment": environment, "source": str(migration.origin), "wave": wave, "same": not differs}
        console.result_json(about | check_data(found))
    else:
        for line in check_lines(found, environment):
            console.result(line)
    raise typer.Exit(2 if differs else 0)


# --- what they share


def _folder(environment: str) -> Path:
    from infra.errors import MigrationError, SettingsError
    from infra.stack_config import STACKS
    from slipway.project import find_root

    try:
        return find_root(Path.cwd()) / STACKS / environment / "harbor"
    except SettingsError as error:
        raise MigrationError(*error.problems) from None


def _plan_of(environment: str) -> Path:
    return _folder(environment) / "migration.json"


def _target(environment: str, url: str | None) -> "Environment":
    from slipway.harbor.environment import open_harbor

    return open_harbor(environment, url=url)


def _source(from_harbor: str | None, region: str | None, account: str | None, ca_file: Path | None) -> "Source":
    from slipway.harbor.migrate import session

    if from_harbor:
        return session.other_harbor(from_harbor, ca_file=ca_file)
    return session.ecr(region=region, account=account)


class _Told:
    """Says how far it is, every two seconds."""

    def __init__(self, what: str) -> None:
        self._what, self._told = what, time.monotonic()

    def count(self, done: int, total: int) -> None:
        if time.monotonic() - self._told > 2:
            self._told = time.monotonic()
            console.note(f"{done} of {total} {self._what}")
