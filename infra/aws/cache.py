"""ElastiCache for Valkey, cluster mode disabled: Harbor's clients know neither cluster mode nor serverless."""

import pulumi
from pulumi_aws import elasticache

from infra.assemble import CACHE_PORT
from infra.aws.admission import admit_nodes
from infra.aws.logs import log_group
from infra.aws.network import Network
from infra.naming import Names
from infra.settings import Settings
from values.secrets import CACHE_USERNAME

TOKEN = "slipway:aws:Cache"  # noqa: S105

#: what ElastiCache writes → the part of its log group
LOGS = {"slow-log": "cache-slow", "engine-log": "cache-engine"}


class Cache(pulumi.ComponentResource):
    """The Valkey replication group. Outputs: `host`, the primary endpoint, which follows a failover; `name`, its id.

    It is a queue for jobs, not only a cache, so nothing may be evicted; still nothing in it has to survive.
    """

    host: pulumi.Output[str]
    name: pulumi.Output[str]

    def __init__(
        self,
        settings: Settings,
        *,
        network: Network,
        key_arn: pulumi.Input[str],
        logs_key_arn: pulumi.Input[str],
        password: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(TOKEN, "cache", None, opts)
        names, child = Names(settings.environment), pulumi.ResourceOptions(parent=self)
        name = names.physical("cache", limit=40)
        several = (settings.sized.cache_nodes or 1) > 1
        group = elasticache.ReplicationGroup(
            "cache",
            replication_group_id=name,
            description=f"Harbor {settings.environment}: sessions and job queues",
            engine="valkey",
            engine_version=settings.cache.valkey_version,
            node_type=settings.sized.cache_node_type,
            num_cache_clusters=settings.sized.cache_nodes,
            automatic_failover_enabled=several,
            multi_az_enabled=several,
            parameter_group_name=self._parameters(names, settings).name,
            subnet_group_name=self._subnets(names, network).name,
            security_group_ids=[
                admit_nodes(
                    "cache",
                    port=CACHE_PORT,
                    names=names,
                    vpc_id=network.vpc_id,
                    node_security_group_id=network.node_security_group_id,
                    parent=self,
                )
            ],
            port=CACHE_PORT,
            at_rest_encryption_enabled=True,
            kms_key_id=key_arn,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            user_group_ids=[self._users(names, password).user_group_id],
            # Only for the proof that it can be restored: nothing in it has to survive.
            snapshot_retention_limit=1,
            snapshot_window="04:00-05:00",
            maintenance_window="sun:05:30-sun:06:30",
            log_delivery_configurations=[
                {
                    "destination": log_group(
                        part,
                        name=f"/aws/elasticache/{name}/{log_type}",
                        settings=settings,
                        key_arn=logs_key_arn,
                        parent=self,
                    ).name,
                    "destination_type": "cloudwatch-logs",
                    "log_format": "json",
                    "log_type": log_type,
                }
                for log_type, part in LOGS.items()
            ],
            auto_minor_version_upgrade=True,
            apply_immediately=False,
            tags=names.tags("cache"),
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="60m"))
            ),
        )
        self.host, self.name = group.primary_endpoint_address, group.replication_group_id
        self.register_outputs({"host": self.host})

    def _subnets(self, names: Names, network: Network) -> elasticache.SubnetGroup:
        return elasticache.SubnetGroup(
            "cache",
            name=names.physical("cache", limit=40),
            description=f"Harbor {names.environment}: isolated data subnets",
            subnet_ids=list(network.data_subnet_ids.values()),
            tags=names.tags("cache"),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _parameters(self, names: Names, settings: Settings) -> elasticache.ParameterGroup:
        family = f"valkey{settings.cache.valkey_version.partition('.')[0]}"
        return elasticache.ParameterGroup(
            "cache",
            name=names.physical(f"cache-{family}"),
            description=f"Harbor {names.environment}: jobs must not be evicted",
            family=family,
            parameters=[{"name": "maxmemory-policy", "value": "noeviction"}],
            tags=names.tags("cache"),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _users(self, names: Names, password: pulumi.Input[str]) -> elasticache.UserGroup:
        """Declare Harbor's user; a Valkey user group needs no default user, so nobody else can log in."""
        child = pulumi.ResourceOptions(parent=self)
        user = elasticache.User(
            "cache",
            user_id=names.physical("cache", limit=40),
            user_name=CACHE_USERNAME,
            engine="valkey",
            access_string="on ~* &* +@all",
            authentication_mode={"type": "password", "passwords": [password]},
            tags=names.tags("cache"),
            opts=child,
        )
        return elasticache.UserGroup(
            "cache",
            user_group_id=names.physical("cache", limit=40),
            engine="valkey",
            user_ids=[user.user_id],
            tags=names.tags("cache"),
            opts=child,
        )
