"""What is watched, as data; the topic that tells it, and the budget."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import budgets, cloudwatch, rds, sns

from infra import tables
from infra.aws.backup import Backup
from infra.aws.cache import Cache
from infra.aws.database import Database
from infra.aws.dns import Dns
from infra.aws.network import Network
from infra.aws.policies import allow, policy_document
from infra.aws.storage import Storage
from infra.naming import Names, dns_region
from infra.settings import Settings

TOKEN = "slipway:aws:Alarms"  # noqa: S105

GIB = 2**30
#: What of the database is told beside its metrics. Source: RDS "Event categories for DB instances".
DATABASE_EVENTS = ("failover", "failure", "low storage", "maintenance", "recovery", "notification")
#: part → the dimension by which CloudWatch knows it
DIMENSIONS: Mapping[str, str] = {
    "database": "DBInstanceIdentifier",
    "cache": "CacheClusterId",
    "storage": "FileSystemId",
    "nat": "NatGatewayId",
    "certificate": "CertificateArn",
    "backup": "BackupVaultName",
    "registry": "HealthCheckId",
}
BUDGET_PERCENTAGES = (50, 80, 100)


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One CloudWatch alarm.

    Attributes:
        watches: part, one of `DIMENSIONS`.
        metric: namespace/name.
        above, below: threshold in the metric's unit; exactly one is given.
        statistic: of each period.
        minutes: that it has to last.
        missing: what no data means.
    """

    watches: str
    metric: str
    why: str
    above: float | None = None
    below: float | None = None
    statistic: str = "Average"
    minutes: int = 15
    missing: str = "missing"

    @property
    def logical_name(self) -> str:
        """Part and metric: ``database-CPUUtilization``."""
        return f"{self.watches}-{self.metric.rpartition('/')[2]}"


_DATABASE = (
    Alarm(watches="database", metric="AWS/RDS/FreeStorageSpace", below=5 * GIB, why="autoscaling has not kept up"),
    Alarm(watches="database", metric="AWS/RDS/CPUUtilization", above=80, why="pushes and pulls are slow"),
    Alarm(watches="database", metric="AWS/RDS/FreeableMemory", below=GIB / 4, why="the class is too small"),
)
_CACHE = (
    Alarm(
        watches="cache", metric="AWS/ElastiCache/EngineCPUUtilization", above=80, why="one thread carries all the jobs"
    ),
    Alarm(
        watches="cache",
        metric="AWS/ElastiCache/DatabaseMemoryUsagePercentage",
        above=80,
        why="full means refused jobs, nothing is evicted",
    ),
    Alarm(
        watches="cache",
        metric="AWS/ElastiCache/Evictions",
        above=0,
        statistic="Sum",
        minutes=5,
        why="jobs are being lost",
    ),
)
_REPLICATION_LAG = Alarm(
    watches="cache", metric="AWS/ElastiCache/ReplicationLag", above=10, why="a failover would lose jobs"
)
_NETWORK = (
    Alarm(
        watches="nat",
        metric="AWS/NATGateway/ErrorPortAllocation",
        above=0,
        statistic="Sum",
        minutes=5,
        why="calls to the outside fail, as of the proxy cache",
    ),
    Alarm(
        watches="certificate",
        metric="AWS/CertificateManager/DaysToExpiry",
        below=30,
        statistic="Minimum",
        minutes=24 * 60,
        why="ACM renews sixty days ahead, so its validation record may be gone",
    ),
)
_FILE_SYSTEM = (
    Alarm(watches="storage", metric="AWS/EFS/PercentIOLimit", above=90, why="calls for metadata wait"),
    Alarm(
        watches="storage",
        metric="AWS/EFS/ClientConnections",
        below=1,
        statistic="Sum",
        missing="breaching",
        why="no registry pod has the blobs mounted",
    ),
)
_BACKUP = Alarm(
    watches="backup",
    metric="AWS/Backup/NumberOfBackupJobsFailed",
    above=0,
    statistic="Sum",
    minutes=60,
    missing="notBreaching",
    why="tonight has no recovery point",
)
HEALTH = Alarm(
    watches="registry",
    metric="AWS/Route53/HealthCheckStatus",
    below=1,
    statistic="Minimum",
    minutes=3,
    missing="breaching",
    why="the registry does not answer from outside",
)


def alarms(settings: Settings) -> list[Alarm]:
    """Give what the environment watches."""
    wanted = [
        *_DATABASE,
        Alarm(
            watches="database",
            metric="AWS/RDS/DatabaseConnections",
            above=0.8 * tables.max_connections(settings.sized.database_class or ""),
            why="Harbor's pools are near the limit",
        ),
        *_CACHE,
        *_NETWORK,
    ]
    if (settings.sized.cache_nodes or 1) > 1:
        wanted.append(_REPLICATION_LAG)
    if settings.storage == "efs":
        wanted += _FILE_SYSTEM
    if settings.defaults.vault:
        wanted.append(_BACKUP)
    return wanted


