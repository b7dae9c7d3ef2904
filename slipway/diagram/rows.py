"""The rows of each tier: what stands in its subnets, zone by zone, inside which security group."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from slipway.diagram import types
from slipway.diagram.flows import admitted, admitted_by_address, group_names
from slipway.diagram.picture import Box, Row
from slipway.graph.record import Graph, Node

Zones = tuple[str, ...]


def _row(graph: Graph, row_id: str, boxes: Iterable[Box], guarded: Collection[Node] = ()) -> Row:
    """Give a row; the resources in `guarded` name its security group."""
    return Row(
        id=row_id,
        boxes=tuple(boxes),
        security_group=", ".join(group_names(graph, guarded)),
        admits=admitted(graph, guarded),
        open_to=admitted_by_address(graph, guarded),
    )


def _load_balancer(graph: Graph, zones: Zones) -> Iterator[Row]:
    controllers = [node.name for node in graph.of_type(types.POD_IDENTITY)]
    if "aws-load-balancer-controller" not in controllers:
        return
    certificate = " · certificate from ACM" if graph.of_type(types.CERTIFICATE) else ""
    box = Box(
        id="load-balancer",
        service="load-balancer",
        title="Application Load Balancer",
        details=(f"made from the Ingress by its controller{certificate}",),
        zones=zones,
        by_controller=True,
    )
    yield _row(graph, "load-balancers", [box])


def _nats(graph: Graph, zones: Zones) -> Iterator[Row]:
    boxes = []
    for node in _by_name(graph, types.NAT):
        regional = node.inputs.get("availabilityMode") == "regional"
        address = "one Elastic IP" if node.inputs.get("allocationId") else "addresses by AWS"
        boxes.append(
            Box(
                id=node.name,
                service="nat",
                title="Regional NAT gateway" if regional else "NAT gateway",
                details=(address,),
                zones=_zone_of(node, zones),
            )
        )
    if boxes:
        yield _row(graph, "nats", boxes)


def _nodes(graph: Graph, zones: Zones) -> Iterator[Row]:
    templates = graph.of_type(types.LAUNCH_TEMPLATE)
    disks = {
        f"{int(mapping['ebs']['volumeSize'])} GiB {mapping['ebs']['volumeType']}"
        for template in templates
        for mapping in template.inputs["blockDeviceMappings"]
    }
    boxes = []
    for node in _by_name(graph, types.NODE_GROUP):
        scaling = {key: int(value) for key, value in node.inputs["scalingConfig"].items()}
        boxes.append(
            Box(
                id=node.name,
                service="nodes",
                title=f"{scaling['desiredSize']} × {', '.join(node.inputs['instanceTypes'])}",  # times
                details=(
                    f"node group, {scaling['minSize']} to {scaling['maxSize']}",
                    f"{', '.join(sorted(disks))} each",
                ),
                zones=_zone_of(node, zones),
            )
        )
    if boxes:
        yield _row(graph, "nodes", boxes, templates)


def _interface_endpoints(graph: Graph, zones: Zones) -> Iterator[Row]:
    endpoints = [node for node in graph.of_type(types.ENDPOINT) if node.inputs["vpcEndpointType"] == "Interface"]
    if endpoints:
        names = sorted(str(node.inputs["serviceName"]).split(".", 3)[3] for node in endpoints)
        box = Box(
            id="interface-endpoints",
            service="endpoint",
            title=f"{len(endpoints)} interface endpoints in each zone",
            details=(", ".join(names[: len(names) // 2]), ", ".join(names[len(names) // 2 :])),
            zones=zones,
        )
        yield _row(graph, "endpoints", [box], endpoints)


def _cluster_interfaces(graph: Graph, zones: Zones) -> Iterator[Row]:
    """Give EKS's own interfaces, where they have subnets of their own."""
    nodes_in = {subnet for node in graph.of_type(types.NODE_GROUP) for subnet in node.inputs["subnetIds"]}
    if any(nodes_in != set(cluster.inputs["vpcConfig"]["subnetIds"]) for cluster in graph.of_type(types.CLUSTER)):
        yield _row(
            graph,
            "cluster-interfaces",
            [
                Box(id=f"eni-{zone}", service="interface", title="EKS network interface", zones=(zone,))
                for zone in zones
            ],
        )


