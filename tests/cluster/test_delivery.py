"""What happens to a commit between Git and the URL, on Flux's real controllers, and what a person reads meanwhile."""

import json
import re
import signal
import subprocess
import threading

import psutil
import pytest
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap
from lightkube.types import PatchType

from infra.delivery.publish import publish, withdraw
from infra.delivery.status.observe import GitRepository, HelmRelease, Kustomization
from infra.errors import ChartDowngrade, HumanEdit, PublishError
from tests.cluster.world import ENVIRONMENT, eventually

#: No node has so much, so an upgrade with it never ends by itself.
TOO_LARGE = 'core:\n  resources: {requests: {cpu: "1000"}}\n'
CORE = "core:\n  podAnnotations: {team: registry}\n"


def values_from(world) -> set[str]:
    return {one["name"] for one in world.release()["spec"]["valuesFrom"]}


def pod_template(world, component: str) -> dict:
    return world.get(Deployment, f"harbor-{component}")["spec"]["template"]


def test_the_first_install_is_delivered_and_every_link_says_so(world, capsys):
    assert world.first.verdict == "delivered"
    commit = world.first.commit[:12]

    code, seen = world.status(capsys)

    assert code == 0
    # A chart that is seen twice cancels the wait of a first install, which then ends as an upgrade: Flux's gate, on purpose.
    lines = [re.sub(r"  +", "  ", line).replace("Helm upgrade", "Helm install") for line in seen.splitlines()]
    expected = (
        f"✓ Git branch  main is at {commit}",
        f"✓ GitRepository flux-system  stored artifact for revision 'refs/heads/main@sha1:{commit}'",
        f"✓ Kustomization flux-system  Applied revision: refs/heads/main@sha1:{commit}",
        f"✓ Kustomization harbor-infrastructure  Applied revision: refs/heads/main@sha1:{commit}",
        "✓ HelmRelease external-dns/external-dns  Helm install succeeded for release external-dns/external-dns.v",
        "✓ HelmRelease external-secrets/external-secrets  Helm install succeeded for release external-secrets/",
        "✓ HelmRelease kube-system/aws-load-balancer-controller  Helm install succeeded for release kube-system/",
        f"✓ Kustomization harbor-prerequisites  Applied revision: refs/heads/main@sha1:{commit}",
        "✓ ExternalSecrets  12 of 12 are there",
        f"✓ Kustomization harbor-support  Applied revision: refs/heads/main@sha1:{commit}",
        "✓ HelmRelease harbor/harbor-support  Helm install succeeded for release harbor/harbor-support.v",
        f"✓ Kustomization harbor  Applied revision: refs/heads/main@sha1:{commit}",
        "✓ HelmRelease harbor/harbor  Helm install succeeded for release harbor/harbor.v",
        "✓ workloads  6 of 6 are ready",
        "✓ URL  https://registry.dev.example.com → k8s-harbor-harbor-i-",
    )
    for line, start in zip(lines, expected, strict=False):
        assert line.startswith(start)
    assert f"dev: {commit} is delivered\nhttps://registry.dev.example.com\n" in seen


def test_json_holds_the_same_chain(world, capsys):
    code, seen = world.status(capsys, "--output", "json")
    value = json.loads(seen)

    assert (code, value["verdict"], value["url"]) == (0, "delivered", "https://registry.dev.example.com")
    assert [link["state"] for link in value["links"]] == ["done"] * len(value["links"])


def test_a_change_of_one_component_changes_its_configmap_alone_and_rolls_it(world, capsys):
    world.deliver(core=CORE)
    before, generation = values_from(world), world.release()["metadata"]["generation"]
    portal = pod_template(world, "portal")

    world.deliver(core=CORE.replace("registry", "platform"))

    gone, come = before - values_from(world), values_from(world) - before
    assert [name.rpartition("-")[0] for name in (*gone, *come)] == ["harbor-values-override-core"] * 2
    assert world.release()["metadata"]["generation"] == generation + 1
    assert pod_template(world, "core")["metadata"]["annotations"]["team"] == "platform"
    assert pod_template(world, "portal") == portal
    code, seen = world.status(capsys)
    assert code == 0
    assert "Helm upgrade succeeded for release harbor/harbor.v" in seen


def test_status_never_calls_an_older_state_delivered(world, capsys):
    world.deliver(core=CORE)
    seen = []

    def looking(chain):
        seen.append(chain)
        return False

    world.publish(core=CORE.replace("registry", "newer"))
    code, text = world.status(capsys)
    world.follow(until=looking)

    assert code in {1, 2}
    assert "GitRepository flux-system" in text
    assert "still at" in text
    assert [chain.verdict for chain in seen].count("delivered") == 1  # the last look
    assert pod_template(world, "core")["metadata"]["annotations"]["team"] == "newer"


