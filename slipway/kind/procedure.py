"""`slipway kind up` as steps; each finds out what is left to do, so a run that stopped goes on when it is run again.

run_steps(up(commands, place, Wishes(), watcher), watcher)
"""

import contextlib
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from infra.delivery.inputs import Inputs, read_inside, read_overrides
from infra.delivery.remote import Remote
from infra.delivery.status.chain import Chain
from infra.errors import KindError, Problem
from slipway.kind import direct, flux, git_server
from slipway.kind.cluster import bring_up
from slipway.kind.commands import Commands
from slipway.kind.machine import check_machine
from slipway.kind.place import Place
from slipway.kind.secrets import make_identities, make_secrets, make_tls
from slipway.rendering import TOKEN_VARIABLE
from slipway.steps import Step, Watcher


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How it is delivered.

    Attributes:
        remote: URL of the user's own repository; empty for a server in the cluster.
        direct: Helm alone, no Flux and no Git.
        wait: until it is delivered.
        timeout: seconds, at most.
        take_over: overwrite generated files that were edited by hand.
        upgrade: take a newer chart than the cluster has, which moves its database in place.
    """

    remote: str = ""
    direct: bool = False
    wait: bool = True
    timeout: float = 1800
    take_over: bool = False
    upgrade: bool = False


def up(commands: Commands, place: Place, wishes: Wishes, root: Path, watcher: Watcher) -> list[Step[None]]:
    """Give the steps.

    Args:
        commands: run by.
        place: the cluster.
        wishes: how it is delivered.
        root: the project, whose stacks/NAME/values are taken as well.
        watcher: told what a person must know.

    Raises:
        KindError: wishes that exclude each other.
    """
    if wishes.direct and wishes.remote:
        raise KindError(Problem(where="--direct", what="needs no Git, and --remote names one", fix="give one of them"))
    inputs = Inputs(place.facts().to_json(), read_overrides(root, place.name), read_inside(root, place.name))
    own = git_server.own_remote(wishes.remote, os.environ.get(TOKEN_VARIABLE)) if wishes.remote else None
    steps = [
        Step("look at this machine", partial(check_machine, commands, direct=wishes.direct, note=watcher.note)),
        Step("have the cluster", lambda: _cluster(commands, place, wishes, watcher.note)),
        Step("make the Secrets", lambda: _secrets(commands, place, wishes)),
    ]
    if place.expose == "ingress":
        steps.append(Step("look for the ingress controller", lambda: _refuse_without_ingress(commands)))
    if wishes.direct:
        return [*steps, Step("install Harbor with Helm", lambda: _directly(commands, place, inputs))]
    steps.append(Step("install Flux", lambda: flux.install(commands)))
    if not own:
        steps.append(Step("have a Git server", lambda: git_server.install(commands, place)))
    return [*steps, Step("deliver", lambda: _deliver(commands, place, wishes, inputs, own, watcher))]


def _cluster(commands: Commands, place: Place, wishes: Wishes, note: Callable[[str], None]) -> None:
    bring_up(commands, place, note)
    if not commands.is_dry:
        way = "direct" if wishes.direct else "flux"
        _refuse_other_way(place, way)
        _refuse_other_chart(place, upgrade=wishes.upgrade)
        commands.write(place.way, way)
        commands.write(place.chart, place.chart_version)


def _refuse_other_way(place: Place, way: str) -> None:
    has = place.way.read_text() if place.way.exists() else way
    if has != way:
        raise KindError(
            Problem(
                where=f"cluster {place.name}",
                what=f"Harbor is delivered there by {'Helm alone' if has == 'direct' else 'Flux'}; two owners of one "
                "release fight",
                fix=f"{'give' if has == 'direct' else 'leave out'} --direct, or begin anew: "
                f"slipway kind down --name {place.name}",
            )
        )


def _refuse_other_chart(place: Place, *, upgrade: bool) -> None:
    has = place.chart.read_text() if place.chart.exists() else place.chart_version
    if has == place.chart_version:
        return
    is_newer = _numbers(place.chart_version) > _numbers(has)
    if is_newer and upgrade:
        return
    why = "the chart's own database is upgraded with it, in place" if is_newer else "its database goes forward only"
    dump = "dump the database first (docs/upgrading-harbor.md) and add --upgrade; or " if is_newer else ""
    raise KindError(
        Problem(
            where=f"--chart-version {place.chart_version}",
            what=f"the cluster {place.name} has {has}, and {why}",
            fix=f"{dump}keep it: --chart-version {has}; or begin anew: slipway kind down --name {place.name}",
        )
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _secrets(commands: Commands, place: Place, wishes: Wishes) -> None:
    path = place.folder / "namespaces.yaml"
    commands.write(path, place.document("namespaces.yaml"))
    commands.run("kubectl", "apply", "--server-side", "--field-manager", "slipway", "--filename", str(path))
    make_secrets(commands, place.facts())
    if place.expose == "ingress":
        make_tls(commands, place)
    if not (wishes.direct or wishes.remote):
        make_identities(commands)


def _refuse_without_ingress(commands: Commands) -> None:
    there = commands.ask("kubectl", "get", "ingressclasses", "--output", "name", fresh="ingressclass/nginx")
    if "nginx" not in {line.rpartition("/")[2] for line in there.split()}:
        raise KindError(
            Problem(
                where="--expose ingress",
                what="the cluster has no ingress controller that answers to the class nginx",
                fix="install one in the namespace ingress-nginx, on the node labelled ingress-ready=true, with its "
                "port 443 as a host port (two commands in docs/kind.md); then run this again: it goes on here",
            )
        )


def _directly(commands: Commands, place: Place, inputs: Inputs) -> None:
    commands.inside(f"renders the profile kind for {place.url}")
    direct.deliver(commands, place, inputs.files())


def _deliver(
    commands: Commands, place: Place, wishes: Wishes, inputs: Inputs, own: Remote | None, watcher: Watcher
) -> None:
    """Push what is rendered, tell Flux where it is, and wait."""
    reader = flux.keep_reader(commands) if own else True
    with remote_of(commands, own) as remote:
        push(commands, remote, inputs, take_over=wishes.take_over, tell=watcher.tell)
        flux.follow_branch(commands, place, own.repository if own else git_server.URL, pull_secret=reader)
        if wishes.wait:
            commands.inside(f"follows the commit until it is delivered, {wishes.timeout / 60:.0f} minutes at most")
        if wishes.wait and not commands.is_dry:
            wait(place, remote, wishes.timeout, watcher)


@contextlib.contextmanager
def remote_of(commands: Commands, own: Remote | None) -> Generator[Remote]:
    """Give the branch: the user's, or that of the server in the cluster."""
    if own:
        yield own
        return
    with git_server.reached(commands) as remote:
        yield remote


