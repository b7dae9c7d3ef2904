"""The commit alone, on the real engine: what the state keeps, what a refresh sees, what a person is told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.rehearse.language_host import serving
from slipway.tools.find import find
from tests.delivery.conftest import ROOT
from tests.delivery.repositories import TOKEN, inputs

PROGRAM = """
import pulumi
from infra.delivery.commit import Commit, CommitArgs
from infra.delivery.deliver import digests

facts = pulumi.Config().require("facts")
args = CommitArgs(
    facts=facts, overrides="{{}}", files=digests(facts, "{{}}"), repository={repository!r}, branch="main",
    gitops_path="", environment="ha", token=pulumi.Config().require_secret("token"), withdraw_on_destroy=False,
)
pulumi.export("commit", Commit("commit", args, pulumi.ResourceOptions()).commit)
"""
PORTAL = "apps/harbor/ha/release/values/portal.yaml"


class Stack:
    """One stack of a project with nothing but the commit."""

    def __init__(self, folder: Path, pulumi: Path, repository: str) -> None:
        self.folder, self.pulumi = folder, pulumi
        for name in ("bin", "state"):
            (folder / name).mkdir()
        plugin = folder / "bin" / "pulumi-resource-pulumi-python"
        plugin.write_text(f"#!/bin/sh\nexec {sys.executable} -u -m pulumi.dynamic\n")
        plugin.chmod(0o755)
        (folder / "__main__.py").write_text(PROGRAM.format(repository=repository))
        (folder / "Pulumi.yaml").write_text("name: slipway\nruntime: python\n")
        self.run("stack", "init", "ha")
        self.run("config", "set", "facts", inputs().facts_json)
        self.run("config", "set", "--secret", "token", TOKEN)

    def run(self, *arguments: str) -> tuple[int, str]:
        environment = {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PULUMI_BACKEND_URL": (self.folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        done = subprocess.run(
            [str(self.pulumi), *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def up(self) -> tuple[int, str]:
        with serving(self.folder) as address:
            return self.run("up", "--yes", "--skip-preview", "--client", address)

    def state(self) -> dict:
        resources = json.loads(self.run("stack", "export")[1])["deployment"]["resources"]
        (commit,) = (one for one in resources if one["type"].endswith("slipway:Commit"))
        return commit


@pytest.fixture(scope="session")
def pulumi() -> Path:
    """The engine, found in the home of whoever runs the tests; building it takes minutes where there is none yet."""
    return find("pulumi", progress=sys.stderr.write, announce=sys.stderr.write).path


@pytest.fixture
def stack(tmp_path, http_remote, pulumi):
    folder = tmp_path / "project"
    folder.mkdir()
    return Stack(folder, pulumi, http_remote)


def test_from_the_first_up_to_an_edit_by_hand(stack, repository):
    code, said = stack.up()
    assert code == 0, said
    state = stack.state()
    assert state["outputs"]["commit"] == repository.head()
    # The engine's mark of an encrypted value, in the inputs as in the outputs.
    for part in ("inputs", "outputs"):
        assert "ciphertext" in state[part]["token"]
    assert TOKEN not in "".join(path.read_text() for path in (stack.folder / "state").rglob("*.json"))

    code, said = stack.up()
    assert code == 0, said
    assert "2 unchanged" in said  # the commit and the stack itself

    repository.write(PORTAL, "edited: by hand\n")
    code, said = stack.run("refresh", "--yes", "--skip-preview")
    assert code == 0, said
    assert "~ 1 updated" in said
    assert "ciphertext" in stack.state()["outputs"]["token"]

    code, said = stack.up()
    assert code != 0
    assert f"{PORTAL}: is a generated file, and was edited by hand" in said
    assert "-edited: by hand" in said
    assert "slipway publish ha --take-over" in said
    assert TOKEN not in said
    assert "Traceback" not in said
