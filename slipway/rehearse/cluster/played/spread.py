"""Played: External Secrets' ClusterExternalSecret, which gives every namespace that it selects an ExternalSecret.

A namespace gets it when it gets the label, and loses it with the label. Not played: `refreshTime` (it is seen at once),
selectors other than `matchLabels`.
"""

from typing import Any

from lightkube import Client
from lightkube.resources.core_v1 import Namespace

from slipway.rehearse.cluster.api import apply
from slipway.rehearse.cluster.played.player import delete, documents, ready, set_conditions

API_VERSION = "external-secrets.io/v1"


def spread(client: Client) -> None:
    """Bring the ExternalSecrets of every ClusterExternalSecret to the namespaces that it selects."""
    labels = {
        namespace.metadata.name or "": namespace.metadata.labels or {}
        for namespace in client.list(Namespace)
        if namespace.metadata and not namespace.metadata.deletionTimestamp
    }
    present = documents(client, API_VERSION, "ExternalSecret")
    for wanted in documents(client, API_VERSION, "ClusterExternalSecret"):
        selectors = wanted["spec"].get("namespaceSelectors", [])
        chosen = {name for name, given in labels.items() if any(selects(one, given) for one in selectors)}
        there = {one["metadata"]["namespace"]: one for one in present if _is_of(one, wanted)}
        for namespace in sorted(chosen):
            if there.get(namespace, {}).get("spec") != wanted["spec"]["externalSecretSpec"]:
                apply(client, _external_secret(wanted, namespace))
        for namespace in there.keys() - chosen:
            delete(client, there[namespace])
        set_conditions(client, wanted, [ready("", "")])


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Tell whether a label selector means a namespace with these labels."""
    return not selector.get("matchLabels", {}).items() - labels.items()


def _external_secret(wanted: dict[str, Any], namespace: str) -> dict[str, Any]:
    owner = {
        "apiVersion": API_VERSION,
        "kind": "ClusterExternalSecret",
        "name": wanted["metadata"]["name"],
        "uid": wanted["metadata"]["uid"],
        "controller": True,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "ExternalSecret",
        "metadata": {
            "name": wanted["spec"].get("externalSecretName", wanted["metadata"]["name"]),
            "namespace": namespace,
            "ownerReferences": [owner],
        },
        "spec": wanted["spec"]["externalSecretSpec"],
    }


def _is_of(secret: dict[str, Any], wanted: dict[str, Any]) -> bool:
    owners = secret["metadata"].get("ownerReferences", [])
    return any(owner["uid"] == wanted["metadata"]["uid"] for owner in owners)
