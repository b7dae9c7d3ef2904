"""From an environment's name to a look at its delivery: which branch, which cluster."""

import contextlib
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

from lightkube import Client

from infra.delivery.git import Remote
from infra.delivery.pull_request import waiting
from infra.delivery.status.chain import Chain, judge
from infra.delivery.status.observe import connect, head, observe
from infra.errors import KindError, PublishError
from infra.stack_config import from_stack_file, stack_file
from slipway.project import find_root
from slipway.rehearse.folders import (
    BRANCH,
    cluster_folder,
    head_of,
    kept_cluster,
    kubeconfig_of,
    rehearsal_folder,
    repository_of,
)
from slipway.rendering import TOKEN_VARIABLE

if TYPE_CHECKING:
    from slipway.kind.place import Place


@contextlib.contextmanager
def following(
    environment: str, *, kubeconfig: Path | None, context: str | None, rehearsal: bool
) -> Generator[tuple[Callable[[], Chain], Client]]:
    """Give a look at an environment's delivery, and the client that it looks with.

    Args:
        environment: name of the stack file; or, where there is none of that name, of a kind cluster of this machine.
        kubeconfig, context: which cluster; None for the defaults.
        rehearsal: the cluster that a rehearsal kept, whatever the kubeconfig.

    Raises:
        SettingsError: the stack file is not usable.
        ClusterError: no usable kubeconfig.
        RehearsalError: no such rehearsal runs.
    """
    root = find_root(Path.cwd())
    if not rehearsal and (place := kind_cluster(root, environment)):
        from slipway.kind.commands import Commands  # noqa: PLC0415
        from slipway.kind.status import watched  # noqa: PLC0415

        with watched(Commands(place.kubeconfig), place) as found:
            yield found
        return
    settings = from_stack_file(stack_file(root, environment))
    if rehearsal or _is_rehearsals(root, environment, kubeconfig):
        cluster = kept_cluster(root, environment)
        repository = repository_of(cluster.parent)
        with connect(kubeconfig_of(cluster)) as client:
            yield (lambda: judge(observe(client, lambda: (head_of(repository), ""), BRANCH))), client
        return
    # What Pulumi encrypted only Pulumi reads: by hand, the token comes from the environment or git's own ways.
    remote = Remote.of(settings.gitops, os.environ.get(TOKEN_VARIABLE), root)
    with connect(kubeconfig, context) as client:
        yield (lambda: judge(observe(client, lambda: head(remote), remote.branch))), client


def waiting_change(environment: str) -> str:
    """Name the branch in which a change of the environment waits for its merge; empty where none is known to.

    Raises:
        SettingsError: the stack file is not usable.
    """
    root = find_root(Path.cwd())
    if kind_cluster(root, environment):
        return ""
    gitops = from_stack_file(stack_file(root, environment)).gitops
    if gitops.mode != "pull-request":
        return ""
    try:
        return waiting(Remote.of(gitops, os.environ.get(TOKEN_VARIABLE), root), gitops.path, environment)
    except PublishError:  # the chain's first link says so already
        return ""


def kind_cluster(root: Path, environment: str) -> "Place | None":
    """Give the kind cluster of that name, where no stack file has it and `slipway kind up` made one."""
    from slipway.kind.place import Place, refuse_bad_name  # noqa: PLC0415

    if stack_file(root, environment).exists():
        return None
    try:
        refuse_bad_name(environment)
    except KindError:
        return None
    place = Place(name=environment)
    return place if place.config.exists() else None


def _is_rehearsals(root: Path, environment: str, kubeconfig: Path | None) -> bool:
    """Tell whether a kubeconfig is the one that `slipway rehearse attach` printed."""
    if kubeconfig is None:
        return False
    return kubeconfig.absolute() == kubeconfig_of(cluster_folder(rehearsal_folder(root, environment)))
