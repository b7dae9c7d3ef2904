"""Addresses that Harbor's clients cannot work with, told by their names.

cache_refusal("clustercfg.harbor.abc123.euc1.cache.amazonaws.com").fact   # "is a cluster-mode endpoint: …"
"""

import re

from values.errors import Refused


def cache_refusal(host: str) -> Refused | None:
    """Tell why an ElastiCache host, with or without a port, cannot carry Harbor."""
    name = host.partition(":")[0].lower()
    primary = "give the primary endpoint of a replication group with cluster mode disabled"
    if name.startswith("clustercfg.") or ".clustercfg." in name:
        return Refused(
            "is a cluster-mode endpoint: Harbor's clients follow no MOVED, and use several databases", primary
        )
    if ".serverless." in name:
        return Refused("is serverless, which is always in cluster mode: Harbor's clients follow no MOVED", primary)
    if name.startswith("replica.") or re.search(r"-ro\.[^.]+\.[^.]+\.cache\.", name):
        return Refused("is the readers' endpoint, which refuses every write", primary)
    return None


def database_refusal(host: str) -> Refused | None:
    """Tell why an RDS host cannot carry Harbor."""
    name, writer = host.lower(), "give the writer's endpoint"
    if ".cluster-ro-" in name:
        return Refused("is the readers' endpoint, which refuses every write", writer)
    if re.search(r"\.proxy-[^.]+\.[^.]+\.rds\.", name):
        return Refused(
            "is an RDS Proxy: Harbor's driver keeps prepared statements, which pin every connection "
            "(goharbor/harbor#15379)",
            writer,
        )
    return None
