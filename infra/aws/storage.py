"""Where the registry keeps its blobs: EFS over all zones, or an S3 bucket with a scoped key."""

import json

import pulumi
from pulumi_aws import efs, iam, s3

from infra.aws.admission import admit_nodes
from infra.aws.network import Network
from infra.durable import durable
from infra.naming import Names
from infra.settings import Settings

TOKEN = "slipway:aws:Storage"  # noqa: S105

NFS_PORT = 2049
#: uid and gid of every Harbor container
HARBOR_ID = 10000


class Storage(pulumi.ComponentResource):
    """The blob store of one environment.

    Outputs:
        facts: what `EfsStorage` or `S3Storage` (values/facts.py) is built from.
        access_key: id and secret of the bucket's IAM key; empty for EFS. Harbor's S3 driver takes nothing else.
    """

    facts: dict[str, pulumi.Input[str]]
    access_key: dict[str, pulumi.Output[str]]

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
        self.access_key = {}
        if settings.storage == "efs":
            self.facts = self._file_system(network, key_arn)
        else:
            self.facts = self._bucket(key_arn, account_id)
        self.register_outputs({"facts": self.facts})

    def _file_system(self, network: Network, key_arn: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
        system = efs.FileSystem(
            "registry",
            creation_token=self._names.physical("registry", limit=64),
            encrypted=True,
            kms_key_id=key_arn,
            performance_mode="generalPurpose",
            # The API's default is bursting, which a registry's pushes exhaust.
            throughput_mode="elastic",
            lifecycle_policies=[
                {"transition_to_ia": "AFTER_30_DAYS"},
                {"transition_to_primary_storage_class": "AFTER_1_ACCESS"},
            ],
            tags=self._names.tags("registry"),
            opts=durable(self),
        )
        group_id = admit_nodes(
            "storage",
            port=NFS_PORT,
            names=self._names,
            vpc_id=network.vpc_id,
            node_security_group_id=network.node_security_group_id,
            parent=self,
        )
        for zone, subnet_id in network.data_subnet_ids.items():
            efs.MountTarget(
                f"registry-{zone}",
                file_system_id=system.id,
                subnet_id=subnet_id,
                security_groups=[group_id],
                opts=self._child,
            )
        # The access point is the identity on the file system; its path belongs to us, so a restore needs no data move.
        access_point = efs.AccessPoint(
            "registry",
            file_system_id=system.id,
            posix_user={"uid": HARBOR_ID, "gid": HARBOR_ID},
            root_directory={
                "path": "/harbor/registry",
                "creation_info": {"owner_uid": HARBOR_ID, "owner_gid": HARBOR_ID, "permissions": "0750"},
            },
            tags=self._names.tags("registry"),
            opts=self._child,
        )
        return {"type": "efs", "fileSystemId": system.id, "registryAccessPointId": access_point.id}

    def _bucket(self, key_arn: pulumi.Input[str], account_id: pulumi.Output[str]) -> dict[str, pulumi.Input[str]]:
        bucket = s3.Bucket(
            "registry",
            # Bucket names are global, so the account makes it ours.
            bucket=account_id.apply(lambda account: self._names.physical(f"registry-{account}")),
            tags=self._names.tags("registry"),
            opts=durable(self),
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
            "registry",
            bucket=bucket.id,
            # The driver reads one page of pending uploads: many abandoned ones make pushes fail (harbor#15801).
            rules=[
                {
                    "id": "abandoned-uploads",
                    "status": "Enabled",
                    "filter": {},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
                }
            ],
            opts=self._child,
        )
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


def bucket_policy(bucket: str, key: str) -> str:
    """Give the policy of the registry's IAM user: the calls that the S3 driver makes, on one bucket and key."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
                    "Resource": bucket,
                },
                {
                    "Effect": "Allow",
                    "Action": [
                        "s3:GetObject",
                        "s3:PutObject",
                        "s3:DeleteObject",
                        "s3:ListMultipartUploadParts",
                        "s3:AbortMultipartUpload",
                    ],
                    "Resource": f"{bucket}/*",
                },
                {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key},
            ],
        }
    )
