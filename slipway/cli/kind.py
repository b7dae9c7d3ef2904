"""`slipway kind`: a registry on this machine."""

import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.errors import KindError, Problem
from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from slipway.kind.place import Place

app = typer.Typer(
    help="A registry on this machine: a kind cluster with the same rendered files as on EKS. Needs Docker and kind.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_EXIT_CODES = {"delivered": 0, "failed": 1, "moving": 2}
_NAME = typer.Option("--name", metavar="NAME", help="Of the cluster, and of the environment in Git.")
_PORT = typer.Option("--host-port", metavar="PORT", min=1, max=65535, help="Port of 127.0.0.1; the cluster keeps it.")
_DRY = typer.Option("--dry-run", help="Print the commands that would run on a machine with nothing made yet; run none.")
_OUTPUT = typer.Option(help="How to report.")


class Exposure(StrEnum):
    """How the registry is reached."""

    nodePort = "nodePort"  # noqa: N815  # its name in the values
    ingress = "ingress"


@app.command()
def up(
    name: Annotated[str, _NAME] = "slipway",
    host_port: Annotated[int | None, _PORT] = None,
    expose: Annotated[
        Exposure, typer.Option(help="nodePort: http://localhost; ingress: HTTPS by an ingress controller that you add.")
    ] = Exposure.nodePort,
    host: Annotated[
        str, typer.Option(metavar="HOST", help="ingress: the registry's name, which must lead to 127.0.0.1.")
    ] = "registry.localhost",
    remote: Annotated[
        str, typer.Option(metavar="URL", help="Your own Git repository; default: a Git server in the cluster.")
    ] = "",
    direct: Annotated[bool, typer.Option("--direct", help="Helm alone: no Flux, no Git. Needs Helm 4.")] = False,
    chart_version: Annotated[
        str, typer.Option(metavar="X.Y.Z", help="Of Harbor's chart; default: the newest that environments begin with.")
    ] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the commit until it is delivered.")] = True,
    timeout: Annotated[int, typer.Option(metavar="MINUTES", min=1, help="How long to wait at most.")] = 30,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Overwrite generated files that were edited by hand in Git.")
    ] = False,
    dry_run: Annotated[bool, _DRY] = False,
    output: Annotated[Output, _OUTPUT] = Output.text,
) -> None:
    """Make a cluster on this machine with Harbor in it, or go on where an earlier run stopped; safe to run again.

    The cluster gets its own kubeconfig: yours is never touched. Secrets are made once and kept in the cluster.
    A cluster of that name that slipway did not make is left alone.
    Your own values come from stacks/NAME/values/. SLIPWAY_GIT_TOKEN pushes to --remote, Flux reads it with
    SLIPWAY_GIT_READ_TOKEN.

    \b
    Examples:
      slipway kind up --dry-run
      slipway kind up
      slipway kind up --name trial --host-port 30102
      slipway kind up --direct

    Exit codes: 0 done, 1 something is missing, in the way, or was not delivered (run it again to go on), 2 usage.
    --output json: name, url, user, kubeconfig, authority; with --dry-run: commands.
    """
    from slipway.cli.live import Live
    from slipway.kind.commands import Commands, DryRun, shown
    from slipway.kind.procedure import Wishes
    from slipway.kind.procedure import up as steps
    from slipway.project import find_root
    from slipway.steps import run_steps

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    place = _place(name, host_port, expose, host, chart_version)
    wishes = Wishes(remote=remote, direct=direct, wait=wait, timeout=timeout * 60, take_over=take_over)
    root = find_root(Path.cwd())
    if dry_run:
        lines = [f"export KUBECONFIG={shown((str(place.kubeconfig),))}"]
        dry = DryRun(place.kubeconfig, show=lines.append)
        run_steps(steps(dry, place, wishes, root, _Silent()), _Silent())
        if output is Output.json:
            console.result_json({"commands": lines})
        else:
            console.result("\n".join(lines))
        return
    with Live() as live:
        run_steps(steps(Commands(place.kubeconfig), place, wishes, root, live), live)
    _tell(place, output)


@app.command()
def down(
    name: Annotated[str, _NAME] = "slipway",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, _DRY] = False,
) -> None:
    """Delete the cluster with everything in it: images, database, Secrets. The local authority stays.

    \b
    Examples:
      slipway kind down
      slipway kind down --name trial --yes

    Exit codes: 0 gone, 1 not ours, or not confirmed, 2 usage.
    """
    from slipway.kind.cluster import remove
    from slipway.kind.commands import Commands, DryRun
    from slipway.kind.place import Place

    place = Place(name=_named(name))
    if dry_run:
        DryRun(place.kubeconfig, show=console.result).run("kind", "delete", "cluster", "--name", name)
        return
    if not yes:
        _confirm(name)
    remove(Commands(place.kubeconfig), place)
    console.note(f"{name} is gone")


