"""`slipway harbor export`: an existing Harbor as a harbor.yaml that plans empty."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slipway.cli import console
from slipway.cli.harbor import _Url

if TYPE_CHECKING:
    from slipway.harbor.export import Exported
    from slipway.harbor.spec.robots import PlaceSpec


class _Form(StrEnum):
    """What the command writes to stdout."""

    yaml = "yaml"
    json = "json"


def export(
    environment: Annotated[
        str, typer.Argument(metavar="ENV", help="Name of the environment, for its domain and password.")
    ] = "",
    url: _Url = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A file (.yaml), or a folder with a file for each sort of thing."),
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this project and what is in it, to go beside other files; repeatable."),
    ] = None,
    robot_secrets: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="Name a place for robots' secrets: aws:NAME, file:PATH or kubernetes:NAMESPACE/NAME, with {project} "
            "and {robot} filled in. Without it robots are taken over, and cannot be made elsewhere.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export.")] = False,
    output: Annotated[
        _Form, typer.Option(help="What goes to stdout: the file, or a report with it as JSON.")
    ] = _Form.yaml,
) -> None:
    """Write an existing Harbor as a harbor.yaml that plans empty: start from what there is.

    Reads everything and changes nothing. Secrets are never written: each is named as a variable to fill, at the top
    of the file, and what is in Harbor keeps its own until then. What no harbor.yaml can say is told there too.
    Log in as an administrator: a robot sees a part, and the file says what is missing.

    \b
    Examples:
      slipway harbor export prod --out stacks/prod/harbor.yaml
      slipway harbor export prod --out stacks/prod/harbor
      slipway harbor export --url https://registry.example.com --project payments
      slipway harbor export prod --robot-secrets 'aws:harbor/prod/robots/{project}/{robot}'

    Exit codes: 0 exported, 1 an error; nothing is written then.
    """
    from slipway.harbor.environment import open_harbor
    from slipway.harbor.export import run_export
    from slipway.harbor.export.write import check, write

    place = _place(robot_secrets) if robot_secrets else None
    if out:
        check(out, force=force)
    opened = open_harbor(environment, url=url)
    exported = run_export(opened, projects=tuple(project or ()), robot_secrets=place, tell=_tell)
    written = write(out, exported, force=force) if out else []
    if output is _Form.json:
        about = {"environment": environment, "url": opened.url, "files": [str(each) for each in written]}
        console.result_json(about | _report(exported, with_data=not out))
    elif not out:
        console.result("\n".join(exported.files(folder=False).values()).rstrip("\n"))
    _note(exported, written)


def add_to(app: typer.Typer) -> None:
    """Add the command to `slipway harbor`."""
    app.command()(export)


def _tell(requests: int) -> None:
    console.note(f"reading: {requests} requests so far")


def _place(text: str) -> "PlaceSpec":
    from slipway.harbor.spec.robots import KubernetesPlace, PlaceSpec

    kind, _, name = text.partition(":")
    namespace, _, secret = name.partition("/")
    if kind == "aws" and name:
        return PlaceSpec(awsSecretsManager=name)
    if kind == "file" and name:
        return PlaceSpec(file=name)
    if kind == "kubernetes" and namespace and secret:
        return PlaceSpec(kubernetes=KubernetesPlace(namespace=namespace, name=secret))
    what = f"{text!r} is no place: write aws:NAME, file:PATH or kubernetes:NAMESPACE/NAME"
    raise typer.BadParameter(what, param_hint="--robot-secrets")


def _report(exported: "Exported", *, with_data: bool) -> dict[str, Any]:
    import json

    report = {
        "version": exported.version,
        "requests": exported.requests,
        "counts": dict(sorted(exported.counts.items())),
        "secrets": dict(exported.variables),
        "leftOut": [{"kind": ref.kind, "key": ref.key, "why": why} for ref, why in exported.left],
        "notRead": list(exported.unread),
    }
    return report | ({"spec": json.loads(json.dumps(exported.data, default=_time))} if with_data else {})


def _time(value: Any) -> str:  # noqa: ANN401  # the only one that JSON has not
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _note(exported: "Exported", written: list[Path]) -> None:
    for path in written:
        console.note(f"{path} written")
    if exported.unread:
        console.note(f"not looked at, since {exported.sender} may not read it: {', '.join(exported.unread)}")
    if exported.variables:
        console.note(f"{len(exported.variables)} secrets are named, to be provided: the top of the file lists them")
    if exported.left:
        console.note(f"{len(exported.left)} things are not in it: the top of the file says which, and why")
