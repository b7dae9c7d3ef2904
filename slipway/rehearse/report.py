"""What a rehearsal found, as plain data: the contract of `slipway rehearse --output json`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic.alias_generators import to_camel

from slipway.rehearse.events import COMMIT, Operated, Outcome
from slipway.rehearse.timeline import PARALLEL, Timeline, dependencies, replay, seconds


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """One step.

    Attributes:
        name: what it did.
        seconds: wall clock.
        changes: resources by what was done to them; empty for no change.
        files: paths that the commit will write or wrote in this step.
        operated: each operation with its time.
    """

    name: str
    seconds: float
    changes: Mapping[str, int]
    files: Sequence[str]
    operated: Sequence[Operated]


@dataclass(frozen=True, kw_only=True)
class CriticalStep:
    """A resource on the critical path; minutes and seconds of the real thing."""

    type: str
    name: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class RealTime:
    """How long AWS would take on this graph, in seconds; `one_by_one` without parallelism."""

    seconds: float
    one_by_one: float
    critical_path: Sequence[CriticalStep]


@dataclass(frozen=True, kw_only=True)
class CommitReport:
    """The commit in the scratch repository.

    Attributes:
        id: the branch's last commit.
        created: how many commits this rehearsal made.
        files: everything of this environment that is there.
        repository: path of the bare repository.
    """

    id: str
    created: int
    files: Sequence[str]
    repository: str


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """What Flux made of the commit.

    Attributes:
        verdict: of the chain.
        url: that Harbor would have.
        chart: by its name; `official_chart` tells whether it is Harbor's own or our stand-in.
        new: this rehearsal changed the release.
        links: the chain.
        cluster_seconds: from nothing to a control plane with Flux; 0 when it ran already.
        cluster_mebibytes: resident memory of all its processes.
        kubeconfig: of a cluster that was kept.
    """

    verdict: str
    url: str
    chart: str
    official_chart: bool
    new: bool
    links: Sequence[Mapping[str, str]]
    cluster_seconds: float
    cluster_mebibytes: int
    kubeconfig: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """The whole rehearsal: the engine, Git, the program, the control plane and Flux are real; AWS is played."""

    environment: str
    pulumi: str
    seconds: float
    steps: Sequence[StepReport]
    resources: Mapping[str, int]
    real_time: RealTime
    commit: CommitReport
    kept: Sequence[str]
    delivery: DeliveryReport | None
    page: str

    def to_json_value(self) -> dict[str, Any]:
        """Give plain data with camelCase names."""
        value = asdict(self)
        for step in value["steps"]:
            del step["operated"]  # for the page
        return _camel(value)


def step_report(name: str, outcome: Outcome) -> StepReport:
    """Report one engine operation."""
    return StepReport(
        name=name,
        seconds=round(outcome.seconds, 1),
        changes=dict(outcome.changes),
        files=list(outcome.files),
        operated=outcome.operated,
    )


def resources_by_service(deployment: Mapping[str, Any]) -> dict[str, int]:
    """Count the state's resources by service (``aws:ec2``), the largest first; no components, no providers."""
    count: Counter[str] = Counter()
    for resource in deployment.get("resources") or []:
        package, location, _ = resource["type"].split(":", 2)
        if resource.get("custom") and package != "pulumi":
            service = location.partition("/")[0]
            count[package if service == "index" or "-" in package else f"{package}:{service}"] += 1
    return dict(sorted(count.items(), key=lambda item: (-item[1], item[0])))


def real_time(deployment: Mapping[str, Any]) -> RealTime:
    """Replay the creation of everything in the state with real creation times."""
    timed = {
        resource["urn"]: seconds(resource["type"], "create", resource.get("inputs") or {})
        for resource in deployment.get("resources") or []
        if resource.get("custom") and not resource["type"].startswith("pulumi:")
    }
    replayed: Timeline = replay(dependencies(deployment), timed, slots=PARALLEL)
    path = [
        CriticalStep(
            type=step.urn.split("::")[2].rpartition("$")[2],
            name=step.urn.split("::", 3)[3],
            seconds=step.finished - step.started,
        )
        for step in replayed.critical_path
    ]
    return RealTime(seconds=replayed.seconds, one_by_one=replayed.one_by_one, critical_path=path)


def delivered_files(deployment: Mapping[str, Any]) -> list[str]:
    """Give the paths that the commit resource holds."""
    for resource in deployment.get("resources") or []:
        if resource["type"] == COMMIT:
            return sorted(resource["outputs"].get("files") or ())
    return []


def _camel(value: Any) -> Any:  # noqa: ANN401  # JSON-like
    if isinstance(value, dict):
        # Keys of counts are data (aws:ec2), not names.
        return {to_camel(key) if key.isidentifier() else key: _camel(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_camel(item) for item in value]
    return value
