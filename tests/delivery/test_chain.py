"""The chain of a commit, judged from documents: what no cluster shows on demand."""

import pytest

from infra.delivery.status.chain import Chain, Link, Observed, changed_links, judge
from infra.delivery.status.follow import follow, refuse_undelivered
from infra.delivery.status.workloads import address
from infra.errors import ClusterAway, NotDelivered, Problem

COMMIT, OLDER = "a" * 40, "b" * 40


def ready(status="True", reason="Succeeded", message="fine", **more) -> dict:
    return {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        **more,
    }


def document(*conditions, spec=None, generation=1, observed=1, **status) -> dict:
    return {
        "metadata": {"generation": generation, "name": "x", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": spec or {},
        "status": {"conditions": [*conditions], "observedGeneration": observed, **status},
    }


def kustomization(commit=COMMIT, *conditions) -> dict:
    revision = f"main@sha1:{commit}"
    return document(*(conditions or [ready()]), lastAppliedRevision=revision, lastAttemptedRevision=revision)


def workload(name="harbor-core", kind="Deployment", replicas=1, up=1) -> dict:
    return {
        "kind": kind,
        "metadata": {"name": name, "generation": 1},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"component": name}}},
        "status": {"observedGeneration": 1, "replicas": up, "readyReplicas": up, "updatedReplicas": up},
    }