def _databases(graph: Graph, zones: Zones) -> Iterator[Row]:
    """Give primary and standby of each instance; during a restore there are two, told apart by their names."""
    instances = _by_name(graph, types.DATABASE)
    for node in instances:
        disk = f"{int(node.inputs['allocatedStorage'])} GiB {node.inputs['storageType']}"
        size = f"{node.inputs['instanceClass']}, {disk}"
        protected = "deletion protected" if node.inputs["deletionProtection"] else "may be deleted"
        several = bool(node.inputs["multiAz"]) and len(zones) > 1
        title = f"PostgreSQL {node.inputs['engineVersion']}"
        boxes = [
            Box(
                id=f"{node.name}-primary",
                service="database",
                title=f"{title} primary" if several else title,
                details=(size, node.name if len(instances) > 1 else protected),
                zones=zones[:1],
            )
        ]
        if several:
            boxes.append(
                Box(
                    id=f"{node.name}-standby",
                    service="database",
                    title=f"{title} standby",
                    details=(size, "synchronous copy"),
                    zones=zones[1:2],
                )
            )
        yield _row(graph, node.name, boxes, [node])


def _caches(graph: Graph, zones: Zones) -> Iterator[Row]:
    """Give the nodes of each replication group, spread over the zones as ElastiCache does."""
    for node in _by_name(graph, types.CACHE):
        count = int(node.inputs["numCacheClusters"])
        engine = f"{str(node.inputs['engine']).capitalize()} {node.inputs['engineVersion']}"
        boxes = []
        for index, zone in enumerate(zones[:count]):
            role = "" if count == 1 else " primary" if index == 0 else " replica"
            does = _cache_access(node) if index == 0 else "asynchronous copy"
            more = len(range(index, count, len(zones))) - 1
            boxes.append(
                Box(
                    id=f"{node.name}-{index + 1}",
                    service="cache",
                    title=f"{engine}{role}",
                    details=(str(node.inputs["nodeType"]), f"{does}, {more} more" if more else does),
                    zones=(zone,),
                )
            )
        yield _row(graph, node.name, boxes, [node])


def _cache_access(node: Node) -> str:
    users = "users by RBAC" if node.inputs.get("userGroupIds") else "no users"
    return f"{'TLS' if node.inputs.get('transitEncryptionEnabled') else 'no TLS'}, {users}"


def _mount_targets(graph: Graph, zones: Zones) -> Iterator[Row]:
    for system in _by_name(graph, types.FILE_SYSTEM):
        targets = [node for node in _by_name(graph, types.MOUNT_TARGET) if system.urn in node.depends_on]
        boxes = [
            Box(
                id=f"mount-{node.name}",
                service="file-system",
                title="EFS mount target",
                details=("NFS",),
                zones=_zone_of(node, zones),
            )
            for node in targets
        ]
        if boxes:
            yield _row(graph, f"mount-targets-{system.name}", boxes, targets)


def _by_name(graph: Graph, token: str) -> list[Node]:
    """Give the nodes of a type in the order of their names: that of registration differs from run to run."""
    return sorted(graph.of_type(token), key=lambda node: node.name)


def _zone_of(node: Node, zones: Zones) -> Zones:
    """Give the zone that a logical name ends in, which a test locks; all of them where it names none."""
    return tuple(zone for zone in zones if node.name.endswith(f"-{zone}")) or zones


#: tier → what reads its rows, from above
ROWS: Mapping[str, tuple[Callable[[Graph, Zones], Iterator[Row]], ...]] = {
    "public": (_load_balancer, _nats),
    "private": (_nodes, _interface_endpoints),
    "control-plane": (_cluster_interfaces,),
    "data": (_databases, _caches, _mount_targets),
}
