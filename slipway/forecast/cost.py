"""Dollars a month: each line is quantity times price times hours, recomputed from what the program registers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from infra import tables
from slipway.forecast.prices import NoPriceError, Prices
from slipway.forecast.usage import Usage
from slipway.graph.record import Graph, Node, Secret

#: Runs of a schedule in a month.
_QUARTERLY, _WEEKLY = 1 / 3, 52 / 12


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the forecast.

    Attributes:
        service: of AWS.
        what: is paid for; the same whatever its size.
        size: instance class or node type; empty for what has none.
        quantity, unit: how much of it.
        price: US dollars for one unit (for one hour of it where `hours` is more than one), in us-east-1.
        hours: in a month; 1 for what is not billed by the hour.
        factor: of the region.
        resources: logical names; empty for what follows from the usage alone.
    """

    service: str
    what: str
    size: str
    quantity: float
    unit: str
    price: float
    hours: int
    factor: float
    resources: tuple[str, ...]

    @property
    def monthly(self) -> float:
        """US dollars a month."""
        return self.quantity * self.price * self.hours * self.factor


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a graph costs.

    Attributes:
        lines: by service.
        unpriced: what is in the graph and not in the table, in words.
    """

    lines: Sequence[Line]
    unpriced: Sequence[str]

    @property
    def monthly(self) -> float:
        """US dollars a month."""
        return sum(line.monthly for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What a pricing rule looks at, and the short hand to write a line with."""

    graph: Graph
    prices: Prices
    usage: Usage
    today: date

    def hourly(
        self, service: str, what: str, quantity: float, name: str, node: Node, *, group: str = "", size: str = ""
    ) -> Line:
        """Give a line that is paid by the hour."""
        price = self.prices.of(group or "hour", name)
        return self.line(service, what, quantity, "each", price, node, hours=self.prices.hours, size=size)

    def monthly(self, service: str, what: str, quantity: float, name: str, *nodes: Node, unit: str = "each") -> Line:
        """Give a line that is paid by the month."""
        return self.line(service, what, quantity, unit, self.prices.of("month", name), *nodes)

    def traffic(self, service: str, what: str, quantity: float, name: str, *nodes: Node) -> Line:
        """Give a line that is paid by the gigabyte."""
        return self.line(service, what, quantity, "GB", self.prices.of("gigabyte", name), *nodes)

    def line(  # a line's own parts
        self,
        service: str,
        what: str,
        quantity: float,
        unit: str,
        price: float,
        *nodes: Node,
        hours: int = 1,
        size: str = "",
    ) -> Line:
        """Give a line with the region's factor."""
        return Line(
            service=service, what=what, size=size, quantity=quantity, unit=unit, price=price, hours=hours,
            factor=self.prices.factor, resources=tuple(node.name for node in nodes),
        )  # fmt: skip


def cost(graph: Graph, prices: Prices, usage: Usage, today: date) -> Cost:
    """Price a graph.

    Args:
        graph: recorded with made-up answers of AWS, so that counts and sizes are plain values.
        prices, usage: of the region and the month.
        today: decides whether the control plane is in extended support.
    """
    sheet = Sheet(graph=graph, prices=prices, usage=usage, today=today)
    lines: list[Line] = []
    unpriced: list[str] = []
    for node in graph:
        if not node.custom or not node.type.startswith("aws:") or prices.is_free(node.type):
            continue
        if node.type not in RULES:
            unpriced.append(f"{node.type}::{node.name}: tables/prices.yaml says neither a price nor that it is free")
            continue
        try:
            lines += RULES[node.type](node, sheet)
        except NoPriceError as missing:
            unpriced.append(f"{node.type}::{node.name}: tables/prices.yaml has no price of {missing}")
    lines += _from_usage(sheet)
    return Cost(lines=_summed(line for line in lines if line.quantity), unpriced=unpriced)


def _summed(lines: Iterable[Line]) -> list[Line]:
    """Put equal lines of several resources together, in an order that is the same each time."""
    found: dict[tuple[str, str, str], Line] = {}
    for line in lines:
        key = (line.service, line.what, line.size)
        before = found.get(key)
        resources = tuple(sorted({*(before.resources if before else ()), *line.resources}))
        quantity = line.quantity + (before.quantity if before else 0)
        found[key] = replace(line, quantity=quantity, resources=resources)
    return [found[key] for key in sorted(found)]


def _cluster(node: Node, sheet: Sheet) -> Iterator[Line]:
    ends = tables.standard_support_ends().get(("kubernetesVersion", str(_plain(node, "version"))))
    extended = ends is not None and sheet.today > ends
    name = "cluster-extended-support" if extended else "cluster"
    what = "control plane in extended support" if extended else "control plane"
    yield sheet.hourly("EKS", what, 1, name, node)


