"""Played: the AWS Load Balancer Controller, or whoever else serves Ingresses here, as far as an address goes.

Every Ingress and every Service of type LoadBalancer gets a stable host name of the form that AWS gives. Not played:
listeners, certificates, target health, the controller's admission webhook, and the record that external-dns makes.
"""

import hashlib
from typing import Any

from lightkube import Client

from slipway.rehearse.cluster.played.player import documents, set_status


def play(client: Client) -> None:
    """Give an address to whatever waits for one."""
    waiting = [
        document
        for document in [*documents(client, "networking.k8s.io/v1", "Ingress"), *documents(client, "v1", "Service")]
        if document["kind"] == "Ingress" or document["spec"].get("type") == "LoadBalancer"
    ]
    for document in waiting:
        if not document.get("status", {}).get("loadBalancer", {}).get("ingress"):
            set_status(client, document, {"loadBalancer": {"ingress": [{"hostname": _hostname(document)}]}})


def _hostname(document: dict[str, Any]) -> str:
    namespace, name = document["metadata"]["namespace"], document["metadata"]["name"]
    digest = hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest()[:10]
    return f"k8s-{namespace[:8]}-{name[:8]}-{digest}.played.elb.amazonaws.com"
