"""What the cluster says of Harbor: pure judgements of one look (cluster.py), a check each.

evidence = spread(snapshot)      # or Failed
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from infra.delivery.status.chain import Observed
from infra.delivery.status.workloads import address, judge_workloads
from infra.errors import ClusterError
from slipway.verify.check import Check, Failed, Skipped, Undecided
from slipway.verify.scene import Expected, Scene
from slipway.verify.snapshot import Document, Snapshot, named

#: A URL whose user or password is empty: the Secret was not there when the chart read it.
_EMPTY_CREDENTIAL = re.compile(r"://[^/@\s\"']*:@")
_REGISTRY_CLAIM = re.compile(r"harbor-registry|registry")


async def reach(scene: Scene) -> str:
    target = scene.target
    if target.cluster is None:
        raise Skipped(target.no_cluster)
    from slipway.verify.cluster import look  # noqa: PLC0415  # lightkube: 100 ms that an address needs not

    try:
        scene.cluster = await asyncio.to_thread(look, target.cluster.kubeconfig, target.cluster.context)
    except ClusterError as error:
        if target.cluster.sure:
            raise
        raise Skipped(f"no access to the cluster: {'; '.join(problem.what for problem in error.problems)}") from error
    return _is_the_one(scene.cluster, target.url, sure=target.cluster.sure)


def _is_the_one(snapshot: Snapshot, url: str, *, sure: bool) -> str:
    """Tell whether the cluster serves that very registry: a kubeconfig easily points to another."""
    served = urlsplit(address(snapshot.entries)[0]).hostname
    host = urlsplit(url).hostname
    if not snapshot.has_harbor or (served and served != host):
        other = f"serves {served}" if snapshot.has_harbor else "has no Harbor in the namespace harbor"
        says = f"the cluster {snapshot.server} {other}, not {host}"
        if sure:
            raise Failed(says)
        raise Skipped(f"{says}; give --kubeconfig or --context")
    return f"{snapshot.server} has it, in the namespace harbor"


def releases(snapshot: Snapshot, expected: Expected | None) -> str:
    late = []
    for release in sorted(snapshot.releases, key=named):
        ready = next((one for one in release.get("status", {}).get("conditions", []) if one["type"] == "Ready"), {})
        seen = release.get("status", {}).get("observedGeneration") == release["metadata"].get("generation")
        if ready.get("status") != "True" or not seen:
            late.append(f"{named(release)}: {ready.get('message') or 'not looked at yet'}")
    if late:
        raise Failed("; ".join(late))
    if snapshot.harbor is None:  # gitops.content is manifests
        return f"{len(snapshot.releases)} ready; Harbor's own objects stand in Git, without a release"
    history = (snapshot.harbor.get("status", {}).get("history") or [{}])[0]
    version = history.get("chartVersion", "")
    if expected and version != expected.chart_version:
        raise Failed(f"Harbor's chart is {version or 'not told'}, the settings have {expected.chart_version}")
    return f"{len(snapshot.releases)} ready; Harbor's chart is {version}"


def workloads(snapshot: Snapshot, _: Expected | None) -> str:
    observed = Observed(
        commit="",
        branch="",
        kustomizations={},
        releases={"harbor/harbor": snapshot.harbor},
        workloads=snapshot.workloads,
        pods=snapshot.pods,
        events=snapshot.events,
    )
    state, says, _since, advice = judge_workloads(observed)
    if state != "done":
        raise Failed(says or "there are no workloads", advice)
    return says


def spread(snapshot: Snapshot, _: Expected | None) -> str:
    zones = {zone for zone in snapshot.zones.values() if zone}
    if len(zones) < 2:
        raise Skipped(f"the nodes are in {len(zones) or 'no'} zone: there is nothing to spread over")
    several = [one for one in snapshot.workloads if one["spec"].get("replicas", 1) > 1]
    if not several:
        raise Skipped("no workload has more than one replica")
    together = []
    for workload in several:
        found = {snapshot.zones.get(pod["spec"].get("nodeName", ""), "") for pod in _pods(snapshot, workload)} - {""}
        if len(found) < 2:
            together.append(f"{workload['metadata']['name']} in {', '.join(sorted(found)) or 'no zone'} alone")
    if together:
        raise Failed("; ".join(together))
    return f"{len(several)} workloads with several replicas, each in two zones or more"


def _pods(snapshot: Snapshot, workload: Document) -> Sequence[Document]:
    wanted = workload["spec"]["selector"]["matchLabels"]
    return [pod for pod in snapshot.pods if wanted.items() <= pod["metadata"].get("labels", {}).items()]


def budgets(snapshot: Snapshot, _: Expected | None) -> str:
    if not snapshot.budgets:
        raise Skipped("there are no budgets: with one replica each they would only block nodes")
    stuck = [
        f"{one['metadata']['name']} ({one.get('status', {}).get('currentHealthy', 0)} healthy)"
        for one in snapshot.budgets
        if one.get("status", {}).get("disruptionsAllowed", 0) < 1
    ]
    if stuck:
        raise Failed(f"no pod may go: {', '.join(stuck)}")
    return f"{len(snapshot.budgets)} budgets, each lets one pod go"


def claims(snapshot: Snapshot, expected: Expected | None) -> str:
    if not snapshot.claims:
        raise Skipped("there are no claims: blobs are in a bucket")
    wrong = []
    for claim in snapshot.claims:
        name, status = claim["metadata"]["name"], claim.get("status", {})
        wanted = set(claim["spec"].get("accessModes", []))
        if status.get("phase") != "Bound":
            wrong.append(f"{name} is {status.get('phase', 'Pending')}")
        elif not wanted <= set(status.get("accessModes", [])):
            wrong.append(f"{name} has {', '.join(status.get('accessModes', []))}, not {', '.join(sorted(wanted))}")
        elif expected and _REGISTRY_CLAIM.fullmatch(name) and not {expected.registry_access} - {""} <= wanted:
            wrong.append(f"{name} asks for {', '.join(sorted(wanted))}, not {expected.registry_access}")
    if wrong:
        raise Failed("; ".join(wrong))
    return f"{len(snapshot.claims)} claims are bound as they ask"


def credentials(snapshot: Snapshot, _: Expected | None) -> str:
    empty = [
        f"{one['metadata']['name']} {key}"
        for one in snapshot.config_maps
        for key, value in (one.get("data") or {}).items()
        if _EMPTY_CREDENTIAL.search(value)
    ]
    if empty:
        raise Failed(f"an address with an empty password in {', '.join(empty)}")
    return f"{len(snapshot.config_maps)} ConfigMaps, none with an empty password"


def _of(judge: Callable[[Snapshot, Expected | None], str]) -> Callable[[Scene], Awaitable[str]]:
    """Give a judgement as a check takes it."""

    async def do(scene: Scene) -> str:
        if scene.cluster is None:
            raise Undecided("there was no look into the cluster")
        return judge(scene.cluster, scene.target.expected)

    return do


CHECKS = (
    Check(
        id="cluster.reach",
        proves="the cluster lets us read, and serves this registry",
        reading="no kubeconfig, no rights, or another environment's cluster",
        fix="aws eks update-kubeconfig --name NAME, or give --kubeconfig and --context",
        do=reach,
    ),
    Check(
        id="cluster.releases",
        proves="every HelmRelease is ready, Harbor's at the chart version of the settings",
        reading="a release failed or waits, or the settings are not published yet",
        fix="slipway status ENV names the link and the controller's words; slipway diff ENV what is not published",
        do=_of(releases),
        needs=("cluster.reach",),
    ),
    Check(
        id="cluster.workloads",
        proves="every Deployment and StatefulSet of the release is rolled out and ready",
        reading="the named pod does not start, or a rollout is on its way",
        fix="kubectl -n harbor get pods; slipway status ENV",
        do=_of(workloads),
        needs=("cluster.reach",),
    ),
    Check(
        id="cluster.spread",
        proves="replicas are in two zones or more: the loss of one leaves a registry",
        reading="all pods of the named workload are in one zone",
        fix="see that each zone has nodes with room, then kubectl -n harbor rollout restart the workload",
        do=_of(spread),
        needs=("cluster.reach",),
    ),
    Check(
        id="cluster.budgets",
        proves="each budget lets a pod go: nodes can be drained",
        reading="a replica is missing, so that a drain or an upgrade of nodes would wait for ever",
        fix="bring the missing replica back: cluster.workloads names it",
        do=_of(budgets),
        needs=("cluster.reach",),
    ),
    Check(
        id="cluster.claims",
        proves="each volume claim is bound, with the access mode that it asks for",
        reading="no volume, or one that only one node may mount where several must",
        fix="kubectl -n harbor describe pvc NAME; the EFS access point and its driver, or the storage class",
        do=_of(claims),
        needs=("cluster.reach",),
    ),
    Check(
        id="cluster.credentials",
        proves="no rendered address has an empty password",
        reading="the chart was rendered before the Secret was there",
        fix="see that harbor-redis exists, then flux reconcile helmrelease harbor -n harbor --force",
        do=_of(credentials),
        needs=("cluster.reach",),
    ),
)
