"""A project whose environment ha is delivered at chart 1.18.3 in a real bare repository; charts are our stand-in."""

import json
import os
from pathlib import Path

import pytest

from slipway.cli import run
from slipway.rehearse.cluster.charts import write_repository
from tests.delivery.repositories import Repository
from tests.values.conftest import facts_of

STACK = """\
config:
  slipway:domain: registry.ha.example.com
  slipway:region: eu-central-1
  slipway:chartVersion: 1.18.3  # until the audit is over
  slipway:gitops:
    repository: {repository}
"""


class Project:
    """A clone of Slipway as a team has it, as far as an upgrade looks at it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "Pulumi.yaml").write_text("name: slipway\n")
        self.repository = Repository(root / "gitops.git")
        self.stack_file = root / "stacks" / "Pulumi.ha.yaml"
        self.stack_file.parent.mkdir()
        self.stack_file.write_text(STACK.format(repository=self.repository.path.as_uri()))

    def override(self, name: str, text: str) -> None:
        path = self.root / "stacks" / "ha" / "values" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def facts(self, chart: str) -> Path:
        path = self.root / f"facts-{chart}.json"
        path.write_text(facts_of("ha", chartVersion=chart).to_json())
        return path

    def publish(self, chart: str = "1.18.3") -> None:
        assert run(["publish", "ha", "--facts", str(self.facts(chart))]) == 0

    def delivered_chart(self) -> str:
        return json.loads(self.repository.read("apps/harbor/ha/.slipway.lock.json"))["chart"]

    def says(self, version: str) -> bool:
        """The stack file names the version, and is otherwise as it was."""
        before = STACK.format(repository=self.repository.path.as_uri())
        return self.stack_file.read_text() == before.replace("1.18.3", version)


@pytest.fixture
def project(tmp_path, monkeypatch, capsys):
    """The project, with 1.18.3 published."""
    for variable in [name for name in os.environ if name.startswith(("GIT_", "SLIPWAY_", "KUBECONFIG"))]:
        monkeypatch.delenv(variable)
    charts = tmp_path / "charts"
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(tmp_path / "none"))
    write_repository(charts, "1.19.1")
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(charts))
    monkeypatch.setenv("HOME", str(tmp_path))
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    project = Project(root)
    project.publish()
    capsys.readouterr()
    return project
