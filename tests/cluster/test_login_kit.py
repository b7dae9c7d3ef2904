"""login-kit before a real API server: its objects, its scripts with the real kubectl, its secrets, and who has taken one."""

import json
import os
import shutil
import subprocess
from base64 import b64decode
from dataclasses import replace

import pytest
import yaml
from lightkube.resources.core_v1 import Namespace, Secret, ServiceAccount
from pydantic import SecretStr

from infra.errors import SecretStoreError
from slipway.harbor.robots import Credential, Rotation, issue, rotate
from slipway.harbor.robots.stores.file import FileStore
from slipway.harbor.robots.stores.kubernetes import KubernetesStore
from slipway.login_kit.place import Place
from slipway.login_kit.render import render
from slipway.login_kit.taken import lagging
from slipway.rehearse.cluster.api import apply, apply_definition
from slipway.rehearse.cluster.played import external_secrets
from slipway.rehearse.cluster.played.player import delete
from slipway.rehearse.cluster.played.third_parties import SECRETS_GROUP, definitions
from slipway.rehearse.simulated.secrets_manager import SECRET, VERSION, SecretsManager
from tests.cluster.world import eventually
from tests.harbor.clients import run
from tests.login_kit.conftest import api, contract_server, opens, payments, wanted
from tests.login_kit.kits import FULL, KITS, text_of
from tests.support.conftest import environment as environment_of
from tests.support.conftest import objects_of, values_of

__all__ = ["api", "contract_server", "payments"]

LABEL = "slipway.dev/harbor-pull"
ONE = Credential(username="robot$payments+ci-a", password=SecretStr("Aa1" * 10), registry="registry.example.com")
TWO = Credential(username="robot$payments+ci-b", password=SecretStr("Bb2" * 10), registry="registry.example.com")

pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on PATH: install kubectl 1.30 or newer")


@pytest.fixture(scope="module")
def client(shared_world):
    return shared_world.client


@pytest.fixture
def namespaces(client):
    """Make namespaces, and take them away."""
    made = []

    def make(*names, **labels):
        for name in names:
            metadata = {"name": name, "labels": {LABEL: "true"} if labels.get("labelled") else {}}
            apply(client, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
            made.append(name)
            eventually(lambda name=name: client.get(ServiceAccount, "default", namespace=name))

    yield make
    for name in made:  # which takes its time, so every test has names of its own
        client.delete(Namespace, name)


def secret_of(client, namespace, name="harbor-pull-ci"):
    found = client.get(Secret, name, namespace=namespace)
    return found.type, json.loads(b64decode(found.data[".dockerconfigjson"]))["auths"]


def environment(world):
    return os.environ | {"KUBECONFIG": str(world.cluster.kubeconfig)}


def test_the_api_server_takes_every_kubernetes_object(shared_world, namespaces):
    documents = [
        document
        for kit in KITS.values()
        for one in render(kit)
        if one.file.startswith("kubernetes/") and one.file.endswith(".yaml")
        for document in yaml.safe_load_all(one.text)
    ]
    namespaces(*{one["metadata"]["namespace"] for one in documents if "namespace" in one["metadata"]})
    command = [
        "kubectl",
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "--validate=strict",
        "-f",
        "-",
    ]
    done = subprocess.run(
        command,
        input=yaml.safe_dump_all(documents),
        env=environment(shared_world),
        capture_output=True,
        text=True,
        check=False,
    )
    assert {one["kind"] for one in documents} == {"Namespace", "ExternalSecret", "Secret", "ServiceAccount"}
    assert done.returncode == 0, done.stderr


def test_the_scripts_make_the_secret_and_give_it_to_default_accounts(shared_world, client, namespaces, tmp_path):
    namespaces("shop-1", "stock-1", labelled=True)
    namespaces("other-1")
    path = tmp_path / "robot.json"
    path.write_text(ONE.to_json())
    kit = replace(FULL, place=Place(kind="file", id=str(path)), namespace="shop-1", caches=())
    for file in ("kubernetes/secret.sh", "kubernetes/service-accounts.sh", "kubernetes/secret.sh"):
        done = subprocess.run(
            ["bash"],
            input=text_of(kit, file),
            env=environment(shared_world),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert ONE.password.get_secret_value() not in done.stdout + done.stderr

    kind, auths = secret_of(client, "shop-1")
    assert kind == "kubernetes.io/dockerconfigjson"
    assert auths["registry.example.com"]["username"] == ONE.username
    pulls = {
        name: [one.name for one in client.get(ServiceAccount, "default", namespace=name).imagePullSecrets or []]
        for name in ("shop-1", "stock-1", "other-1")
    }
    assert pulls == {"shop-1": ["harbor-pull-ci"], "stock-1": ["harbor-pull-ci"], "other-1": []}


def test_a_secret_of_the_cluster_holds_a_robot_through_a_rotation(client, namespaces, payments):
    namespaces("shop-2")
    store = KubernetesStore(client, "shop-2", "harbor")
    run(payments, lambda harbor: issue(harbor, wanted(), store))
    old = store.current()
    assert opens(payments, old)
    assert run(payments, lambda harbor: issue(harbor, wanted(), store)).decision.act == "keep"
    run(payments, lambda harbor: rotate(harbor, wanted(), store))

    assert opens(payments, old)
    assert opens(payments, store.current())
    assert store.current() != old
    assert [secret.metadata.name for secret in client.list(Secret, namespace="shop-2")] == ["harbor"]
    _, auths = secret_of(client, "shop-2", "harbor")
    assert auths["registry.example.com"]["username"] == store.current().username


def test_a_namespace_that_is_not_there_and_a_secret_of_somebody_else_are_told(client, namespaces):
    with pytest.raises(SecretStoreError, match=r'namespaces "nowhere" not found'):
        KubernetesStore(client, "nowhere", "harbor").check()
    namespaces("shop-3")
    theirs = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "mine", "namespace": "shop-3"},
        "stringData": {"a": "b"},
    }
    apply(client, theirs)
    with pytest.raises(SecretStoreError, match="is there, and Slipway did not make it"):
        KubernetesStore(client, "shop-3", "mine").check()


