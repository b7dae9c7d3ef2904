"""The recorded graph → the picture.

    picture = picture_of(record_environment(root, "ha").graph)

What the graph does not hold is not in the picture, but for the load balancer: a controller makes it, with rights that
the graph gives, and the box says so.
"""

from infra.errors import GraphError, Problem
from slipway.diagram import types
from slipway.diagram.flows import flows_of
from slipway.diagram.picture import Picture, Tier
from slipway.diagram.rows import ROWS
from slipway.diagram.services import outside, services
from slipway.graph.record import Graph
from values.facts import AwsFacts, Facts

#: tier → title of its subnets, from the internet inwards
TIERS = {
    "public": "Public subnet",
    "private": "Private subnet",
    "control-plane": "EKS subnet",
    "data": "Isolated subnet",
}


def picture_of(graph: Graph) -> Picture:
    """Give the picture of one environment.

    Args:
        graph: recorded with made-up answers of AWS, as `record_environment` does.

    Raises:
        GraphError: it is no environment on AWS.
    """
    facts = Facts.from_json(graph.exports["facts"])
    aws = facts.aws
    if aws is None:
        raise GraphError(Problem(what=f"{facts.environment} has no AWS in its facts, so there is no network to draw"))
    picture = Picture(
        environment=facts.environment,
        profile=facts.profile,
        region=aws.region,
        host=facts.host,
        vpc=f"{'VPC' if graph.of_type(types.VPC) else 'Existing VPC'} {aws.vpc_cidr}",
        gateway=bool(graph.of_type(types.INTERNET_GATEWAY)),
        zones=aws.zones,
        outside=outside(graph),
        tiers=_tiers(graph, aws.zones),
        services=services(graph, facts),
        notes=_notes(graph, aws),
    )
    return flows_of(graph, picture)


def _tiers(graph: Graph, zones: tuple[str, ...]) -> tuple[Tier, ...]:
    return tuple(
        Tier(id=tier, title=title, subnets=_subnets(graph, tier, zones), rows=rows)
        for tier, title in TIERS.items()
        if (rows := tuple(row for read in ROWS[tier] for row in read(graph, zones)))
    )


def _subnets(graph: Graph, tier: str, zones: tuple[str, ...]) -> dict[str, str]:
    """Give zone → CIDR; the subnets of an existing VPC are not in the graph, so nothing is said of them."""
    networks = {node.name: str(node.inputs["cidrBlock"]) for node in graph.of_type(types.SUBNET)}
    return {zone: networks.get(f"{tier}-{zone}", "") for zone in zones}


def _notes(graph: Graph, aws: AwsFacts) -> tuple[str, ...]:
    notes = []
    if graph.of_type(types.DATABASE) or graph.of_type(types.CACHE):
        notes.append("AWS chooses the zones of database and cache; they are drawn in the order of the zones.")
    if not graph.of_type(types.VPC):
        notes.append(f"{aws.vpc_id} is somebody else's: its addresses, routes and gateways are not in the picture.")
    return tuple(notes)
