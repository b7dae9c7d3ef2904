"""Played: the Flux Operator, for one FluxInstance named flux.

It makes what the real one makes from `spec.sync`: the GitRepository and the root Kustomization, named after the
namespace. Not played: installing and upgrading the controllers (the rehearsal runs them as processes), patches,
multi-tenancy, and the operator's own report.
"""

from typing import Any

from lightkube import Client

from slipway.rehearse.cluster.api import apply
from slipway.rehearse.cluster.played.player import documents, ready, set_conditions

API_VERSION = "fluxcd.controlplane.io/v1"


def play(client: Client) -> None:
    """Do what every FluxInstance asks for."""
    for instance in documents(client, API_VERSION, "FluxInstance"):
        sync = instance["spec"].get("sync")
        if sync:
            namespace = instance["metadata"]["namespace"]
            for wanted in synced(namespace, sync):
                apply(client, wanted)
        set_conditions(client, instance, [ready("ReconciliationSucceeded", "played: the controllers are processes")])


def synced(namespace: str, sync: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the source and the root Kustomization of a sync."""
    name, interval = sync.get("name", namespace), sync.get("interval", "1m")
    secret = {"secretRef": {"name": sync["pullSecret"]}} if sync.get("pullSecret") else {}
    reference = {"name": sync["ref"]} if sync["ref"].startswith("refs/") else {"branch": sync["ref"]}
    source = {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"url": sync["url"], "ref": reference, "interval": interval, **secret},
    }
    root = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "interval": "10m",
            "path": sync["path"],
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": name},
        },
    }
    return [source, root]
