"""What the cluster's objects say of Harbor: each fault shows under its check (the look itself: tests/cluster)."""

import asyncio
from dataclasses import replace

import pytest

from infra.errors import ClusterAway, ClusterError, Problem
from slipway.verify import cluster, in_cluster
from slipway.verify.advice import EVERY_HARBOR
from slipway.verify.check import Failed, Skipped, Undecided
from slipway.verify.scene import Cluster, Expected
from slipway.verify.snapshot import Snapshot

AS_SET = Expected(
    components=EVERY_HARBOR, job_replicas=2, chart_version="1.19.1", registry_access="ReadWriteMany"
)  # fmt: skip
CHECKS = {check.id.partition(".")[2]: check for check in in_cluster.CHECKS}


def release(name="harbor", *, ready="True", generation=3, seen=3, chart="1.19.1", message="Helm upgrade succeeded"):
    return {
        "metadata": {"namespace": "harbor", "name": name, "generation": generation},
        "status": {
            "observedGeneration": seen,
            "conditions": [{"type": "Ready", "status": ready, "message": message}],
            "history": [{"chartVersion": chart}],
        },
    }


def workload(name, replicas=2, ready=None):
    ready = replicas if ready is None else ready
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "generation": 1},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"component": name}}},
        "status": {"observedGeneration": 1, "updatedReplicas": ready, "readyReplicas": ready, "replicas": replicas},
    }


def pod(workload_name, node, *, ready="True", waiting=""):
    state = {"waiting": {"reason": waiting, "message": "back-off pulling image"}} if waiting else {}
    return {
        "metadata": {"name": f"{workload_name}-{node}", "labels": {"component": workload_name}},
        "spec": {"nodeName": node},
        "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{"name": workload_name, "state": state}],
        },
    }


def budget(name="harbor-core", allowed=1):
    return {"metadata": {"name": name}, "status": {"disruptionsAllowed": allowed, "currentHealthy": 1}}


def claim(name="harbor-registry", phase="Bound", asked="ReadWriteMany", given="ReadWriteMany"):
    return {
        "metadata": {"name": name},
        "spec": {"accessModes": [asked]},
        "status": {"phase": phase, "accessModes": [given]},
    }


def config_map(value):
    return {"metadata": {"name": "harbor-core"}, "data": {"_REDIS_URL_CORE": value, "other": "x"}}


GOOD = Snapshot(
    server="https://cluster.example.com",
    releases=[release(), release("harbor-support")],
    workloads=[workload("harbor-core"), workload("harbor-registry"), workload("harbor-trivy", 1)],
    pods=[pod(name, node) for name in ("harbor-core", "harbor-registry") for node in ("a1", "b1")],
    budgets=[budget()],
    claims=[claim()],
    config_maps=[config_map("rediss://:secret@cache:6379/0")],
    entries=[{"kind": "Ingress", "spec": {"rules": [{"host": "registry.example.com"}]}}],
    zones={"a1": "eu-central-1a", "b1": "eu-central-1b"},
)


class Looked:
    """A scene whose look into the cluster is over."""

    def __init__(self, snapshot, expected=AS_SET) -> None:
        self.cluster = snapshot
        self.target = type("Target", (), {"expected": expected})


def judged(name, snapshot, expected=AS_SET):
    """Run a judgement as the runner does; gives its evidence."""
    return asyncio.run(CHECKS[name].do(Looked(snapshot, expected)))


EVIDENCE = {
    "releases": "2 ready; Harbor's chart is 1.19.1",
    "workloads": "3 of 3 are ready",
    "spread": "2 workloads with several replicas, each in two zones or more",
    "budgets": "1 budgets, each lets one pod go",
    "claims": "1 claims are bound as they ask",
    "credentials": "1 ConfigMaps, none with an empty password",
}


@pytest.mark.parametrize("name", EVIDENCE)
def test_a_good_cluster_passes(name):
    assert judged(name, GOOD) == EVIDENCE[name]


