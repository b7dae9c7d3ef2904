"""`slipway verify` inside the cluster: what Flux delivered passes, and each fault in real objects shows under its check."""

import asyncio
import json
import re

import pytest
import yaml
from lightkube.core.exceptions import ApiError
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap
from lightkube.resources.policy_v1 import PodDisruptionBudget
from lightkube.types import PatchType

from infra.assemble import example
from infra.delivery.status.observe import HelmRelease
from slipway.rehearse.cluster.api import apply
from slipway.rehearse.folders import cluster_folder, kubeconfig_of
from slipway.verify.catalogue import CHECKS
from slipway.verify.check import select
from slipway.verify.scene import Cluster, Options, Target
from slipway.verify.target import expected_of
from slipway.verify.verify import verify
from tests.cluster.world import eventually


def verified(world, kubeconfig=None, **target):
    """Run the checks of the cluster; gives the outcomes by name."""
    facts = example(world.settings)
    given = {"url": f"https://{facts.host}", "expected": expected_of(facts), **target}
    cluster = Cluster(kubeconfig=kubeconfig or kubeconfig_of(cluster_folder(world.folder)), sure=True)
    report = asyncio.run(
        verify(Target(cluster=cluster, **given), Options(), select(CHECKS, only=["cluster"]))
    )  # fmt: skip
    return {one.check.id.removeprefix("cluster."): one for one in report.outcomes}


def failed(outcomes):
    return {name: one.says for name, one in outcomes.items() if one.state in {"failed", "undecided"}}


@pytest.fixture
def made(world):
    """Apply objects, and take them away again."""
    kinds, there = {"ConfigMap": ConfigMap, "PodDisruptionBudget": PodDisruptionBudget}, []

    def make(document):
        metadata = {"name": "verify-test", "namespace": "harbor"}
        apply(world.client, {**document, "metadata": metadata})
        there.append(kinds[document["kind"]])

    yield make
    for kind in there:
        world.client.delete(kind, "verify-test", namespace="harbor")


def test_what_was_delivered_passes(world):
    outcomes = verified(world)

    assert failed(outcomes) == {}
    assert outcomes["releases"].says.endswith(f"Harbor's chart is {world.settings.chart_version}")
    assert {outcomes[name].state for name in ("reach", "releases", "workloads", "credentials")} == {"passed"}


def test_another_environments_cluster_is_told(world):
    outcomes = verified(world, url="https://registry.elsewhere.example.com")

    assert set(failed(outcomes)) == {"reach"}
    assert f"serves {example(world.settings).host}, not registry.elsewhere.example.com" in outcomes["reach"].says
    assert outcomes["workloads"].says == "needs cluster.reach, which failed"


def test_a_rendered_password_that_is_empty(world, made):
    made({"apiVersion": "v1", "kind": "ConfigMap", "data": {"_REDIS_URL_CORE": "rediss://:@cache.example.com:6379/0"}})

    outcomes = verified(world)

    assert failed(outcomes) == {"credentials": "an address with an empty password in verify-test _REDIS_URL_CORE"}
    assert "harbor-redis exists" in outcomes["credentials"].fix


def test_a_budget_that_lets_no_pod_go(world, made):
    selector = world.get(Deployment, "harbor-core")["spec"]["selector"]
    made(
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": {"maxUnavailable": 0, "selector": selector}}
    )

    outcomes = eventually(lambda: (found := verified(world))["budgets"].state == "failed" and found)

    assert "no pod may go: verify-test" in outcomes["budgets"].says


def test_a_workload_that_somebody_deleted(world):
    world.client.delete(Deployment, "harbor-portal", namespace="harbor")
    eventually(lambda: _is_gone(world, "harbor-portal"))

    outcomes = verified(world)
    patch = re.search(r"patch helmrelease harbor --type=merge -p '(.*)'", outcomes["workloads"].fix)
    world.client.patch(
        HelmRelease, "harbor", json.loads(patch[1]), namespace="harbor", patch_type=PatchType.MERGE
    )  # what the advice does

    assert "Deployment harbor-portal: deleted by hand" in failed(outcomes)["workloads"]
    assert eventually(lambda: not failed(verified(world)))


def test_a_kubeconfig_that_the_cluster_does_not_know(world, tmp_path):
    document = yaml.safe_load(kubeconfig_of(cluster_folder(world.folder)).read_text())
    document["users"][0]["user"] = {"token": "nobody's"}
    stranger = tmp_path / "kubeconfig"
    stranger.write_text(yaml.safe_dump(document))

    outcomes = verified(world, kubeconfig=stranger)

    assert outcomes["reach"].state == "undecided"
    assert "does not know us" in outcomes["reach"].says
    assert "aws eks update-kubeconfig" in outcomes["reach"].fix


def _is_gone(world, name) -> bool:
    try:
        world.get(Deployment, name)
    except ApiError:
        return True
    return False
