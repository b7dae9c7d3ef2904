"""What the picture shows: zones, tiers, what stands in them, who talks to whom on which port; all from the graph."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from infra.settings import Settings
from slipway.graph.record import Graph, Node, Secret

SUBNET = "aws:ec2/subnet:Subnet"
#: Subnet name's first part → tier, in the picture's order.
TIERS = {"public": "public", "private": "nodes", "control-plane": "control plane", "data": "data"}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One tier in one zone.

    Attributes:
        zone, tier: where.
        cidr: of the subnet; its id in an existing VPC.
        holds: what stands in it, a line each.
    """

    zone: str
    tier: str
    cidr: str
    holds: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Service:
    """Something that belongs to no single zone.

    Attributes:
        name: of the service.
        detail: a line each.
        tier: that it spans; empty for what is outside of the VPC.
    """

    name: str
    detail: tuple[str, ...]
    tier: str = ""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Who talks to whom.

    Attributes:
        source, target: names of services, or ``nodes`` and ``clients``.
        port: as the security group's rule has it.
    """

    source: str
    target: str
    port: str


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The whole."""

    environment: str
    domain: str
    region: str
    network: str
    zones: tuple[str, ...]
    cells: tuple[Cell, ...]
    services: tuple[Service, ...]
    flows: tuple[Flow, ...]

    def to_json_value(self) -> dict[str, Any]:
        """Give it as data."""
        return asdict(self)

    def of_tier(self, tier: str) -> list[Service]:
        """Give the services that span a tier."""
        return [service for service in self.services if service.tier == tier]


def picture(graph: Graph, settings: Settings) -> Picture:
    """Give the picture of a recorded environment."""
    vpcs = graph.of_type("aws:ec2/vpc:Vpc")
    existing = settings.network.existing
    network = f"VPC {_plain(vpcs[0], 'cidrBlock')}" if vpcs else f"existing VPC {existing.vpc_id if existing else ''}"
    return Picture(
        environment=settings.environment,
        domain=settings.domain,
        region=settings.region,
        network=network,
        zones=settings.zone_names,
        cells=tuple(_cells(graph, settings)),
        services=(*_spanning(graph), *_regional(graph, settings)),
        flows=tuple(_flows(graph)),
    )


def _cells(graph: Graph, settings: Settings) -> Iterator[Cell]:
    groups = {node.name.removeprefix("nodes-"): node for node in graph.of_type("aws:eks/nodeGroup:NodeGroup")}
    for prefix, tier in TIERS.items():
        for zone in settings.zone_names:
            name = f"{prefix}-{zone}"
            subnets = [node for node in graph.of_type(SUBNET) if node.name == name]
            cidr = str(_plain(subnets[0], "cidrBlock")) if subnets else _existing(settings, tier, zone)
            if not cidr:
                continue
            holds: list[str] = []
            if tier == "public":
                holds += ["NAT gateway" for node in _gateways(graph) if node.name.endswith(zone)]
            if tier == "nodes" and zone in groups:
                size = _plain(groups[zone], "scalingConfig")
                kind = _plain(groups[zone], "instanceTypes")[0]
                holds.append(f"{int(size['desiredSize'])} × {kind}, up to {int(size['maxSize'])}")
            if tier == "control plane":
                holds.append("its network interface")
            if tier == "data":
                targets = graph.of_type("aws:efs/mountTarget:MountTarget")
                holds += ["EFS mount target" for node in targets if node.name.endswith(zone)]
            yield Cell(zone=zone, tier=tier, cidr=cidr, holds=tuple(holds))


def _existing(settings: Settings, tier: str, zone: str) -> str:
    existing = settings.network.existing
    field = {"nodes": "private", "control plane": ""}.get(tier, tier)
    return getattr(existing, field).get(zone, "") if existing and field else ""


def _gateways(graph: Graph) -> list[Node]:
    return graph.of_type("aws:ec2/natGateway:NatGateway")


