"""A bare repository, its remote, and a home whose git configuration is nobody's."""

import os
from pathlib import Path

import pytest

from infra.delivery.git import Remote
from tests.publish.conftest import Repository, http_remote

__all__ = ["http_remote"]  # a fixture: the same repository behind smart HTTP that wants a token

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path_factory):
    """A home of its own, so that the git configuration of whoever runs the tests takes no part."""
    for variable in [name for name in os.environ if name.startswith(("GIT_", "SLIPWAY_GIT_"))]:
        monkeypatch.delenv(variable)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / ".config"))
    return folder


@pytest.fixture
def repository(tmp_path) -> Repository:
    """An empty bare repository that, as hosted ones do, lets clients leave blobs out."""
    return Repository(tmp_path / "gitops.git")


@pytest.fixture
def remote(repository) -> Remote:
    """Its branch main."""
    return Remote(repository=repository.path.as_uri(), branch="main")
