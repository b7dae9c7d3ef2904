"""Who talks to whom: from security-group rules, routes and addresses in the graph, never from what is usual."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from slipway.diagram import types
from slipway.diagram.picture import Flow, Picture
from slipway.graph.record import Graph, Node

_DEFAULT_PORTS = {"http": 80, "https": 443}
#: What the types call the ids of the security groups that a resource is in.
_GROUP_INPUTS = ("vpcSecurityGroupIds", "securityGroupIds", "securityGroups")


def group_names(graph: Graph, guarded: Iterable[Node]) -> list[str]:
    """Give the names of the security groups of ours that resources are in."""
    urns = {urn for node in guarded for urn in node.depends_on}
    return sorted(str(group.inputs["name"]) for group in graph.of_type(types.SECURITY_GROUP) if group.urn in urns)


def admitted(graph: Graph, guarded: Iterable[Node]) -> tuple[str, ...]:
    """Give the ports on which the security groups of resources admit those of the nodes."""
    groups = _group_ids(guarded)
    callers = _group_ids(graph.of_type(types.LAUNCH_TEMPLATE)) - groups
    rules = [rule for rule in _ingress(graph, groups) if rule.inputs.get("sourceSecurityGroupId") in callers]
    return tuple(dict.fromkeys(map(ports, rules)))


def admitted_by_address(graph: Graph, guarded: Iterable[Node]) -> tuple[str, ...]:
    """Give what the security groups of resources admit by address: ports and network of each rule."""
    return tuple(
        f"{ports(rule)} from {cidr}"
        for rule in _ingress(graph, _group_ids(guarded))
        for cidr in [*rule.inputs.get("cidrBlocks", ()), *rule.inputs.get("ipv6CidrBlocks", ())]
    )


def _group_ids(guarded: Iterable[Node]) -> frozenset[str]:
    return frozenset(group for node in guarded for key in _GROUP_INPUTS for group in node.inputs.get(key) or ())


def _ingress(graph: Graph, groups: Collection[str]) -> list[Node]:
    """Give the rules that admit something into security groups; ids tell into and from, dependencies do not."""
    rules = [
        rule
        for rule in graph.of_type(types.SECURITY_GROUP_RULE)
        if rule.inputs["type"] == "ingress" and rule.inputs["securityGroupId"] in groups
    ]
    return sorted(rules, key=lambda rule: rule.name)


def ports(rule: Node) -> str:
    """Give a rule's protocol and ports: ``TCP 5432``, ``UDP 60-70``, ``all traffic``."""
    protocol, first, last = (rule.inputs[key] for key in ("protocol", "fromPort", "toPort"))
    if protocol in ("-1", "all"):
        return "all traffic"
    span = f"{int(first)}" if first == last else f"{int(first)}-{int(last)}"
    return f"{str(protocol).upper()} {span}"


def flows_of(graph: Graph, picture: Picture) -> Picture:
    """Give the picture with its flows."""
    ids = {box.id for box in picture.boxes} | {row.id for row in picture.rows}
    admitted_flows = [
        Flow(source="nodes", target=row.id, kind="request", label=", ".join(row.admits))
        for row in picture.rows
        if row.admits
    ]
    wanted = [*_inbound(graph), *admitted_flows, *_outbound(graph, picture), *_behind(graph, picture)]
    return replace(picture, flows=tuple(flow for flow in wanted if {flow.source, flow.target} <= ids))


def _inbound(graph: Graph) -> Iterator[Flow]:
    """Clients call the registry's URL; the load balancer hands on to pods, by address, on nodes of every zone."""
    url = urlsplit(graph.exports["url"])
    port = url.port or _DEFAULT_PORTS[url.scheme]
    yield Flow(source="clients", target="load-balancer", kind="request", label=f"{url.scheme.upper()} {port}")
    yield Flow(source="load-balancer", target="nodes", kind="request", label="to pods")
    yield Flow(source="operators", target="eks", kind="request", label="Kubernetes API")


def _outbound(graph: Graph, picture: Picture) -> Iterator[Flow]:
    """The nodes of a zone leave by the gateway that the route of their subnet names; so do the gateways themselves."""
    gateways = {node.urn: node.name for node in graph.of_type(types.NAT)}
    for zone in picture.zones:
        for route in graph.of_type(types.ROUTE):
            if route.name == f"private-{zone}-default":
                for urn in route.depends_on & set(gateways):
                    yield Flow(source=f"nodes-{zone}", target=gateways[urn], kind="egress")
    for name in sorted(gateways.values()):
        yield Flow(source=name, target="internet", kind="egress")


def _behind(graph: Graph, picture: Picture) -> Iterator[Flow]:
    """What stands in a subnet for a service of the region."""
    own_subnets = any(row.id == "cluster-interfaces" for row in picture.rows)
    yield Flow(source="cluster-interfaces" if own_subnets else "nodes", target="eks", kind="mount")
    for system in sorted(graph.of_type(types.FILE_SYSTEM), key=lambda node: node.name):
        yield Flow(source=f"mount-targets-{system.name}", target=system.name, kind="mount")
    gateways = [node for node in graph.of_type(types.ENDPOINT) if node.inputs["vpcEndpointType"] == "Gateway"]
    yield Flow(source="nodes", target="s3", kind="request", label="gateway endpoint" if gateways else "")