def _spanning(graph: Graph) -> Iterator[Service]:
    """Give what AWS places in zones of its own choice."""
    yield Service(name="load balancer", detail=("made by its controller in the cluster",), tier="public")
    if any(_plain(node, "availabilityMode") == "regional" for node in _gateways(graph)):
        yield Service(name="NAT gateway, regional", detail=("in every zone that has nodes",), tier="public")
    for cluster in graph.of_type("aws:eks/cluster:Cluster"):
        version = f"Kubernetes {_plain(cluster, 'version')}"
        yield Service(name="EKS control plane", detail=(version,), tier="control plane")
    for database in _by_name(graph, "aws:rds/instance:Instance"):
        standby = "primary and standby" if _plain(database, "multiAz") is True else "one zone"
        size = f"{_plain(database, 'instanceClass')}, {int(float(_plain(database, 'allocatedStorage') or 0))} GiB"
        yield Service(name="RDS PostgreSQL", detail=(f"{size}, {standby}",), tier="data")
    for cache in graph.of_type("aws:elasticache/replicationGroup:ReplicationGroup"):
        count = int(float(_plain(cache, "numCacheClusters") or 1))
        yield Service(name="ElastiCache Valkey", detail=(f"{count} × {_plain(cache, 'nodeType')}",), tier="data")
    for system in _by_name(graph, "aws:efs/fileSystem:FileSystem"):
        yield Service(name="EFS", detail=(f"{_plain(system, 'throughputMode')} throughput, encrypted",), tier="data")


def _regional(graph: Graph, settings: Settings) -> Iterator[Service]:
    """Give what stands beside the VPC."""
    count = Counter(node.type for node in graph)
    if count["aws:s3/bucket:Bucket"]:
        yield Service(name="S3", detail=("blobs, versioned",))
    kinds = Counter(_plain(one, "vpcEndpointType") for one in graph.of_type("aws:ec2/vpcEndpoint:VpcEndpoint"))
    gateways, interfaces = kinds["Gateway"], kinds["Interface"]
    endpoints = (*(["S3 gateway"] if gateways else []), *([f"{interfaces} interfaces"] if interfaces else []))
    if endpoints:
        yield Service(name="VPC endpoints", detail=endpoints)
    yield Service(name="Secrets Manager", detail=(f"{count['aws:secretsmanager/secret:Secret']} secrets",))
    yield Service(name="KMS", detail=(f"{count['aws:kms/key:Key']} keys, one a purpose",))
    logs, alarms = count["aws:cloudwatch/logGroup:LogGroup"], count["aws:cloudwatch/metricAlarm:MetricAlarm"]
    yield Service(name="CloudWatch", detail=(f"{logs} log groups", *([f"{alarms} alarms"] if alarms else [])))
    if count["aws:backup/plan:Plan"]:
        yield Service(name="AWS Backup", detail=("locked vault, daily", f"{settings.backup.retention_days} days"))
    if settings.copy_region:
        yield Service(name=settings.copy_region, detail=("weekly copies, secrets",))


def _flows(graph: Graph) -> Iterator[Flow]:
    yield Flow(source="clients", target="load balancer", port="443")
    yield Flow(source="load balancer", target="nodes", port="pods")
    groups = {node.urn: node.name for node in graph.of_type("aws:ec2/securityGroup:SecurityGroup")}
    names = {"database": "RDS PostgreSQL", "cache": "ElastiCache Valkey", "storage": "EFS"}
    for rule in _by_name(graph, "aws:ec2/securityGroupRule:SecurityGroupRule"):
        if _plain(rule, "type") != "ingress":
            continue
        ends = {groups[urn] for urn in rule.depends_on if urn in groups}
        for group in sorted(ends - {"nodes"}):
            low, high = int(float(_plain(rule, "fromPort"))), int(float(_plain(rule, "toPort")))
            port = str(low) if low == high else f"{low}–{high}"
            yield Flow(source="nodes", target=names.get(group, group), port=port)
    if graph.of_type("aws:eks/cluster:Cluster"):
        yield Flow(source="nodes", target="EKS control plane", port="443")


def _by_name(graph: Graph, token: str) -> list[Node]:
    """Give the resources of a type in the same order each time; the program registers them as they become ready."""
    return sorted(graph.of_type(token), key=lambda node: node.name)


def _plain(node: Node, key: str) -> Any:  # noqa: ANN401  # any input
    found = node.inputs.get(key)
    return found.value if isinstance(found, Secret) else found
