"""How many database connections each pod may open: all pods together must fit into the server."""

from collections.abc import Mapping

#: Part of the server's connections that Harbor may use; the rest is for RDS itself, backups and people.
SHARE = 0.8
#: The chart's own maximum for one pod.
CHART_MAXIMUM = 900
#: Components that open a pool. The chart's comment leaves out jobservice, which opens one with core's settings.
COMPONENTS = ("core", "jobservice", "exporter")


def max_open_connections(max_connections: int, replicas: Mapping[str, int]) -> int:
    """Give the pool size of one pod.

    Args:
        max_connections: what the server accepts.
        replicas: component → pods. A rolling update adds one to each, and that must fit as well.
    """
    pods = sum(replicas[component] + 1 for component in COMPONENTS)
    return max(2, min(CHART_MAXIMUM, int(SHARE * max_connections) // pods))
