"""The resources of a state as a graph, for whoever reads graphs: prices, say."""

from collections.abc import Mapping
from typing import Any

from slipway.graph.record import STACK, Graph, Node


def graph_of_state(deployment: Mapping[str, Any]) -> Graph:
    """Give the graph of a deployment, as `pulumi stack export` has it; encrypted inputs stay as they are."""
    resources = [item for item in deployment.get("resources") or [] if item["type"] != STACK and not item.get("delete")]
    return Graph(nodes=tuple(map(_node, resources)), exports={})


def _node(resource: Mapping[str, Any]) -> Node:
    by_property = [urn for urns in (resource.get("propertyDependencies") or {}).values() for urn in urns or ()]
    return Node(
        type=resource["type"],
        name=resource["urn"].rsplit("::", 1)[1],
        urn=resource["urn"],
        custom=bool(resource.get("custom")),
        inputs=resource.get("inputs") or {},
        parent=resource.get("parent", ""),
        provider=resource.get("provider", "").rpartition("::")[0],
        depends_on=frozenset([*(resource.get("dependencies") or ()), *by_property]),
        protect=bool(resource.get("protect")),
        retain_on_delete=bool(resource.get("retainOnDelete")),
        ignore_changes=(),
        aliases=(),
    )
