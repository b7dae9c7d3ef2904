"""Where the registry keeps its blobs: EFS over all zones, or an S3 bucket with a scoped key."""

import pulumi
from pulumi_aws import efs, iam, s3

from infra.aws.admission import admit_nodes
from infra.aws.network import Network
from infra.aws.policies import EVERYBODY, allow, deny_plain_http, policy_document
from infra.durable import durable
from infra.naming import Names
from infra.settings import Settings

TOKEN = "slipway:aws:Storage"  # noqa: S105

NFS_PORT = 2049
#: uid and gid of every Harbor container
HARBOR_ID = 10000
REGISTRY_PATH = "/harbor/registry"


class Storage(pulumi.ComponentResource):
    """The blob store of one environment.

    Outputs:
        facts: what `EfsStorage` or `S3Storage` (values/facts.py) is built from.
        access_key: id and secret of the bucket's IAM key; empty for EFS. Harbor's S3 driver takes nothing else.
        arn: of the file system or bucket.
        file_system_id: None for S3.
    """

    facts: dict[str, pulumi.Input[str]]
    access_key: dict[str, pulumi.Output[str]]
    arn: pulumi.Output[str]
    file_system_id: pulumi.Output[str] | None

    def __init__(
        self,
        settings: Settings,
        *,
        network: Network,
        key_arn: pulumi.Input[str],
        account_id: pulumi.Output[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(TOKEN, "storage", None, opts)
        self._settings, self._names = settings, Names(settings.environment)
        self._child = pulumi.ResourceOptions(parent=self)
        self.access_key, self.file_system_id = {}, None
        if settings.storage == "efs":
            self.facts = self._file_systems(network, key_arn)
        else:
            self.facts = self._bucket(key_arn, account_id)
        self.register_outputs({"facts": self.facts})

    def _file_systems(self, network: Network, key_arn: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
        """Declare the file system with its access point, and those before them while a restore keeps them."""
        restore = self._settings.restore.storage
        group_id = admit_nodes(
            "storage",
            port=NFS_PORT,
            names=self._names,
            vpc_id=network.vpc_id,
            node_security_group_id=network.node_security_group_id,
            parent=self,
        )
        number = restore.file_system if restore else 1
        system = self._file_system(number, key_arn, network, group_id)
        if restore and restore.keep_previous:
            before = self._file_system(number - 1, key_arn, network, group_id) if number > 1 else system
            self._access_point(restore.generation - 1, before, path="")
        point = self._access_point(
            restore.generation if restore else 1, system, path=restore.path if restore else REGISTRY_PATH
        )
        self.arn, self.file_system_id = system.arn, system.id
        return {"type": "efs", "fileSystemId": system.id, "registryAccessPointId": point.id}

    def _file_system(
        self, number: int, key_arn: pulumi.Input[str], network: Network, group_id: pulumi.Input[str]
    ) -> efs.FileSystem:
        part = numbered("registry", number)
        system = efs.FileSystem(
            part,
            creation_token=self._names.physical(part, limit=64),
            encrypted=True,
            kms_key_id=key_arn,
            performance_mode="generalPurpose",
            # The API's default is bursting, which a registry's pushes exhaust.
            throughput_mode="elastic",
            lifecycle_policies=[
                {"transition_to_ia": "AFTER_30_DAYS"},
                {"transition_to_primary_storage_class": "AFTER_1_ACCESS"},
            ],
            tags=self._names.tags(part),
            opts=durable(self._settings, self),
        )
        efs.FileSystemPolicy(
            part, file_system_id=system.id, policy=system.arn.apply(file_system_policy), opts=self._child
        )
        if not self._settings.defaults.vault:
            # EFS's own automatic backup, where the profile has no vault of ours.
            efs.BackupPolicy(part, file_system_id=system.id, backup_policy={"status": "ENABLED"}, opts=self._child)
        for zone, subnet_id in network.data_subnet_ids.items():
            efs.MountTarget(
                f"{part}-{zone}",
                file_system_id=system.id,
                subnet_id=subnet_id,
                security_groups=[group_id],
                opts=self._child,
            )
        return system

    def _access_point(self, generation: int, system: efs.FileSystem, *, path: str) -> efs.AccessPoint:
        """Declare the identity on the file system; its path belongs to us, so a restore needs no data move.

        Args:
            generation: 1, and one more for each restore.
            system: the file system it is on.
            path: its root folder; empty for one that is there already and keeps what it has.
        """
        part = numbered("registry", generation)
        return efs.AccessPoint(
            part,
            file_system_id=system.id,
            posix_user={"uid": HARBOR_ID, "gid": HARBOR_ID},
            root_directory={
                "path": path or REGISTRY_PATH,
                "creation_info": {"owner_uid": HARBOR_ID, "owner_gid": HARBOR_ID, "permissions": "0750"},
            },
            tags=self._names.tags(part),
            opts=pulumi.ResourceOptions.merge(
                self._child,
                pulumi.ResourceOptions(ignore_changes=None if path else ["rootDirectory", "fileSystemId"]),
            ),
        )

    def _bucket(self, key_arn: pulumi.Input[str], account_id: pulumi.Output[str]) -> dict[str, pulumi.Input[str]]:
        bucket = s3.Bucket(
            "registry",
            # Bucket names are global, so the account makes it ours.
            bucket=account_id.apply(lambda account: self._names.physical(f"registry-{account}")),
            force_destroy=not self._settings.keep_data,
            tags=self._names.tags("registry"),
            opts=durable(self._settings, self),
        )
        s3.BucketPublicAccessBlock(
            "registry",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        s3.BucketOwnershipControls(
            "registry", bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}, opts=self._child
        )
        s3.BucketVersioning(
            "registry", bucket=bucket.id, versioning_configuration={"status": "Enabled"}, opts=self._child
        )
        s3.BucketPolicy(
            "registry",
            bucket=bucket.id,
            policy=bucket.arn.apply(lambda arn: policy_document([deny_plain_http([arn, f"{arn}/*"], "s3:*")])),
            opts=self._child,
        )
        s3.BucketServerSideEncryptionConfiguration(
            "registry",
            bucket=bucket.id,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "aws:kms",
                        "kms_master_key_id": key_arn,
                    },
                    "bucket_key_enabled": True,
                }
            ],
            opts=self._child,
        )
        s3.BucketLifecycleConfiguration(
            "registry", bucket=bucket.id, rules=lifecycle_rules(self._settings), opts=self._child
        )
        self.arn = bucket.arn
        self.access_key = self._key_for(bucket, key_arn)
        return {"type": "s3", "bucket": bucket.id, "region": self._settings.region}

    def _key_for(self, bucket: s3.Bucket, key_arn: pulumi.Input[str]) -> dict[str, pulumi.Output[str]]:
        user = iam.User(
            "registry",
            name=self._names.physical("registry", limit=64),
            tags=self._names.tags("registry"),
            opts=self._child,
        )
        iam.UserPolicy(
            "registry",
            user=user.name,
            policy=pulumi.Output.all(bucket=bucket.arn, key=key_arn).apply(lambda arns: bucket_policy(**arns)),
            opts=self._child,
        )
        key = iam.AccessKey("registry", user=user.name, opts=self._child)
        return {"id": key.id, "secret": pulumi.Output.secret(key.secret)}


