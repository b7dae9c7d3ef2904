"""One look into the cluster: read-only, a dozen requests, judged afterwards by in_cluster.py.

snapshot = look(kubeconfig=None, context=None)
"""

from pathlib import Path
from typing import Any

from lightkube import Client
from lightkube.resources.apps_v1 import Deployment, StatefulSet
from lightkube.resources.core_v1 import ConfigMap, Event, Node, PersistentVolumeClaim, Pod, Service
from lightkube.resources.networking_v1 import Ingress
from lightkube.resources.policy_v1 import PodDisruptionBudget

from infra.delivery.status.observe import HARBOR_NAMESPACE, HelmRelease, asked, connect, is_absent
from slipway.verify.snapshot import Snapshot


def look(kubeconfig: Path | None, context: str | None) -> Snapshot:
    """Look once.

    Raises:
        ClusterError: no usable kubeconfig, or the cluster refuses us.
        ClusterAway: it does not answer.
    """
    with connect(kubeconfig, context) as client:
        return asked(client, lambda: _look(client))


def _look(client: Client) -> Snapshot:
    nodes = [node.to_dict()["metadata"] for node in client.list(Node)]
    return Snapshot(
        server=str(client.config.cluster.server),
        releases=_list(client, HelmRelease, "*"),
        workloads=[
            *({**one, "kind": "Deployment"} for one in _list(client, Deployment)),
            *({**one, "kind": "StatefulSet"} for one in _list(client, StatefulSet)),
        ],
        pods=_list(client, Pod),
        events=_list(client, Event),
        budgets=_list(client, PodDisruptionBudget),
        claims=_list(client, PersistentVolumeClaim),
        config_maps=_list(client, ConfigMap),
        entries=[
            *({**one, "kind": "Ingress"} for one in _list(client, Ingress)),
            *({**one, "kind": "Service"} for one in _list(client, Service)),
        ],
        zones={node["name"]: node.get("labels", {}).get("topology.kubernetes.io/zone", "") for node in nodes},
    )


def _list(client: Client, resource: Any, namespace: str = HARBOR_NAMESPACE) -> list[dict[str, Any]]:  # noqa: ANN401
    try:
        return [item.to_dict() for item in client.list(resource, namespace=namespace)]
    except Exception as error:
        if is_absent(error):
            return []
        raise
