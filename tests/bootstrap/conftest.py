"""An AWS that is moto's server over HTTP, empty for each test; what it leaves out is in docs/bootstrap.md."""

import boto3
import pytest

from infra.stack_config import from_stack_file
from tests.graph.graphs import ROOT
from tests.moto_server import empty_account, endpoint  # noqa: F401  # a fixture

ACCOUNT = "123456789012"


@pytest.fixture(autouse=True)
def aws(endpoint, monkeypatch):  # noqa: F811
    """An account with nothing in it, and credentials that it takes."""
    empty_account(endpoint, monkeypatch)

    def client(service):
        return boto3.client(service, region_name="eu-central-1")

    return client


@pytest.fixture
def settings():
    return from_stack_file(ROOT / "stacks" / "Pulumi.ha.yaml")
