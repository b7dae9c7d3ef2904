"""VPC, subnets, routes and security groups."""

from collections.abc import Callable, Iterator
from typing import Any

from policy.rule import (
    PRODUCTION,
    Answer,
    Context,
    Finding,
    Rule,
    as_list,
    each,
    each_in,
    equals,
    every,
    given,
    holds,
    is_unknown,
    some,
    value,
)
from slipway.graph.record import UNKNOWN, Node

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
#: The same for one source at a time; the program makes none, a team's own code may.
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
WORLD = {"0.0.0.0/0", "::/0"}
#: Inputs that name addresses, and those that name security groups.
SOURCES = ("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6")
GROUPS = ("sourceSecurityGroupId", "referencedSecurityGroupId", "self")
#: PostgreSQL, Valkey and NFS
DATA_PORTS = {5432, 6379, 2049}


def _flow_log(vpc: Node, context: Context) -> Answer:
    logs = context.graph.of_type("aws:ec2/flowLog:FlowLog")
    return some(equals(log, trafficType="ALL") for log in logs if vpc.urn in log.depends_on)


def _default_group(vpc: Node, context: Context) -> Answer:
    groups = context.graph.of_type("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    return some(_no_rules(group) for group in groups if vpc.urn in group.depends_on)


def _no_rules(group: Node) -> Answer:
    rules = [value(group, "ingress"), value(group, "egress")]
    return None if UNKNOWN in rules else not any(rules)


def _no_way_out(context: Context) -> Iterator[Finding]:
    """Judge the route tables of data subnets by the routes in them."""
    graph = context.graph
    data = {node.urn for node in graph.of_type(SUBNET) if node.name.startswith("data-")}
    tables = {
        urn
        for link in graph.of_type("aws:ec2/routeTableAssociation:RouteTableAssociation")
        if link.depends_on & data
        for urn in link.depends_on
        if graph.by_urn(urn).type == "aws:ec2/routeTable:RouteTable"
    }
    for table in sorted(tables):
        routes = [route for route in graph.of_type("aws:ec2/route:Route") if table in route.depends_on]
        answer = every(holds(route, "destinationCidrBlock", lambda cidr: cidr not in WORLD) for route in routes)
        yield Finding(f"aws:ec2/routeTable:RouteTable::{graph.by_urn(table).name}", answer)


def _nat_in_own_zone(context: Context) -> Iterator[Finding]:
    """Judge each private default route: its gateway is in a public subnet of the same zone, or regional."""
    graph = context.graph
    for route in graph.of_type("aws:ec2/route:Route"):
        for urn in route.depends_on:
            nat = graph.by_urn(urn)
            if nat.type == "aws:ec2/natGateway:NatGateway":
                zone = route.name.removeprefix("private-").removesuffix("-default")
                subnets = [graph.by_urn(found) for found in nat.depends_on if graph.by_urn(found).type == SUBNET]
                regional = equals(nat, availabilityMode="regional")
                own = some(equals(subnet, availabilityZone=zone) for subnet in subnets)
                yield Finding(f"{route.type}::{route.name}", some([regional, own]))


def _of_rules(ask: Callable[[Node], Answer]) -> Callable[[Context], Iterator[Finding]]:
    """Judge every rule that lets something in, in both forms that AWS has."""

    def look(context: Context) -> Iterator[Finding]:
        for node in [*context.graph.of_type(RULE), *context.graph.of_type(INGRESS)]:
            if value(node, "type") != "egress":
                yield Finding(f"{node.type}::{node.name}", ask(node))

    return look


def _closed(rule: Node) -> Answer:
    return every(holds(rule, key, lambda cidrs: not WORLD & set(as_list(cidrs))) for key in SOURCES if value(rule, key))


def _only_from_groups(rule: Node) -> Answer:
    """Judge the rules that open a data port; others pass."""
    ports = [value(rule, "fromPort"), value(rule, "toPort")]
    if is_unknown(ports):
        return None
    whole = None in ports or equals(rule, protocol="-1") or equals(rule, ipProtocol="-1")
    opens = whole or any(int(ports[0]) <= port <= int(ports[1]) for port in DATA_PORTS)
    from_group = any(value(rule, key) for key in GROUPS) and not any(value(rule, key) for key in SOURCES)
    return not opens or from_group


def _no_inline_world(group: Node) -> Answer:
    return every(_open_block(block) for block in value(group, "ingress") or [])


def _open_block(block: Any) -> Answer:  # noqa: ANN401  # an inline rule
    return holds(block, "cidrBlocks", lambda cidrs: not WORLD & set(cidrs)) if value(block, "cidrBlocks") else True


RULES = (
    Rule(
        id="vpc-flow-logs",
        reason="without flow logs nobody can tell afterwards what left the network",
        fix="keep the VPC's flow log with traffic type ALL",
        maps=("CIS 4.7", "EC2.6", "CKV2_AWS_11"),
        look=each_in(VPC, _flow_log),
    ),
    Rule(
        id="vpc-default-group-empty",
        reason="the default security group lets everything in it talk to each other",
        fix="adopt it with no ingress and no egress",
        maps=("CIS 6.5", "EC2.2", "CKV2_AWS_12"),
        look=each_in(VPC, _default_group),
    ),
    Rule(
        id="subnet-no-public-addresses",
        reason="load balancers and NAT gateways bring their own addresses; nothing else needs one",
        fix="leave mapPublicIpOnLaunch off",
        maps=("EC2.15", "CKV_AWS_130"),
        look=each(SUBNET, lambda node: equals(node, mapPublicIpOnLaunch=False)),
    ),
    Rule(
        id="data-subnets-isolated",
        reason="database, cache and storage need no way to the internet, so they get none",
        fix="take the default route out of the data subnets' table",
        maps=("EC2.21",),
        look=_no_way_out,
    ),
    Rule(
        id="nat-per-zone",
        reason="the loss of one zone must not cut the others from the internet",
        fix="network.nat: per-zone, or regional",
        maps=("EKS best practices: network",),
        profiles=PRODUCTION,
        look=_nat_in_own_zone,
    ),
    Rule(
        id="security-group-rule-closed",
        reason="nothing here is called from the internet but the load balancer, which its controller guards",
        fix="name a security group or a narrow network as the source",
        maps=("CIS 6.2", "CIS 6.3", "EC2.13", "EC2.14", "EC2.18", "EC2.19", "CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_260"),
        look=_of_rules(_closed),
    ),
    Rule(
        id="security-group-closed",
        reason="a rule inside the group is as open as one beside it",
        fix="write rules as resources of their own, with a group as the source",
        maps=("CIS 6.2", "EC2.18", "CKV_AWS_277"),
        look=each(GROUP, _no_inline_world),
    ),
    Rule(
        id="data-ports-from-groups",
        reason="only the nodes talk to database, cache and storage, whatever their addresses",
        fix="give the node security group as the rule's source",
        maps=("EC2.19",),
        look=_of_rules(_only_from_groups),
    ),
    Rule(
        id="security-group-described",
        reason="a rule without a reason is never removed",
        fix="give each rule a description",
        maps=("CKV_AWS_23",),
        severity="advisory",
        look=_of_rules(lambda node: given(node, "description")),
    ),
)
