"""Minutes to a serving registry: the engine's schedule over the recorded graph, and then what runs in the cluster."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra import tables
from slipway.graph.record import Graph, Node, Secret
from slipway.rehearse.timeline import PARALLEL, replay, seconds


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """One part of the critical path.

    Attributes:
        what: type and logical name, or what runs in the cluster.
        minutes: it takes.
    """

    what: str
    minutes: float


@dataclass(frozen=True, kw_only=True)
class Duration:
    """How long a first `pulumi up` takes.

    Attributes:
        infrastructure: minutes until `pulumi up` ends.
        serving: minutes until the registry answers.
        one_by_one: minutes that creation would take without parallelism.
        path: what decides it, in order.
    """

    infrastructure: float
    serving: float
    one_by_one: float
    path: Sequence[Stretch]


def duration(graph: Graph) -> Duration:
    """Replay the creation of a recorded graph with the creation times of tables/."""
    by_urn = {node.urn: node for node in graph}
    replayed = replay(_edges(graph), _timed(graph, "create"), slots=PARALLEL)
    path = [
        Stretch(
            what=f"{by_urn[step.urn].type.rpartition(':')[2]} {by_urn[step.urn].name}",
            minutes=(step.finished - step.started) / 60,
        )
        for step in replayed.critical_path
    ]
    after = [Stretch(what=row["what"], minutes=row["minutes"]) for row in tables.read("after-infrastructure")["steps"]]
    infrastructure = replayed.seconds / 60
    return Duration(
        infrastructure=infrastructure,
        serving=infrastructure + sum(stretch.minutes for stretch in after),
        one_by_one=replayed.one_by_one / 60,
        path=[*path, *after],
    )


def removal_minutes(graph: Graph) -> float:
    """Give how long a `pulumi destroy` of the whole graph takes: what needs something goes before it."""
    before: dict[str, set[str]] = {urn: set() for urn in _edges(graph)}
    for urn, needed in _edges(graph).items():
        for other in needed:
            before[other].add(urn)
    edges = {urn: frozenset(others) for urn, others in before.items()}
    return replay(edges, _timed(graph, "delete"), slots=PARALLEL).seconds / 60


def _edges(graph: Graph) -> dict[str, frozenset[str]]:
    known = {node.urn for node in graph}
    # The program registers as things become ready; sorted, the same settings give the same path.
    return {
        node.urn: frozenset({*node.depends_on, node.parent, node.provider} & known)
        for node in sorted(graph, key=lambda node: node.urn)
    }


def _timed(graph: Graph, operation: str) -> dict[str, float]:
    return {
        node.urn: seconds(node.type, operation, _plain_inputs(node))
        for node in graph
        if node.custom and not node.type.startswith("pulumi:")
    }


def _plain_inputs(node: Node) -> dict[str, object]:
    return {key: value.value if isinstance(value, Secret) else value for key, value in node.inputs.items()}