def numbered(part: str, number: int) -> str:
    """Give the logical name of a generation; the first one has no number."""
    return f"{part}-{number}" if number > 1 else part


def lifecycle_rules(settings: Settings) -> list[s3.BucketLifecycleConfigurationRuleArgsDict]:
    """Give the bucket's lifecycle: old versions stay as long as recovery points, abandoned uploads a week."""
    return [
        # The driver reads one page of pending uploads: many abandoned ones make pushes fail (harbor#15801).
        {
            "id": "abandoned-uploads",
            "status": "Enabled",
            "filter": {},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
        },
        {
            "id": "old-versions",
            "status": "Enabled",
            "filter": {},
            "noncurrent_version_expiration": {"noncurrent_days": settings.backup.retention_days},
        },
    ]


def file_system_policy(arn: str) -> str:
    """Give the file system's policy: through an access point only, never as root, never in plain.

    Nobody is allowed ClientRootAccess, so uid 0 is squashed; the network decides who reaches the mount targets.
    Source: EFS "Using IAM to control file system data access".
    """
    return policy_document(
        [
            {
                "Sid": "ByAccessPoint",
                "Effect": "Allow",
                "Principal": EVERYBODY,
                "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                "Resource": arn,
                "Condition": {
                    "Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"},
                    "Null": {"elasticfilesystem:AccessPointArn": "false"},
                },
            },
            deny_plain_http(arn),
        ]
    )


def bucket_policy(bucket: str, key: str) -> str:
    """Give the policy of the registry's IAM user: the calls that the S3 driver makes, on one bucket and key."""
    return policy_document(
        [
            allow(["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"], bucket),
            allow(
                [
                    "s3:GetObject",
                    "s3:PutObject",
                    "s3:DeleteObject",
                    "s3:ListMultipartUploadParts",
                    "s3:AbortMultipartUpload",
                ],
                f"{bucket}/*",
            ),
            allow(["kms:Decrypt", "kms:GenerateDataKey"], key),
        ]
    )