def test_who_has_not_taken_the_new_secret_is_named(client, namespaces):
    namespaces("shop-4", "stock-4", "empty-4", labelled=True)
    namespaces("other-4")
    for namespace, credential in (("shop-4", ONE), ("stock-4", TWO), ("other-4", ONE)):
        store = KubernetesStore(client, namespace, "harbor-pull-late")
        store.stage(credential)
        store.promote()

    def late(username):
        return lagging(client, label=LABEL, secret="harbor-pull-late", username=username)

    assert late(TWO.username) == ["shop-4"]
    assert late(ONE.username) == ["stock-4"]


def test_a_rotation_reaches_every_labelled_namespace_before_the_older_robot_ends(
    shared_world, client, namespaces, payments, tmp_path
):
    """The support chart's own objects, and External Secrets, which is played."""
    for definition in definitions(SECRETS_GROUP):
        apply_definition(client, definition)
    facts = environment_of("ha", harbor={"pullSecrets": {"enabled": True, "robots": ["payments"]}})
    objects = [
        one for one in objects_of(values_of(facts)) if one["kind"] in {"ClusterSecretStore", "ClusterExternalSecret"}
    ]
    for document in objects:
        apply(client, document)
    namespaces("shop-5", "stock-5", labelled=True)
    namespaces("other-5")
    manager = SecretsManager(tmp_path / "secrets-manager.json")
    store, robot = FileStore(tmp_path / "robot.json"), wanted("pull", name="payments")

    def bring():
        manager.created(SECRET, "pull", {"name": "harbor/ha/pull/payments"})
        manager.created(VERSION, "pull", {"secretId": "pull", "secretString": store.current().to_json()})
        external_secrets.play(client, manager.path)

    def opening():
        """Whether each namespace's Secret opens the registry."""
        found = {}
        for name in ("shop-5", "stock-5"):
            (login,) = secret_of(client, name, "harbor-pull-payments")[1].values()
            found[name] = (
                payments.request("GET", "/v2/", headers={"Authorization": f"Basic {login['auth']}"}).status == 200
            )
        return found

    def late(username):
        return lagging(client, label=LABEL, secret="harbor-pull-payments", username=username)

    def step():
        return run(payments, lambda harbor: rotate(harbor, robot, store, rotation=Rotation(lagging=late))).decision

    everywhere = {"shop-5": True, "stock-5": True}
    run(payments, lambda harbor: issue(harbor, robot, store))
    try:
        bring()
        assert opening() == everywhere
        assert list(client.list(Secret, namespace="other-5")) == []

        assert step().act == "rotate"
        payments.later(days=2)
        assert (step().act, step().why) == ("wait", "shop-5, stock-5 still have the older secret")
        assert opening() == everywhere

        bring()
        assert late(store.current().username) == []
        assert step().act == "retire"
        assert opening() == everywhere
    finally:
        for document in objects:
            delete(client, document)
