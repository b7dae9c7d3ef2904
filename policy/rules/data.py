"""Database, cache, file system and bucket."""

import re
from collections.abc import Callable, Iterator

from infra import tables
from policy.rule import (
    PRODUCTION,
    Answer,
    Context,
    Finding,
    Rule,
    each,
    each_in,
    equals,
    every,
    given,
    holds,
    is_unknown,
    negated,
    some,
    statements,
    value,
)
from slipway.graph.record import Node, Secret

DATABASE = "aws:rds/instance:Instance"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
CACHE_USER = "aws:elasticache/user:User"
FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
MOUNT_TARGET = "aws:efs/mountTarget:MountTarget"
BUCKET = "aws:s3/bucket:Bucket"
HARBOR_ID = 10000
SHORTEST_PASSWORD = 32


def _fits_engine(node: Node, context: Context) -> Answer:
    groups = context.graph.of_type("aws:rds/parameterGroup:ParameterGroup")
    version = value(node, "engineVersion")
    if is_unknown(version):
        return None
    own = [group for group in groups if group.urn in node.depends_on]
    family = every(equals(group, family=f"postgres{str(version).partition('.')[0]}") for group in own)
    return every([bool(own), family, every(_parameters(group) for group in own)])


def _parameters(group: Node) -> Answer:
    found = value(group, "parameters")
    if is_unknown(found):
        return None
    given_values = {value(one, "name"): str(value(one, "value")) for one in found or []}
    return given_values.get("rds.force_ssl") == "1" and "log_min_duration_statement" in given_values


def _password(node: Node) -> Answer:
    passwords = node.inputs.get("passwords") or (node.inputs.get("authenticationMode") or {}).get("passwords")
    if is_unknown(passwords):
        return None
    plain = passwords.value if isinstance(passwords, Secret) else passwords
    if not isinstance(plain, list) or not plain:
        return False
    return every(_is_good(one, whole=isinstance(passwords, Secret)) for one in plain)


def _is_good(password: object, *, whole: bool) -> Answer:
    secret = whole or isinstance(password, Secret)
    text = password.value if isinstance(password, Secret) else password
    if is_unknown(text):
        return None
    return secret and len(str(text)) >= SHORTEST_PASSWORD and re.fullmatch(r"[A-Za-z0-9]+", str(text)) is not None


def _covers_zones(context: Context) -> Iterator[Finding]:
    """Judge each file system by the zones of its mount targets."""
    zones = {node.name for node in context.graph.of_type("aws:eks/nodeGroup:NodeGroup")}
    for system in context.graph.of_type(FILE_SYSTEM):
        targets = [node for node in context.graph.of_type(MOUNT_TARGET) if system.urn in node.depends_on]
        subnets = [value(target, "subnetId") for target in targets]
        answer = None if any(map(is_unknown, subnets)) else len(set(subnets)) >= len(zones) > 0
        yield Finding(f"{FILE_SYSTEM}::{system.name}", answer)


def _policy_of(token: str, by: str) -> Callable[[Context], Iterator[Finding]]:
    """Judge each resource by the statements of the policy that belongs to it: plain connections are denied."""

    def look(context: Context) -> Iterator[Finding]:
        for node in context.graph.of_type(token):
            policies = [found for found in context.graph.of_type(by) if node.urn in found.depends_on]
            yield Finding(f"{token}::{node.name}", some(holds(one, "policy", _denies_plain) for one in policies))

    return look


def _denies_plain(text: str) -> bool:
    return any(
        one["Effect"] == "Deny" and "aws:SecureTransport" in str(one.get("Condition")) for one in statements(text)
    )