def test_a_commit_that_changes_nothing_is_none(world, capsys):
    head, version = world.look().commit, world.release_version()

    assert not world.publish().created

    assert (world.look().commit, world.release_version()) == (head, version)
    assert world.status(capsys)[0] == 0


def test_a_chart_that_fails_to_render_is_told_in_helms_words_and_nothing_is_rolled_back(world, capsys):
    version = world.release_version()
    path = "apps/harbor/dev/release/values/registry.yaml"
    text = world.text(path)
    # Nothing that publish takes fails to render, so it is somebody's own commit.
    world.commit_by_hand({path: "registry: {controller: null}\n"})

    chain = world.follow(
        until=lambda chain: chain.stands_at.name.startswith("HelmRelease") and chain.verdict == "failed"
    )
    code, seen = world.status(capsys)

    assert chain.verdict == "failed"
    assert code == 1
    assert "failed at HelmRelease harbor/harbor since " in seen
    # The official chart's template reads the image below, the stand-in's the resources.
    assert "nil pointer evaluating interface {}.image" in seen or "index of untyped nil" in seen
    assert "try: kubectl -n harbor describe helmrelease harbor" in seen
    assert world.release_version() == version  # what ran runs on
    assert world.get(Deployment, "harbor-core")["status"]["readyReplicas"] == 1
    world.commit_by_hand({path: text})


def test_a_pod_that_never_becomes_ready_is_told_with_its_own_event_and_the_next_commit_mends_it(world, capsys):
    world.publish(large=TOO_LARGE)

    chain = world.follow(until=lambda chain: "Insufficient cpu" in chain.stands_at.says)
    code, seen = world.status(capsys)

    assert chain.stands_at.name == "workloads"
    assert code == 2
    assert "moving at workloads" in seen
    assert "5 of 6 are ready; pod harbor-core-" in seen
    assert "Insufficient cpu" in seen
    assert "try: kubectl -n harbor describe pod harbor-core-" in seen
    world.deliver()  # long before the release's own timeout of half an hour


def test_a_missing_secret_holds_everything_up_until_it_arrives(world, capsys):
    name = f"harbor/{ENVIRONMENT}/harbor-db"
    world.client.delete(HelmRelease, "harbor", namespace="harbor")
    entries = json.loads(world.secrets_manager.path.read_text())
    value = entries.pop("harbor-db")
    world.secrets_manager.path.write_text(json.dumps(entries))
    world.publish(core=CORE)

    world.follow(until=lambda chain: chain.stands_at.name == "ExternalSecrets" and chain.verdict == "failed")
    code, seen = world.status(capsys)

    assert code == 1
    assert "failed at ExternalSecrets" in seen
    assert (
        # The others are the digests of all Secrets and what the database job sets.
        "9 of 12 are there; harbor-db (and 2 more): error processing spec.dataFrom[0].extract, err: "
        f"Secret does not exist: {name}" in seen
    )
    assert "try: kubectl -n harbor describe externalsecret harbor-db" in seen
    assert "· HelmRelease harbor/harbor" in seen  # it waits, and nothing is rendered with an empty password

    world.secrets_manager.path.write_text(json.dumps({**entries, "harbor-db": value}))
    assert world.follow().verdict == "delivered"


def test_a_rotated_secret_is_a_new_release_and_rolls_the_pods_that_read_it(world):
    version, core, portal = world.release_version(), pod_template(world, "core"), pod_template(world, "portal")

    world.secrets_manager.rotate(
        f"harbor/{ENVIRONMENT}/harbor-redis", json.dumps({"username": "harbor", "password": "rotated" * 3})
    )

    eventually(lambda: world.release_version() == version + 1)
    assert world.follow().verdict == "delivered"
    assert pod_template(world, "core") != core
    assert pod_template(world, "portal") == portal

    world.fill_secrets_manager()  # rotated back, which the next test must not meet half way
    eventually(lambda: world.release_version() == version + 2)


def test_a_deployment_deleted_by_hand_is_seen_and_restored_when_correction_is_on(world, capsys):
    version = world.release_version()
    world.client.delete(Deployment, "harbor-portal", namespace="harbor")

    code, seen = world.status(capsys)
    assert code == 1
    assert "Deployment harbor-portal: deleted by hand, the release has it" in seen
    patch = re.search(r"try: kubectl -n harbor patch helmrelease harbor --type=merge -p '(.*)'", seen)
    assert patch

    world.client.patch(
        HelmRelease, "harbor", json.loads(patch[1]), namespace="harbor", patch_type=PatchType.MERGE
    )  # what the command does

    eventually(lambda: world.look().verdict == "delivered")
    assert world.release_version() == version  # corrected, not upgraded


