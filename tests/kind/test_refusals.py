"""What `slipway kind` does not do, each with one clear message; and nothing is made or touched then."""

import shutil
import socket

import pytest

NODES = [{"name": "slipway-control-plane", "labels": {"kubernetes.io/os": "linux"}}]
FOREIGN = {"nodes": NODES, "ports": {}, "containers": {"slipway-control-plane": "running"}, "objects": {}}


def refused(machine, slipway, *arguments: str) -> str:
    """Run it, and give what it said: it must have failed, and changed nothing."""
    code, out, err = slipway(*arguments)
    assert (code, out) == (1, "")
    assert machine.changes() == []
    return err


PROGRAMS = {
    "docker": "error: PATH: docker is not on it\n      install Docker Engine or Docker Desktop: https://docs.docker.com/get-docker/",
    "kind": "error: PATH: kind is not on it\n      install kind: https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
    "kubectl": "error: PATH: kubectl is not on it\n      install kubectl: https://kubernetes.io/docs/tasks/tools/",
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_without_a_program(machine, slipway, program):
    machine.without(program)

    assert PROGRAMS[program] in refused(machine, slipway, "up")
    assert not machine.data.exists()


def test_everything_that_is_missing_is_said_at_once(machine, slipway):
    for program in (*PROGRAMS, "helm"):
        machine.without(program)
    (machine.folder / "git-only" / "git").unlink()

    said = refused(machine, slipway, "up")
    assert all(text in said for text in (*PROGRAMS.values(), "git is not on it"))
    assert "helm" not in said
    assert "helm is not on it" in refused(machine, slipway, "up", "--direct")


DENIED = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"
DOCKER = {
    "no rights": (DENIED, 1, "you may not use Docker: its socket refuses you\n      sudo usermod -aG docker $USER"),
    "not running": (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", 1,
        "Docker does not answer: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
    ),
    "says so and ends with 0": ("ERROR: Cannot connect to the Docker daemon", 0, "Docker does not answer"),
}  # fmt: skip


@pytest.mark.parametrize("case", DOCKER)
def test_docker_that_cannot_be_used(machine, slipway, case):
    words, code, message = DOCKER[case]
    machine.answer("docker", "info", code=code, err=f"{words}\n")

    assert message in refused(machine, slipway, "up")


def test_programs_that_are_too_old(machine, slipway):
    machine.answer("kind", "version", code=0, out="kind v0.20.0 go1.20.4 linux/amd64\n")
    machine.answer("helm", "version", code=0, out="v3.19.0")

    said = refused(machine, slipway, "up", "--direct")

    assert "v0.20.0 is older than 0.24.0\n      upgrade kind" in said
    assert "v3.19.0 is older than 4.0.0\n      upgrade helm" in said


def test_another_program_called_kind(machine, slipway):
    machine.answer("kind", "version", code=2, err="kind: unknown flag\n")

    assert "says no version: kind: unknown flag\n      is kind the right program?" in refused(machine, slipway, "up")


@pytest.mark.parametrize("architecture", ["aarch64", "arm64"])
def test_arm64_is_warned_of_and_goes_on(machine, slipway, port, architecture):
    machine.change(lambda state: state.update(architecture=architecture))

    code, _, err = slipway("up", "--no-wait", "--host-port", port)

    assert code == 0, err
    assert f"warning: this machine is {architecture}, and Harbor's images are amd64 alone up to 2.15" in err
    assert "exec format error" in err


def test_a_port_in_use(machine, slipway):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(machine, slipway, "up", "--host-port", str(port))

    assert f"--host-port {port}: port {port} of 127.0.0.1 is in use" in said
    assert f"lsof -i :{port}" in said
    assert not machine.data.exists()


@pytest.mark.parametrize("command", [("up",), ("down", "--yes"), ("status",)], ids=" ".join)
@pytest.mark.parametrize("answers", [True, False], ids=["answers", "does not answer"])
def test_a_cluster_of_that_name_that_is_not_ours(machine, slipway, command, answers):
    machine.change(lambda state: state["clusters"].update(slipway=FOREIGN))
    if not answers:
        machine.answer("kubectl", "get", "nodes", err="Unable to connect to the server\n")

    for _ in range(2):  # what the first run leaves behind does not make it ours
        said = refused(machine, slipway, *command)
        assert "there is a kind cluster slipway that slipway did not make" in said
        assert "give another name" in said
    assert machine.state["clusters"] == {"slipway": FOREIGN}


def test_a_foreign_cluster_that_stands_still_is_not_started(machine, slipway):
    still = {**FOREIGN, "containers": {"slipway-control-plane": "exited"}}
    machine.change(lambda state: state["clusters"].update(slipway=still))

    for _ in range(2):
        assert "slipway did not make" in refused(machine, slipway, "up")


def test_another_port_than_the_cluster_has(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)
    machine.forget()

    said = refused(machine, slipway, "up", "--host-port", "30999")

    assert f"--host-port 30999 --expose nodePort was asked for, and the cluster leads to it by 127.0.0.1:{port}" in said
    assert "slipway kind down --name slipway" in said


def test_another_exposure_than_the_cluster_has(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)
    machine.forget()

    said = refused(machine, slipway, "up", "--expose", "ingress", "--host-port", port)

    assert "does not lead there by any port of this machine" in said


def test_our_cluster_that_does_not_answer(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)
    machine.forget()
    machine.answer("kubectl", "get", "nodes", err="Unable to connect to the server: EOF\n")

    said = refused(machine, slipway, "up", "--host-port", port)

    assert (
        "cluster slipway: is ours, and its API server does not answer\n      docker logs slipway-control-plane" in said
    )


def test_a_command_that_fails_says_why_in_its_own_words(machine, slipway, port):
    machine.answer("kind", "create", "cluster", err='ERROR: failed to create cluster: failed to pull image "kindest"\n')

    code, _, err = slipway("up", "--host-port", port)

    assert code == 1
    assert "kind create cluster --name slipway --config ~/data/kind/slipway/cluster.yaml --wait 5m: ended with 1" in err
    assert 'failed to pull image "kindest"' in err


VALUES = {
    "name": (("--name", "My_Cluster"), "--name: 'My_Cluster' names no cluster"),
    "name with a dash at its end": (("--name", "a-"), "--name: 'a-' names no cluster"),
    "long name": (("--name", "a" * 31), "30 at most"),
    "host": (("--expose", "ingress", "--host", "localhost"), "--host: 'localhost' is no host name"),
    "chart": (("--chart-version", "1.2.3"), "--chart-version: '1.2.3' is outside support\n      supported: 1.19.2"),
    "chart repository": (("--chart-repository", "oci://a/b"), "--chart-repository: 'oci://a/b' is no Helm repository"),
    "remote by SSH": (("--remote", "git@example.com:gitops.git"), "git@example.com:gitops.git is no HTTP(S) URL"),
    "remote with a password": (("--remote", "https://me:secret@example.com/a.git"), "the URL holds credentials"),
    "remote on this machine": (("--remote", "http://localhost/a.git"), "localhost in the cluster is not this machine"),
    "direct and remote": (
        ("--direct", "--remote", "https://example.com/a.git"),
        "needs no Git, and --remote names one",
    ),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_that_do_not_do_are_refused_before_anything_runs(machine, slipway, case):
    options, message = VALUES[case]

    said = refused(machine, slipway, "up", *options)

    assert message in said
    assert "secret" not in said
    assert machine.asked == []


def test_all_of_them_at_once(machine, slipway):
    said = refused(machine, slipway, "up", "--name", "A", "--chart-version", "9", "--chart-repository", "x")

    assert said.count("error:") == 3


def test_a_port_that_is_none_is_bad_usage(slipway):
    code, _, err = slipway("up", "--host-port", "70000")

    assert code == 2
    assert "--host-port" in err


def test_a_secret_that_data_depends_on_is_not_made_anew(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)

    def lose(state):
        objects = state["clusters"]["slipway"]["objects"]
        del objects["harbor/Secret/harbor-secretkey"]
        objects["harbor/PersistentVolumeClaim/database-data-harbor-database-0"] = {}

    machine.change(lose)

    code, _, err = slipway("up", "--no-wait", "--host-port", port)

    assert code == 1
    assert "Secret harbor/harbor-secretkey: is gone, and Harbor's volumes are there" in err
    assert "harbor/Secret/harbor-secretkey" not in machine.secrets()


def test_a_data_folder_that_cannot_be_written_to(machine, slipway, port, monkeypatch):
    machine.data.write_text("a file")

    code, _, err = slipway("up", "--no-wait", "--host-port", port)

    assert code == 1
    assert str(machine.data) in err


def test_a_cluster_deleted_by_kind_alone_leaves_nothing_that_counts(machine, slipway, port):
    slipway("up", "--direct", "--host-port", port)
    machine.change(lambda state: state["clusters"].clear())

    code, _, err = slipway("up", "--no-wait", "--host-port", port)

    assert code == 0, err
    assert not (machine.data / "kind/slipway/support").exists()
    shutil.rmtree(machine.data)
