"""What the profiles differ in on the AWS side, as data. (Harbor's side is values/profiles/.)

Sizes follow the cost model of docs/decisions/0003-profiles.md: dev about 350, ha 1,250, large 6,900 US dollars a month.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class ProfileDefaults:
    """Defaults of one profile.

    Attributes:
        nat: one NAT gateway for all zones, or one for each.
        multi_az: a standby for the database and automatic failover for the cache.
        sizes: what `SizeSettings` has where the team gave nothing.
        backup_retention_days: automated backups of the database.
        log_retention_days: control plane and flow logs.
    """

    nat: Literal["single", "per-zone"]
    multi_az: bool
    sizes: Mapping[str, str | int]
    backup_retention_days: int
    log_retention_days: int


PROFILES: Mapping[str, ProfileDefaults] = MappingProxyType(
    {
        "dev": ProfileDefaults(
            nat="single",
            multi_az=False,
            sizes={
                "node_type": "t3a.large",
                "nodes_per_zone": 1,
                "database_class": "db.t4g.medium",
                "database_storage_gib": 20,
                "cache_node_type": "cache.t4g.small",
                "cache_nodes": 1,
            },
            backup_retention_days=7,
            log_retention_days=90,
        ),
        "ha": ProfileDefaults(
            nat="per-zone",
            multi_az=True,
            sizes={
                "node_type": "m6a.xlarge",
                "nodes_per_zone": 1,
                "database_class": "db.m7g.large",
                "database_storage_gib": 100,
                "cache_node_type": "cache.t4g.medium",
                "cache_nodes": 2,
            },
            backup_retention_days=14,
            log_retention_days=365,
        ),
        "large": ProfileDefaults(
            nat="per-zone",
            multi_az=True,
            sizes={
                "node_type": "m6a.xlarge",
                "nodes_per_zone": 3,
                "database_class": "db.r7g.xlarge",
                "database_storage_gib": 500,
                "cache_node_type": "cache.r7g.large",
                "cache_nodes": 3,
            },
            backup_retention_days=35,
            log_retention_days=365,
        ),
    }
)
