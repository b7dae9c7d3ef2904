"""What waits for what, on Flux's real controllers: controllers, then Secrets, then Harbor."""

import os

import pytest
from lightkube import ApiError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Namespace, Secret

from infra.delivery.status.observe import ExternalSecret, HelmRelease, Kustomization, is_absent
from tests.cluster.world import World, eventually
from values.infrastructure import table

HelmRepository = create_namespaced_resource("source.toolkit.fluxcd.io", "v1", "HelmRepository", "helmrepositories")
CHART = f"external-secrets-{table()['external-secrets']['version']}.tgz"


@pytest.fixture(scope="module")
def beginning(tmp_path_factory):
    """A cluster whose first delivery finds no chart of External Secrets."""
    before = dict(os.environ)
    world = World(tmp_path_factory.mktemp("rehearsals") / "dev")
    world.fill_secrets_manager()
    world.start()
    try:
        yield world
    finally:
        world.stop()
        for variable in os.environ.keys() - before.keys():
            del os.environ[variable]
        os.environ.update(before)


def is_there(world, resource, name: str, namespace: str = "") -> bool:
    try:
        world.client.get(resource, name, **({"namespace": namespace} if namespace else {}))
    except ApiError as error:
        if not is_absent(error):
            raise
        return False
    return True


def test_nothing_of_harbor_is_there_before_the_controllers(beginning, capsys, monkeypatch):
    world, chart = beginning, beginning.cluster.folder / "charts" / CHART
    away = chart.with_suffix(".away")
    chart.rename(away)
    monkeypatch.setenv("SLIPWAY_REHEARSALS", str(world.folder.parent))
    world.publish()
    world.bootstrap()

    chain = world.follow(
        until=lambda chain: (
            chain.stands_at.name == "HelmRelease external-secrets/external-secrets" and chain.verdict == "failed"
        )
    )
    # A machine under load may show another release that is tried a second time: Flux cancels a wait for a newer event.
    where = "failed at HelmRelease external-secrets/external-secrets"
    code, seen = eventually(lambda: next((it for it in [world.status(capsys)] if where in it[1]), None))

    assert code == 1
    assert "try: kubectl -n external-secrets describe helmchart,helmrepository" in seen
    assert "· Kustomization harbor-prerequisites" in seen
    assert "dependency 'flux-system/harbor-infrastructure' is not ready" in seen
    assert "· ExternalSecrets" in seen
    assert [link.state for link in chain.links if link.name == "HelmRelease harbor/harbor"] == ["waiting"]
    assert not is_there(world, CustomResourceDefinition, "externalsecrets.external-secrets.io")
    assert not is_there(world, Namespace, "harbor")

    away.rename(chart)
    world.reconcile(HelmRepository, "external-secrets", "external-secrets")
    assert world.follow(timeout=180).verdict == "delivered"
    assert is_there(world, Secret, "harbor-db", "harbor")


def test_a_controller_deleted_by_hand_comes_back(beginning):
    world = beginning
    world.client.delete(Deployment, "external-dns", namespace="external-dns")

    world.reconcile(HelmRelease, "external-dns", "external-dns")  # or at its next interval

    eventually(lambda: world.get(Deployment, "external-dns", "external-dns")["status"].get("availableReplicas"))


def test_no_secret_goes_with_its_operators_release(beginning):
    """Uninstalled by mistake, the chart leaves its kinds; with them would have gone every Secret of Harbor."""
    world = beginning
    world.client.delete(HelmRelease, "external-secrets", namespace="external-secrets")
    eventually(lambda: not is_there(world, Deployment, "external-secrets", "external-secrets"))

    assert is_there(world, CustomResourceDefinition, "externalsecrets.external-secrets.io")
    assert is_there(world, ExternalSecret, "harbor-db", "harbor")
    assert is_there(world, Secret, "harbor-db", "harbor")

    world.reconcile(Kustomization, "harbor-infrastructure", "flux-system")
    eventually(lambda: is_there(world, HelmRelease, "external-secrets", "external-secrets"))
    assert world.follow(timeout=180).verdict == "delivered"