def _backed_up(context: Context) -> Iterator[Finding]:
    """Judge each store of data: a selection of AWS Backup has it, or EFS backs it up itself."""
    graph = context.graph
    for token in (DATABASE, FILE_SYSTEM, BUCKET):
        for node in graph.of_type(token):
            selected = [one for one in graph.of_type("aws:backup/selection:Selection") if node.urn in one.depends_on]
            own = [one for one in graph.of_type("aws:efs/backupPolicy:BackupPolicy") if node.urn in one.depends_on]
            versioned = [
                one
                for one in graph.of_type("aws:s3/bucketVersioning:BucketVersioning")
                if node.urn in one.depends_on and context.profile == "dev"
            ]
            automated = holds(node, "backupRetentionPeriod", lambda days: int(days) > 0) if token == DATABASE else False
            answers = [
                *(given(one, "resources") for one in selected),
                *(equals(one, **{"backupPolicy.status": "ENABLED"}) for one in own),
                *(equals(one, **{"versioningConfiguration.status": "Enabled"}) for one in versioned),
                *([automated] if context.profile == "dev" else []),
            ]
            yield Finding(f"{token}::{node.name}", some(answers))


def _bucket_has(by: str, test: Callable[[Node], Answer]) -> Callable[[Context], Iterator[Finding]]:
    def look(context: Context) -> Iterator[Finding]:
        for bucket in context.graph.of_type(BUCKET):
            own = [node for node in context.graph.of_type(by) if bucket.urn in node.depends_on]
            yield Finding(f"{BUCKET}::{bucket.name}", some(map(test, own)))

    return look


def _engine(node: Node) -> Answer:
    versions = tables.postgres_versions()
    return every(
        [
            equals(node, engine="postgres", storageType="gp3"),
            holds(node, "engineVersion", lambda version: str(version).partition(".")[0] in versions),
            holds(node, "engineLifecycleSupport", lambda text: text.endswith("-disabled")),
            holds(node, "caCertIdentifier", lambda name: name.startswith(("rds-ca-rsa", "rds-ca-ecc"))),
        ]
    )


def _retention(node: Node, context: Context) -> Answer:
    least = 14 if context.profile in PRODUCTION else 7
    return every(
        [
            equals(
                node,
                deletionProtection=True,
                skipFinalSnapshot=False,
                copyTagsToSnapshot=True,
                deleteAutomatedBackups=False,
            ),
            holds(node, "backupRetentionPeriod", lambda days: least <= int(days) <= 35),  # RDS's most
        ]
    )


def _access_point(node: Node) -> Answer:
    owner = {"posixUser.uid": HARBOR_ID, "posixUser.gid": HARBOR_ID}
    creation = {"rootDirectory.creationInfo.ownerUid": HARBOR_ID, "rootDirectory.creationInfo.ownerGid": HARBOR_ID}
    return every(
        [
            equals(node, **owner, **creation),
            holds(node, "rootDirectory.path", lambda path: path != "/"),
            holds(node, "rootDirectory.creationInfo.permissions", lambda text: int(text, 8) & 0o7 == 0),
        ]
    )