def _node_group(node: Node, sheet: Sheet) -> Iterator[Line]:
    (instance_type, *_) = _plain(node, "instanceTypes")
    count = _plain(node, "scalingConfig")["desiredSize"]
    price = sheet.prices.node_hour(instance_type)
    hours = sheet.prices.hours
    yield sheet.line("EC2", "nodes", count, "each", price, node, hours=hours, size=instance_type)
    templates = [
        one for one in sheet.graph.of_type("aws:ec2/launchTemplate:LaunchTemplate") if one.urn in node.depends_on
    ]
    gib = sum(float(block["ebs"]["volumeSize"]) for one in templates for block in _plain(one, "blockDeviceMappings"))
    yield sheet.monthly("EC2", "disks, gp3", count * gib, "disk-gib", node, unit="GiB")


def _database(node: Node, sheet: Sheet) -> Iterator[Line]:
    size, copies = str(_plain(node, "instanceClass")), 2 if _plain(node, "multiAz") is True else 1
    zones = "two zones" if copies > 1 else "one zone"
    yield sheet.hourly("RDS", f"instance in {zones}", copies, size, node, group="database-hour", size=size)
    gib = float(_plain(node, "allocatedStorage") or 0) * copies
    yield sheet.monthly("RDS", f"storage in {zones}, gp3", gib, "database-storage-gib", node, unit="GiB")


def _cache(node: Node, sheet: Sheet) -> Iterator[Line]:
    size = str(_plain(node, "nodeType"))
    count = float(_plain(node, "numCacheClusters") or 1)
    yield sheet.hourly("ElastiCache", "nodes", count, size, node, group="cache-hour", size=size)


def _file_system(node: Node, sheet: Sheet) -> Iterator[Line]:
    usage, one_zone = sheet.usage, _plain(node, "availabilityZoneName")
    tiered = any(rule.get("transitionToIa") for rule in _plain(node, "lifecyclePolicies") or [])
    standard = usage.stored_gb * (usage.standard_share if tiered else 1)
    name = "efs-one-zone-gib" if one_zone else "efs-standard-gib"
    yield sheet.monthly(
        "EFS", "storage, One Zone" if one_zone else "storage, Standard", standard, name, node, unit="GB"
    )
    rest = usage.stored_gb - standard
    yield sheet.monthly("EFS", "storage, Infrequent Access", rest, "efs-infrequent-gib", node, unit="GB")
    yield sheet.traffic("EFS", "elastic throughput, written", usage.pushed_gb, "efs-write", node)
    yield sheet.traffic("EFS", "elastic throughput, read", usage.pulled_gb, "efs-read", node)


def _efs_backup(node: Node, sheet: Sheet) -> Iterator[Line]:
    if (_plain(node, "backupPolicy") or {}).get("status") == "ENABLED":
        yield sheet.monthly("Backup", "blobs, warm", sheet.usage.stored_gb, "backup-warm-gib", node, unit="GB")


def _bucket(node: Node, sheet: Sheet) -> Iterator[Line]:
    yield sheet.monthly("S3", "storage, Standard", sheet.usage.stored_gb, "s3-gib", node, unit="GB")


def _backup_plan(node: Node, sheet: Sheet) -> Iterator[Line]:
    """Price what a plan keeps. Recovery points of the database are free up to the size of its storage."""
    blobs, usage = node.name.endswith("storage"), sheet.usage
    copies = [copy for rule in _plain(node, "rules") or [] for copy in rule.get("copyActions") or []]
    if blobs:
        yield sheet.monthly("Backup", "blobs, warm", usage.stored_gb, "backup-warm-gib", node, unit="GB")
    for copy in copies:
        if blobs:
            cold = "coldStorageAfter" in (copy.get("lifecycle") or {})
            tier, name = ("cold", "backup-cold-gib") if cold else ("warm", "backup-warm-gib")
            kept = usage.stored_gb + usage.pushed_gb
            yield sheet.monthly("Backup", f"blobs in the second region, {tier}", kept, name, node, unit="GB")
            yield sheet.traffic("Backup", "blobs to the second region", usage.pushed_gb, "between-regions", node)
        else:
            gib = sum(float(_plain(one, "allocatedStorage") or 0) for one in _databases(sheet))
            yield sheet.monthly("Backup", "database in the second region", gib, "database-copy-gib", node, unit="GiB")


def _restore_test(node: Node, sheet: Sheet) -> Iterator[Line]:
    plans = [one for one in sheet.graph if one.urn in node.depends_on and one.type.endswith(":RestoreTestingPlan")]
    schedule = " ".join(str(_plain(plan, "scheduleExpression")) for plan in plans)
    runs = _QUARTERLY if "1/3" in schedule else _WEEKLY
    # A restored database lives for an hour or two, which is less than a dollar a run.
    if _plain(node, "protectedResourceType") != "RDS":
        yield sheet.traffic("Backup", "test restores of the blobs", runs * sheet.usage.stored_gb, "restore", node)