def test_a_git_remote_that_goes_away_and_comes_back(world):
    with world.git_away():
        world.reconcile(GitRepository, "flux-system", "flux-system")
        seen = eventually(
            lambda: [
                link for link in world.look().links if link.name.startswith("GitRepository") and link.state == "failed"
            ]
        )
        chain = world.look()
        assert chain.links[0].state == "failed"
        assert "there is no such repository, or we may not see it" in chain.links[0].says
        assert chain.verdict == "failed"
        assert "failed to checkout and determine revision" in seen[0].says
        assert seen[0].next == "flux reconcile source git flux-system"
        with pytest.raises(PublishError):
            world.publish(core=CORE)

    world.reconcile(GitRepository, "flux-system", "flux-system")
    assert world.deliver(core=CORE).verdict == "delivered"


def test_pushes_that_race_while_flux_reconciles_all_arrive(world):
    results = []
    threads = [
        threading.Thread(target=lambda team=team: results.append(world.publish(core=CORE.replace("registry", team))))
        for team in ("one", "two", "three")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    chain = world.follow()

    assert [result.created for result in results] == [True] * 3
    assert chain.verdict == "delivered"
    assert chain.commit in {result.commit for result in results}
    last = next(result for result in results if result.commit == chain.commit)
    team = pod_template(world, "core")["metadata"]["annotations"]["team"]
    assert f"team: {team}" in world.text(f"apps/harbor/{ENVIRONMENT}/release/values/override-core.yaml")
    assert last.created


def test_a_controller_killed_in_mid_upgrade_leaves_nothing_pending(world, capsys):
    # An upgrade that cannot end by itself, so that the kill meets it for sure.
    world.publish(core=CORE, large=TOO_LARGE)
    world.follow(until=lambda chain: "Insufficient cpu" in chain.stands_at.says)
    pid, _ = json.loads(world.cluster.processes.record.read_text())["helm-controller"]
    psutil.Process(pid).send_signal(signal.SIGKILL)
    world.mourned = True

    code, seen = world.status(capsys)
    assert code == 2, seen
    assert "moving at" in seen

    eventually(lambda: not world.cluster.processes.alive("helm-controller"))
    world.start()
    world.mourned = False
    world.follow(until=lambda chain: bool(chain.commit))
    world.deliver(core=CORE)
    assert pod_template(world, "core")["metadata"]["annotations"]["team"] == "registry"


def chain_of(chain, kind: str):
    return next(link for link in chain.links if link.name.startswith(kind))


def test_removing_an_environment_from_git_uninstalls_nothing(world, capsys):
    version = world.release_version()

    withdraw(world.remote, gitops_path="", environment=ENVIRONMENT)
    chain = world.follow(
        until=lambda chain: chain.stands_at.name == "Kustomization flux-system" and chain.verdict == "failed"
    )
    code, seen = world.status(capsys)

    assert code == 1
    assert chain.verdict == "failed"
    assert "failed at Kustomization flux-system" in seen
    assert "kustomization path not found" in seen
    assert world.get(Deployment, "harbor-core")["status"]["readyReplicas"] == 1
    assert world.release_version() == version
    assert world.deliver().verdict == "delivered"  # and it is taken up again, not installed anew
    assert world.release_version() == version


def test_a_rename_by_hand_is_refused_by_the_publisher_and_harmless_in_the_cluster(world):
    path, version = f"clusters/{ENVIRONMENT}/harbor.yaml", world.release_version()
    text = world.text(path)
    world.commit_by_hand({path: text.replace("name: harbor\n", "name: registry\n")})

    with pytest.raises(HumanEdit, match="edited by hand"):
        world.publish(core=CORE)
    world.reconcile(GitRepository, "flux-system", "flux-system")
    eventually(lambda: world.client.get(Kustomization, "registry", namespace="flux-system"))
    eventually(lambda: "registry" in (world.release()["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"]))

    assert world.get(Deployment, "harbor-core")["status"]["readyReplicas"] == 1
    assert world.release_version() == version
    world.commit_by_hand({path: text})


def test_a_downgrade_is_refused_and_a_rollback_never_happens_by_itself(world, capsys):
    head, version = world.look().commit, world.release_version()

    with pytest.raises(ChartDowngrade):
        publish(world.remote, world.inputs(chart="1.18.3"))

    assert (world.look().commit, world.release_version()) == (head, version)
    actions = [one.get("action", "") for one in world.release()["status"]["history"]]
    assert "rollback" not in actions
    spec = world.release()["spec"]
    assert spec["install"]["strategy"]["name"] == spec["upgrade"]["strategy"]["name"] == "RetryOnFailure"
    assert world.status(capsys)[0] == 0


def test_no_credential_is_in_git_and_none_is_empty_in_the_cluster(world):
    everything = subprocess.run(
        ["git", "-C", str(world.repository), "grep", "-h", "", "main"], capture_output=True, text=True, check=True
    ).stdout
    assert "vvvvvvvv" not in everything

    rendered = [item.to_dict() for item in world.client.list(ConfigMap, namespace="harbor")]
    assert not [one["metadata"]["name"] for one in rendered if "://:@" in json.dumps(one.get("data", {}))]
