"""The recorded program: run once, read by rules, forecast, diagram and tests."""

from slipway.graph.record import Graph, Node, record

__all__ = ["Graph", "Node", "record"]
