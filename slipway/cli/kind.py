"""`slipway kind`: a registry on this machine."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.errors import KindError, Problem
from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from slipway.kind.place import Place

app = typer.Typer(
    help="A registry on this machine: a kind cluster with the same rendered files as on EKS. Needs Docker and kind.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_EXIT_CODES = {"delivered": 0, "failed": 1, "moving": 2}
_NAME = typer.Option("--name", metavar="NAME", help="Of the cluster, and of the environment in Git.")
_PORT = typer.Option("--host-port", metavar="PORT", min=1, max=65535, help="Port of 127.0.0.1; the cluster keeps it.")
_DRY = typer.Option("--dry-run", help="Print the commands that would run on a machine with nothing made yet; run none.")
_DRY_DOWN = typer.Option("--dry-run", help="Print the commands that would run; run none.")
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
    chart_repository: Annotated[
        str, typer.Option(metavar="URL", help="Of Helm: a mirror, where the network leads to no other.")
    ] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the commit until it is delivered.")] = True,
    timeout: Annotated[int, typer.Option(metavar="MINUTES", min=1, help="How long to wait at most.")] = 30,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Overwrite generated files that were edited by hand in Git.")
    ] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Take a newer chart than the cluster has: its database moves in place.")
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
      slipway kind up --expose ingress --host registry.localhost
      slipway kind up --direct

    Exit codes: 0 done, 1 something is missing, in the way, or was not delivered (run it again to go on), 2 usage.
    --output json: name, url, user, kubeconfig, authority; with --dry-run: commands.
    """
    from slipway.cli.live import Live
    from slipway.kind.commands import Commands, DryRun
    from slipway.kind.place import place_of
    from slipway.kind.procedure import Wishes
    from slipway.kind.procedure import up as steps
    from slipway.project import find_root
    from slipway.steps import run_steps

    given = {"chart_version": chart_version, "chart_repository": chart_repository}
    place = place_of(name, host_port, expose.value, host, **given)
    how = {"take_over": take_over, "upgrade": upgrade}
    wishes = Wishes(remote=remote, direct=direct, wait=wait, timeout=timeout * 60, **how)
    root = find_root(Path.cwd())
    if dry_run:

        def dry(show: "Callable[[str], None]") -> None:
            run_steps(steps(DryRun(place.kubeconfig, show=show), place, wishes, root, _Silent()), _Silent())

        _tell_commands(place, output, dry)
        return
    try:
        with Live() as live:
            run_steps(steps(Commands(place.kubeconfig, live.tell), place, wishes, root, live), live)
    except KeyboardInterrupt:
        console.note("interrupted: the same command goes on from here")
        raise
    _tell(place, output)


@app.command()
def down(
    name: Annotated[str, _NAME] = "slipway",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, _DRY_DOWN] = False,
    output: Annotated[Output, _OUTPUT] = Output.text,
) -> None:
    """Delete the cluster with everything in it: images, database, Secrets. The local authority stays.

    \b
    Examples:
      slipway kind down
      slipway kind down --name trial --yes

    Exit codes: 0 gone, 1 not ours, or not confirmed, 2 usage.
    --output json: name, deleted; with --dry-run: commands.
    """
    from slipway.kind.cluster import remove
    from slipway.kind.commands import Commands, DryRun
    from slipway.kind.place import Place, refuse_bad_name

    refuse_bad_name(name)
    place = Place(name=name)
    if dry_run:
        _tell_commands(place, output, lambda show: remove(DryRun(place.kubeconfig, show=show), place))
        return
    if not yes:
        _confirm(name)
    was_there = remove(Commands(place.kubeconfig), place)
    if output is Output.json:
        console.result_json({"name": name, "deleted": was_there})
    else:
        console.note(f"{name} is gone" if was_there else f"there is no cluster {name}")


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
    from slipway.kind.place import Place, refuse_bad_name
    from slipway.kind.status import status as look

    refuse_bad_name(name)
    place = Place(name=name)
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


def _tell_commands(place: "Place", output: Output, run: "Callable[[Callable[[str], None]], object]") -> None:
    """Write the commands that a dry run shows."""
    from slipway.kind.commands import shown

    lines = [f"export KUBECONFIG={shown((str(place.kubeconfig),))}"]
    run(lines.append)
    if output is Output.json:
        console.result_json({"commands": lines})
    else:
        console.result("\n".join(lines))


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
