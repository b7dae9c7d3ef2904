"""Rendered manifests in Git, applied by the real kustomize-controller without any release of Harbor's."""

import os

import pytest
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.networking_v1 import Ingress

from infra.charts import cached
from infra.delivery.status.observe import HelmRelease
from slipway.teardown.withdraw import withdraw
from tests.cluster.world import World


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    if not cached("1.19.1").exists():
        pytest.skip(f"no {cached('1.19.1')}: helm pull harbor --repo https://helm.goharbor.io --version 1.19.1")
    before = dict(os.environ)
    world = World(tmp_path_factory.mktemp("rehearsals") / "dev")
    gitops = world.settings.gitops.model_copy(update={"content": "manifests"})
    world.settings = world.settings.model_copy(update={"gitops": gitops})
    world.fill_secrets_manager()
    world.start()
    try:
        world.publish()
        world.bootstrap()
        yield world
    finally:
        world.stop()
        for variable in os.environ.keys() - before.keys():
            del os.environ[variable]
        os.environ.update(before)


def test_the_objects_are_delivered_without_a_release(rendered):
    chain = rendered.follow(timeout=150)

    assert chain.verdict == "delivered", chain.stands_at
    releases = {item.metadata.name for item in rendered.client.list(HelmRelease, namespace="harbor")}
    assert releases == {"harbor-support"}
    core = rendered.get(Deployment, "harbor-core")["spec"]["template"]["spec"]["containers"][0]
    assert {
        "name": "_REDIS_URL_CORE",
        "valueFrom": {"secretKeyRef": {"name": "harbor-redis-env", "key": "harbor-core._REDIS_URL_CORE"}},
    } in core["env"]
    assert core["lifecycle"]["preStop"]["sleep"]["seconds"] == 60


def test_a_teardown_takes_the_ingress_away_without_a_release(rendered):
    """The last of this world: Flux is suspended afterwards."""
    rendered.follow(timeout=150)
    assert list(rendered.client.list(Ingress, namespace="harbor"))

    withdraw(rendered.client, tell=print, patience_seconds=30)

    assert not list(rendered.client.list(Ingress, namespace="harbor"))
