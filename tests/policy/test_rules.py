"""Each rule on a right, a wrong and an unknown input: none is dead, and none passes in silence.

Right is the real program's graph. Wrong is that graph with one thing changed, or taken away; unknown is it with one input
that only `up` can know.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from policy.judge import judge
from policy.rule import Context
from policy.rules import RULES
from policy.rules.network import INGRESS, RULE
from policy.waivers import Waiver
from slipway.graph.record import UNKNOWN, Graph, Node, Secret
from tests.graph.graphs import ENVIRONMENTS, recorded

TODAY = date(2026, 11, 24)
PROFILES = {"dev": "dev", "ha": "ha", "large": "large", "other": "dev", "existing": "ha"}

Change = Callable[[Graph], Graph]


@dataclass(frozen=True)
class Case:
    """A rule's wrong and unknown input; `unknown` is None where the rule asks for nothing that can be unknown."""

    wrong: Change
    unknown: Change | None
    environment: str = "ha"


def changed(node: Node, path: str, value: Any) -> Node:
    inputs = copy.deepcopy(dict(node.inputs))
    holder: Any = inputs
    *keys, last = path.split(".")
    for key in keys:
        holder = holder[int(key)] if isinstance(holder, list) else holder.setdefault(key, {})
        holder = holder.value if isinstance(holder, Secret) else holder
    if isinstance(holder, list):
        holder[int(last)] = value
    else:
        holder[last] = value
    return replace(node, inputs=inputs)


def each(token: str, path: str, value: Any, *, name: str = "", at: int | None = None) -> Change:
    """Set an input of every resource of a type, or of those with a name, or of the one at an index."""

    def change(graph: Graph) -> Graph:
        chosen = [node for node in graph if token in node.type and name in node.name]
        assert chosen, token
        chosen = chosen if at is None else [chosen[at]]
        return replace(graph, nodes=tuple(changed(node, path, value) if node in chosen else node for node in graph))

    return change


def without(token: str, name: str = "") -> Change:
    def change(graph: Graph) -> Graph:
        kept = tuple(node for node in graph if not (token in node.type and name in node.name))
        assert len(kept) < len(graph.nodes), token
        return replace(graph, nodes=kept)

    return change


def unguarded(token: str) -> Change:
    return lambda graph: replace(
        graph, nodes=tuple(replace(node, protect=False) if token in node.type else node for node in graph)
    )


def pair(token: str, path: str, wrong: Any, environment: str = "ha", **where: Any) -> Case:
    """The same input, wrong and unknown."""
    return Case(each(token, path, wrong, **where), each(token, path, UNKNOWN, **where), environment)


WIDE = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
ANYBODY = '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}'
ONE_CALL = '{"Statement": [{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
NO_DENY = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "x"}]}'

