"""One customer-managed KMS key for each purpose, so that access to one opens nothing else."""

from collections.abc import Mapping

import pulumi
from pulumi_aws import kms

from infra.durable import durable
from infra.naming import Names
from infra.settings import Settings

TOKEN = "slipway:aws:Keys"  # noqa: S105

#: purpose → what it encrypts, as the console shows it
PURPOSES: Mapping[str, str] = {
    "cluster": "Kubernetes secrets and logs of the EKS cluster",
    "database": "RDS storage, snapshots and the master password",
    "storage": "registry blobs on EFS or S3",
    "secrets": "Secrets Manager and ElastiCache",
}


class Keys(pulumi.ComponentResource):
    """The keys of one environment. Outputs: `arns`, purpose → key ARN."""

    arns: Mapping[str, pulumi.Output[str]]

    def __init__(self, settings: Settings, *, opts: pulumi.ResourceOptions) -> None:
        super().__init__(TOKEN, "keys", None, opts)
        names = Names(settings.environment)
        arns = {}
        for purpose, description in PURPOSES.items():
            key = kms.Key(
                f"key-{purpose}",
                description=f"Harbor {settings.environment}: {description}",
                enable_key_rotation=True,
                deletion_window_in_days=30,
                tags=names.tags(purpose),
                opts=durable(self),
            )
            kms.Alias(
                f"key-{purpose}",
                name=f"alias/{names.physical(purpose, limit=250)}",
                target_key_id=key.id,
                opts=pulumi.ResourceOptions(parent=self),
            )
            arns[purpose] = key.arn
        self.arns = arns
        self.register_outputs({"arns": arns})
