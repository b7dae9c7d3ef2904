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
from slipway.harbor.robots import Credential, issue, rotate
from slipway.harbor.robots.stores.kubernetes import KubernetesStore
from slipway.login_kit.place import Place
from slipway.login_kit.render import render
from slipway.login_kit.taken import lagging
from slipway.rehearse.cluster.api import apply
from tests.cluster.world import eventually
from tests.harbor.clients import run
from tests.login_kit.conftest import api, contract_server, opens, payments, wanted
from tests.login_kit.kits import FULL, KITS, text_of

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
        store = KubernetesStore(client, namespace, "harbor-pull-ci")
        store.stage(credential)
        store.promote()

    def late(username):
        return lagging(client, label=LABEL, secret="harbor-pull-ci", username=username)

    assert late(TWO.username) == ["shop-4"]
    assert late(ONE.username) == ["stock-4"]