@app.command()
def status(name: Annotated[str, _NAME] = "slipway", output: Annotated[Output, _OUTPUT] = Output.text) -> None:
    """Show where the last commit stands, from Git to the registry; only reads.

    \b
    Examples:
      slipway kind status
      slipway kind status --name trial --output json

    Exit codes: 0 delivered, 1 failed or not to be told, 2 still moving.
    """
    from slipway.cli.status import chain_text
    from slipway.kind.commands import Commands
    from slipway.kind.place import Place
    from slipway.kind.status import status as look

    place = Place(name=_named(name))
    chain = look(Commands(place.kubeconfig), place)
    if output is Output.json:
        links = [vars(link) for link in chain.links]
        found = {"verdict": chain.verdict, "commit": chain.commit, "url": chain.url, "links": links}
        console.result_json({"environment": name, **found})
    elif not chain.commit and len(chain.links) == 1:  # Helm alone
        console.result(f"{name}: {chain.links[0].says or 'nothing is installed yet'}\n{chain.url}".rstrip())
    else:
        console.result(chain_text(name, chain).rstrip())
    raise typer.Exit(_EXIT_CODES[chain.verdict])


class _Silent:
    """A watcher of a dry run: its result is the commands alone."""

    def begin(self, name: str) -> None:
        """Nothing."""

    def tell(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Show what a person must know."""
        console.note(text)

    def end(self, name: str, seconds: float) -> None:
        """Nothing."""


def _named(name: str) -> str:
    """Give a name that kind, Kubernetes and Git take.

    Raises:
        KindError: one of them does not.
    """
    import re

    if not re.fullmatch(r"[a-z][a-z0-9-]{0,29}(?<!-)", name):
        fix = "lower-case letters, digits and dashes, 30 at most, beginning with a letter"
        raise KindError(Problem(where="--name", what=f"{name!r} names no cluster", fix=fix))
    return name


def _place(name: str, host_port: int | None, expose: Exposure, host: str, chart_version: str) -> "Place":
    import re

    from slipway.kind.place import Place
    from values.facts import DEFAULT_CHART_VERSION

    is_ingress = expose is Exposure.ingress
    if is_ingress and not re.fullmatch(
        r"(?=.{1,200}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+", host
    ):
        raise KindError(
            Problem(where="--host", what=f"{host!r} is no host name", fix="give one like registry.localhost")
        )
    return Place(
        name=_named(name),
        host_port=host_port or (443 if is_ingress else 30002),
        expose="ingress" if is_ingress else "nodePort",
        host=host if is_ingress else "localhost",
        chart_version=chart_version or DEFAULT_CHART_VERSION,
    )


def _confirm(name: str) -> None:
    """Ask once.

    Raises:
        KindError: not confirmed.
    """
    question = f"Type {name} to delete the cluster with its images and database"
    if sys.stdin.isatty() and typer.prompt(question, err=True) == name:
        return
    raise KindError(
        Problem(where="--yes", what=f"deleting {name} was not confirmed", fix=f"type {name}, or give --yes")
    )


def _tell(place: "Place", output: Output) -> None:
    """Say where the registry is, and how to get in."""
    from slipway.kind.authority import authority_folder, trust

    authority = authority_folder() / "ca.crt" if place.expose == "ingress" else None
    if output is Output.json:
        result: dict[str, Any] = {
            "name": place.name, "url": place.url, "user": "admin", "kubeconfig": str(place.kubeconfig),
            "authority": str(authority or ""),
        }  # fmt: skip
        console.result_json(result)
        return
    get = "kubectl -n harbor get secret harbor-admin -o jsonpath='{.data.HARBOR_ADMIN_PASSWORD}' | base64 -d"
    lines = [
        place.url,
        "",
        "To log in (the password counts from Harbor's first start; change it in Harbor):",
        f"  export KUBECONFIG={place.kubeconfig}",
        f"  {get} | docker login {place.address} -u admin --password-stdin",
        "",
    ]
    if authority:
        lines += [trust(authority, place.address), "", f"{place.host} must lead to 127.0.0.1: add it to /etc/hosts"]
    else:
        lines += [
            "Plain HTTP, on 127.0.0.1 alone. Docker takes that for localhost and for no other name; set no",
            "insecure-registries. For a name and TLS: --expose ingress.",
        ]
    console.result("\n".join(lines))