FAULTS = [
    pytest.param("releases", {"releases": [release(ready="False", message="timed out")]}, "timed out", id="failed"),
    pytest.param("releases", {"releases": [release(seen=2)]}, "harbor/harbor: Helm upgrade succeeded", id="not seen"),
    pytest.param("releases", {"releases": [release(chart="1.18.3")]}, "1.18.3, the settings have 1.19.1", id="chart"),
    pytest.param("releases", {"releases": [release(), release("x", ready="False")]}, "harbor/x", id="another one"),
    pytest.param("workloads", {"workloads": []}, "there are no workloads", id="no workloads"),
    pytest.param(
        "workloads",
        {"workloads": [workload("harbor-core", ready=1)], "pods": [pod("harbor-core", "a1", ready="False", waiting="ImagePullBackOff")]},
        "pod harbor-core-a1: harbor-core: ImagePullBackOff", id="a pod that does not start",
    ),
    pytest.param(
        "spread", {"pods": [pod("harbor-core", "a1"), pod("harbor-core", "a1"), *GOOD.pods[2:]]},
        "harbor-core in eu-central-1a alone", id="one zone",
    ),
    pytest.param("spread", {"pods": GOOD.pods[:2]}, "harbor-registry in no zone alone", id="no pods"),
    pytest.param("budgets", {"budgets": [budget(allowed=0)]}, "no pod may go: harbor-core (1 healthy)", id="budget"),
    pytest.param("claims", {"claims": [claim(phase="Pending", given="")]}, "harbor-registry is Pending", id="pending"),
    pytest.param("claims", {"claims": [claim(given="ReadWriteOnce")]}, "has ReadWriteOnce, not", id="given less"),
    pytest.param(
        "claims", {"claims": [claim(asked="ReadWriteOnce", given="ReadWriteOnce")]},
        "harbor-registry asks for ReadWriteOnce, not ReadWriteMany", id="one node alone",
    ),
    pytest.param(
        "credentials", {"config_maps": [config_map("rediss://:@cache:6379/0?idle=30")]},
        "an address with an empty password in harbor-core _REDIS_URL_CORE", id="empty password",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "says"), FAULTS)
def test_a_fault_shows_under_its_check(name, changes, says):
    with pytest.raises(Failed) as caught:
        judged(name, replace(GOOD, **changes))

    assert says in caught.value.says


ABSENT = [
    ("spread", {"zones": {"a1": "eu-central-1a"}}, "there is nothing to spread over"),
    ("spread", {"workloads": [workload("harbor-core", 1)]}, "no workload has more than one replica"),
    ("budgets", {"budgets": []}, "there are no budgets"),
    ("claims", {"claims": []}, "blobs are in a bucket"),
]


@pytest.mark.parametrize(("name", "changes", "says"), ABSENT)
def test_what_an_environment_has_not_is_skipped(name, changes, says):
    with pytest.raises(Skipped, match=says):
        judged(name, replace(GOOD, **changes))


def test_a_password_that_is_there_is_no_empty_one():
    maps = [config_map("rediss://harbor:p%40ss@cache:6379/0"), config_map("redis://cache:6379"), config_map("a::b")]

    assert judged("credentials", replace(GOOD, config_maps=maps)).startswith("3 ConfigMaps")


def test_where_git_holds_rendered_objects_there_is_no_release_of_harbors():
    snapshot = replace(GOOD, releases=[release("harbor-support")])

    assert snapshot.has_harbor
    assert judged("releases", snapshot) == "1 ready; Harbor's own objects stand in Git, without a release"


def test_an_address_alone_does_not_look_at_versions():
    assert judged("releases", replace(GOOD, releases=[release(chart="1.18.3")]), expected=None)


# --- whether it is this registry's cluster


def reached(monkeypatch, found, *, sure, url="https://registry.example.com"):
    def look(_kubeconfig, _context):
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(cluster, "look", look)
    scene = Looked(None)
    scene.target = type("Target", (), {"cluster": Cluster(sure=sure), "url": url, "no_cluster": ""})
    return asyncio.run(CHECKS["reach"].do(scene))


def test_the_cluster_of_another_registry_fails_only_when_it_was_named(monkeypatch):
    assert "cluster.example.com" in reached(monkeypatch, GOOD, sure=True)
    says = "serves registry.example.com, not other.example.com"
    with pytest.raises(Failed, match=says):
        reached(monkeypatch, GOOD, sure=True, url="https://other.example.com")
    with pytest.raises(Skipped, match=f"{says}; give --kubeconfig or --context"):
        reached(monkeypatch, GOOD, sure=False, url="https://other.example.com")


def test_a_cluster_without_harbor(monkeypatch):
    with pytest.raises(Failed, match="has no Harbor in the namespace harbor"):
        reached(monkeypatch, replace(GOOD, releases=[], workloads=[]), sure=True)


@pytest.mark.parametrize("error", [ClusterError, ClusterAway])
def test_a_cluster_without_access_fails_only_when_it_was_named(monkeypatch, error):
    refused = error(Problem(what="does not know us", fix="log in again"))

    with pytest.raises(error):
        reached(monkeypatch, refused, sure=True)
    with pytest.raises(Skipped, match="no access to the cluster: does not know us"):
        reached(monkeypatch, refused, sure=False)


def test_a_judgement_without_a_look_is_undecided():
    with pytest.raises(Undecided):
        judged("spread", None)
