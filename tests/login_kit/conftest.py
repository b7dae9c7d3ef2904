"""A Harbor (tests/harbor) and an AWS (tests/bootstrap) to make robots with."""

import pytest

from slipway.harbor.robots import PRESETS, Wanted
from slipway.harbor.robots.stores.file import FileStore
from tests.bootstrap.conftest import aws, endpoint
from tests.harbor.conftest import api, contract_server, harbor

__all__ = ["api", "aws", "contract_server", "endpoint", "harbor"]


@pytest.fixture
def payments(api):
    """Harbor with the project payments."""
    api.api("POST", "/projects", {"project_name": "payments"})
    return api


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / "robot.json")


def wanted(preset="ci", **changes):
    usual = {"name": preset, "rights": {"payments": PRESETS[preset]}, "registry": "registry.example.com"}
    return Wanted(**usual | changes)


def opens(server, credential):
    """Tell whether the registry takes a secret."""
    return (
        server.request("GET", "/v2/", auth=(credential.username, credential.password.get_secret_value())).status == 200
    )


def robots_of(server, project="payments"):
    number = server.api("GET", f"/projects/{project}").json["project_id"]
    listed = server.api("GET", "/robots", q=f"Level=project,ProjectID={number}").json
    return {robot["name"]: robot for robot in listed}
