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
        zones: how many availability zones where the team names none; EKS wants two.
        nat: one NAT gateway for all zones, or one for each.
        multi_az: a standby for the database and automatic failover for the cache.
        sizes: what `SizeSettings` has where the team gave nothing.
        backup_retention_days: automated backups of the database.
        log_retention_days: of every log group.
        vault: AWS Backup keeps recovery points in a locked vault and restores some of them to prove it.
        copies: recovery points and secrets are copied to a second region.
        health_check: Route53 calls the registry from outside.
        query_log: Route53 logs the queries of a zone of ours.
        alarms: CloudWatch alarms on every part, told by mail.
        monthly_budget_usd: about a third above the forecast of docs/forecast.md.
    """

    zones: int
    nat: Literal["single", "per-zone"]
    multi_az: bool
    sizes: Mapping[str, str | int]
    backup_retention_days: int
    log_retention_days: int
    vault: bool
    copies: bool
    health_check: bool
    query_log: bool
    alarms: bool
    monthly_budget_usd: int


PROFILES: Mapping[str, ProfileDefaults] = MappingProxyType(
    {
        "dev": ProfileDefaults(
            zones=2,
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
            vault=False,
            copies=False,
            health_check=False,
            query_log=False,
            alarms=False,
            monthly_budget_usd=500,
        ),
        "ha": ProfileDefaults(
            zones=3,
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
            vault=True,
            copies=False,
            health_check=True,
            query_log=True,
            alarms=True,
            monthly_budget_usd=1700,
        ),
        "large": ProfileDefaults(
            zones=3,
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
            vault=True,
            copies=True,
            health_check=True,
            query_log=True,
            alarms=True,
            monthly_budget_usd=9000,
        ),
    }
)
