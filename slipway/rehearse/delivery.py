"""Flux's half of a rehearsal: the cluster, the commit on its way through it, and what there is to tell afterwards."""

import contextlib
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from infra.assemble import example
from infra.delivery.status.chain import Chain, changed_links, judge
from infra.delivery.status.follow import follow, refuse_undelivered
from infra.delivery.status.observe import observe, release_of, request_reconciliation
from infra.settings import Settings
from slipway.rehearse.cluster.cluster import Cluster, start, stopped_at_the_end
from slipway.rehearse.cluster.watch import Watch
from slipway.rehearse.folders import BRANCH
from slipway.rehearse.report import DeliveryReport
from slipway.rehearse.workspace import Workspace
from slipway.steps import Watcher
from slipway.teardown.withdraw import withdraw
from slipway.tools.find import Found

#: Nothing is pulled or started here: what takes longer will not come.
DELIVERY_SECONDS = 180
_PAUSE_SECONDS = 0.2


@dataclass
class Delivery:
    """A commit's way through one rehearsed cluster.

    Attributes:
        workspace: whose repository Flux follows.
        cluster: that runs.
        watcher: told how far it is.
        releases_before: versions of Harbor's release when the rehearsal began.
        releases_after: when the commit was delivered.
    """

    workspace: Workspace
    cluster: Cluster
    watcher: Watcher
    releases_before: Sequence[int] = ()
    releases_after: Sequence[int] = ()

    @cached_property
    def watch(self) -> Watch:
        """Looks on while the engine still works."""
        return Watch(self.look)

    @property
    def is_new(self) -> bool:
        """Nothing was ever delivered to this cluster."""
        return not self.releases_before

    def look(self) -> Chain:
        """Look once.

        Raises:
            RehearsalError: a process of the cluster has ended.
            ClusterError: see `observe`.
        """
        self.cluster.processes.refuse_dead()
        return judge(observe(self.cluster.client, lambda: (self.workspace.head(), ""), BRANCH))

    def follow(self) -> None:
        """Wait until Flux has delivered the commit.

        Raises:
            NotDelivered: it failed, or took too long.
        """
        before: Chain | None = None

        def tell(chain: Chain) -> None:
            nonlocal before
            self.watch.take_in(chain)
            for link in changed_links(before, chain):
                self.watcher.tell(f"{link.name}: {link.says}")
            before = chain

        chain = follow(
            self.look,
            timeout=DELIVERY_SECONDS,
            tell=tell,
            reconcile=lambda now: request_reconciliation(self.cluster.client, now),
            pause=_PAUSE_SECONDS,
        )
        refuse_undelivered(self.workspace.environment, chain)
        self.releases_after = releases(self.cluster)

    def withdraw(self, tell: Callable[[str], None]) -> None:
        """Take Harbor out of the cluster, as a teardown does.

        Raises:
            TeardownError: it does not go.
        """
        self.watch.stop()  # the delivery is over; what follows is its end
        withdraw(self.cluster.client, tell=tell, patience_seconds=DELIVERY_SECONDS)

    def report(self, *, kept: bool) -> DeliveryReport | None:
        """Give what there is to tell; nothing before the first look."""
        chain = self.watch.last
        if chain is None:
            return None
        return DeliveryReport(
            verdict=chain.verdict,
            url=chain.url,
            chart=str(self.cluster.chart),
            official_chart=self.cluster.chart.official,
            new=self.releases_after != self.releases_before,
            links=[vars(link) for link in chain.links],
            cluster_seconds=round(self.cluster.seconds, 1),
            cluster_mebibytes=self.cluster.processes.resident_bytes() // 2**20,
            kubeconfig=str(self.cluster.kubeconfig) if kept else "",
        )


def releases(cluster: Cluster) -> Sequence[int]:
    """Give the versions of Harbor's release: none before the first delivery, another after each change."""
    release = release_of(cluster.client) or {}
    return [one["version"] for one in release.get("status", {}).get("history", [])]


@contextlib.contextmanager
def delivering(
    settings: Settings, workspace: Workspace, programs: Mapping[str, Found], watcher: Watcher, *, keep: bool
) -> Generator[Delivery]:
    """Start the cluster, or take over the one that was kept, and watch it until the block ends.

    Raises:
        RehearsalError: see `slipway.rehearse.cluster.cluster.start`.
    """
    started = time.monotonic()
    watcher.begin("cluster")
    cluster = start(
        workspace.cluster,
        zones=settings.zone_names,
        repository=workspace.repository,
        identities=workspace.identities,
        secrets_manager=workspace.secrets_manager.path,
        facts=example(settings),
        programs=programs,
        tell=watcher.tell,
    )
    with stopped_at_the_end(cluster, keep=keep):
        watcher.end("cluster" if cluster.seconds else "cluster, kept from before", time.monotonic() - started)
        delivery = Delivery(workspace, cluster, watcher, releases(cluster))
        with delivery.watch:
            yield delivery