def push(commands: Commands, remote: Remote, inputs: Inputs, *, take_over: bool, tell: Callable[[str], None]) -> None:
    """Push the rendered files, by the publisher that every environment has."""
    from infra.delivery.publish import publish  # noqa: PLC0415

    is_ours = urlsplit(remote.repository).hostname == "127.0.0.1"
    where = "the Git server, through that port" if is_ours else remote.shown
    commands.inside(f"renders {len(inputs.files())} files and pushes them with git to {where}")
    if not commands.is_dry:
        publish(remote, inputs, take_over=take_over, progress=tell)


def wait(place: Place, remote: Remote, timeout: float, watcher: Watcher) -> Chain:
    """Follow the commit to its end.

    Raises:
        NotDelivered: it failed, or was not done in time.
    """
    from infra.delivery.status.follow import follow  # noqa: PLC0415
    from infra.delivery.status.observe import connect, request_reconciliation  # noqa: PLC0415
    from slipway.kind.status import judged, refuse_undelivered  # noqa: PLC0415

    with connect(place.kubeconfig) as client:
        chain = follow(
            lambda: judged(client, remote),
            timeout=timeout,
            tell=lambda chain: watcher.tell(f"{chain.stands_at.name}: {chain.stands_at.says or 'waits'}"),
            reconcile=lambda now: request_reconciliation(client, now),
        )
    refuse_undelivered(place, chain)
    return chain
