"""Keys, logs, secrets, backups, DNS, alarms, tags, and what must never be lost."""

from collections.abc import Callable, Iterator

from infra.durable import STATEFUL
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
    some,
    statements,
    value,
)
from slipway.graph.record import UNKNOWN, Node, Secret

KEY = "aws:kms/key:Key"
PLAN = "aws:backup/plan:Plan"
SHORTEST_LOG_DAYS = {"dev": 90, "ha": 365, "large": 365}
LEAST_DAYS = 35


def _key_policy(node: Node) -> Answer:
    return holds(node, "policy", lambda text: all(map(_is_bound, statements(text))))


def _is_bound(statement: dict[str, object]) -> bool:
    return statement["Principal"] not in ("*", {"AWS": "*"}) or "Condition" in statement


def _plan(node: Node) -> Answer:
    rules = value(node, "rules")
    if is_unknown(rules) and not isinstance(rules, list):
        return None
    return bool(rules) and every(
        holds(rule, "lifecycle.deleteAfter", lambda days: int(days) >= LEAST_DAYS) for rule in rules
    )


def _copied(context: Context) -> Iterator[Finding]:
    for node in context.graph.of_type(PLAN):
        rules = value(node, "rules")
        answer = None if rules == UNKNOWN else some(given(rule, "copyActions") for rule in rules or [])
        yield Finding(f"{PLAN}::{node.name}", answer)


def _zone_has(by: str, ask: str) -> Callable[[Context], Iterator[Finding]]:
    def look(context: Context) -> Iterator[Finding]:
        for zone in context.graph.of_type("aws:route53/zone:Zone"):
            own = [node for node in context.graph.of_type(by) if zone.urn in node.depends_on]
            if ask == "CAA":
                own = [node for node in own if value(node, "type") in {"CAA", UNKNOWN}]
                answer = some(
                    holds(node, "records", lambda records: all("amazon.com" in record for record in records))
                    for node in own
                )
            else:
                answer = some(given(node, ask) for node in own)
            yield Finding(f"aws:route53/zone:Zone::{zone.name}", answer)

    return look


def _secret_value(node: Node) -> Answer:
    found = node.inputs.get("secretString")
    return None if found == UNKNOWN else isinstance(found, Secret)


def _tagged(context: Context) -> Iterator[Finding]:
    """Judge what the provider adds to everything; what a resource adds itself is its name."""
    for node in context.graph.of_type("pulumi:providers:aws"):
        tags = node.inputs.get("defaultTags")
        answer = None if is_unknown(tags) else all(f'"{key}"' in str(tags).replace("'", '"') for key in TAGS)
        yield Finding(f"{node.type}::{node.name}", answer)


def _durable(context: Context) -> Iterator[Finding]:
    for node in context.graph:
        if node.type in STATEFUL:
            yield Finding(f"{node.type}::{node.name}", node.protect and node.retain_on_delete)


def _alarms(context: Context) -> Iterator[Finding]:
    alarms = context.graph.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")
    namespaces = [value(node, "namespace") for node in alarms]
    for wanted in ("AWS/RDS", "AWS/ElastiCache", "AWS/CertificateManager", "AWS/Backup"):
        told = [given(node, "alarmActions") for node in alarms if value(node, "namespace") == wanted]
        answer = None if UNKNOWN in namespaces and not told else bool(told) and every(told)
        yield Finding(f"alarm of {wanted}", answer)


def _vault(node: Node, context: Context) -> Answer:
    locks = context.graph.of_type("aws:backup/vaultLockConfiguration:VaultLockConfiguration")
    return every([given(node, "kmsKeyArn"), some(node.urn in lock.depends_on for lock in locks)])


TAGS = ("Environment", "Owner", "ManagedBy")

