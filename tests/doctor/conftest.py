"""A project with one environment, and a look at it by some checks."""

import shutil
from pathlib import Path

import pytest

from slipway.doctor.catalogue import CHECKS
from slipway.doctor.check import select
from slipway.doctor.runner import run_checks
from slipway.doctor.scene import Scene
from tests.bootstrap.conftest import endpoint
from tests.delivery.conftest import home, http_remote, repository
from tests.harbor.conftest import api, contract_server

__all__ = ["api", "contract_server", "endpoint", "home", "http_remote", "repository"]

ROOT = Path(__file__).parents[2]
STACK = """config:
  slipway:domain: registry.ha.example.com
  slipway:region: eu-central-1
  slipway:cluster:
    adminRoleArns: ["arn:aws:iam::123456789012:role/platform"]
    publicAccessCidrs: [203.0.113.0/24]
  slipway:gitops:
    repository: https://git.example.com/gitops.git
"""


class Project:
    """A folder with Pulumi.yaml, the lock file, and the stack file of ha."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "Pulumi.yaml").write_text("name: slipway\n")
        (root / "requirements").mkdir()
        shutil.copy(ROOT / "requirements" / "run.txt", root / "requirements")
        (root / "stacks").mkdir()
        self.write(STACK)

    @property
    def stack(self) -> Path:
        return self.root / "stacks" / "Pulumi.ha.yaml"

    def write(self, text: str) -> None:
        self.stack.write_text(text)

    def gitops(self, **settings) -> None:
        """Set the section gitops."""
        lines = "".join(f"    {key}: {value}\n" for key, value in settings.items())
        self.write(STACK[: STACK.index("  slipway:gitops")] + "  slipway:gitops:\n" + lines)

    def add(self, text: str) -> None:
        """Add settings below `config`."""
        self.write(self.stack.read_text() + text)

    def look(self, name: str, *, environment: str = "ha", **scene):
        """Run a check with what it needs, and give what came of it."""
        return self.look_all(name, environment=environment, **scene)[name]

    def look_all(self, only: str, *, environment: str = "ha", **scene):
        """Run a group or a check with what it needs, and give what came of each."""
        checks = select(CHECKS, only=[only], environment=bool(environment))
        outcomes = run_checks(checks, Scene(root=self.root, environment=environment, **scene))
        return {one.check.id: one for one in outcomes}


@pytest.fixture
def project(tmp_path, monkeypatch):
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "KUBECONFIG", "SLIPWAY_HARBOR_PASSWORD"):
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Project(folder)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Put programs of ours on an otherwise empty PATH; gives a function from a name and what it prints."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def program(name: str, says: str = "", code: int = 0) -> Path:
        path = folder / name
        path.write_text(
            f"#!/bin/sh\ncase \"$*\" in plugin*) printf '%s' '{says}';; *) echo '{says}';; esac\nexit {code}\n"
        )
        path.chmod(0o755)
        return path

    return program
