"""What every player of a controller needs: the objects of a kind, and their status."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from lightkube import ApiError, Client
from lightkube.generic_resource import create_global_resource, create_namespaced_resource
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Service
from lightkube.resources.networking_v1 import Ingress
from lightkube.types import PatchType

from infra.delivery.status.observe import is_absent
from slipway.rehearse.cluster.played.third_parties import KINDS

_OWN = {"Ingress": Ingress, "Service": Service}
_PLURALS = {kind: (plural, scope) for _, _, kind, plural, scope in KINDS}


def is_there(client: Client, namespace: str, name: str) -> bool:
    """Tell whether a controller's Deployment has a pod that is ready: before, nobody does its work."""
    try:
        status = client.get(Deployment, name, namespace=namespace).status
    except ApiError as error:
        if is_absent(error):
            return False
        raise
    return bool(status and status.availableReplicas)


def documents(client: Client, api_version: str, kind: str) -> list[dict[str, Any]]:
    """Give all objects of a kind; none while the cluster does not know it."""
    resource = _resource(api_version, kind)
    try:
        found = client.list(resource, namespace="*") if _is_namespaced(kind) else client.list(resource)
        # The items of a list do not say what they are.
        return [{**item.to_dict(), "apiVersion": api_version, "kind": kind} for item in found]
    except Exception as error:
        if is_absent(error):
            return []
        raise


def delete(client: Client, document: dict[str, Any]) -> None:
    """Delete an object."""
    metadata = document["metadata"]
    where = {"namespace": metadata["namespace"]} if _is_namespaced(document["kind"]) else {}
    client.delete(_resource(document["apiVersion"], document["kind"]), metadata["name"], **where)


def set_status(client: Client, document: dict[str, Any], status: dict[str, Any]) -> None:
    """Write a status where it differs."""
    present = document.get("status", {})
    if all(present.get(key) == value for key, value in status.items()):
        return
    metadata = document["metadata"]
    resource = _resource(document["apiVersion"], document["kind"])
    where = {"namespace": metadata["namespace"]} if _is_namespaced(document["kind"]) else {}
    client.patch(resource.Status, metadata["name"], {"status": status}, patch_type=PatchType.MERGE, **where)


def set_conditions(client: Client, document: dict[str, Any], wanted: Iterable[dict[str, str]]) -> None:
    """Write conditions where they differ; the time of a transition stays where nothing changed."""
    before = {one["type"]: one for one in document.get("status", {}).get("conditions", [])}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = []
    for one in wanted:
        known = before.get(one["type"], {})
        since = known.get("lastTransitionTime", now) if known.get("status") == one["status"] else now
        conditions.append({**one, "lastTransitionTime": since})
    if [*before.values()] != conditions:
        set_status(client, document, {"conditions": conditions})


def ready(reason: str, message: str) -> dict[str, str]:
    """Give the condition Ready."""
    return {"type": "Ready", "status": "True", "reason": reason, "message": message}


def not_ready(reason: str, message: str) -> dict[str, str]:
    """Give the condition Ready with status False."""
    return {"type": "Ready", "status": "False", "reason": reason, "message": message}


def _resource(api_version: str, kind: str) -> Any:  # noqa: ANN401  # a class that lightkube makes
    if kind in _OWN:
        return _OWN[kind]
    group, _, version = api_version.rpartition("/")
    create = create_namespaced_resource if _is_namespaced(kind) else create_global_resource
    return create(group, version, kind, _PLURALS[kind][0])


def _is_namespaced(kind: str) -> bool:
    return kind in _OWN or _PLURALS[kind][1] == "Namespaced"
