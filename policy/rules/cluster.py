"""EKS: control plane, nodes and add-ons."""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network

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
    value,
)
from slipway.graph.record import UNKNOWN, Node

CLUSTER = "aws:eks/cluster:Cluster"
NODES = "aws:eks/nodeGroup:NodeGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
VOLUME = "aws:ebs/volume:Volume"
ADDON = "aws:eks/addon:Addon"
LOG_TYPES = {"api", "audit", "authenticator", "controllerManager", "scheduler"}
#: An allowed network is no wider than a /24: whoever needs more needs a way into the VPC.
NARROWEST = 24
PRODUCTION_ZONES = 3


def _public_endpoint(node: Node) -> Answer:
    public = value(node, "vpcConfig.endpointPublicAccess")
    if public == UNKNOWN:
        return None
    if not public:
        return True
    return holds(
        node,
        "vpcConfig.publicAccessCidrs",
        lambda cidrs: bool(cidrs) and all(ip_network(cidr).prefixlen >= NARROWEST for cidr in cidrs),
    )


def _secrets_encrypted(node: Node, context: Context) -> Answer:
    keys = {key.urn for key in context.graph.of_type("aws:kms/key:Key")}
    encrypted = holds(node, "encryptionConfig.resources", lambda kinds: "secrets" in kinds)
    return every([encrypted, given(node, "encryptionConfig.provider.keyArn"), bool(node.depends_on & keys)])


def _version(node: Node, context: Context) -> Answer:
    ends = tables.standard_support_ends()
    soon = context.today + timedelta(days=60)
    return holds(
        node,
        "version",
        lambda version: ("kubernetesVersion", str(version)) in ends and ends["kubernetesVersion", str(version)] > soon,
    )


def _zones(node: Node, context: Context) -> Answer:
    """Judge the control plane's subnets by their zones; of a foreign VPC by their number."""
    subnets = [urn for urn in node.depends_on if context.graph.by_urn(urn).type == "aws:ec2/subnet:Subnet"]
    zones = {value(context.graph.by_urn(urn), "availabilityZone") for urn in subnets}
    if not subnets:
        return holds(node, "vpcConfig.subnetIds", lambda ids: len(set(ids)) >= PRODUCTION_ZONES)
    return None if UNKNOWN in zones else len(zones) >= PRODUCTION_ZONES


def _one_subnet(node: Node) -> Answer:
    """Judge the number of subnets, which is known before their ids are."""
    ids = value(node, "subnetIds")
    return None if ids == UNKNOWN else isinstance(ids, list) and len(ids) == 1


def _private_subnets(node: Node, context: Context) -> Answer:
    subnets = [context.graph.by_urn(urn) for urn in node.depends_on]
    public = [found for found in subnets if found.type.endswith(":Subnet") and found.name.startswith("public-")]
    return every([not public, not value(node, "remoteAccess"), given(node, "launchTemplate")])


def _groups_cover_zones(context: Context) -> Iterator[Finding]:
    groups = context.graph.of_type(NODES)
    types = [value(group, "instanceTypes") for group in groups]
    if any(found == UNKNOWN for found in types):
        answer = None
    else:
        answer = len(groups) >= PRODUCTION_ZONES and all(found == types[0] for found in types)
    yield Finding("node groups", answer)


def _disks(context: Context) -> Iterator[Finding]:
    """Judge what nodes start with, and any volume beside them."""
    for template in context.graph.of_type(TEMPLATE):
        yield Finding(f"{TEMPLATE}::{template.name}", _mapped_disks(template))
    for volume in context.graph.of_type(VOLUME):
        yield Finding(f"{VOLUME}::{volume.name}", equals(volume, encrypted=True))


def _mapped_disks(node: Node) -> Answer:
    blocks = value(node, "blockDeviceMappings")
    if blocks == UNKNOWN:
        return None
    return bool(blocks) and every(equals(block, **{"ebs.encrypted": True, "ebs.volumeType": "gp3"}) for block in blocks)


def _addons(context: Context) -> Iterator[Finding]:
    there = {value(node, "addonName") for node in context.graph.of_type(ADDON)}
    for name in sorted(tables.addon_names()):
        yield Finding(f"add-on {name}", None if UNKNOWN in there and name not in there else name in there)


def _network_policy(node: Node) -> Answer:
    if value(node, "addonName") != "vpc-cni":
        return True
    return holds(node, "configurationValues", lambda text: '"enableNetworkPolicy": "true"' in text)