class Alarms(pulumi.ComponentResource):
    """Topic, subscriptions, alarms, database events and budget of one environment."""

    def __init__(
        self,
        settings: Settings,
        *,
        account_id: pulumi.Output[str],
        key_arns: Mapping[str, pulumi.Input[str]],
        identifiers: Mapping[str, Mapping[str, pulumi.Input[str]]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare the alarms.

        Args:
            settings: e-mail addresses, budget, and what there is to watch.
            account_id: whose services may publish.
            key_arns: KMS keys `logs` and `dns` of the topics.
            identifiers: part → suffix of the alarm's name → identifier that CloudWatch knows it by.
            opts: carries the explicit providers.
        """
        super().__init__(TOKEN, "alarms", None, opts)
        self._settings, self._names = settings, Names(settings.environment)
        self._child = pulumi.ResourceOptions(parent=self)
        topic = self._topic("alarms", settings.region, key_arns["logs"], account_id)
        for alarm in alarms(settings):
            for suffix, identifier in identifiers.get(alarm.watches, {}).items():
                self._alarm(alarm, identifier, topic, suffix=suffix, region=settings.region)
        if "registry" in identifiers:
            # Route53 has its metrics in one region, and an alarm tells only topics of its own.
            region = dns_region(settings.region)
            away = self._topic("alarms-dns", region, key_arns["dns"], account_id)
            self._alarm(HEALTH, identifiers["registry"][""], away, suffix="", region=region)
        rds.EventSubscription(
            "database",
            name=self._names.physical("database"),
            sns_topic=topic,
            source_type="db-instance",
            source_ids=list(identifiers["database"].values()),
            event_categories=list(DATABASE_EVENTS),
            tags=self._names.tags("database"),
            opts=self._child,
        )
        self._budget(topic)
        self.register_outputs({})

    def _topic(
        self, part: str, region: str, key_arn: pulumi.Input[str], account_id: pulumi.Output[str]
    ) -> pulumi.Output[str]:
        """Declare a topic with its mail subscriptions; gives its ARN once the senders may publish."""
        topic = sns.Topic(
            part,
            name=self._names.physical(part),
            kms_master_key_id=key_arn,
            region=region,
            tags=self._names.tags(part),
            opts=self._child,
        )
        policy = sns.TopicPolicy(
            part,
            arn=topic.arn,
            policy=pulumi.Output.all(topic.arn, account_id).apply(lambda known: topic_policy(*known)),
            region=region,
            opts=self._child,
        )
        for email in self._settings.alarms.emails:
            sns.TopicSubscription(
                f"{part}-{email}", topic=topic.arn, protocol="email", endpoint=email, region=region, opts=self._child
            )
        return policy.arn

    def _alarm(
        self, alarm: Alarm, identifier: pulumi.Input[str], topic: pulumi.Input[str], *, suffix: str, region: str
    ) -> None:
        namespace, _, metric = alarm.metric.rpartition("/")
        name = "-".join(filter(None, (alarm.logical_name, suffix)))
        # At most an hour in one period, and as many periods as the time takes.
        period = min(alarm.minutes * 60, 3600) if alarm.minutes % 60 == 0 else 60
        cloudwatch.MetricAlarm(
            name,
            name=self._names.physical(name, limit=255),
            alarm_description=f"Harbor {self._names.environment}, {alarm.watches}: {alarm.why}",
            namespace=namespace,
            metric_name=metric,
            dimensions={DIMENSIONS[alarm.watches]: identifier},
            statistic=alarm.statistic,
            comparison_operator="GreaterThanThreshold" if alarm.above is not None else "LessThanThreshold",
            threshold=alarm.above if alarm.above is not None else alarm.below,
            period=period,
            evaluation_periods=alarm.minutes * 60 // period,
            treat_missing_data=alarm.missing,
            alarm_actions=[topic],
            ok_actions=[topic],
            region=region,
            tags=self._names.tags(name),
            opts=self._child,
        )

    def _budget(self, topic: pulumi.Input[str]) -> None:
        budgets.Budget(
            "monthly",
            name=self._names.physical("monthly"),
            budget_type="COST",
            limit_amount=str(self._settings.monthly_budget_usd),
            limit_unit="USD",
            time_unit="MONTHLY",
            # Counts what carries our tag, once it is activated as a cost allocation tag.
            cost_filters=[{"name": "TagKeyValue", "values": [f"user:slipway:environment${self._names.environment}"]}],
            notifications=[
                {
                    "comparison_operator": "GREATER_THAN",
                    "threshold": percentage,
                    "threshold_type": "PERCENTAGE",
                    "notification_type": "ACTUAL",
                    "subscriber_sns_topic_arns": [topic],
                }
                for percentage in BUDGET_PERCENTAGES
            ],
            tags=self._names.tags("monthly"),
            opts=self._child,
        )


def watched(
    settings: Settings,
    *,
    network: Network,
    dns: Dns,
    database: Database,
    cache: Cache,
    storage: Storage,
    backup: Backup | None,
) -> dict[str, dict[str, pulumi.Input[str]]]:
    """Give part → suffix of an alarm's name → the identifier that CloudWatch knows it by, for what there is."""
    members = [f"{number:03}" for number in range(1, (settings.sized.cache_nodes or 1) + 1)]
    identifiers: dict[str, dict[str, pulumi.Input[str]]] = {
        "database": {"": database.identifier},
        # ElastiCache names a group's nodes by their number, in no output of the group.
        "cache": {member: pulumi.Output.concat(cache.name, "-", member) for member in members},
        "nat": {name.removeprefix("nat").lstrip("-"): found for name, found in network.nat_gateway_ids.items()},
        "certificate": {"": dns.certificate_arn},
    }
    if storage.file_system_id:
        identifiers["storage"] = {"": storage.file_system_id}
    if backup:
        identifiers["backup"] = {"": backup.vault_name}
    if dns.health_check_id:
        identifiers["registry"] = {"": dns.health_check_id}
    return identifiers


def topic_policy(topic_arn: str, account: str) -> str:
    """Give a topic's policy: CloudWatch, RDS and Budgets may publish, for this account only."""
    return policy_document(
        [
            allow(
                ["sns:Publish"],
                topic_arn,
                Principal={
                    "Service": ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com", "budgets.amazonaws.com"]
                },
                Condition={"StringEquals": {"aws:SourceAccount": account}},
            )
        ]
    )
