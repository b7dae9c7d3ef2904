"""A project whose environment ha is delivered to a bare repository, and what a test changes about it."""

from pathlib import Path

import pytest
import yaml

from infra.delivery.git import Remote
from infra.delivery.inputs import Inputs
from infra.delivery.publish import publish
from tests.delivery.repositories import Repository
from tests.values.conftest import CHARTS, chart, facts_of  # noqa: F401  # a fixture


class Project:
    """The folder, its repository, and its one stack file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = Repository(folder / "gitops.git")
        (folder / "Pulumi.yaml").write_text("name: slipway\n")
        (folder / "stacks" / "ha" / "values").mkdir(parents=True)
        self.settings()

    def settings(self, **changed) -> None:
        """Write the stack file; where nobody answers, a chart that is not in the cache is not to be had."""
        values = {
            "domain": "registry.ha.example.com",
            "region": "eu-central-1",
            "gitops": {"repository": self.repository.path.as_uri()},
            "cluster": {"adminRoleArns": ["arn:aws:iam::111122223333:role/platform"], "privateAccess": True},
            "chartRepository": "https://127.0.0.1:1/charts",
            **changed,
        }
        document = {"config": {f"slipway:{key}": value for key, value in values.items()}}
        (self.folder / "stacks" / "Pulumi.ha.yaml").write_text(yaml.safe_dump(document))

    def override(self, name: str, text: str) -> None:
        (self.folder / "stacks" / "ha" / "values" / f"{name}.yaml").write_text(text)

    def publish(self, **facts) -> None:
        given = facts_of("ha", chartRepository="https://127.0.0.1:1/charts", **facts)
        publish(Remote(repository=self.repository.path.as_uri(), branch="main"), Inputs(given.to_json()))


@pytest.fixture
def project(tmp_path, monkeypatch, request):
    """Delivered and in agreement with its stack file; with the official charts where they are at hand."""
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "SLIPWAY_GIT_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(CHARTS))
    monkeypatch.chdir(tmp_path)
    found = Project(tmp_path)
    found.publish()
    return found


@pytest.fixture
def without_charts(tmp_path, monkeypatch):
    """No chart in the cache, and nobody to ask."""
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(tmp_path / "no-charts"))
