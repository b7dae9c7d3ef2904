"""Clusters that cannot be asked: each ends `slipway status` with one clear error and no traceback."""

import subprocess

import pytest
import yaml

from infra.delivery.status.observe import connect, observe
from infra.errors import ClusterAway, ClusterError
from slipway.cli import run
from slipway.rehearse.cluster import control_plane
from slipway.rehearse.cluster.api import apply
from slipway.rehearse.cluster.control_plane import ControlPlane
from slipway.rehearse.cluster.ports import free_ports
from slipway.rehearse.cluster.processes import Processes
from slipway.tools.find import find
from tests.cluster.world import PROGRAMS, ROOT, eventually  # noqa: F401


@pytest.fixture
def here(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setattr("slipway.following.head", lambda _: ("0" * 40, ""))
    return tmp_path


def said(capsys, *options: str) -> tuple[int, str]:
    code = run(["status", "dev", *options])
    return code, capsys.readouterr().err


def test_a_kubeconfig_that_is_not_there(here, capsys):
    code, error = said(capsys)

    assert code == 1
    assert "kubeconfig: names no cluster" in error
    assert "aws eks update-kubeconfig" in error


def test_a_kubeconfig_that_points_nowhere(here, capsys):
    write_kubeconfig(here / "kubeconfig", {"server": "https://127.0.0.1:1"}, "nobody")

    code, error = said(capsys)

    assert code == 1
    assert "https://127.0.0.1:1: cannot be reached" in error
    assert "is the kubeconfig's cluster still there" in error


def write_kubeconfig(path, cluster: dict, token: str) -> None:
    named = {"clusters": [{"name": "x", "cluster": cluster}], "users": [{"name": "x", "user": {"token": token}}]}
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    path.write_text(
        yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **named, "contexts": [context], "current-context": "x"})
    )


def test_a_token_that_nobody_knows_and_one_without_rights(world, here, capsys):
    cluster = yaml.safe_load(world.cluster.kubeconfig.read_text())["clusters"][0]["cluster"]
    write_kubeconfig(here / "kubeconfig", cluster, "wrong")

    code, error = said(capsys)
    assert code == 1
    assert "does not know us" in error

    kubectl = find("kubectl", progress=lambda _: None, announce=lambda _: None).path
    command = [kubectl, "--kubeconfig", world.cluster.kubeconfig, "-n", "flux-system", "create", "token", "default"]
    token = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    write_kubeconfig(here / "kubeconfig", cluster, token)

    code, error = said(capsys)
    assert code == 1
    assert "refuses us: gitrepositories.source.toolkit.fluxcd.io" in error
    assert "ask for the right to read Flux's objects" in error


def test_a_flux_that_is_too_old(world):
    labels = {"app": "old", "app.kubernetes.io/part-of": "flux", "app.kubernetes.io/version": "v2.5.1"}
    pod = {"metadata": {"labels": {"app": "old"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    metadata = {"name": "helm-controller", "namespace": "flux-system", "labels": labels}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "old"}}, "template": pod}
    deployed = apply(world.client, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    try:
        with pytest.raises(ClusterError, match=r"Flux 2\.5\.1 is older than 2\.9\.0\n    upgrade Flux"):
            world.look()
    finally:
        world.client.delete(type(deployed), "helm-controller", namespace="flux-system")


def test_a_cluster_without_flux_and_an_api_server_that_goes_away(tmp_path):
    processes = Processes(tmp_path)
    programs = {
        name: find(name, progress=lambda _: None, announce=lambda _: None).path for name in control_plane.PROGRAMS
    }
    plane = ControlPlane(
        folder=tmp_path, programs=programs, processes=processes,
        ports=free_ports(control_plane.PORTS, tmp_path / "ports.json"),
    )  # fmt: skip
    try:
        with plane.start(["eu-central-1a"], lambda _: None) as client:
            with pytest.raises(ClusterError, match="there is no Flux in this cluster"):
                observe(client, lambda: ("0" * 40, ""), "main")
            processes.stop("kube-apiserver")
            with pytest.raises(ClusterAway, match="cannot be reached"):
                observe(client, lambda: ("0" * 40, ""), "main")
    finally:
        processes.stop()


def test_a_kubeconfig_as_text_is_what_the_program_gives(world):
    with connect(world.cluster.kubeconfig.read_text()) as client:
        assert observe(client, lambda: ("0" * 40, ""), "main").source


@pytest.mark.parametrize("timeout", ["soon", "10 m", "-1"])
def test_a_timeout_that_is_no_time(here, capsys, timeout):
    code, error = said(capsys, "--wait", f"--timeout={timeout}")

    assert code == 2
    assert "is no time; use 90s, 30m or 1h" in error
