"""What one look into the cluster found, as documents of the API; cluster.py takes it, in_cluster.py judges it.

snapshot.harbor      # its HelmRelease
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
NAMESPACE = "harbor"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Harbor's namespace, as documents of the API.

    Attributes:
        server: the cluster's address.
        releases: HelmReleases of all namespaces.
        zones: name of a node → its zone.
    """

    server: str
    releases: Sequence[Document] = ()
    workloads: Sequence[Document] = ()
    pods: Sequence[Document] = ()
    events: Sequence[Document] = ()
    budgets: Sequence[Document] = ()
    claims: Sequence[Document] = ()
    config_maps: Sequence[Document] = ()
    entries: Sequence[Document] = ()
    zones: Mapping[str, str]

    @property
    def harbor(self) -> Document | None:
        """Harbor's own release."""
        return next((one for one in self.releases if named(one) == f"{NAMESPACE}/harbor"), None)

    @property
    def has_harbor(self) -> bool:
        """Whether it is there, by its release or, where Git holds the rendered objects, by its core."""
        return self.harbor is not None or any(one["metadata"]["name"] == "harbor-core" for one in self.workloads)


def named(document: Document) -> str:
    """Give namespace and name of an object."""
    return f"{document['metadata'].get('namespace', '')}/{document['metadata']['name']}"
