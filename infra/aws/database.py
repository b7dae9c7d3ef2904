"""RDS for PostgreSQL: Harbor's only state beside the blobs."""

import pulumi
from pulumi_aws import rds

from infra import tables
from infra.assemble import DATABASE_NAME, DATABASE_PORT
from infra.aws.admission import admit_nodes
from infra.aws.network import Network
from infra.durable import durable
from infra.naming import Names
from infra.settings import Settings

TOKEN = "slipway:aws:Database"  # noqa: S105


class Database(pulumi.ComponentResource):
    """The PostgreSQL server. Outputs: `host`, the writer endpoint without its port.

    The master password is RDS's own and rotates by itself, so Harbor never uses it: a role of its own is made inside.
    """

    host: pulumi.Output[str]

    def __init__(
        self, settings: Settings, *, network: Network, key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__(TOKEN, "database", None, opts)
        names = Names(settings.environment)
        name = names.physical("database")
        major = tables.default_postgres_version()
        storage_gib = settings.sized.database_storage_gib or 0
        instance = rds.Instance(
            "database",
            identifier=name,
            engine="postgres",
            engine_version=major,
            instance_class=settings.sized.database_class or "",
            allocated_storage=storage_gib,
            max_allocated_storage=4 * storage_gib,
            storage_type="gp3",
            storage_encrypted=True,
            kms_key_id=key_arn,
            multi_az=settings.defaults.multi_az,
            db_subnet_group_name=self._subnets(names, network).name,
            parameter_group_name=self._parameters(names, major).name,
            vpc_security_group_ids=[
                admit_nodes(
                    "database",
                    port=DATABASE_PORT,
                    names=names,
                    vpc_id=network.vpc_id,
                    node_security_group_id=network.node_security_group_id,
                    parent=self,
                )
            ],
            publicly_accessible=False,
            port=DATABASE_PORT,
            db_name=DATABASE_NAME,
            username="slipway",
            manage_master_user_password=True,
            master_user_secret_kms_key_id=key_arn,
            ca_cert_identifier="rds-ca-rsa2048-g1",
            # A surprise of six times the price otherwise begins on the day that standard support ends.
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            auto_minor_version_upgrade=True,
            backup_retention_period=settings.defaults.backup_retention_days,
            copy_tags_to_snapshot=True,
            delete_automated_backups=False,
            deletion_protection=settings.deletion_protection,
            skip_final_snapshot=False,
            final_snapshot_identifier=f"{name}-final",
            apply_immediately=False,
            tags=names.tags("database"),
            # Two Multi-AZ creations in a row have taken more than the provider's default of 40 minutes.
            opts=durable(self, custom_timeouts=pulumi.CustomTimeouts(create="60m")),
        )
        self.host = instance.address
        self.register_outputs({"host": self.host})

    def _subnets(self, names: Names, network: Network) -> rds.SubnetGroup:
        return rds.SubnetGroup(
            "database",
            name=names.physical("database"),
            subnet_ids=list(network.data_subnet_ids.values()),
            tags=names.tags("database"),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _parameters(self, names: Names, major: str) -> rds.ParameterGroup:
        return rds.ParameterGroup(
            "database",
            name=names.physical(f"database-pg{major}"),
            family=f"postgres{major}",
            parameters=[
                {"name": "rds.force_ssl", "value": "1"},
                {"name": "log_min_duration_statement", "value": "1000"},
            ],
            tags=names.tags("database"),
            opts=pulumi.ResourceOptions(parent=self),
        )
