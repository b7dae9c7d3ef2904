"""`slipway prove --on rehearsal`, to its report: real engine, Git, API server and Flux, and a registry to verify."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.cluster.world import ROOT
from tests.harbor.process import HarborServer
from tests.harbor.server.distribution import program
from tests.values.conftest import CHARTS

#: The project itself, by links: what is proved is this tree, wherever the installed command comes from.
_OWN = {"stacks", ".git", ".slipway", ".venv"}


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    for path in ROOT.iterdir():
        if path.name not in _OWN:
            (root / path.name).symlink_to(path)
    shutil.copytree(ROOT / "stacks", root / "stacks")
    return root


@pytest.fixture
def registry(tmp_path):
    if program() is None:
        pytest.skip("docker-registry is not installed (Debian's package of that name)")
    folder = tmp_path / "harbor"
    folder.mkdir()
    with HarborServer(folder).running() as server:
        server.registry_answers()
        yield server


def test_a_proof_runs_to_its_report(project, registry):
    if not list(CHARTS.glob("harbor-1.19.1.tgz")):
        pytest.skip(f"no harbor-1.19.1.tgz in {CHARTS}")
    before = sorted(path.name for path in (project / "stacks").iterdir())
    command = ("prove", "dev", "--on", "rehearsal", "--registry", registry.url, "--output", "json")

    done = subprocess.run(
        [sys.executable, "-c", "from slipway.cli import main; main()", *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SLIPWAY_HARBOR_PASSWORD": registry.password},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] == "passed"
    assert report["remains"] == []
    steps = {step["name"]: step for step in report["steps"]}
    assert list(steps) == ["up", "status", "verify", "upgrade", "verify again", "teardown", "clear away"]
    assert steps["up"]["says"].endswith(", delivered")
    assert steps["status"]["says"].startswith("delivered: ")
    assert " passed" in steps["verify"]["says"]
    assert steps["upgrade"]["says"].startswith("chart 1.18.3 → 1.19.1: ")
    assert steps["upgrade"]["says"].endswith(" is delivered")
    assert [one["name"] for one in registry.api("GET", "/projects").json] == ["library"]
    assert sorted(path.name for path in (project / "stacks").iterdir()) == before
    assert not (project / ".slipway" / "rehearse" / "prove-dev").exists()
    written = "".join(path.read_text() for path in (project / ".slipway" / "prove").rglob("*") if path.is_file())
    assert registry.password not in written
    assert "111122223333" not in written
