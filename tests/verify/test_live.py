"""`pytest tests/live` alone: against the contract server, and with a kubectl that plays pods on this machine."""

import json
import os
import stat
import subprocess
import sys
import textwrap

import pytest

from tests.harbor.process import ROOT

pytest.importorskip("testinfra", reason="pytest-testinfra is not installed: make setup")

#: Lists the pods of pods.json, and runs what is to be run in one here, with its own curl, df and date before others.
KUBECTL = """\
#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
arguments = sys.argv[1:]
with (here / "kubectl.log").open("a") as log:
    log.write(json.dumps(arguments) + "\\n")
if "get" in arguments:
    sys.stdout.write((here / "pods.json").read_text())
    sys.exit()
at = arguments.index("exec")
pod = arguments[at + 1]
os.environ["PATH"] = f"{{here / pod}}:{{here / 'all'}}:{{os.environ['PATH']}}"
command = arguments[-1].replace("/storage", str(here / pod / "storage"))
os.execv("/bin/sh", ["/bin/sh", "-c", command])
"""


class Pods:
    """A folder with kubectl, and for each pod the programs in it."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.program("kubectl", KUBECTL.format(python=sys.executable))
        self.listed = []
        self.program("all/curl", "#!/bin/sh\nexit 0\n")
        self.program("all/df", "#!/bin/sh\necho 'Filesystem 1024-blocks'; echo 'fs-1:/ 9 1 8 1% /storage'\n")
        for workload, containers in {
            "core": ["core"], "portal": ["portal"], "registry": ["registry", "registryctl"],
            "jobservice": ["jobservice"], "trivy": ["trivy"],
        }.items():  # fmt: skip
            for number in "12":
                self.pod(f"harbor-{workload}-{number}", containers)

    def program(self, name, text) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def pod(self, name, containers, phase="Running") -> None:
        (self.folder / name / "storage").mkdir(parents=True)
        mounts = [{"mountPath": "/storage"}] if "registry" in containers else []
        spec = {"containers": [{"name": one, "volumeMounts": mounts} for one in containers]}
        self.listed.append({"metadata": {"name": name}, "spec": spec, "status": {"phase": phase}})
        (self.folder / "pods.json").write_text(json.dumps({"items": self.listed}))

    @property
    def asked(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "kubectl.log").read_text().splitlines()]


@pytest.fixture
def pods(tmp_path):
    return Pods(tmp_path / "bin")


def live(*options, server=None, path=None):
    environment = os.environ | ({"SLIPWAY_HARBOR_PASSWORD": server.password} if server else {})
    if path:
        environment["PATH"] = f"{path}:{environment['PATH']}"
    url = ["--url", server.url] if server else []
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests/live", *url, *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_without_an_address_one_line_says_how():
    ran = live()

    assert ran.returncode == 0, ran.stdout
    assert "1 skipped" in ran.stdout
    assert "no registry to verify: pytest tests/live --url https://registry.example.com" in ran.stdout


def test_each_check_is_a_test_and_all_are_one_run(registry):
    ran = live(server=registry.server)

    assert ran.returncode == 0, ran.stdout
    assert " failed" not in ran.stdout
    assert registry.server.counts()["create_project"] == 1
    assert registry.left == []


def test_one_check_runs_with_what_it_needs(registry):
    registry.server.switch(unhealthy={"redis": "i/o timeout"})
    registry.server.clear_counts()

    ran = live("-k", "outside.health", server=registry.server)

    assert ran.returncode == 1
    assert "1 failed" in ran.stdout
    assert "redis: i/o timeout" in ran.stdout
    assert "means: the named component cannot be reached by core" in ran.stdout
    assert "do: look at the cache's state and password" in ran.stdout
    assert "login" not in registry.server.counts()


def test_read_only_changes_nothing(registry):
    registry.server.clear_counts()

    ran = live("--read-only", server=registry.server)

    assert ran.returncode == 0, ran.stdout
    assert "create_project" not in registry.server.counts()


def test_pods_are_asked_each_for_itself(harbor, pods, tmp_path):
    ran = live("-k", "test_pods", "--context", "prod", server=harbor, path=pods.folder)

    assert ran.returncode == 0, ran.stdout
    assert "9 passed" in ran.stdout
    asked = {arguments[arguments.index("exec") + 1] for arguments in pods.asked if "exec" in arguments}
    assert asked == {pod["metadata"]["name"] for pod in pods.listed}
    assert all("--context=prod" in arguments or arguments[:2] == ["--context", "prod"] for arguments in pods.asked), (
        pods.asked
    )


FAULTS = [
    pytest.param("harbor-core-2/curl", "exit 7", "no answer in harbor-core-2: 7", id="a pod that does not answer"),
    pytest.param(
        "harbor-registry-2/df",
        "echo; echo 'fs-2:/ 9 1 8 1% /storage'",
        "registry pods must share one storage",
        id="two",
    ),
    pytest.param("harbor-core-1/date", "echo 1700000000", "seconds off this machine's clock", id="clock"),
]


@pytest.mark.parametrize(("program", "does", "says"), FAULTS)
def test_a_fault_in_a_pod_is_told(harbor, pods, program, does, says):
    pods.program(program, f"#!/bin/sh\n{does}\n")

    ran = live("-k", "test_pods", "--context", "prod", server=harbor, path=pods.folder)

    assert ran.returncode == 1
    assert "1 failed, 8 passed" in ran.stdout
    assert says in ran.stdout


def test_storage_that_a_pod_may_not_write_to_is_told(harbor, pods):
    (pods.folder / "harbor-registry-2" / "storage").rmdir()

    ran = live("-k", "test_pods and storage", "--context", "prod", server=harbor, path=pods.folder)

    assert ran.returncode == 1
    assert "harbor-registry-2 may not write" in ran.stdout


def test_pods_that_are_through_are_not_asked(harbor, pods):
    pods.pod("harbor-migration", ["core"], phase="Succeeded")

    ran = live("-k", "test_pods and core", "--context", "prod", server=harbor, path=pods.folder)

    assert ran.returncode == 0, ran.stdout
    assert not [arguments for arguments in pods.asked if "harbor-migration" in arguments]


def test_a_machine_that_does_not_reach_the_port(tmp_path):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/live", "-k", "test_machine"]
    ran = subprocess.run(
        [*command, "--url", "http://127.0.0.1:9"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert ran.returncode == 1
    assert "127.0.0.1:9 is closed to this machine" in ran.stdout
