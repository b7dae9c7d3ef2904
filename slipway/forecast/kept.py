"""What an environment goes on costing after a teardown that keeps its data."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from infra.settings import Settings
from slipway.forecast.cost import Cost, cost
from slipway.forecast.prices import prices_in
from slipway.forecast.usage import usage_of
from slipway.graph.from_state import graph_of_state
from slipway.teardown.keeping import Kept

#: Nobody pushes or pulls any more.
_SILENT = {"pushed_gb": 0.0, "pulled_gb": 0.0, "nat_gb": 0.0, "logs_gb": 0.0}


def cost_of_kept(deployment: Mapping[str, Any], stays: Collection[Kept], settings: Settings) -> Cost:
    """Price what stays, with as much stored as the profile is taken to store.

    Recovery points in a kept vault are not counted: no plan makes new ones, and the old ones end by their lifecycle.
    """
    graph = graph_of_state(deployment)
    names = {(item.type, item.name) for item in stays}
    graph = replace(graph, nodes=tuple(node for node in graph if (node.type, node.name) in names))
    usage = usage_of(settings.profile).model_copy(update=_SILENT)
    return cost(graph, prices_in(settings.region), usage, datetime.now(UTC).date())
