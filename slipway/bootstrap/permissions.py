"""What the deploy role may do: what the program's resources need, by service, and only with Slipway's names.

Where AWS knows no resource before a call (EC2, KMS, ACM, EFS, Route53 zones), the region bounds it instead. IAM takes
6,144 characters a policy, so there are several.
"""

from typing import Any

from infra.aws.policies import Statement, allow, policy_document
from infra.naming import PREFIX, dns_region
from slipway.bootstrap.wanted import ALIAS, Wanted

#: A managed policy's size without white space, and how many a role takes. source: IAM quotas, read 2026-08
LONGEST, MOST = 6144, 10
#: Services that the program's roles are for.
PASSED_TO = (
    "backup.amazonaws.com",
    "ec2.amazonaws.com",
    "eks.amazonaws.com",
    "monitoring.rds.amazonaws.com",
    "pods.eks.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)
#: AWS's own policies that the program attaches; no other can be.
ATTACHED = (
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonSSMManagedInstanceCore",
    "AmazonEKS_CNI_Policy",
    "service-role/AmazonEBSCSIDriverPolicy",
    "service-role/AmazonEFSCSIDriverPolicy",
    "service-role/AmazonRDSEnhancedMonitoringRole",
    "service-role/AWSBackupServiceRolePolicyForBackup",
    "service-role/AWSBackupServiceRolePolicyForRestores",
    "AWSBackupServiceRolePolicyForS3Backup",
    "AWSBackupServiceRolePolicyForS3Restore",
)
LINKED = ("backup", "eks", "eks-nodegroup", "elasticache", "elasticfilesystem", "rds")
_LIFE = ("Create", "Delete", "Modify", "Update", "Put", "Tag", "Untag")
_LOOK = ("Describe", "Get", "List")


def policies(wanted: Wanted) -> dict[str, str]:
    """Give the deploy role's policies: name → document."""
    documents = {"state": _state, "network": _network, "cluster": _cluster, "data": _data, "watch": _watch}
    return {f"{PREFIX}-deploy-{part}": policy_document(make(wanted)) for part, make in documents.items()}


def _verbs(service: str, *more: str, verbs: tuple[str, ...] = (*_LIFE, *_LOOK)) -> list[str]:
    return [f"{service}:{verb}*" for verb in verbs] + [f"{service}:{action}" for action in more]


def _arn(wanted: Wanted, service: str, resource: str, *, region: str = "*") -> str:
    return f"arn:{wanted.partition}:{service}:{region}:{wanted.account}:{resource}"


def _here(wanted: Wanted) -> dict[str, Any]:
    """Bound a statement by the regions that the program uses: its own, the copies', and the one of DNS."""
    # A second region is a setting of each environment, and this role is for all of them.
    prefix = wanted.region.partition("-")[0]
    return {"StringLike": {"aws:RequestedRegion": sorted({f"{prefix}-*", dns_region(wanted.region)})}}


def _state(wanted: Wanted) -> list[Statement]:
    bucket = f"arn:{wanted.partition}:s3:::{wanted.bucket}"
    key = {"StringEquals": {"kms:RequestAlias": ALIAS}}
    used = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": ALIAS}}
    operations = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"]
    return [
        allow(["s3:ListBucket", "s3:GetBucketLocation", "s3:GetBucketVersioning"], bucket),
        allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{bucket}/*"),
        allow(operations, _arn(wanted, "kms", "key/*", region=wanted.region), Condition=key),
        allow(operations, _arn(wanted, "kms", "key/*", region=wanted.region), Condition=used),
        allow(["sts:GetCallerIdentity"], "*"),
    ]


def _network(wanted: Wanted) -> list[Statement]:
    here = _here(wanted)
    ec2 = [
        "Allocate", "Associate", "Attach", "Authorize", "Create", "Delete", "Describe", "Detach", "Disassociate", "Get",
        "Modify", "Release", "Replace", "Revoke", "Update",
    ]  # fmt: skip
    return [
        allow([*(f"ec2:{verb}*" for verb in ec2), "ec2:RunInstances"], "*", Condition=here),
        allow(_verbs("acm", "RequestCertificate", "*TagsToCertificate", "*TagsFromCertificate"), "*", Condition=here),
        # Hosted zones and health checks belong to no region and have no name before they are made.
        allow(_verbs("route53", "ChangeResourceRecordSets", "ChangeTagsForResource"), "*"),
    ]  # fmt: skip


def _cluster(wanted: Wanted) -> list[Statement]:
    roles, users = f"role/{PREFIX}-*", f"user/{PREFIX}-*"
    iam = [_arn(wanted, "iam", roles, region=""), _arn(wanted, "iam", users, region="")]
    attached = [f"arn:{wanted.partition}:iam::aws:policy/{name}" for name in ATTACHED]
    eks = [
        _arn(wanted, "eks", f"{kind}/{PREFIX}-*")
        for kind in ("cluster", "nodegroup", "addon", "access-entry", "podidentityassociation")
    ]
    linked = [f"{name}.amazonaws.com" for name in LINKED]
    return [
        allow(_verbs("eks", "AssociateAccessPolicy", "DisassociateAccessPolicy", "AssociateEncryptionConfig"), eks),
        allow(["eks:DescribeAddonVersions", "eks:DescribeClusterVersions", "eks:ListClusters"], "*"),
        allow(_verbs("iam", verbs=("Create", "Delete", "Get", "List", "Put", "Tag", "Untag", "Update")), iam),
        allow(
            ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
            iam[0],
            Condition={"ArnEquals": {"iam:PolicyARN": attached}},
        ),
        allow(["iam:PassRole"], iam[0], Condition={"StringEquals": {"iam:PassedToService": list(PASSED_TO)}}),
        allow(["iam:CreateServiceLinkedRole"], "*", Condition={"StringEquals": {"iam:AWSServiceName": linked}}),
        # A role that can change itself has no bounds.
        {"Effect": "Deny", "Action": ["iam:*Role*"], "Resource": wanted.role_arn},
    ]  # fmt: skip


def _data(wanted: Wanted) -> list[Statement]:
    here = _here(wanted)
    rds = [_arn(wanted, "rds", f"{kind}:{PREFIX}-*") for kind in ("db", "subgrp", "pg", "es", "snapshot")]
    cache = [
        _arn(wanted, "elasticache", f"{kind}:{PREFIX}-*")
        for kind in ("replicationgroup", "cluster", "subnetgroup", "parametergroup", "user", "usergroup", "snapshot")
    ]
    buckets = f"arn:{wanted.partition}:s3:::{PREFIX}-*"
    keys = _verbs("kms", "EnableKeyRotation", "ScheduleKeyDeletion", "CancelKeyDeletion", "ReplicateKey")
    return [
        allow(_verbs("rds", "*TagsToResource", "*TagsFromResource", "RestoreDB*", "AddSourceIdentifierTo*"), rds),
        allow(["rds:Describe*", "rds:ListTagsForResource"], "*"),
        allow(_verbs("elasticache", "AddTagsToResource", "RemoveTagsFromResource"), cache),
        allow(["elasticache:Describe*"], "*"),
        allow(_verbs("elasticfilesystem", "ClientMount"), "*", Condition=here),
        allow(keys, "*", Condition=here),
        # Services use a key on behalf of whoever gives it to them.
        allow(["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey*", "kms:Encrypt"], "*",
              Condition={"StringLike": {"kms:ViaService": "*.amazonaws.com"}}),
        allow(_verbs("secretsmanager", "RestoreSecret", "ReplicateSecretToRegions", "RemoveRegionsFromReplication"),
              _arn(wanted, "secretsmanager", f"secret:{PREFIX}/*")),
        allow(_verbs("s3", verbs=("Create", "Delete", "Get", "List", "Put")), [buckets, f"{buckets}/*"]),
        # The state is not the program's to delete.
        {"Effect": "Deny", "Action": ["s3:DeleteBucket*", "s3:PutBucketPolicy", "s3:PutBucketVersioning"],
         "Resource": f"arn:{wanted.partition}:s3:::{wanted.bucket}"},
    ]  # fmt: skip


def _watch(wanted: Wanted) -> list[Statement]:
    here = _here(wanted)
    backup = [
        _arn(wanted, "backup", f"backup-vault:{PREFIX}-*"),
        _arn(wanted, "backup", "backup-plan:*"),
        _arn(wanted, "backup", f"restore-testing-plan:{PREFIX}_*"),
    ]
    logs = ["CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy", "AssociateKmsKey", "TagResource", "UntagResource"]
    return [
        allow(_verbs("backup", "CopyIntoBackupVault"), backup),
        allow(["backup:List*", "backup:Get*", "backup:Create*Plan"], "*", Condition=here),
        allow(["backup-storage:MountCapsule"], "*", Condition=here),
        allow([f"logs:{action}" for action in logs], _arn(wanted, "logs", "log-group:/aws/*")),
        allow(["logs:Describe*", "logs:List*", "logs:*ResourcePolicy", "logs:*LogDelivery*"], "*", Condition=here),
        allow(_verbs("cloudwatch"), _arn(wanted, "cloudwatch", f"alarm:{PREFIX}-*")),
        allow(["cloudwatch:Describe*"], "*", Condition=here),
        allow(_verbs("sns", "SetTopicAttributes", "*ubscribe"), _arn(wanted, "sns", f"{PREFIX}-*")),
        allow(["budgets:*Budget", "budgets:*Tag*"], _arn(wanted, "budgets", f"budget/{PREFIX}-*", region="")),
    ]  # fmt: skip
