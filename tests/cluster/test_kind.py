"""`slipway kind up` itself delivers its profile on a real control plane: real kubectl, Git server, API server and Flux.

Played are docker, kind, the kubelets and the operator (tests/cluster/kind_programs.py); so no Harbor runs.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Node, PersistentVolumeClaim, Secret, Service

from infra.delivery.status.observe import HelmRelease
from infra.tables import read
from slipway.kind.place import Place
from slipway.rehearse.cluster.cluster import PROGRAMS, start
from slipway.rehearse.cluster.played.git_server import Identities
from slipway.rehearse.cluster.played.internet import CHART_URL, proxy_variables
from slipway.rehearse.cluster.played.third_parties import OPERATOR_GROUP, definitions
from slipway.tools.find import find
from tests.cluster.world import ROOT
from tests.kind.conftest import free_port
from values.composition import Composition
from values.secrets import secrets_for

SCRIPT = Path(__file__).with_name("kind_programs.py")
#: Beside the CRD, so that `kubectl rollout status` has something to wait for.
OPERATOR = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "flux-operator", "namespace": "flux-system"},
    "spec": {
        "selector": {"matchLabels": {"app": "flux-operator"}},
        "template": {
            "metadata": {"labels": {"app": "flux-operator"}},
            "spec": {"containers": [{"name": "manager", "image": "played"}]},
        },
    },
}


class Laptop:
    """A machine whose kind makes a rehearsed cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cluster_folder, self.port = folder, folder / "cluster", str(free_port())
        quiet = {"progress": lambda _: None, "announce": sys.stderr.write}
        self.cluster = start(
            self.cluster_folder,
            zones=read("kind")["zones"],
            repository=folder / "none.git",
            identities=Identities(writer="nobody", reader="nobody"),
            secrets_manager=folder / "secrets-manager.json",
            facts=Place(name="laptop").facts(),
            programs={name: find(name, **quiet) for name in PROGRAMS},
            tell=lambda _: None,
        )
        kubectl = find("kubectl", **quiet).path
        state = {"asked": [], "kubectl": str(kubectl), "git_port": free_port(), "name": "", "port": 0}
        (self.cluster_folder / "kind.json").write_text(json.dumps(state))
        manifest = yaml.safe_dump_all([*definitions(OPERATOR_GROUP), OPERATOR])
        (self.cluster_folder / "operator.yaml").write_text(manifest)
        for name in ("docker", "kind", "kubectl"):
            shim = folder / "bin" / name
            shim.parent.mkdir(exist_ok=True)
            shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{SCRIPT}" "{self.cluster_folder}" {name} "$@"\n')
            shim.chmod(0o755)

    @property
    def client(self):
        return self.cluster.client

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "SLIPWAY_DATA": str(self.folder / "data"),
            **proxy_variables(self.cluster.internet),
        }

    def up(self, *options: str) -> list[str]:
        given = ("--name", "laptop", "--host-port", self.port, "--chart-repository", CHART_URL, "--timeout", "3")
        return ["kind", "up", *given, "--output", "json", *options]

    @property
    def git_pod(self) -> Path:
        return self.cluster_folder / "git-pod"

    def head(self) -> str:
        command = ["git", "-C", str(self.git_pod / "gitops.git"), "rev-parse", "main"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def secrets(self) -> dict[tuple[str, str], str]:
        """Secrets that `up` made, with the version that each write changes."""
        found = self.client.list(Secret, namespace="*", labels={"app.kubernetes.io/managed-by": "slipway"})
        return {(one.metadata.namespace, one.metadata.name): one.metadata.resourceVersion for one in found}

    def stop(self) -> None:
        self.client.close()
        if (self.git_pod / "pid").exists():
            os.kill(int((self.git_pod / "pid").read_text()), signal.SIGKILL)
        self.cluster.processes.stop()
        shutil.rmtree(self.git_pod, ignore_errors=True)


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """A laptop on which one `slipway kind up` ran to its end."""
    laptop = Laptop(tmp_path_factory.mktemp("laptop"))
    try:
        laptop.code, laptop.out, laptop.err = slipway(laptop, *laptop.up())
        yield laptop
    finally:
        laptop.stop()


def slipway(laptop: Laptop, *arguments: str) -> tuple[int, str, str]:
    program = "from slipway.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, **laptop.environment, "PYTHONPATH": str(ROOT)}, timeout=300,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_up_ends_with_harbor_delivered_by_flux(delivered):
    assert delivered.code == 0, delivered.err
    said = json.loads(delivered.out)
    assert (said["url"], said["name"]) == (f"http://localhost:{delivered.port}", "laptop")
    release = delivered.client.get(HelmRelease, "harbor", namespace="harbor").to_dict()
    (ready,) = (one for one in release["status"]["conditions"] if one["type"] == "Ready")
    assert ready["status"] == "True"
    workloads = {one.metadata.name for one in delivered.client.list(Deployment, namespace="harbor")}
    wanted = {"harbor-core", "harbor-registry", "harbor-portal", "harbor-jobservice"}
    assert workloads >= wanted | ({"harbor-nginx"} if delivered.cluster.chart.official else set())


def test_the_registrys_port_is_the_one_that_kind_leads_to(delivered):
    service = delivered.client.get(Service, "harbor", namespace="harbor")
    config = yaml.safe_load((delivered.folder / "data/kind/laptop/cluster.yaml").read_text())
    (mapping,) = config["nodes"][0]["extraPortMappings"]
    assert [one.nodePort for one in service.spec.ports] == [mapping["containerPort"]]


def test_nodes_are_marked_and_stand_in_their_zones(delivered):
    labels = [node.metadata.labels for node in delivered.client.list(Node)]
    assert {one["slipway/kind"] for one in labels} == {"laptop"}
    assert {one["topology.kubernetes.io/zone"] for one in labels} == set(read("kind")["zones"])


def test_the_secrets_are_those_of_the_table_and_every_volume_is_bound(delivered):
    wanted = {secret.name for secret in secrets_for(Composition.of(Place(name="laptop").facts()).parts)}
    made = {name for namespace, name in delivered.secrets() if namespace == "harbor"}
    assert made == wanted
    claims = delivered.client.list(PersistentVolumeClaim, namespace="harbor")
    assert {claim.status.phase for claim in claims} == {"Bound"}


def test_up_again_changes_nothing(delivered):
    secrets, head = delivered.secrets(), delivered.head()
    before = delivered.client.get(HelmRelease, "harbor", namespace="harbor").to_dict()

    code, _, err = slipway(delivered, *delivered.up())

    assert code == 0, err
    after = delivered.client.get(HelmRelease, "harbor", namespace="harbor").to_dict()
    assert (delivered.secrets(), delivered.head()) == (secrets, head)
    assert after["status"]["history"] == before["status"]["history"]


def test_status_says_delivered_with_the_machines_own_url(delivered):
    code, out, err = slipway(delivered, "kind", "status", "--name", "laptop", "--output", "json")

    assert code == 0, err
    said = json.loads(out)
    assert (said["verdict"], said["commit"]) == ("delivered", delivered.head())
    assert said["url"] == f"http://localhost:{delivered.port}"


def test_the_status_of_every_environment_knows_it_too(delivered):
    code, out, err = slipway(delivered, "status", "laptop", "--wait", "--output", "json")

    assert code == 0, err
    said = json.loads(out)
    assert (said["environment"], said["verdict"], said["waiting"]) == ("laptop", "delivered", "")
    assert said["url"] == f"http://localhost:{delivered.port}"


def test_where_helm_alone_delivers_status_tells_of_what_runs(delivered):
    way = delivered.folder / "data/kind/laptop/delivered-by"
    way.write_text("direct")
    try:
        code, out, err = slipway(delivered, "kind", "status", "--name", "laptop")
    finally:
        way.write_text("flux")

    assert code == 0, err
    assert out.startswith("laptop: ")
    assert out.strip().endswith(f"http://localhost:{delivered.port}")


def test_a_secret_that_data_depends_on_is_not_made_anew(delivered):
    kept = delivered.client.get(Secret, "harbor-secretkey", namespace="harbor")
    delivered.client.delete(Secret, "harbor-secretkey", namespace="harbor")
    try:
        code, _, err = slipway(delivered, *delivered.up())
    finally:
        kept.metadata = ObjectMeta(name="harbor-secretkey", namespace="harbor", labels=kept.metadata.labels)
        delivered.client.create(kept)

    assert code == 1
    assert "Secret harbor/harbor-secretkey: is gone, and Harbor's volumes are there" in err


def test_down_lets_go_of_it(delivered):
    code, _, err = slipway(delivered, "kind", "down", "--name", "laptop", "--yes")

    assert (code, "laptop is gone" in err) == (0, True)
    assert json.loads((delivered.cluster_folder / "kind.json").read_text())["name"] == ""
    assert not (delivered.folder / "data/kind/laptop/kubeconfig").exists()
