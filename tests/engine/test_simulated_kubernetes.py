"""The played kubernetes provider, called as the engine calls it; what it applies is in tests/cluster."""

import pytest
from pulumi.runtime.proto import provider_pb2

from slipway.rehearse.simulated import wire
from slipway.rehearse.simulated.kubernetes import KubernetesProvider
from slipway.rehearse.simulated.secrets_manager import SECRET, VERSION, SecretsManager
from slipway.rehearse.simulated.server import Behaviour

URN = "urn:pulumi:dev::slipway::slipway:delivery:Bootstrap$kubernetes:core/v1:Secret::git-credential"
SECRET_DOCUMENT = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "flux-system", "namespace": "flux-system"},
    "stringData": {"password": "r3ad"},
}


@pytest.fixture
def provider(tmp_path):
    """Without a cluster, as in a rehearsal that ends at the commit."""
    behaviour = Behaviour(journal=tmp_path / "journal", secrets_manager=SecretsManager(tmp_path / "secrets.json"))
    return KubernetesProvider(behaviour, None)


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        (
            {"clusterIdentifier": "https://a", "kubeconfig": "1"},
            {"clusterIdentifier": "https://a", "kubeconfig": "2"},
            [],
        ),
        ({"clusterIdentifier": "https://a"}, {"clusterIdentifier": "https://b"}, ["clusterIdentifier"]),
        ({"clusterIdentifier": "https://a"}, {"clusterIdentifier": wire.UNKNOWN}, ["clusterIdentifier"]),
        ({}, {"clusterIdentifier": "https://a"}, []),
    ],
)
def test_only_another_cluster_is_another_provider(provider, old, new, replaces):
    request = provider_pb2.DiffRequest(olds=wire.pack(old), news=wire.pack(new))

    assert list(provider.DiffConfig(request, None).replaces) == replaces


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"stringData": {"password": "new"}}, []),
        ({"metadata": {"name": "flux-system", "namespace": "flux-system", "labels": {"a": "b"}}}, []),
        ({"metadata": {"name": "other", "namespace": "flux-system"}}, ["metadata"]),
    ],
)
def test_an_object_of_another_name_is_another_object(provider, change, replaces):
    request = provider_pb2.DiffRequest(
        urn=URN, old_inputs=wire.pack(SECRET_DOCUMENT), news=wire.pack({**SECRET_DOCUMENT, **change})
    )

    assert list(provider.Diff(request, None).replaces) == replaces


def test_a_secrets_content_is_a_secret_in_the_state(provider):
    request = provider_pb2.CreateRequest(urn=URN, properties=wire.pack(SECRET_DOCUMENT))

    made = provider.Create(request, None)

    assert made.id == "flux-system/git-credential"
    assert wire.unpack(made.properties)["stringData"] == wire.secret(SECRET_DOCUMENT["stringData"])


def test_secrets_manager_holds_names_with_values_and_forgets_what_is_deleted(tmp_path):
    manager = SecretsManager(tmp_path / "secrets.json")
    manager.created(SECRET, "arn:1", {"name": "harbor/dev/harbor-db"})
    assert manager.by_name() == {}

    manager.created(VERSION, "", {"secretId": "arn:1", "secretString": "one"})
    manager.rotate("harbor/dev/harbor-db", "two")
    manager.read(VERSION, "", {"secretId": "arn:1", "secretString": "one"})  # a refresh takes no rotation back
    assert manager.by_name() == {"harbor/dev/harbor-db": "two"}
    assert manager.path.stat().st_mode & 0o077 == 0

    manager.deleted(SECRET, "arn:1")
    assert manager.by_name() == {}