RULES = (
    Rule(
        id="eks-private-endpoint",
        reason="nodes must reach the API server inside the VPC, whatever is open outside",
        fix="vpcConfig.endpointPrivateAccess: true",
        maps=("EKS.1", "CIS EKS 5.4.2"),
        look=each(CLUSTER, lambda node: equals(node, **{"vpcConfig.endpointPrivateAccess": True})),
    ),
    Rule(
        id="eks-public-endpoint-narrow",
        reason="an API server that the world reaches is one stolen token away",
        fix="cluster.publicAccessCidrs: networks of /24 or narrower, or none with cluster.privateAccess",
        maps=("EKS.1", "CKV_AWS_38", "CKV_AWS_39"),
        look=each(CLUSTER, _public_endpoint),
    ),
    Rule(
        id="eks-control-plane-logs",
        reason="the audit log is the only account of who did what in the cluster",
        fix="enable all five log types",
        maps=("EKS.8", "CKV_AWS_37", "CIS EKS 2.1.1"),
        look=each(CLUSTER, lambda node: holds(node, "enabledClusterLogTypes", lambda kinds: set(kinds) >= LOG_TYPES)),
    ),
    Rule(
        id="eks-secrets-encrypted",
        reason="Kubernetes Secrets lie in etcd; a key of our own decides who reads a copy of it",
        fix="encryptionConfig with secrets and a key of the stack",
        maps=("EKS.3", "CKV_AWS_58", "CIS EKS 5.3.1"),
        look=each_in(CLUSTER, _secrets_encrypted),
    ),
    Rule(
        id="eks-version-supported",
        reason="extended support costs six times the control plane, and begins by itself",
        fix="kubernetesVersion: one whose standard support lasts another sixty days (tables/kubernetes.yaml)",
        maps=("EKS.2", "CKV_AWS_339"),
        look=each_in(CLUSTER, _version),
    ),
    Rule(
        id="eks-access-entries",
        reason="who made a cluster must not be its hidden administrator for ever",
        fix="authentication mode API, no bootstrap administrator, access entries for the rest",
        maps=("CIS EKS 4.1.7",),
        look=each(
            CLUSTER,
            lambda node: equals(
                node,
                **{
                    "accessConfig.authenticationMode": "API",
                    "accessConfig.bootstrapClusterCreatorAdminPermissions": False,
                },
            ),
        ),
    ),
    Rule(
        id="eks-guarded",
        reason="a cluster is not deleted by accident, never slides into paid support, and can leave a zone",
        fix="deletionProtection, upgradePolicy.supportType STANDARD, zonalShiftConfig.enabled",
        maps=("reliability", "cost"),
        look=each(
            CLUSTER,
            lambda node: equals(
                node,
                **{
                    "deletionProtection": True,
                    "upgradePolicy.supportType": "STANDARD",
                    "zonalShiftConfig.enabled": True,
                },
            ),
        ),
    ),
    Rule(
        id="eks-three-zones",
        reason="a control plane with interfaces in two zones may lose both ways in at once",
        fix="three zones",
        maps=("AutoScaling.2",),
        profiles=PRODUCTION,
        look=each_in(CLUSTER, _zones),
    ),
    Rule(
        id="nodes-one-zone-each",
        reason="rebalancing over zones ignores disruption budgets; one zone in a group is never rebalanced",
        fix="one subnet for each node group",
        maps=("reliability",),
        look=each(NODES, _one_subnet),
    ),
    Rule(
        id="nodes-three-zones",
        reason="Harbor survives a zone only if it has nodes in the others, of the same kind",
        fix="a node group in each of three zones",
        maps=("reliability",),
        profiles=PRODUCTION,
        look=_groups_cover_zones,
    ),
    Rule(
        id="nodes-private",
        reason="a node with a public address or a key for ssh is a way in",
        fix="private subnets, a launch template, no remoteAccess",
        maps=("CKV_AWS_100", "CIS EKS 5.4.3"),
        look=each_in(NODES, _private_subnets),
    ),
    Rule(
        id="nodes-image",
        reason="AL2 is out of support, and Harbor's images are amd64 only up to 2.15",
        fix="an AL2023 or Bottlerocket image for x86_64",
        maps=("AL2 end of life",),
        look=each(
            NODES,
            lambda node: holds(node, "amiType", lambda kind: kind.startswith(("AL2023_x86_64", "BOTTLEROCKET_x86_64"))),
        ),
    ),
    Rule(
        id="nodes-repaired",
        reason="a node that is not ready is replaced by itself, and an upgrade takes one at a time",
        fix="nodeRepairConfig.enabled, updateConfig, minSize of at least one",
        maps=("reliability",),
        look=each(
            NODES,
            lambda node: every(
                [
                    equals(node, **{"nodeRepairConfig.enabled": True}),
                    given(node, "updateConfig"),
                    holds(node, "scalingConfig.minSize", lambda size: int(size) >= 1),
                ]
            ),
        ),
    ),
    Rule(
        id="nodes-imdsv2",
        reason="a pod that reaches the metadata service with a plain GET has the node's role",
        fix="httpTokens required, one hop",
        maps=("CIS 6.7", "EC2.8", "EC2.170", "CKV_AWS_79", "CKV_AWS_341"),
        look=each(
            TEMPLATE,
            lambda node: equals(
                node,
                **{
                    "metadataOptions.httpTokens": "required",
                    "metadataOptions.httpEndpoint": "enabled",
                    "metadataOptions.httpPutResponseHopLimit": 1,
                },
            ),
        ),
    ),
    Rule(
        id="nodes-disks-encrypted",
        reason="layers and scan results lie on the nodes' disks",
        fix="every EBS block encrypted, gp3",
        maps=("EC2.7", "EC2.181", "CKV_AWS_8"),
        look=_disks,
    ),
    Rule(
        id="addons-complete",
        reason="without one of them nodes do not join, names do not resolve, or volumes do not mount",
        fix="keep every add-on of tables/kubernetes.yaml",
        maps=("EKS",),
        look=_addons,
    ),
    Rule(
        id="addons-updatable",
        reason="an update that meets a changed field otherwise fails in the middle of an upgrade",
        fix="addonVersion and resolveConflictsOnUpdate on each add-on",
        maps=("EKS",),
        look=each(ADDON, lambda node: given(node, "addonVersion", "resolveConflictsOnUpdate")),
    ),
    Rule(
        id="addons-network-policy",
        reason="without it the CNI ignores every NetworkPolicy in silence",
        fix="enableNetworkPolicy on vpc-cni",
        maps=("CIS EKS 4.3.2",),
        look=each(ADDON, _network_policy),
    ),
)
