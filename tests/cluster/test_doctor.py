"""`slipway doctor` at a real API server: version, rights by its own reviews, kinds, and Flux as Deployments."""

import json
from contextlib import contextmanager

import yaml
from lightkube.models.authentication_v1 import TokenRequestSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ServiceAccount, ServiceAccountToken

from slipway.cli import run
from slipway.doctor.cluster import CONTROLLERS
from slipway.rehearse.cluster.api import apply
from slipway.rehearse.folders import kubeconfig_of
from tests.cluster.world import ENVIRONMENT, eventually


def looked_at(world, capsys) -> dict:
    capsys.readouterr()
    kubeconfig = kubeconfig_of(world.cluster.folder)
    run(["doctor", ENVIRONMENT, "--only", "cluster", "--kubeconfig", str(kubeconfig), "--output", "json"])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return {one["id"]: one for one in json.loads(out)["checks"]}


@contextmanager
def controllers(world, version: str):
    """Flux's controllers as Deployments, which the rehearsal runs as processes."""
    labels = {"app.kubernetes.io/part-of": "flux", "app.kubernetes.io/version": version}
    pod = {"containers": [{"name": "manager", "image": "ghcr.io/fluxcd/none"}]}
    for name in CONTROLLERS:
        metadata = {"name": name, "namespace": "flux-system", "labels": labels}
        template = {"metadata": {"labels": {"app": name}}, "spec": pod}
        spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
        apply(world.client, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    try:
        yield
    finally:
        for name in CONTROLLERS:
            world.client.delete(Deployment, name, namespace="flux-system")


def test_a_cluster_with_flux_and_one_without_its_controllers(world, capsys):
    found = looked_at(world, capsys)
    assert {name: found[f"cluster.{name}"]["state"] for name in ("kubeconfig", "reach", "rights", "kinds")} == {
        "kubeconfig": "ok", "reach": "ok", "rights": "ok", "kinds": "skipped",
    }, found  # fmt: skip
    assert found["cluster.flux"]["says"] == f"no {', '.join(CONTROLLERS)} in flux-system"

    with controllers(world, "v2.9.4"):

        def ready():
            return all(
                (world.get(Deployment, name, "flux-system").get("status") or {}).get("readyReplicas")
                for name in CONTROLLERS
            )

        eventually(ready)
        assert looked_at(world, capsys)["cluster.flux"]["says"] == "Flux 2.9.4"
    with controllers(world, "v2.3.0"):
        assert looked_at(world, capsys)["cluster.flux"]["says"] == "Flux 2.3.0 is older than 2.9.0"


def test_rights_are_those_that_the_server_gives(world, capsys, tmp_path):
    kubeconfig = kubeconfig_of(world.cluster.folder)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": "default"}}
    apply(world.client, account)
    request = ServiceAccountToken(metadata=ObjectMeta(), spec=TokenRequestSpec(audiences=[]))
    token = world.client.create(request, "nobody", namespace="default").status.token
    document = yaml.safe_load(kubeconfig.read_text())
    for user in document["users"]:
        user["user"] = {"token": token}
    poor = tmp_path / "kubeconfig"
    poor.write_text(yaml.safe_dump(document))
    poor.chmod(0o600)

    capsys.readouterr()
    assert run(["doctor", ENVIRONMENT, "--only", "cluster.rights", "--kubeconfig", str(poor)]) == 1
    out = capsys.readouterr().out
    assert "slipway status may not list gitrepositories in flux-system" in out
    assert "cluster.adminRoleArns" in out
    world.client.delete(ServiceAccount, "nobody", namespace="default")
