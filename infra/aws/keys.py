"""One customer-managed KMS key for each purpose, so that access to one opens nothing else."""

from collections.abc import Mapping

import pulumi
from pulumi_aws import kms

from infra.aws.policies import Statement, policy_document
from infra.durable import durable
from infra.naming import Names, dns_region, partition
from infra.settings import Settings

TOKEN = "slipway:aws:Keys"  # noqa: S105

#: purpose → what it encrypts, as the console shows it
PURPOSES: Mapping[str, str] = {
    "cluster": "Kubernetes secrets of the EKS cluster",
    "database": "RDS storage, snapshots and the master password",
    "storage": "registry blobs on EFS or S3, and their recovery points",
    "secrets": "Secrets Manager and ElastiCache",
    "logs": "CloudWatch log groups and the topic of the alarms",
    "dns": "query log and health alarm of Route53",
    "copies": "recovery points in the second region",
}
#: Purposes whose key CloudWatch Logs and the senders of alarms use themselves.
SHARED_WITH_SERVICES = frozenset({"logs", "dns"})


class Keys(pulumi.ComponentResource):
    """The keys of one environment. Outputs: `arns`, purpose → key ARN, for the purposes that the environment has."""

    arns: Mapping[str, pulumi.Output[str]]

    def __init__(self, settings: Settings, *, account_id: pulumi.Output[str], opts: pulumi.ResourceOptions) -> None:
        super().__init__(TOKEN, "keys", None, opts)
        names = Names(settings.environment)
        arns = {}
        for purpose, region in regions(settings).items():
            key = kms.Key(
                f"key-{purpose}",
                description=f"Harbor {settings.environment}: {PURPOSES[purpose]}",
                policy=account_id.apply(lambda account, at=(purpose, region): key_policy(*at, account)),
                enable_key_rotation=True,
                deletion_window_in_days=30,
                region=region,
                tags=names.tags(purpose),
                opts=durable(settings, self),
            )
            kms.Alias(
                f"key-{purpose}",
                name=f"alias/{names.physical(purpose, limit=250)}",
                target_key_id=key.id,
                region=region,
                opts=pulumi.ResourceOptions(parent=self),
            )
            arns[purpose] = key.arn
        self.arns = arns
        self.register_outputs({"arns": arns})


def regions(settings: Settings) -> dict[str, str]:
    """Give the purposes that the environment has, each with the region of its key."""
    made = dict.fromkeys(("cluster", "database", "storage", "secrets", "logs"), settings.region)
    if settings.query_log or settings.health_check:
        made["dns"] = dns_region(settings.region)
    if settings.copy_region:
        made["copies"] = settings.copy_region
    return made


def key_policy(purpose: str, region: str, account: str) -> str:
    """Give a key's policy: the account's IAM decides, and the services that write by themselves may for this account.

    Source: AWS "Default key policy", "Encrypt log data in CloudWatch Logs using AWS KMS", "Amazon SNS data encryption".
    """
    root = f"arn:{partition(region)}:iam::{account}:root"
    statements: list[Statement] = [
        {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    ]
    if purpose in SHARED_WITH_SERVICES:
        log_groups = f"arn:{partition(region)}:logs:{region}:{account}:log-group:*"
        statements += [
            {
                "Sid": "Logs",
                "Effect": "Allow",
                "Principal": {"Service": f"logs.{region}.amazonaws.com"},
                "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                "Resource": "*",
                "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
            },
            {
                "Sid": "Alarms",
                "Effect": "Allow",
                "Principal": {
                    "Service": ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com", "budgets.amazonaws.com"]
                },
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            },
        ]
    return policy_document(statements)