def _nat(node: Node, sheet: Sheet) -> Iterator[Line]:
    # A regional gateway is billed in each zone that it serves, and takes an address there by itself.
    regional = _plain(node, "availabilityMode") == "regional"
    zones = len(_zones(sheet)) if regional else 1
    yield sheet.hourly("NAT", "gateways", zones, "nat-gateway", node)
    yield sheet.hourly("NAT", "public IPv4 addresses", zones if regional else 0, "public-address", node)


def _address(node: Node, sheet: Sheet) -> Iterator[Line]:
    yield sheet.hourly("NAT", "public IPv4 addresses", 1, "public-address", node)


def _endpoint(node: Node, sheet: Sheet) -> Iterator[Line]:
    if _plain(node, "vpcEndpointType") == "Interface":
        subnets = len(_plain(node, "subnetIds") or [])
        yield sheet.hourly("VPC", "interface endpoints, by zone", subnets, "interface-endpoint", node)


def _secret(node: Node, sheet: Sheet) -> Iterator[Line]:
    count = 1 + len(_plain(node, "replicas") or [])
    yield sheet.monthly("Secrets Manager", "secrets and replicas", count, "secret", node)


def _health_check(node: Node, sheet: Sheet) -> Iterator[Line]:
    features = sum([_plain(node, "type") == "HTTPS", _plain(node, "measureLatency") is True])
    yield sheet.monthly("Route53", "health checks", 1, "health-check", node)
    yield sheet.monthly("Route53", "health checks: HTTPS, latency", features, "health-check-feature", node)


def _from_usage(sheet: Sheet) -> Iterator[Line]:
    """Price what no resource of the program is: the load balancer of the controller in the cluster, and traffic."""
    usage, graph = sheet.usage, sheet.graph
    if gateways := graph.of_type("aws:ec2/natGateway:NatGateway"):
        yield sheet.traffic("NAT", "data", usage.nat_gb, "nat", *gateways)
    logs = graph.of_type("aws:cloudwatch/logGroup:LogGroup")
    yield sheet.traffic("CloudWatch", "logs taken in", usage.logs_gb if logs else 0, "logs", *logs)
    if graph.of_type("aws:eks/cluster:Cluster"):
        hours, of = sheet.prices.hours, sheet.prices.of
        units, zones = usage.capacity_units, len(_zones(sheet))
        yield sheet.line("Load balancer", "of the Ingress", 1, "each", of("hour", "load-balancer"), hours=hours)
        price = of("hour", "load-balancer-capacity-unit")
        yield sheet.line("Load balancer", "capacity units", units, "each", price, hours=hours)
        price = of("hour", "public-address")
        yield sheet.line("Load balancer", "public IPv4 addresses", zones, "each", price, hours=hours)
        yield sheet.traffic("Traffic", "out of AWS", usage.pulled_gb * usage.egress_share, "egress")
        yield sheet.traffic("Traffic", "between zones", usage.pulled_gb * usage.zone_crossings, "between-zones")


def _databases(sheet: Sheet) -> list[Node]:
    return sheet.graph.of_type("aws:rds/instance:Instance")


def _zones(sheet: Sheet) -> set[str]:
    """Give the zones that nodes are in: each node group has one, and its name ends with it."""
    return {node.name.removeprefix("nodes-") for node in sheet.graph.of_type("aws:eks/nodeGroup:NodeGroup")}


def _each(service: str, what: str, name: str) -> Callable[[Node, Sheet], Iterator[Line]]:
    """Price each resource of a type at one price a month."""

    def rule(node: Node, sheet: Sheet) -> Iterator[Line]:
        yield sheet.monthly(service, what, 1, name, node)

    return rule


def _nothing(_node: Node, _sheet: Sheet) -> Iterator[Line]:
    """Price nothing here: its line comes from the usage."""
    return iter(())


def _plain(node: Node, key: str) -> Any:  # noqa: ANN401  # any input
    found = node.inputs.get(key)
    return found.value if isinstance(found, Secret) else found


#: Type token → what it costs.
RULES: Mapping[str, Callable[[Node, Sheet], Iterable[Line]]] = {
    "aws:eks/cluster:Cluster": _cluster,
    "aws:eks/nodeGroup:NodeGroup": _node_group,
    "aws:rds/instance:Instance": _database,
    "aws:elasticache/replicationGroup:ReplicationGroup": _cache,
    "aws:efs/fileSystem:FileSystem": _file_system,
    "aws:efs/backupPolicy:BackupPolicy": _efs_backup,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:backup/plan:Plan": _backup_plan,
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": _restore_test,
    "aws:ec2/natGateway:NatGateway": _nat,
    "aws:ec2/eip:Eip": _address,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:kms/key:Key": _each("KMS", "keys", "key"),
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:route53/zone:Zone": _each("Route53", "hosted zones", "zone"),
    "aws:route53/healthCheck:HealthCheck": _health_check,
    "aws:cloudwatch/logGroup:LogGroup": _nothing,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _each("CloudWatch", "alarms", "alarm"),
}
