"""Graphs that the pictures are made of: those of the ready stacks, and the same with one thing changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from slipway.diagram.picture import Picture
from slipway.diagram.read import picture_of
from slipway.graph.record import Graph, Node
from tests.graph.graphs import ENVIRONMENTS, changed, recorded

#: Variants of ha that put other things into the tiers.
VARIANTS: Mapping[str, Callable[[], Graph]] = {
    **{name: (lambda name=name: recorded(name, preview=False)) for name in ENVIRONMENTS},
    "private": lambda: changed("ha", network={"nat": "none", "privateEndpoints": True}),
    "regional": lambda: changed("ha", network={"nat": "regional"}),
    "restored": lambda: changed(
        "ha",
        restore={
            "database": {"generation": 2, "snapshot": "before", "keepPrevious": True},
            "storage": {"generation": 2, "fileSystem": 2, "path": "/harbor/registry", "keepPrevious": True},
        },
    ),
    "crowded": lambda: changed("dev", sizes={"cacheNodes": 5}),
}


@cache
def variant(name: str) -> Graph:
    return VARIANTS[name]()


@cache
def picture(name: str) -> Picture:
    return picture_of(variant(name))


def edited(graph: Graph, token: str, name: str, **inputs: Any) -> Graph:
    """Give the graph with some inputs of one node changed."""

    def edit(node: Node) -> Node:
        wanted = (node.type, node.name) == (token, name)
        return replace(node, inputs={**node.inputs, **inputs}) if wanted else node

    assert any((node.type, node.name) == (token, name) for node in graph)
    return replace(graph, nodes=tuple(map(edit, graph)))


def without(graph: Graph, token: str, name: str) -> Graph:
    """Give the graph without one node."""
    left = tuple(node for node in graph if (node.type, node.name) != (token, name))
    assert len(left) == len(graph.nodes) - 1
    return replace(graph, nodes=left)