RULES = (
    Rule(
        id="kms-rotated",
        reason="a key that never rotates makes one leak a leak for ever, and one deleted too soon is data lost",
        fix="enableKeyRotation, a deletion window of 14 days or more",
        maps=("CIS 4.6", "KMS.4", "CKV_AWS_7"),
        look=each(
            KEY,
            lambda node: every(
                [
                    equals(node, enableKeyRotation=True),
                    holds(node, "deletionWindowInDays", lambda days: int(days) >= 14),
                ]
            ),
        ),
    ),
    Rule(
        id="kms-policy",
        reason="a key policy for everybody is no key",
        fix="name the account and the services, each bound by a condition",
        maps=("KMS.5", "CKV_AWS_33", "CKV2_AWS_64"),
        look=each(KEY, _key_policy),
    ),
    Rule(
        id="logs-kept",
        reason="a log group without retention costs for ever, and one without a key is read by whoever reads logs",
        fix="retention of the profile (90 days in dev, a year otherwise) and a key",
        maps=("CKV_AWS_66", "CKV_AWS_158", "CKV_AWS_338"),
        look=each_in(
            "aws:cloudwatch/logGroup:LogGroup",
            lambda node, context: every(
                [
                    holds(node, "retentionInDays", lambda days: int(days) >= SHORTEST_LOG_DAYS[context.profile]),
                    given(node, "kmsKeyId"),
                ]
            ),
        ),
    ),
    Rule(
        id="secrets-encrypted",
        reason="a secret that was deleted by mistake must come back, and nobody without the key reads it",
        fix="a key of the stack, a recovery window of 7 days or more",
        maps=("CKV_AWS_149", "SecretsManager.3"),
        look=each(
            "aws:secretsmanager/secret:Secret",
            lambda node: every(
                [given(node, "kmsKeyId"), holds(node, "recoveryWindowInDays", lambda days: int(days) >= 7)]
            ),
        ),
    ),
    Rule(
        id="secrets-marked",
        reason="what is not marked lies readable in the state",
        fix="Output.secret around the value",
        maps=("Pulumi",),
        recorded_only=True,
        look=each("aws:secretsmanager/secretVersion:SecretVersion", _secret_value),
    ),
    Rule(
        id="backup-vault-locked",
        reason="whoever takes over an account deletes its backups first",
        fix="a vault with a key of the stack and a lock",
        maps=("Backup.1", "CKV_AWS_166"),
        profiles=PRODUCTION,
        look=each_in("aws:backup/vault:Vault", _vault),
    ),
    Rule(
        id="backup-kept",
        reason="a mistake is often found weeks later",
        fix="backup.retentionDays of 35 or more",
        maps=("Backup.5",),
        profiles=PRODUCTION,
        look=each(PLAN, _plan),
    ),
    Rule(
        id="backup-copied",
        reason="a region can be lost, with everything that is in it",
        fix="backup.copyRegion",
        maps=("RDS.26",),
        profiles=frozenset({"large"}),
        look=_copied,
    ),
    Rule(
        id="zone-caa",
        reason="without CAA any authority may issue a certificate for the registry's name",
        fix="a CAA record with amazon.com alone",
        maps=("CKV2_AWS_38",),
        look=_zone_has("aws:route53/record:Record", "CAA"),
    ),
    Rule(
        id="zone-query-log",
        reason="who looked a name up, and when, is in no other log",
        fix="a query log for the zone",
        maps=("Route53.2", "CKV2_AWS_39"),
        profiles=PRODUCTION,
        look=_zone_has("aws:route53/queryLog:QueryLog", "cloudwatchLogGroupArn"),
    ),
    Rule(
        id="certificate-by-dns",
        reason="ACM renews by itself only what is validated by DNS, and a wildcard is valid for others' names too",
        fix="validation by DNS for the registry's own name",
        maps=("ACM.1", "CKV_AWS_233", "CKV2_AWS_71"),
        look=each(
            "aws:acm/certificate:Certificate",
            lambda node: every(
                [equals(node, validationMethod="DNS"), holds(node, "domainName", lambda name: "*" not in name)]
            ),
        ),
    ),
    Rule(
        id="alarms-there",
        reason="what nobody is told of is found by whoever pushes",
        fix="profile ha or large, with alarms.emails",
        maps=("CloudWatch.15",),
        profiles=PRODUCTION,
        look=_alarms,
    ),
    Rule(
        id="tagged",
        reason="cost, ownership and clean-up go by tags",
        fix="default tags on the AWS provider",
        maps=("tagging",),
        severity="advisory",
        look=_tagged,
    ),
    Rule(
        id="durable",
        reason="a renamed resource or a stray destroy must never take data, keys or names away",
        fix="options from infra.durable: protect and retain_on_delete",
        maps=("reliability",),
        recorded_only=True,
        look=_durable,
    ),
)
