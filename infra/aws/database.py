"""RDS for PostgreSQL: Harbor's only state beside the blobs."""

from typing import Any

import pulumi
from pulumi_aws import iam, rds

from infra.assemble import DATABASE_NAME, DATABASE_PORT
from infra.aws.admission import admit_nodes
from infra.aws.logs import log_group
from infra.aws.network import Network
from infra.aws.policies import service_trust
from infra.durable import durable
from infra.naming import Names, partition
from infra.sections.data import DatabaseRestore
from infra.settings import Settings

TOKEN = "slipway:aws:Database"  # noqa: S105

#: What PostgreSQL writes to CloudWatch.
LOG_EXPORTS = ("postgresql", "upgrade")
PARAMETERS = {
    "rds.force_ssl": "1",
    "log_min_duration_statement": "1000",
    "log_connections": "1",
    # A transaction that nobody ends holds back vacuum; Harbor's own last seconds.
    "idle_in_transaction_session_timeout": "600000",
}
#: Only the making of an instance takes them; afterwards they would replace it.
BIRTH_INPUTS = ("snapshotIdentifier", "restoreToPointInTime", "dbName", "username")


class Database(pulumi.ComponentResource):
    """The PostgreSQL server, and the one before it while a restore keeps it.

    The master password is RDS's own and rotates by itself, so Harbor never uses it: a job in the cluster makes a role
    and a database of Harbor's with it (charts/support).

    Outputs:
        host: the writer endpoint without its port.
        identifier, arn: of the instance that Harbor uses.
        admin_secret_name: ARN of the secret with the master user's name and password, which RDS makes and rotates.
    """

    host: pulumi.Output[str]
    identifier: pulumi.Output[str]
    arn: pulumi.Output[str]
    admin_secret_name: pulumi.Output[str]

    def __init__(
        self,
        settings: Settings,
        *,
        network: Network,
        key_arn: pulumi.Input[str],
        logs_key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(TOKEN, "database", None, opts)
        self._settings, self._names = settings, Names(settings.environment)
        self._key_arn, self._logs_key_arn = key_arn, logs_key_arn
        self._shared = self._shared_inputs(network)
        restore = settings.restore.database
        generation = restore.generation if restore else 1
        if restore and restore.keep_previous:
            self._instance(generation - 1)
        instance = self._instance(generation, self._birth(restore))
        self.host, self.identifier, self.arn = instance.address, instance.identifier, instance.arn
        self.admin_secret_name = instance.master_user_secrets.apply(lambda secrets: secrets[0].secret_arn or "")
        self.register_outputs({"host": self.host})

    def _part(self, generation: int) -> str:
        """Give the name of a generation; the first one has no number."""
        return f"database-{generation}" if generation > 1 else "database"

    def _birth(self, restore: DatabaseRestore | None) -> dict[str, Any]:
        """Give the inputs that say where the data comes from; a restored instance brings its database and user."""
        if not restore:
            return {"db_name": DATABASE_NAME, "username": "slipway"}
        if restore.snapshot:
            return {"snapshot_identifier": restore.snapshot}
        source = self._names.physical(self._part(restore.generation - 1))
        moment = restore.to_time.isoformat() if restore.to_time else None
        return {"restore_to_point_in_time": {"source_db_instance_identifier": source, "restore_time": moment}}

    def _instance(self, generation: int, birth: dict[str, Any] | None = None) -> rds.Instance:
        """Declare one generation; without `birth`, one that is there already."""
        settings, part = self._settings, self._part(generation)
        name = self._names.physical(part)
        storage_gib = settings.sized.database_storage_gib or 0
        if birth is None:
            birth = {"db_name": DATABASE_NAME, "username": "slipway"} if generation == 1 else {}
        # RDS makes these groups itself, without retention and encryption, unless they are there first.
        logs = [
            log_group(
                f"{part}-{export}",
                name=f"/aws/rds/instance/{name}/{export}",
                settings=settings,
                key_arn=self._logs_key_arn,
                parent=self,
            )
            for export in LOG_EXPORTS
        ]
        return rds.Instance(
            part,
            identifier=name,
            instance_class=settings.sized.database_class or "",
            allocated_storage=storage_gib,
            max_allocated_storage=4 * storage_gib,
            final_snapshot_identifier=f"{name}-final",
            tags=self._names.tags(part),
            opts=durable(
                settings,
                self,
                depends_on=logs,
                ignore_changes=list(BIRTH_INPUTS) if generation > 1 else None,
                # Two Multi-AZ creations in a row have taken more than the provider's default of 40 minutes.
                custom_timeouts=pulumi.CustomTimeouts(create="60m"),
            ),
            **birth,
            **self._shared,
        )

    def _shared_inputs(self, network: Network) -> dict[str, Any]:
        """Give what every generation has: without them a restore comes up in one zone, with default groups."""
        settings, major = self._settings, self._settings.database.postgres_version
        return {
            "engine": "postgres",
            "engine_version": major,
            # A surprise of six times the price otherwise begins on the day that standard support ends.
            "engine_lifecycle_support": "open-source-rds-extended-support-disabled",
            "storage_type": "gp3",
            "storage_encrypted": True,
            "kms_key_id": self._key_arn,
            "multi_az": settings.defaults.multi_az,
            "db_subnet_group_name": self._subnets(network).name,
            "parameter_group_name": self._parameters(major).name,
            "vpc_security_group_ids": [
                admit_nodes(
                    "database",
                    port=DATABASE_PORT,
                    names=self._names,
                    vpc_id=network.vpc_id,
                    node_security_group_id=network.node_security_group_id,
                    parent=self,
                )
            ],
            "publicly_accessible": False,
            "port": DATABASE_PORT,
            "manage_master_user_password": True,
            "master_user_secret_kms_key_id": self._key_arn,
            # For people; Harbor itself cannot.
            "iam_database_authentication_enabled": True,
            "ca_cert_identifier": "rds-ca-rsa2048-g1",
            "auto_minor_version_upgrade": True,
            "maintenance_window": "sun:04:30-sun:05:30",
            "backup_window": "01:00-01:30",
            "backup_retention_period": settings.database_retention_days,
            "copy_tags_to_snapshot": True,
            "delete_automated_backups": not settings.keep_data,
            "deletion_protection": settings.deletion_protection,
            "skip_final_snapshot": not settings.keep_data,
            "apply_immediately": False,
            "enabled_cloudwatch_logs_exports": list(LOG_EXPORTS),
            "monitoring_interval": 60,
            "monitoring_role_arn": self._monitoring_role(),
            "database_insights_mode": "standard",
            "performance_insights_enabled": True,
            "performance_insights_kms_key_id": self._key_arn,
            # The free tier of Performance Insights.
            "performance_insights_retention_period": 7,
        }

    def _monitoring_role(self) -> pulumi.Output[str]:
        child = pulumi.ResourceOptions(parent=self)
        role = iam.Role(
            "database-monitoring",
            name=self._names.physical("database-monitoring", limit=64),
            assume_role_policy=service_trust("monitoring.rds.amazonaws.com"),
            tags=self._names.tags("database-monitoring"),
            opts=child,
        )
        policy = "service-role/AmazonRDSEnhancedMonitoringRole"
        attachment = iam.RolePolicyAttachment(
            "database-monitoring",
            role=role.name,
            policy_arn=f"arn:{partition(self._settings.region)}:iam::aws:policy/{policy}",
            opts=child,
        )
        # RDS checks the role when it makes the instance, so its policy comes first.
        return pulumi.Output.all(role.arn, attachment.id).apply(lambda known: known[0])

    def _subnets(self, network: Network) -> rds.SubnetGroup:
        return rds.SubnetGroup(
            "database",
            name=self._names.physical("database"),
            subnet_ids=list(network.data_subnet_ids.values()),
            tags=self._names.tags("database"),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _parameters(self, major: str) -> rds.ParameterGroup:
        return rds.ParameterGroup(
            "database",
            name=self._names.physical(f"database-pg{major}"),
            family=f"postgres{major}",
            parameters=[{"name": name, "value": value} for name, value in PARAMETERS.items()],
            tags=self._names.tags("database"),
            opts=pulumi.ResourceOptions(parent=self),
        )