CASES = {
    "vpc-flow-logs": Case(without("FlowLog"), each("FlowLog", "trafficType", UNKNOWN)),
    "vpc-default-group-empty": pair("DefaultSecurityGroup", "ingress", [{"cidrBlocks": ["0.0.0.0/0"]}]),
    "subnet-no-public-addresses": pair("ec2/subnet:", "mapPublicIpOnLaunch", True),
    "data-subnets-isolated": Case(
        lambda graph: _route_into_data(graph, "0.0.0.0/0"), lambda graph: _route_into_data(graph, UNKNOWN)
    ),
    "nat-per-zone": pair("ec2/subnet:", "availabilityZone", "eu-central-1z", name="public-"),
    "security-group-rule-closed": pair("securityGroupRule", "cidrBlocks", ["0.0.0.0/0"], name="-from-nodes"),
    "security-group-closed": Case(
        each("ec2/securityGroup:", "ingress", [{"cidrBlocks": ["0.0.0.0/0"]}]),
        each("ec2/securityGroup:", "ingress", [{"cidrBlocks": UNKNOWN}]),
    ),
    "data-ports-from-groups": Case(
        each("securityGroupRule", "sourceSecurityGroupId", None, name="database"),
        each("securityGroupRule", "fromPort", UNKNOWN, name="database"),
    ),
    "security-group-described": Case(each("securityGroupRule", "description", ""), None),
    "eks-private-endpoint": pair("eks/cluster:", "vpcConfig.endpointPrivateAccess", False),
    "eks-public-endpoint-narrow": pair("eks/cluster:", "vpcConfig.publicAccessCidrs", ["0.0.0.0/0"]),
    "eks-control-plane-logs": pair("eks/cluster:", "enabledClusterLogTypes", ["api"]),
    "eks-secrets-encrypted": pair("eks/cluster:", "encryptionConfig.resources", []),
    "eks-version-supported": pair("eks/cluster:", "version", "1.33"),
    "eks-access-entries": pair("eks/cluster:", "accessConfig.authenticationMode", "CONFIG_MAP"),
    "eks-guarded": pair("eks/cluster:", "deletionProtection", False),
    "eks-three-zones": pair("ec2/subnet:", "availabilityZone", "eu-central-1a", name="control-plane-"),
    "nodes-one-zone-each": pair("nodeGroup:", "subnetIds", ["subnet-1", "subnet-2"]),
    "nodes-three-zones": Case(without("nodeGroup:", "-1c"), each("nodeGroup:", "instanceTypes", UNKNOWN)),
    "nodes-private": Case(each("nodeGroup:", "remoteAccess", {"ec2SshKey": "joe"}), None),
    "nodes-image": pair("nodeGroup:", "amiType", "AL2_x86_64"),
    "nodes-repaired": pair("nodeGroup:", "nodeRepairConfig.enabled", False),
    "nodes-imdsv2": pair("launchTemplate:", "metadataOptions.httpTokens", "optional"),
    "nodes-disks-encrypted": pair("launchTemplate:", "blockDeviceMappings.0.ebs.encrypted", "false"),
    "addons-complete": Case(without("addon:", "coredns"), each("addon:", "addonName", UNKNOWN, name="coredns")),
    "addons-updatable": Case(each("addon:", "addonVersion", None), None),
    "addons-network-policy": pair("addon:", "configurationValues", "{}", name="vpc-cni"),
    "node-role-narrow": pair("rolePolicyAttachment", "policyArn", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy", name="nodes-"),
    "no-administrators": pair("rolePolicyAttachment", "policyArn", "arn:aws:iam::aws:policy/AdministratorAccess"),
    "policy-narrow": pair("iam/rolePolicy:", "policy", WIDE),
    "trust-named": pair("iam/role:", "assumeRolePolicy", ANYBODY),
    "pod-trust": pair("iam/role:", "assumeRolePolicy", ONE_CALL, name="external-dns"),
    "rds-multi-az": pair("rds/instance:", "multiAz", False),
    "rds-encrypted": pair("rds/instance:", "storageEncrypted", False),
    "rds-private": pair("rds/instance:", "publiclyAccessible", True),
    "rds-guarded": pair("rds/instance:", "backupRetentionPeriod", 1),
    "rds-master-password": pair("rds/instance:", "manageMasterUserPassword", False),
    "rds-engine": pair("rds/instance:", "engineVersion", "13"),
    "rds-observed": pair("rds/instance:", "monitoringInterval", 0),
    "rds-tls": pair("parameterGroup:ParameterGroup", "parameters", [{"name": "rds.force_ssl", "value": "0"}]),
    "valkey-engine": pair("replicationGroup:", "engine", "redis"),
    "valkey-failover": pair("replicationGroup:", "multiAzEnabled", False),
    "valkey-encrypted": pair("replicationGroup:", "transitEncryptionMode", "preferred"),
    "valkey-access": pair("replicationGroup:", "snapshotRetentionLimit", 0),
    "valkey-password": Case(
        each("elasticache/user:", "authenticationMode", {"passwords": [Secret("too-short!")]}),
        each("elasticache/user:", "authenticationMode", {"passwords": [UNKNOWN]}),
    ),
    "efs-encrypted": pair("efs/fileSystem:", "encrypted", False),
    "efs-regional": pair("efs/fileSystem:", "throughputMode", "bursting"),
    "efs-mount-targets": Case(without("mountTarget:", "-1c"), each("mountTarget:", "subnetId", UNKNOWN, at=0)),
    "efs-access-point": pair("accessPoint:", "posixUser.uid", 0),
    "efs-policy": pair("fileSystemPolicy:", "policy", NO_DENY),
    "data-backed-up": Case(
        without("selection:", "backup-storage"),
        each("backupPolicy:", "backupPolicy.status", UNKNOWN),
    ),
    "s3-private": pair("bucketPublicAccessBlock", "blockPublicAcls", False, environment="other"),
    "s3-versioned": pair("bucketVersioning", "versioningConfiguration.status", "Suspended", environment="other"),
    "s3-tls": pair("bucketPolicy", "policy", NO_DENY, environment="other"),
    "kms-rotated": pair("kms/key:", "enableKeyRotation", False),
    "kms-policy": pair("kms/key:", "policy", ANYBODY),
    "logs-kept": pair("logGroup:", "retentionInDays", 30),
    "secrets-encrypted": pair("secretsmanager/secret:", "recoveryWindowInDays", 0),
    "secrets-marked": pair("secretVersion:", "secretString", "plain"),
    "backup-vault-locked": Case(without("vaultLockConfiguration"), None),
    "backup-kept": pair("backup/plan:", "rules.0.lifecycle.deleteAfter", 7),
    "backup-copied": Case(
        each("backup/plan:", "rules", [{"ruleName": "daily"}]), each("backup/plan:", "rules", UNKNOWN), "large"
    ),
    "zone-caa": pair("route53/record:", "records", ['0 issue "example.com"'], name="caa"),
    "zone-query-log": Case(without("queryLog:"), None),
    "certificate-by-dns": pair("acm/certificate:", "validationMethod", "EMAIL"),
    "alarms-there": Case(without("metricAlarm:", "database-"), each("metricAlarm:", "namespace", UNKNOWN)),
    "tagged": pair("providers:aws", "defaultTags", "{}"),
    "durable": Case(unguarded("kms/key:"), None),
}  # fmt: skip
#: The rule that EFS's own backup is judged by holds where there is no vault.
CASES |= {
    rule: Case(
        each("slipway:Commit", "overrides", json.dumps({"x": override})), each("slipway:Commit", "facts", UNKNOWN)
    )
    for rule, override in {
        "harbor-https": "externalURL: http://registry.example.com",
        "harbor-secrets-kept": "core: {secretName: ''}",
        "harbor-links-encrypted": "database: {external: {sslmode: disable}}",
        "harbor-connections-fit": "database: {maxOpenConns: 900}",
        "harbor-survives-a-node": "registry: {replicas: 1}",
        "harbor-job-logs": "jobservice: {jobLoggers: [file]}",
        "harbor-registry-shared": "persistence: {persistentVolumeClaim: {registry: {accessMode: ReadWriteOnce}}}",
    }.items()
}

UNKNOWN_ELSEWHERE = {"data-backed-up": "dev"}


def _route_into_data(graph: Graph, cidr: str) -> Graph:
    (table,) = [node for node in graph if node.type.endswith(":RouteTable") and node.name == "data"]
    (route, *_) = graph.of_type("aws:ec2/route:Route")
    leak = changed(replace(route, name="leak", depends_on=frozenset({table.urn})), "destinationCidrBlock", cidr)
    return replace(graph, nodes=(*graph.nodes, replace(leak, urn=f"{route.urn}-leak")))


def states(rule_id: str, graph: Graph, environment: str) -> set[str]:
    (rule,) = [rule for rule in RULES if rule.id == rule_id]
    context = Context(graph=graph, profile=PROFILES[environment], today=TODAY)
    return {verdict.state for verdict in judge(context, [rule])}


def test_every_rule_has_its_three_inputs():
    assert [rule.id for rule in RULES] == list(CASES)


@pytest.mark.parametrize("rule", CASES)
def test_right(rule):
    environment = CASES[rule].environment

    assert states(rule, recorded(environment, preview=False), environment) == {"passed"}


@pytest.mark.parametrize("rule", CASES)
def test_wrong(rule):
    case = CASES[rule]

    assert "violated" in states(rule, case.wrong(recorded(case.environment, preview=False)), case.environment)


@pytest.mark.parametrize("rule", [rule for rule, case in CASES.items() if case.unknown])
def test_unknown(rule):
    case = CASES[rule]
    environment = UNKNOWN_ELSEWHERE.get(rule, case.environment)
    found = states(rule, case.unknown(recorded(environment, preview=False)), environment)

    assert "not decided" in found
    assert "violated" not in found


def added(token: str, inputs: dict[str, Any]) -> Change:
    """Plant a resource of a type that the program itself does not make."""
    node = Node(
        type=token, name="planted", urn=f"urn:pulumi:ha::slipway::{token}::planted", custom=True, inputs=inputs,
        parent="", provider="", depends_on=frozenset(), protect=False, retain_on_delete=False, ignore_changes=(),
        aliases=(),
    )  # fmt: skip
    return lambda graph: replace(graph, nodes=(*graph.nodes, node))


@pytest.mark.parametrize(
    ("rule", "token", "inputs"),
    [
        ("security-group-rule-closed", INGRESS, {"cidrIpv4": "0.0.0.0/0", "fromPort": 22, "toPort": 22}),
        ("security-group-rule-closed", INGRESS, {"cidrIpv6": "::/0", "ipProtocol": "-1"}),
        ("data-ports-from-groups", INGRESS, {"cidrIpv4": "10.0.0.0/8", "fromPort": 5432, "toPort": 5432}),
        ("data-ports-from-groups", INGRESS, {"cidrIpv4": "10.0.0.0/8", "fromPort": 1024, "toPort": 65535}),
        ("data-ports-from-groups", RULE, {"type": "ingress", "cidrBlocks": ["10.0.0.0/8"], "protocol": "-1"}),
        ("nodes-disks-encrypted", "aws:ebs/volume:Volume", {"size": 10}),
        ("rds-private", "aws:rds/instance:Instance", {"publiclyAccessible": True}),
        ("s3-private", "aws:s3/bucket:Bucket", {}),
    ],
)
def test_what_is_planted_beside_the_program_is_found(rule, token, inputs):
    assert "violated" in states(rule, added(token, inputs)(recorded("ha", preview=False)), "ha")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_no_environment_violates_a_rule(environment, preview):
    context = Context(graph=recorded(environment, preview=preview), profile=PROFILES[environment], today=TODAY)
    verdicts = judge(context, RULES)

    assert [(one.rule.id, one.subject) for one in verdicts if one.state == "violated"] == []


@pytest.mark.parametrize(("until", "state"), [(TODAY, "waived"), (date(2026, 11, 23), "violated")])
def test_a_waiver_holds_until_its_last_day(until, state):
    case = CASES["rds-private"]
    graph = case.wrong(recorded("ha", preview=False))
    waiver = Waiver(rule="rds-private", resource="data*", reason="moved out of it this week", until=until)
    (rule,) = [rule for rule in RULES if rule.id == "rds-private"]

    assert [one.state for one in judge(Context(graph=graph, profile="ha", today=TODAY), [rule], [waiver])] == [state]
