"""The job that compares, on a real API server: it logs in to Kubernetes as its service account, with our chart's rights.

There is no kubelet here, so its command runs as a process with the token of its pod. Harbor is the contract server.
"""

import base64

import pytest
import yaml
from lightkube.core.exceptions import ApiError
from lightkube.models.authentication_v1 import TokenRequestSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap, Secret, ServiceAccount, ServiceAccountToken

from infra.delivery.status.observe import connect
from slipway.rehearse.cluster.api import apply
from tests.harbor.conftest import api, contract_server  # noqa: F401  # fixtures
from tests.harbor_as_code.command import command
from tests.support.conftest import INSIDE
from tests.support.test_layer3 import made, pod_of


@pytest.fixture
def kubeconfig(world, tmp_path):
    """What the pod's token opens, with the objects of our chart."""
    ours = [item for item in made() if item["kind"] in {"ServiceAccount", "Role", "RoleBinding"}]
    for item in ours:
        apply(world.client, item)
    account = pod_of(made())["serviceAccountName"]
    asked = ServiceAccountToken(metadata=ObjectMeta(), spec=TokenRequestSpec(audiences=[], expirationSeconds=600))
    token = world.client.create(asked, account, namespace="harbor")
    config = yaml.safe_load(world.cluster.kubeconfig.read_text())
    config["users"] = [{"name": "pod", "user": {"token": token.status.token}}]
    for each in config["contexts"]:
        each["context"]["user"] = "pod"
    path = tmp_path / "pod.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    yield path
    world.client.delete(ConfigMap, "slipway-harbor-ledger", namespace="harbor")
    world.client.delete(ServiceAccount, account, namespace="harbor")


def test_it_reads_the_ledger_in_the_cluster_and_nothing_else_there(world, kubeconfig, api, tmp_path):  # noqa: F811
    file, secret = tmp_path / "harbor.yaml", "harbor-layer3"
    file.write_text(INSIDE["harbor.yaml"])
    admin = {"KUBECONFIG": str(world.cluster.kubeconfig)}
    done = command(api, "apply", "laptop", "-f", str(file), "--yes", **admin)
    assert done.returncode == 0, done.stderr
    # Without AWS the robot's Secret is made in the cluster, in the form that the job's variables take it from.
    done = command(api, "install-runner", "laptop", "-f", str(file), **admin)
    assert done.returncode == 0, done.stderr
    kept = {
        key: base64.b64decode(text).decode()
        for key, text in world.client.get(Secret, secret, namespace="harbor").data.items()
    }
    robot = {
        "SLIPWAY_HARBOR_USERNAME": kept["username"],
        "SLIPWAY_HARBOR_PASSWORD": kept["password"],
        "SLIPWAY_HARBOR_ROBOT": "true",
        "KUBECONFIG": str(kubeconfig),
    }

    found = command(api, "drift", "laptop", "-f", str(file), **robot)

    assert (found.returncode, found.stderr) == (0, ""), found.stdout
    with connect(kubeconfig) as pod:
        assert pod.get(ConfigMap, "slipway-harbor-ledger", namespace="harbor").binaryData
        for kind, name in ((ConfigMap, "kube-root-ca.crt"), (Secret, secret)):
            with pytest.raises(ApiError, match="forbidden"):
                pod.get(kind, name, namespace="harbor")
        with pytest.raises(ApiError, match="forbidden"):
            list(pod.list(ConfigMap, namespace="harbor"))
    # To apply is not its to do: it may not write what is ours.
    file.write_text(INSIDE["harbor.yaml"].replace("approved", "other"))
    refused = command(api, "apply", "laptop", "-f", str(file), "--yes", **robot)
    assert refused.returncode == 1
    assert "cannot be written" in refused.stderr
    world.client.delete(Secret, secret, namespace="harbor")