INGRESS = {
    "kind": "Ingress",
    "spec": {"rules": [{"host": "registry.example.com"}]},
    "status": {"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}},
}


def observed(**changes) -> Observed:
    names = ("flux-system", "harbor-prerequisites", "harbor")
    kinds = {name: kustomization() for name in names} | changes.pop("kustomizations", {})
    whole = {
        "commit": COMMIT,
        "branch": "main",
        "source": document(ready(), artifact={"revision": f"main@sha1:{COMMIT}"}),
        "kustomizations": kinds,
        "external_secrets": [document(ready())],
        "releases": {"harbor/harbor": changes.pop("release", document(ready()))},
        "charts": {"harbor/harbor": changes.pop("chart", None)},
        "workloads": [workload()],
        "entries": [INGRESS],
    }
    return Observed(**{**whole, **changes})


def link(chain: Chain, kind: str) -> Link:
    return next(one for one in chain.links if kind in {one.name, one.name.partition(" ")[0]})


def test_everything_done_is_delivered():
    chain = judge(observed())

    assert chain.verdict == "delivered"
    assert chain.url == "https://registry.example.com"


@pytest.mark.parametrize(
    ("changes", "name", "state", "words"),
    [
        ({"commit": "", "git_says": "no answer"}, "Git branch", "failed", "no answer"),
        ({"source": None}, "GitRepository", "failed", "there is none"),
        ({"source": document(ready(), artifact={"revision": f"main@sha1:{OLDER}"})}, "GitRepository", "moving", "still at bbbbbbbbbbbb"),
        ({"source": document(ready(), generation=2, artifact={"revision": f"main@sha1:{COMMIT}"})}, "GitRepository", "moving", "still at"),
        ({"source": document(ready(), spec={"suspend": True})}, "GitRepository", "failed", "is suspended"),
        ({"source": document()}, "GitRepository", "moving", "source-controller has not seen it yet"),
        ({"kustomizations": {"harbor": None}}, "Kustomization harbor", "moving", "is not there yet"),
        ({"kustomizations": {"harbor": kustomization(OLDER)}}, "Kustomization harbor", "moving", "fine"),
        ({"kustomizations": {"harbor": kustomization(COMMIT, ready("False", "BuildFailed", "no such file"))}}, "Kustomization harbor", "failed", "no such file"),
        ({"kustomizations": {"flux-system": kustomization(OLDER, ready("False", "ArtifactFailed", "path not found"))}}, "Kustomization flux-system", "failed", "path not found"),
        ({"kustomizations": {"harbor": document(ready(), spec={"suspend": True})}}, "Kustomization harbor", "failed", "is suspended"),
        ({"external_secrets": [document(ready("False", message="AccessDenied"))]}, "ExternalSecrets", "failed", "AccessDenied"),
        ({"external_secrets": [document()]}, "ExternalSecrets", "moving", "has not seen it yet"),
        ({"release": document(ready(), generation=2)}, "HelmRelease", "moving", "fine"),
        ({"release": document(ready("False", "UpgradeFailed", "boom", observedGeneration=1), observed=-1)}, "HelmRelease", "failed", "boom"),
        ({"release": document(ready("False", "UpgradeFailed", "boom", observedGeneration=1), generation=2)}, "HelmRelease", "moving", "boom"),
        ({"release": document(ready("False", "SourceNotReady", "no chart")), "chart": document(ready("False", "ChartPullError", "404"))}, "HelmRelease", "failed", "404"),
        ({"release": document(ready("False", "SourceNotReady", "no chart"))}, "HelmRelease", "moving", "no chart"),
        ({"workloads": [workload(up=0)]}, "workloads", "moving", "0 of 1 are ready"),
        ({"entries": []}, "URL", "moving", "no load balancer has an address yet"),
    ],
)  # fmt: skip
def test_each_link_says_where_it_stands(changes, name, state, words):
    chain = judge(observed(**changes))

    assert link(chain, name).state == state
    assert words in link(chain, name).says
    assert chain.verdict == ("failed" if state == "failed" else "moving")
    assert chain.stands_at.name.startswith(name) or name == "URL"


def test_what_comes_behind_an_older_commit_only_waits():
    chain = judge(observed(kustomizations={"flux-system": kustomization(OLDER)}))

    assert [one.state for one in chain.links][:3] == ["done", "done", "moving"]
    assert {one.state for one in chain.links[3:]} == {"waiting"}


@pytest.mark.parametrize("reason", ["CrashLoopBackOff", "ImagePullBackOff", "CreateContainerConfigError"])
def test_a_container_that_no_waiting_helps_has_failed(reason):
    pod = {
        "metadata": {"name": "harbor-core-1", "labels": {"component": "harbor-core"}},
        "status": {"containerStatuses": [{"name": "core", "state": {"waiting": {"reason": reason, "message": "why"}}}]},
    }
    chain = judge(observed(workloads=[workload(up=0)], pods=[pod]))

    assert chain.verdict == "failed"
    assert chain.stands_at.says == f"0 of 1 are ready; pod harbor-core-1: core: {reason} why"
    assert chain.stands_at.next == "kubectl -n harbor describe pod harbor-core-1"


def test_pods_that_may_not_be_made_are_told_in_the_replica_sets_words():
    event = {"type": "Warning", "message": 'pods "harbor-core-5-" is forbidden: violates PodSecurity'}
    events = [
        {"type": "Normal", "message": "Scaled up", "involvedObject": {"kind": "Deployment", "name": "harbor-core"}},
        {**event, "involvedObject": {"kind": "ReplicaSet", "name": "harbor-core-5fb958698b"}},
    ]

    chain = judge(observed(workloads=[workload(up=0)], events=events))

    assert "Deployment harbor-core: pods" in chain.stands_at.says
    assert "violates PodSecurity" in chain.stands_at.says


def test_what_a_failed_release_has_not_made_was_not_deleted_by_hand():
    release = document(
        ready("False", "InstallFailed", "boom", observedGeneration=1),
        inventory={"entries": [{"id": "harbor_harbor-portal_apps_Deployment", "v": "v1"}]},
    )

    chain = judge(observed(release=release))

    assert chain.stands_at.name == "HelmRelease harbor/harbor"
    assert "Deployment harbor-portal: not made yet" in link(chain, "workloads").says


def test_every_kustomization_and_release_of_the_environment_stands_in_the_order_of_its_turn():
    made = [
        f"flux-system_{name}_kustomize.toolkit.fluxcd.io_Kustomization" for name in ("harbor-infrastructure", "harbor")
    ]
    root, infrastructure = kustomization(), kustomization()
    root["status"]["inventory"] = {"entries": [{"id": one, "v": "v1"} for one in made]}
    entry = {"id": "external-dns_external-dns_helm.toolkit.fluxcd.io_HelmRelease", "v": "v2"}
    infrastructure["status"]["inventory"] = {"entries": [entry]}

    found = {"flux-system": root, "harbor-infrastructure": infrastructure}
    chain = judge(observed(kustomizations=found))
    without = judge(observed(kustomizations={"flux-system": root}))

    assert [one.name for one in chain.links[2:8]] == [
        "Kustomization flux-system", "Kustomization harbor-infrastructure", "HelmRelease external-dns/external-dns",
        "Kustomization harbor-prerequisites", "ExternalSecrets", "Kustomization harbor",
    ]  # fmt: skip
    assert link(chain, "HelmRelease external-dns/external-dns").says == "is not there yet"
    # It is in the root's inventory: somebody deleted it.
    assert link(without, "Kustomization harbor-infrastructure").says == "is not there yet"
    assert not [one for one in judge(observed()).links if "infrastructure" in one.name or "support" in one.name]


def test_a_workload_of_the_releases_inventory_that_is_gone():
    release = document(ready(), inventory={"entries": [{"id": "harbor_harbor-portal_apps_Deployment", "v": "v1"}]})

    assert "Deployment harbor-portal: deleted by hand" in judge(observed(release=release)).stands_at.says


@pytest.mark.parametrize(
    ("entry", "seen"),
    [
        ({"kind": "Service", "spec": {"type": "NodePort", "ports": [{"nodePort": 30002}]}}, ("http://127.0.0.1:30002", "node port 30002")),
        ({"kind": "Service", "spec": {"type": "ClusterIP"}}, ("", "")),
        ({"kind": "Service", "spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}, ("https://192.0.2.1", "192.0.2.1")),
    ],
)  # fmt: skip
def test_the_url_of_other_ways_in(entry, seen):
    assert address([entry]) == seen


def test_following_ends_with_the_delivery_and_asks_flux_once():
    chains = [judge(observed(source=document(ready(), artifact={"revision": f"main@sha1:{OLDER}"})))] * 2 + [
        judge(observed())
    ]
    asked = []

    chain = follow(iter(chains).__next__, timeout=5, reconcile=asked.append, pause=0)

    assert chain.verdict == "delivered"
    assert len(asked) == 1


def test_following_gives_a_failing_link_time_to_recover():
    failed = judge(observed(source=None))
    looks = iter([failed, failed, judge(observed())])
    assert follow(looks.__next__, timeout=5, pause=0, patience=5).verdict == "delivered"
    assert follow(lambda: failed, timeout=5, pause=0.01, patience=0.05).verdict == "failed"


def test_following_outlives_an_api_server_that_restarts_but_not_one_that_is_gone():
    answers = iter([ClusterAway(Problem(what="restarting")), judge(observed())])

    def look():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert follow(look, timeout=5, pause=0).verdict == "delivered"

    def gone():
        raise ClusterAway(Problem(what="gone"))

    with pytest.raises(ClusterAway):
        follow(gone, timeout=5, pause=0.01, patience=0.05)


def test_what_is_not_delivered_is_an_error_with_the_next_step():
    refuse_undelivered("prod", judge(observed()))

    with pytest.raises(NotDelivered, match="prod aaaaaaaaaaaa: is still moving at URL") as caught:
        refuse_undelivered("prod", judge(observed(entries=[])))
    assert "kubectl -n harbor describe ingress,service" in str(caught.value)


def test_only_what_changed_is_told_again():
    before, after = judge(observed(entries=[])), judge(observed())

    assert [one.name for one in changed_links(before, after)] == ["URL"]


def test_a_secret_that_can_only_be_made_when_harbor_runs_holds_nothing_up():
    missing = document(ready("False", message="Secret does not exist: harbor/prod/harbor-layer3"))
    missing["metadata"]["name"] = "harbor-layer3"
    chain = judge(observed(external_secrets=[document(ready()), missing]))

    assert chain.verdict == "delivered"
    assert link(chain, "ExternalSecrets").says.startswith(
        "1 of 1 are there; harbor-layer3 can be made when Harbor runs"
    )
