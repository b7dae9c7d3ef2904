"""`slipway login-kit`: a robot for a team, and what it pastes into docker, Kubernetes and its CI."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli import console, login
from slipway.cli.console import Output

if TYPE_CHECKING:
    from slipway.harbor.robots import Issued
    from slipway.login_kit.kit import Kit
    from slipway.login_kit.procedure import Outcome, Task

_PRESETS = ("pull", "push", "ci")
_OVERLAP = 24
#: Twice the interval at which the support chart's pull secrets are refreshed.
_LEAST_OVERLAP = 2
_DID = {
    "make": "made", "keep": "kept", "rotate": "made", "wait": "in use", "retire": "in use, the older one is ended",
}  # fmt: skip
_WOULD = {
    "make": "would be made", "keep": "would be kept", "rotate": "would be made", "wait": "in use",
    "retire": "in use, the older one would be ended",
}  # fmt: skip


def login_kit(
    projects: Annotated[
        list[str], typer.Argument(metavar="PROJECT...", help="Projects of Harbor that one robot is for.")
    ],
    registry: Annotated[
        str | None,
        typer.Option(metavar="ENV|URL", help="An environment, or an https address; default: the only environment."),
    ] = None,
    preset: Annotated[
        str, typer.Option(metavar="|".join(_PRESETS), help="Its rights; ci: push, tags, scans and their reports.")
    ] = "push",
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Of the robot; default: the preset, for pull the project.")
    ] = "",
    days: Annotated[int, typer.Option(metavar="N", help="How long a robot lives.")] = 90,
    secret_to: Annotated[
        str,
        typer.Option(
            metavar="PLACE",
            help="aws:NAME, file:PATH or kubernetes:NAMESPACE/NAME; default of an environment: Secrets Manager.",
        ),
    ] = "",
    region: Annotated[str, typer.Option(metavar="REGION", help="Of aws:NAME where no environment is named.")] = "",
    show_secret: Annotated[bool, typer.Option("--show-secret", help="Print the secret as well.")] = False,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Go the next step of a rotation: second robot, wait, end the older one.")
    ] = False,
    before: Annotated[
        int | None, typer.Option(metavar="DAYS", min=1, help="With --rotate: only if it ends within so many days.")
    ] = None,
    overlap: Annotated[
        int,
        typer.Option(metavar="HOURS", min=_LEAST_OVERLAP, help="With --rotate: how long both are valid."),
    ] = _OVERLAP,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Replace a robot whose secret is not there; it stops to work at once.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="SNIPPET", help="A group (github) or a file (github/oidc.yml)."),
    ] = None,
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write the snippets to files below it.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="With --to: replace files of another content.")
    ] = False,
    namespace: Annotated[str, typer.Option(metavar="NAME", help="Of Kubernetes; default: the project's name.")] = "",
    github: Annotated[
        str, typer.Option(metavar="ORG/REPO[@BRANCH]", help="The repository whose jobs are trusted.")
    ] = "",
    gitlab: Annotated[str, typer.Option(metavar="GROUP/PROJECT[@BRANCH]", help="The same, of GitLab.")] = "",
    gitlab_host: Annotated[str, typer.Option(metavar="HOST", help="Your own GitLab.")] = "gitlab.com",
    bitbucket: Annotated[
        str,
        typer.Option(metavar="WORKSPACE/UUID/UUID[@BRANCH]", help="Bitbucket's workspace, its id, the repository's."),
    ] = "",
    username: Annotated[str, typer.Option(metavar="NAME", help="Who makes the robot: a user, or a robot.")] = "admin",
    password_stdin: login.PasswordStdin = False,
    robot: Annotated[
        bool | None, typer.Option("--robot/--user", help="What --username is; by default a robot if it begins robot$.")
    ] = None,
    ca_file: login.CaFile = None,
    allow_http: login.AllowHttp = False,
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Cluster for kubernetes: and for proof before a robot is ended.")
    ] = None,
    context: Annotated[str | None, typer.Option(metavar="NAME", help="Of the kubeconfig.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing: what would be done, and the snippets.")
    ] = False,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Give a team a robot with least rights and an end, and snippets for docker, Kubernetes, CI, Helm and signing.

    The secret goes to AWS Secrets Manager and is proven before it counts; it is never printed unless --show-secret.
    Run again, it keeps what works and mends the rights. CI jobs of GitHub, GitLab and Bitbucket need no stored secret:
    they take an AWS role with a token of their own. The password of --username comes from SLIPWAY_HARBOR_PASSWORD,
    --password-stdin, or for an environment's administrator from Secrets Manager.

    \b
    Examples:
      slipway login-kit payments --registry prod
      slipway login-kit payments --preset ci --github acme/payments --to login-kit/
      slipway login-kit payments dockerhub --preset pull --name default
      slipway login-kit payments --registry https://harbor.localhost --secret-to file:robot.json --only docker
      slipway login-kit payments --rotate --before 30      # each day; docs/onboarding.md

    Exit codes: 0 done, 1 Harbor, AWS or the cluster refused, 2 wrong usage or settings, 130 interrupted.
    """
    from slipway.harbor.robots import Rotation
    from slipway.login_kit import hosts
    from slipway.login_kit.procedure import Cluster, Login, Task, prepare
    from slipway.login_kit.robot import Asked
    from slipway.login_kit.target import registry_of

    if preset not in _PRESETS:
        raise typer.BadParameter(f"{preset!r} is none of {', '.join(_PRESETS)}", param_hint="--preset")
    if not rotate and (before or overlap != _OVERLAP):
        raise typer.BadParameter("needs --rotate", param_hint="--before" if before else "--overlap")
    rotation = Rotation(
        overlap=dt.timedelta(hours=overlap), before=dt.timedelta(days=before) if before is not None else None
    )
    task = Task(
        registry=registry_of(registry),
        asked=Asked(projects=tuple(dict.fromkeys(projects)), preset=preset, name=name, days=days, take_over=take_over),
        login=Login(
            username=username,
            password=login.password(stdin=password_stdin),
            robot=robot,
            ca_file=ca_file,
            allow_http=allow_http,
        ),
        secret_to=secret_to,
        region=region,
        rotation=rotation if rotate else None,
        cluster=Cluster(kubeconfig=kubeconfig, context=context),
        only=only or ([] if to or output is Output.json else ["docker"]),
        to=to,
        overwrite=overwrite,
        namespace=namespace,
        show_secret=show_secret,
        dry_run=dry_run,
        github=hosts.github(github),
        gitlab=hosts.gitlab(gitlab, gitlab_host),
        bitbucket=hosts.bitbucket(bitbucket),
    )
    outcome = prepare(task, tell=lambda text: console.note(f"… {text}"))
    if output is Output.json:
        console.result_json(_json(task, outcome))
    else:
        # A rotation is a daily job's: it shows snippets only where they are asked for.
        snippets = _snippets(outcome) if only or to or not rotate else []
        console.result("\n".join([*_about(task, outcome), *snippets]))


