"""How many database connections each pod may open: all pods together must fit into the server."""

import math
from collections.abc import Mapping

#: Part of the server's connections that Harbor may use; the rest is for RDS itself, backups and people.
SHARE = 0.8
#: The chart's own maximum for one pod.
CHART_MAXIMUM = 900
#: Fewer than these in one pod, and requests wait for each other.
FEWEST = 4
#: Components that open a pool. The chart's comment leaves out jobservice, which opens one with core's settings.
COMPONENTS = ("core", "jobservice", "exporter")


def pods_at_most(most: Mapping[str, int]) -> int:
    """Give how many pods with a pool there are at the height of a rolling update.

    Args:
        most: component → pods, where the autoscaler has added all that it may. A Deployment adds a quarter, rounded up,
            while it rolls (Kubernetes' default maxSurge), and all may roll at once.
    """
    return sum(most[name] + math.ceil(most[name] / 4) for name in COMPONENTS if name in most)


def max_open_connections(max_connections: int, most: Mapping[str, int]) -> int:
    """Give the pool size of one pod, at most the chart's own; less than `FEWEST` means that the server is too small.

    Args:
        max_connections: what the server accepts.
        most: component → pods at most.
    """
    return min(CHART_MAXIMUM, int(SHARE * max_connections) // pods_at_most(most))
