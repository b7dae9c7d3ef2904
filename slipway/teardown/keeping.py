"""What stays when an environment is torn down: what is protected, and whatever that needs to go on existing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CLUSTER = "aws:eks/cluster:Cluster"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A resource that stays at AWS.

    Attributes:
        type: its type token.
        name: its logical name.
        id: what AWS calls it.
        protected: holds data itself; the others are there because it needs them.
    """

    type: str
    name: str
    id: str
    protected: bool


def kept(deployment: Mapping[str, Any]) -> list[Kept]:
    """Give what `pulumi destroy --exclude-protected` leaves, closed under dependency.

    Args:
        deployment: the state, as `pulumi stack export` has it under ``deployment``.
    """
    by_urn = {resource["urn"]: resource for resource in deployment.get("resources") or []}
    waiting = [urn for urn, resource in by_urn.items() if resource.get("protect")]
    stays: set[str] = set()
    while waiting:
        urn = waiting.pop()
        if urn not in stays and urn in by_urn:
            stays.add(urn)
            waiting += needs(by_urn[urn])
    return [
        Kept(
            type=resource["type"],
            name=urn.rsplit("::", 1)[1],
            id=resource.get("id", ""),
            protected=bool(resource.get("protect")),
        )
        for urn, resource in by_urn.items()
        if urn in stays and resource.get("custom") and not resource["type"].startswith("pulumi:providers:")
    ]


def needs(resource: Mapping[str, Any]) -> list[str]:
    """Give the URNs that a resource of the state depends on."""
    by_property = (urn for urns in (resource.get("propertyDependencies") or {}).values() for urn in urns or ())
    provider = resource.get("provider", "").rpartition("::")[0]
    found = [*(resource.get("dependencies") or ()), *by_property, resource.get("parent", ""), provider]
    return [urn for urn in found if urn]


def cluster_urns(deployment: Mapping[str, Any]) -> list[str]:
    """Give the URNs of the EKS clusters in the state."""
    return [resource["urn"] for resource in deployment.get("resources") or [] if resource["type"] == CLUSTER]
