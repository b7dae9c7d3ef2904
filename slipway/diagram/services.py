"""The boxes outside the zones: who calls and what is called, and the services of the region."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from slipway.diagram import types
from slipway.diagram.picture import Box
from slipway.graph.record import Graph
from values.facts import Facts


def outside(graph: Graph) -> tuple[Box, ...]:
    """Give who calls and what is called beyond the region, from left to right."""
    return (
        Box(id="clients", service="clients", title="Clients", details=("docker push, docker pull", "browsers")),
        _zone(graph),
        *_internet(graph),
        *_operators(graph),
    )


def services(graph: Graph, facts: Facts) -> tuple[Box, ...]:
    """Give the services of the region, from above."""
    return (
        *_bucket(graph),
        *_cluster(graph),
        *_file_systems(graph),
        *_secrets(graph),
        *_keys(graph),
        *_watch(graph),
        *_backup(graph, facts),
    )


def _zone(graph: Graph) -> Box:
    checks = [f"health check every {int(n.inputs['requestInterval'])} s" for n in graph.of_type(types.HEALTH_CHECK)]
    zones = [str(node.inputs["name"]) for node in graph.of_type(types.ZONE)]
    return Box(
        id="dns",
        service="dns",
        title="Route 53",
        details=(*(zones or ["existing zone"]), *checks),
    )


def _internet(graph: Graph) -> Iterator[Box]:
    """Give what is called outside, where the graph has a way out."""
    if not graph.of_type(types.NAT):
        return
    urls = [urlsplit(str(node.inputs["spec"]["sync"]["url"])) for node in graph.of_type(types.FLUX)]
    yield Box(
        id="internet",
        service="internet",
        title="Internet",
        details=(*(f"Git: {url.hostname}" for url in urls if url.hostname), "images, public AWS APIs"),
    )


def _operators(graph: Graph) -> Iterator[Box]:
    access = [node.inputs["vpcConfig"] for node in graph.of_type(types.CLUSTER)]
    if cidrs := sorted({cidr for one in access for cidr in one.get("publicAccessCidrs") or ()}):
        yield Box(id="operators", service="operators", title="Operators and CI", details=("from " + ", ".join(cidrs),))


def _cluster(graph: Graph) -> Iterator[Box]:
    for node in graph.of_type(types.CLUSTER):
        access = node.inputs["vpcConfig"]
        doors = [door for door in ("private", "public") if access[f"endpoint{door.capitalize()}Access"]]
        yield Box(
            id="eks",
            service="cluster",
            title="EKS control plane",
            details=(f"Kubernetes {node.inputs['version']}", f"API {' and '.join(doors)}"),
        )


def _bucket(graph: Graph) -> Iterator[Box]:
    """Give S3, which the gateway endpoint leads to: the registry's bucket, or that of the image layers."""
    gateways = [node for node in graph.of_type(types.ENDPOINT) if node.inputs["vpcEndpointType"] == "Gateway"]
    buckets = [str(node.inputs["bucket"]) for node in graph.of_type(types.BUCKET)]
    if buckets:
        kept = {"versioned": types.BUCKET_VERSIONING, "encrypted": types.BUCKET_ENCRYPTION}
        how = ", ".join(word for word, token in kept.items() if graph.of_type(token))
        yield Box(id="s3", service="bucket", title="S3: registry blobs", details=(*buckets, how))
    elif gateways:
        yield Box(id="s3", service="bucket", title="S3", details=("image layers of ECR", "reached without NAT"))


def _file_systems(graph: Graph) -> Iterator[Box]:
    """Give each file system; during a restore there are two, told apart by their names."""
    systems = sorted(graph.of_type(types.FILE_SYSTEM), key=lambda node: node.name)
    for node in systems:
        encrypted = "encrypted" if node.inputs.get("encrypted") else "not encrypted"
        yield Box(
            id=node.name,
            service="file-system",
            title="EFS: registry blobs",
            details=(
                f"{node.inputs['throughputMode']} throughput",
                f"{encrypted}, {node.name}" if len(systems) > 1 else encrypted,
            ),
        )


def _secrets(graph: Graph) -> Iterator[Box]:
    count = len(graph.of_type(types.SECRET))
    if count:
        readers = [node.name for node in graph.of_type(types.POD_IDENTITY) if node.name == "external-secrets"]
        yield Box(
            id="secrets",
            service="secrets",
            title="Secrets Manager",
            details=(f"{count} secrets of Harbor", *("read by External Secrets" for _ in readers)),
        )


def _keys(graph: Graph) -> Iterator[Box]:
    names = sorted(node.name.removeprefix("key-") for node in graph.of_type(types.KEY))
    if names:
        half = (len(names) + 1) // 2
        yield Box(
            id="kms",
            service="keys",
            title=f"KMS: {len(names)} keys",
            details=(", ".join(names[:half]), ", ".join(names[half:])),
        )


def _watch(graph: Graph) -> Iterator[Box]:
    counts = {
        "log groups": len(graph.of_type(types.LOG_GROUP)),
        "alarms": len(graph.of_type(types.ALARM)),
        "SNS topics": len(graph.of_type(types.TOPIC)),
    }
    told = [f"{count} {what}" for what, count in counts.items() if count]
    if told:
        details = filter(None, (told[0], ", ".join(told[1:])))
        yield Box(id="cloudwatch", service="watch", title="CloudWatch", details=tuple(details))


def _backup(graph: Graph, facts: Facts) -> Iterator[Box]:
    vaults = graph.of_type(types.BACKUP_VAULT)
    if vaults and facts.aws:
        rules = [rule for plan in graph.of_type(types.BACKUP_PLAN) for rule in plan.inputs["rules"]]
        days = sorted({int(rule["lifecycle"]["deleteAfter"]) for rule in rules})
        tested = ", restores tested" if graph.of_type(types.RESTORE_TEST) else ""
        copies = sorted({str(vault.inputs["region"]) for vault in vaults} - {facts.aws.region})
        yield Box(
            id="backup",
            service="backup",
            title="AWS Backup vault",
            details=(
                f"kept {', '.join(map(str, days))} days{tested}",
                *(f"copies in {region}" for region in copies),
            ),
        )