RULES = (
    Rule(
        id="rds-multi-az",
        reason="without a standby the loss of a zone is the loss of the registry",
        fix="profile ha or large",
        maps=("RDS.5", "CKV_AWS_157"),
        profiles=PRODUCTION,
        look=each(DATABASE, lambda node: equals(node, multiAz=True)),
    ),
    Rule(
        id="rds-encrypted",
        reason="tokens and credentials lie in the database",
        fix="storageEncrypted with a key of the stack",
        maps=("CIS 3.2.1", "RDS.3", "CKV_AWS_16"),
        look=each(DATABASE, lambda node: every([equals(node, storageEncrypted=True), given(node, "kmsKeyId")])),
    ),
    Rule(
        id="rds-private",
        reason="nobody outside of the cluster talks to Harbor's database",
        fix="publiclyAccessible: false, said explicitly",
        maps=("CIS 3.2.3", "RDS.2", "CKV_AWS_17"),
        look=each(DATABASE, lambda node: equals(node, publiclyAccessible=False)),
    ),
    Rule(
        id="rds-guarded",
        reason="a database outlives a mistake only by protection, a final snapshot and backups",
        fix="deletionProtection, final snapshot, 14 days of backups (dev 7), kept after deletion",
        maps=("RDS.8", "RDS.11", "RDS.17", "CKV_AWS_133", "CKV_AWS_293"),
        look=each_in(DATABASE, _retention),
    ),
    Rule(
        id="rds-master-password",
        reason="the master password rotates by itself and is in no state; Harbor has a role of its own",
        fix="manageMasterUserPassword and no password",
        maps=("RDS.25",),
        look=each(
            DATABASE,
            lambda node: every(
                [
                    equals(node, manageMasterUserPassword=True),
                    negated(given(node, "password")),
                    negated(holds(node, "username", lambda name: name in {"postgres", "admin"})),
                ]
            ),
        ),
    ),
    Rule(
        id="rds-engine",
        reason="an engine out of support costs more by itself, and an old certificate authority ends connections",
        fix="a version of tables/database.yaml, extended support disabled, gp3, a current certificate authority",
        maps=("CKV_AWS_211", "RDS.13"),
        look=each(DATABASE, _engine),
    ),
    Rule(
        id="rds-observed",
        reason="a slow registry is first a slow query",
        fix="insights, enhanced monitoring, both logs, IAM authentication for people",
        maps=(
            "RDS.6",
            "RDS.9",
            "RDS.10",
            "RDS.13",
            "RDS.36",
            "CKV_AWS_118",
            "CKV_AWS_129",
            "CKV_AWS_161",
            "CKV_AWS_226",
        ),
        look=each(
            DATABASE,
            lambda node: every(
                [
                    equals(
                        node,
                        iamDatabaseAuthenticationEnabled=True,
                        autoMinorVersionUpgrade=True,
                        performanceInsightsEnabled=True,
                    ),
                    holds(node, "monitoringInterval", lambda seconds: int(seconds) > 0),
                    holds(node, "enabledCloudwatchLogsExports", lambda logs: {"postgresql", "upgrade"} <= set(logs)),
                ]
            ),
        ),
    ),
    Rule(
        id="rds-tls",
        reason="passwords cross zones: the server must refuse plain connections",
        fix="rds.force_ssl and slow statements in a parameter group of the engine's family",
        maps=("RDS.38", "CKV2_AWS_69", "CKV2_AWS_30"),
        look=each_in(DATABASE, _fits_engine),
    ),
    Rule(
        id="valkey-engine",
        reason="Harbor's clients know neither cluster mode nor durability, and are run with Valkey 8 and later",
        fix="engine valkey 8 or later, one node group",
        maps=("harbor-helm#2227",),
        look=each(
            CACHE,
            lambda node: every(
                [
                    equals(node, engine="valkey"),
                    holds(node, "engineVersion", lambda version: float(str(version)[:3]) >= 8),
                    negated(given(node, "durability")),
                    negated(holds(node, "numNodeGroups", lambda count: int(count) > 1)),
                    negated(holds(node, "clusterMode", lambda mode: mode != "disabled")),
                ]
            ),
        ),
    ),
    Rule(
        id="valkey-failover",
        reason="the queue of jobs must survive a node",
        fix="two nodes or more, automatic failover, Multi-AZ",
        maps=("ElastiCache.3", "CKV2_AWS_50"),
        profiles=PRODUCTION,
        look=each(
            CACHE,
            lambda node: every(
                [
                    equals(node, automaticFailoverEnabled=True, multiAzEnabled=True),
                    holds(node, "numCacheClusters", lambda count: int(count) > 1),
                ]
            ),
        ),
    ),
    Rule(
        id="valkey-encrypted",
        reason="sessions and job parameters go over the network and into snapshots",
        fix="transit encryption required, at-rest encryption with a key of the stack",
        maps=("ElastiCache.4", "ElastiCache.5", "CKV_AWS_29", "CKV_AWS_30", "CKV_AWS_191"),
        look=each(
            CACHE,
            lambda node: every(
                [
                    equals(
                        node,
                        transitEncryptionEnabled=True,
                        transitEncryptionMode="required",
                        atRestEncryptionEnabled=True,
                    ),
                    given(node, "kmsKeyId"),
                ]
            ),
        ),
    ),
    Rule(
        id="valkey-access",
        reason="only Harbor's user may log in, from subnets of our own",
        fix="a user group and no auth token, a subnet group, a snapshot",
        maps=("ElastiCache.1", "ElastiCache.7", "CKV_AWS_31"),
        look=each(
            CACHE,
            lambda node: every(
                [
                    given(node, "userGroupIds", "subnetGroupName"),
                    negated(given(node, "authToken")),
                    negated(holds(node, "subnetGroupName", lambda name: name == "default")),
                    holds(node, "snapshotRetentionLimit", lambda days: int(days) >= 1),
                ]
            ),
        ),
    ),
    Rule(
        id="valkey-password",
        reason="Harbor carries the password in a URL: only letters and digits survive, so it has to be long",
        fix="32 letters and digits or more, marked as a secret",
        maps=("ElastiCache.6",),
        recorded_only=True,
        look=each(CACHE_USER, _password),
    ),
    Rule(
        id="efs-encrypted",
        reason="images hold code and, too often, credentials",
        fix="encrypted with a key of the stack",
        maps=("CIS 3.3.1", "EFS.1", "EFS.8", "CKV_AWS_42", "CKV_AWS_184"),
        look=each(FILE_SYSTEM, lambda node: every([equals(node, encrypted=True), given(node, "kmsKeyId")])),
    ),
    Rule(
        id="efs-regional",
        reason="pushes exhaust bursting throughput, and one zone's file system goes with the zone",
        fix="throughputMode elastic, no availabilityZoneName, a lifecycle",
        maps=("reliability", "cost"),
        look=each(
            FILE_SYSTEM,
            lambda node: every(
                [
                    equals(node, throughputMode="elastic"),
                    negated(given(node, "availabilityZoneName")),
                    given(node, "lifecyclePolicies"),
                ]
            ),
        ),
    ),
    Rule(
        id="efs-mount-targets",
        reason="a zone without a mount target reaches its blobs through another one, or not at all",
        fix="one mount target in each zone's data subnet",
        maps=("EFS.6",),
        look=_covers_zones,
    ),
    Rule(
        id="efs-access-point",
        reason="the access point is the identity on the file system: Harbor's, never root, never the whole of it",
        fix="uid and gid 10000, a folder of its own, no rights for others",
        maps=("EFS.3", "EFS.4", "CKV_AWS_329", "CKV_AWS_330"),
        look=each("aws:efs/accessPoint:AccessPoint", _access_point),
    ),
    Rule(
        id="efs-policy",
        reason="whoever reaches a mount target could otherwise mount in plain",
        fix="a file-system policy that denies what is not by TLS",
        maps=("EFS.7",),
        look=_policy_of(FILE_SYSTEM, "aws:efs/fileSystemPolicy:FileSystemPolicy"),
    ),
    Rule(
        id="data-backed-up",
        reason="replication copies mistakes; only a backup brings back what somebody deleted",
        fix="a backup selection with its ARN (in dev the service's own backup is enough)",
        maps=("EFS.2", "RDS.26", "CKV2_AWS_18", "Backup.1"),
        look=_backed_up,
    ),
    Rule(
        id="s3-private",
        reason="a bucket of images is nobody else's",
        fix="block all public access",
        maps=("CIS 3.1.4", "S3.1", "S3.8", "CKV_AWS_53", "CKV_AWS_54", "CKV_AWS_55", "CKV_AWS_56"),
        look=_bucket_has(
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            lambda node: equals(
                node, blockPublicAcls=True, blockPublicPolicy=True, ignorePublicAcls=True, restrictPublicBuckets=True
            ),
        ),
    ),
    Rule(
        id="s3-versioned",
        reason="a deleted layer comes back only from its old version",
        fix="versioning enabled",
        maps=("S3.14", "CKV_AWS_21"),
        look=_bucket_has(
            "aws:s3/bucketVersioning:BucketVersioning",
            lambda node: equals(node, **{"versioningConfiguration.status": "Enabled"}),
        ),
    ),
    Rule(
        id="s3-tls",
        reason="the scoped key must never travel in plain",
        fix="a bucket policy that denies what is not by TLS",
        maps=("CIS 3.1.1", "S3.5", "CKV_AWS_379"),
        look=_policy_of(BUCKET, "aws:s3/bucketPolicy:BucketPolicy"),
    ),
)
