"""How long the real thing would take: the engine's own schedule, replayed with real creation times.

The plugins wait at a fraction of the real time, so the clock of a rehearsal cannot be multiplied up: the engine's own
milliseconds would be multiplied with it. Instead the schedule is replayed: a resource starts when the last of those it
depends on is there and a slot is free, as Pulumi's step executor does (one step for each slot of --parallel), and takes
the time of tables/creation-times.yaml. That is neither a sum nor a guess; it is right as far as the table is.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra import tables

#: Steps that the engine does at once here. Beyond the width of the graph: fewer make creation wait for slots.
PARALLEL = 32


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation of the replay; times in real-world seconds from the beginning."""

    urn: str
    started: float
    finished: float
    waited_for: str


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """A replayed run.

    Attributes:
        seconds: from the first start to the last end.
        one_by_one: what it would take without parallelism.
        critical_path: the steps that decide `seconds`, in order.
    """

    seconds: float
    one_by_one: float
    critical_path: tuple[Step, ...]


def seconds(token: str, operation: str, inputs: Mapping[str, Any]) -> float:
    """Give how long AWS takes to ``create``, ``update`` or ``delete`` a resource with these inputs (tables/)."""
    table = tables.read("creation-times")
    row = table["types"].get(token, table["default"])
    fitting = (
        one for one in row.get("variants", ()) if all(inputs.get(key) == value for key, value in one["with"].items())
    )
    row = next(fitting, row)
    return row["create"] if operation == "create" else row.get(operation, row["create"] / 2)


def dependencies(deployment: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Give URN → URNs that must exist before, from an exported deployment (`pulumi stack export`)."""
    resources = deployment.get("resources") or []
    edges = {}
    for resource in resources:
        before = {
            *resource.get("dependencies", ()),
            resource.get("parent"),
            resource.get("provider", "").rpartition("::")[0],
        }
        for sources in (resource.get("propertyDependencies") or {}).values():
            before.update(sources or ())
        edges[resource["urn"]] = frozenset(before - {None, "", resource["urn"]})
    return edges


def replay(edges: Mapping[str, frozenset[str]], seconds: Mapping[str, float], *, slots: int) -> Timeline:
    """Replay the schedule.

    Args:
        edges: URN → what it waits for, in registration order; components and providers take no time.
        seconds: URN → real-world seconds; absent for none.
        slots: steps that run at once.
    """
    order = {urn: position for position, urn in enumerate(edges)}
    waiting = {urn: {other for other in before if other in edges} for urn, before in edges.items()}
    dependants: dict[str, list[str]] = {urn: [] for urn in edges}
    for urn, before in waiting.items():
        for other in before:
            dependants[other].append(urn)
    ready = [(order[urn], urn, "") for urn, before in waiting.items() if not before]
    heapq.heapify(ready)
    running: list[tuple[float, int, str]] = []
    done: dict[str, Step] = {}
    clock = 0.0
    while ready or running:
        while ready and len(running) < slots:
            position, urn, waited_for = heapq.heappop(ready)
            done[urn] = Step(urn=urn, started=clock, finished=clock + seconds.get(urn, 0.0), waited_for=waited_for)
            heapq.heappush(running, (done[urn].finished, position, urn))
        clock, _, urn = heapq.heappop(running)
        for dependant in dependants[urn]:
            waiting[dependant].discard(urn)
            if not waiting[dependant]:
                heapq.heappush(ready, (order[dependant], dependant, urn))
    return Timeline(
        seconds=max((step.finished for step in done.values()), default=0.0),
        one_by_one=sum(step.finished - step.started for step in done.values()),
        critical_path=tuple(_back_from_the_end(done)),
    )


def _back_from_the_end(done: Mapping[str, Step]) -> Iterable[Step]:
    last = max(done.values(), key=lambda step: step.finished, default=None)
    path = []
    while last is not None:
        if last.finished > last.started:
            path.append(last)
        last = done.get(last.waited_for)
    return reversed(path)