def _json(task: "Task", outcome: "Outcome") -> dict[str, object]:
    issued = outcome.obtained.issued if outcome.obtained else None
    secret: dict[str, object] = {"place": str(outcome.kit.place)}
    if outcome.kit.shown:
        secret |= {"username": outcome.kit.shown.username, "password": outcome.kit.shown.password.get_secret_value()}
    return {
        "registry": outcome.kit.url,
        "dryRun": task.dry_run,
        "robot": _robot_json(issued) if issued else None,
        "notAsked": outcome.unasked,
        "secret": secret,
        "snippets": [
            {"file": one.file, "title": one.title, "fill": list(one.fill), "text": one.text} for one in outcome.snippets
        ],
        "written": [str(path) for path in outcome.written],
    }


def _robot_json(issued: "Issued") -> dict[str, object]:
    until = issued.decision.until
    return {
        "name": issued.robot,
        "act": issued.decision.act,
        "why": issued.decision.why,
        "ends": issued.ends.isoformat() if issued.ends else None,
        "mended": issued.mended,
        "finished": issued.finished,
        "older": issued.older or None,
        "until": until.isoformat() if until else None,
    }


def _about(task: "Task", outcome: "Outcome") -> list[str]:
    kit = outcome.kit
    if outcome.obtained is None:
        return [f"the registry was not asked: {outcome.unasked}", f"secret    would go to {kit.place}"]
    issued = outcome.obtained.issued
    acts = _WOULD if task.dry_run else _DID
    lines = [
        f"robot     {issued.robot}: {acts[issued.decision.act]}; {issued.decision.why}",
        f"rights    {task.asked.preset} in {', '.join(task.asked.projects)}" + (", mended" if issued.mended else ""),
        f"ends      {issued.ends:%Y-%m-%d}" if issued.ends else "ends      never",
        f"secret    {kit.place}",
    ]
    if kit.shown:
        lines += [f"username  {kit.shown.username}", f"password  {kit.shown.password.get_secret_value()}"]
    if issued.older:
        lines.append(f"older     {issued.older} is still valid; the same command ends it {_when(task, issued)}")
    if task.asked.preset == "pull" and kit.place.kind == "aws":
        lines.append(_handed_out(task, kit))
    return lines


def _when(task: "Task", issued: "Issued") -> str:
    if issued.decision.until:
        return f"from {issued.decision.until:%Y-%m-%d %H:%M} UTC on"
    if issued.decision.act == "rotate" and task.rotation:
        return f"after {task.rotation.overlap.total_seconds() / 3600:.0f} hours"
    return "when they have the new one"


def _handed_out(task: "Task", kit: "Kit") -> str:
    """Say how namespaces get the pull secret, or what is missing for it."""
    if task.asked.name in task.registry.pull_robots:
        return f"pulls     namespaces with the label {kit.label}=true have it as {kit.pull_secret}, an hour later"
    return (
        f"pulls     add {task.asked.name} to harbor.pullSecrets.robots (enabled), and label namespaces {kit.label}=true"
    )


def _snippets(outcome: "Outcome") -> list[str]:
    lines = []
    if outcome.written:
        lines = ["", *(f"written   {path}" for path in outcome.written)]
    else:
        for one in outcome.snippets:
            lines += ["", typer.style(f"── {one.file}: {one.title}", bold=True), "", one.text.rstrip("\n")]
    fill = sorted({word for one in outcome.snippets for word in one.fill})
    if fill:
        lines += ["", f"to fill in: {', '.join(fill)} (--github, --gitlab and --bitbucket do it)"]
    if outcome.others and not outcome.written:
        width = max(len(one.file) for one in outcome.others) + 2
        lines += ["", "more, with --only NAME, or all with --to FOLDER:"]
        lines += [f"  {one.file:{width}}{one.title}" for one in outcome.others]
    return lines
