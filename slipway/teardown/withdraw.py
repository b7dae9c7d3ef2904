"""Take Harbor out of a cluster before the cluster goes, so that its controller deletes the load balancer.

A load balancer that outlives its cluster holds the VPC's subnets and security groups, and nobody knows whose it is.
"""

import time
from collections.abc import Callable
from functools import partial

from lightkube import ApiError, Client
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.networking_v1 import Ingress
from lightkube.types import PatchType

from infra.delivery.instance import NAMESPACE, SYNC
from infra.delivery.status.chain import RELEASE
from infra.delivery.status.observe import HARBOR_NAMESPACE, HelmRelease, Kustomization, asked, is_absent, release_of
from infra.errors import Problem, TeardownError

FluxInstance = create_namespaced_resource("fluxcd.controlplane.io", "v1", "FluxInstance", "fluxinstances")
_POLL_SECONDS = 2.0


def withdraw(client: Client, *, tell: Callable[[str], None], patience_seconds: float = 900) -> None:
    """Stop Flux from delivering, delete Harbor's release, and wait until it and its Ingresses are gone.

    With manifests in Git there is no release, so its Ingresses are deleted by name. Whatever holds nothing of AWS's
    (policies, alerts, the support chart's release) goes with the cluster.

    Args:
        client: of the cluster.
        tell: told what is waited for.
        patience_seconds: how long the load balancer's controller may take.

    Raises:
        ClusterError: the cluster does not answer.
        TeardownError: something is still there when the time is up.
    """
    asked(client, lambda: _pause(client))
    asked(client, lambda: _unless_absent(partial(client.delete, HelmRelease, RELEASE, namespace=HARBOR_NAMESPACE)))
    asked(client, lambda: _delete_ingresses(client))
    deadline = time.monotonic() + patience_seconds
    while left := asked(client, lambda: _left(client)):
        if time.monotonic() > deadline:
            raise TeardownError(
                Problem(
                    where=", ".join(left),
                    what="still there: its load balancer would hold the VPC",
                    fix="look at its events and at the AWS Load Balancer Controller, then run the teardown again; "
                    "or --skip-cluster, and delete the load balancer by hand",
                )
            )
        tell(f"waiting for {', '.join(left)} to go")
        time.sleep(_POLL_SECONDS)


def _pause(client: Client) -> None:
    """Let neither the operator nor Flux bring back what is deleted."""
    off = {"metadata": {"annotations": {"fluxcd.controlplane.io/reconcile": "disabled"}}}
    _unless_absent(lambda: client.patch(FluxInstance, "flux", off, namespace=NAMESPACE, patch_type=PatchType.MERGE))
    suspended = {"spec": {"suspend": True}}
    for name in (SYNC, RELEASE):
        _unless_absent(
            partial(client.patch, Kustomization, name, suspended, namespace=NAMESPACE, patch_type=PatchType.MERGE)
        )


def _delete_ingresses(client: Client) -> None:
    for name in _ingresses(client):
        _unless_absent(partial(client.delete, Ingress, name, namespace=HARBOR_NAMESPACE))


def _left(client: Client) -> list[str]:
    """Name what must go and has not."""
    left = [f"Ingress {name}" for name in _ingresses(client)]
    # By name: the support chart's release is in the namespace as well, and stays.
    if release_of(client):
        left.insert(0, f"HelmRelease {RELEASE}")
    return left


def _ingresses(client: Client) -> list[str]:
    found = client.list(Ingress, namespace=HARBOR_NAMESPACE)
    return [item.metadata.name for item in found if item.metadata and item.metadata.name]


def _unless_absent(do: Callable[[], object]) -> None:
    try:
        do()
    except ApiError as error:
        if not is_absent(error):
            raise
