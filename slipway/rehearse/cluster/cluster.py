"""The rehearsed cluster as a whole: control plane, Flux, and the process that plays what is not here.

    with running(folder, settings, watcher) as cluster: …

Its data stays in the folder, so the next start finds what the last one delivered.
"""

import contextlib
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from lightkube import Client

from infra.delivery.status.observe import release_of
from infra.errors import ClusterAway, Problem, RehearsalError
from slipway.rehearse.cluster import control_plane, flux
from slipway.rehearse.cluster.api import apply_definition, connect
from slipway.rehearse.cluster.brought import Brought
from slipway.rehearse.cluster.charts import Chart, write_repository
from slipway.rehearse.cluster.control_plane import ControlPlane
from slipway.rehearse.cluster.flux import Flux
from slipway.rehearse.cluster.played.git_server import Identities
from slipway.rehearse.cluster.played.plan import Plan
from slipway.rehearse.cluster.played.third_parties import definitions
from slipway.rehearse.cluster.ports import free_ports
from slipway.rehearse.cluster.processes import Processes, python
from slipway.rehearse.folders import kubeconfig_of
from slipway.tools.find import Found
from values.facts import Facts

PROGRAMS = (*control_plane.PROGRAMS, *flux.PROGRAMS)
PLAYED = "played"
#: What all processes need together, with room; less, and the machine swaps or kills.
NEEDED_BYTES = 3 * 2**30
_STORAGE_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A rehearsed cluster that runs.

    Attributes:
        folder: everything of it.
        client: of its administrator.
        chart: what its Helm repository serves.
        internet: port of the proxy to the Git host and the Helm repository.
        processes: what runs.
        seconds: how long it took to start; 0 for one that was kept.
    """

    folder: Path
    client: Client
    chart: Chart
    internet: int
    processes: Processes
    seconds: float

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return kubeconfig_of(self.folder)


def start(
    folder: Path,
    *,
    zones: Sequence[str],
    repository: Path,
    identities: Identities,
    secrets_manager: Path,
    facts: Facts,
    programs: Mapping[str, Found],
    tell: Callable[[str], None],
) -> Cluster:
    """Start a cluster where its last run left it, or take over one that was kept.

    Args:
        folder: its own.
        zones: of its nodes.
        repository: the bare repository that the Git host serves.
        identities: who may write to it, and who only reads.
        secrets_manager: the file of the simulated Secrets Manager.
        facts: of the environment: the chart that it wants, and what it expects from others.
        programs: each of `PROGRAMS`.
        tell: told what is waited for.

    Raises:
        RehearsalError: too little memory, or a process ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    processes, started = Processes(folder), time.monotonic()
    chart, brought = write_repository(folder / "charts", facts.chart_version), Brought.of(facts)
    kept = processes.names() == {*PROGRAMS, PLAYED}
    if kept:
        client, internet = connect(kubeconfig_of(folder)), Plan.read(folder).port
    else:
        processes.stop()  # what a killed run left
        refuse_little_memory()
        ports = free_ports((*control_plane.PORTS, *flux.PORTS, "internet"), folder / "ports.json")
        plan = Plan(
            kubeconfig=str(kubeconfig_of(folder)),
            repository=str(repository),
            charts=str(folder / "charts"),
            secrets_manager=str(secrets_manager),
            port=ports["internet"],
            writer=identities.writer,
            reader=identities.reader,
            theirs=brought.controllers,
        )
        plan.write(folder)
        paths = {name: found.path for name, found in programs.items()}
        plane = ControlPlane(folder=folder, programs=paths, ports=ports, processes=processes)
        controllers = Flux(folder=folder, programs=paths, ports=ports, internet=plan.port, processes=processes)
        client, internet = _started(plane, controllers, zones, brought, tell), plan.port
    return Cluster(
        folder=folder, client=client, chart=chart, internet=internet, processes=processes,
        seconds=0 if kept else time.monotonic() - started,
    )  # fmt: skip


def _started(
    plane: ControlPlane, controllers: Flux, zones: Sequence[str], brought: Brought, tell: Callable[[str], None]
) -> Client:
    """Start everything, or end what was started."""
    try:
        client = plane.start(zones, tell)
        played = python("slipway.rehearse.cluster.played", str(plane.folder))
        plane.processes.start(PLAYED, played, {"PYTHONPATH": _root()})
        controllers.start(client, plane.kubeconfig)
        for definition in definitions(*brought.groups):
            apply_definition(client, definition)
        _wait_for_storage(client)
    except BaseException:
        plane.processes.stop()
        raise
    return client


def _wait_for_storage(client: Client) -> None:
    """Wait until kinds that the API server knows from its last run are served: for a second they are not."""
    deadline = time.monotonic() + _STORAGE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(ClusterAway):
            release_of(client)
            return
        time.sleep(0.05)


@contextlib.contextmanager
def stopped_at_the_end(cluster: Cluster, *, keep: bool) -> Generator[Cluster]:
    """Stop the cluster when the block ends, however it ends, unless it is to be kept."""
    try:
        yield cluster
    finally:
        cluster.client.close()
        if not keep:
            cluster.processes.stop()


def refuse_little_memory() -> None:
    """Refuse to start on a machine that could not hold it.

    Raises:
        RehearsalError: less than 3 GiB are available.
    """
    available = psutil.virtual_memory().available
    if available < NEEDED_BYTES:
        raise RehearsalError(
            Problem(
                where="this machine",
                what=f"has {available / 2**30:.1f} GiB of memory free, a rehearsed cluster needs "
                f"{NEEDED_BYTES / 2**30:.0f}",
                fix="close something, or stop at the commit: slipway rehearse ENV --to commit",
            )
        )


def _root() -> str:
    return str(Path(__file__).parents[3])
