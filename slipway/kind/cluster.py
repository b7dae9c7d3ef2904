"""The cluster itself: made, taken up where a run stopped, or refused because it is somebody else's."""

import shutil
import time
from collections.abc import Callable
from enum import Enum

from infra.errors import KindError, Problem
from slipway.kind.commands import Commands
from slipway.kind.machine import refuse_taken_port
from slipway.kind.place import Place

#: On every node of ours; see charts/kind/cluster.yaml.
LABEL = "slipway/kind"
#: How long a cluster that was started again may take until it answers.
_WAKING_SECONDS = 90.0


class State(Enum):
    """What there is under a name."""

    absent = "absent"
    ours = "ours"
    half_made = "half-made"
    """Ours, and its making was interrupted."""
    silent = "silent"
    """Ours, and it does not answer."""
    foreign = "foreign"


def bring_up(commands: Commands, place: Place, note: Callable[[str], None]) -> None:
    """Have the cluster there, with its port.

    Raises:
        KindError: it is somebody else's, does not answer, has another port; or the port is taken.
    """
    state = look(commands, place, wake=True)
    if state is State.foreign:
        raise foreign(place)
    if state is State.silent:
        raise KindError(
            Problem(
                where=f"cluster {place.name}",
                what="is ours, and its API server does not answer",
                fix=f"docker logs {place.name}-control-plane; or give it up with its data: "
                f"slipway kind down --name {place.name}",
            )
        )
    if state is State.ours:
        _refuse_other_port(commands, place)
        return
    if state is State.half_made:
        note(f"the making of {place.name} was interrupted: it is made again, there was nothing in it yet")
        commands.run("kind", "delete", "cluster", "--name", place.name)
    if not commands.is_dry:
        refuse_taken_port(place)
        shutil.rmtree(place.folder, ignore_errors=True)  # of one that was deleted by kind alone
    commands.write(place.making, "")
    commands.write(place.config, place.cluster_config())
    commands.run("kind", "create", "cluster", "--name", place.name, "--config", str(place.config), "--wait", "5m")
    if not commands.is_dry:
        place.making.unlink()


def look(commands: Commands, place: Place, *, wake: bool = False, fresh: str = "") -> State:
    """Say what there is under the name.

    Args:
        commands: run by.
        place: the cluster.
        wake: start containers that stand still.
        fresh: the name where a dry run is to see a cluster of ours.
    """
    if place.name not in commands.ask("kind", "get", "clusters", fresh=fresh).split():
        return State.absent
    woken = wake and place.config.exists() and _wake(commands, place)
    commands.attempt("kind", "export", "kubeconfig", "--name", place.name)
    deadline = time.monotonic() + (_WAKING_SECONDS if woken else 0)
    while True:
        asked = ("kubectl", "get", "nodes", "--selector", f"{LABEL}={place.name}", "--output", "name")
        nodes = commands.attempt(*asked, "--request-timeout=10s", fresh=fresh)
        if not nodes.code or time.monotonic() > deadline:
            break
        time.sleep(1)
    is_complete = not place.making.exists()
    if nodes.code:
        known = place.config.exists()
        return State.foreign if not known else State.silent if is_complete else State.half_made
    if not nodes.out.strip():
        return State.foreign
    return State.ours if is_complete else State.half_made


def remove(commands: Commands, place: Place) -> bool:
    """Delete the cluster with everything in it, and what is kept of it here; tell whether there was one.

    Raises:
        KindError: it is somebody else's.
    """
    state = look(commands, place, fresh=place.name)
    if state is State.foreign:
        raise foreign(place)
    if state is not State.absent:
        commands.run("kind", "delete", "cluster", "--name", place.name)
    if not commands.is_dry:
        shutil.rmtree(place.folder, ignore_errors=True)
    return state is not State.absent


def foreign(place: Place) -> KindError:
    """Give the error for a cluster of that name that slipway did not make."""
    return KindError(
        Problem(
            where=f"--name {place.name}",
            what=f"there is a kind cluster {place.name} that slipway did not make: its nodes have no label {LABEL}",
            fix="give another name; slipway touches no cluster of anybody else's",
        )
    )


def _wake(commands: Commands, place: Place) -> bool:
    """Start containers that stand still, as all do after the machine did; tell whether any did."""
    chosen = ("--filter", f"label=io.x-k8s.kind.cluster={place.name}")
    rows = commands.ask("docker", "ps", "--all", *chosen, "--format", "{{.Names}} {{.State}}").splitlines()
    still = sorted(row.split()[0] for row in rows if row.strip() and row.split()[-1] != "running")
    if still:
        commands.run("docker", "start", *still)
    return bool(still)


def _refuse_other_port(commands: Commands, place: Place) -> None:
    said = commands.attempt("docker", "port", f"{place.name}-control-plane", f"{place.container_port}/tcp")
    has = said.out.strip().splitlines()[0] if said.out.strip() else ""
    if said.code or has.rpartition(":")[2] != str(place.host_port):
        what = f"leads to it by {has}" if has and not said.code else "does not lead there by any port of this machine"
        raise KindError(
            Problem(
                where=f"cluster {place.name}",
                what=f"--host-port {place.host_port} --expose {place.expose} was asked for, and the cluster {what}",
                fix="kind sets ports when it makes a cluster: repeat what this one was made with, take another "
                f"--name, or begin anew: slipway kind down --name {place.name}",
            )
        )
