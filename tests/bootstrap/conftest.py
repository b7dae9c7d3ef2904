"""An AWS that is moto's server over HTTP, empty for each test; what it leaves out is in docs/bootstrap.md."""

import logging

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from infra.stack_config import from_stack_file
from tests.graph.graphs import ROOT

ACCOUNT = "123456789012"


@pytest.fixture(scope="session")
def endpoint():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def aws(endpoint, monkeypatch):
    """An account with nothing in it, and credentials that it takes."""
    requests.post(f"{endpoint}/moto-api/reset", timeout=10)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def client(service):
        return boto3.client(service, region_name="eu-central-1")

    return client


@pytest.fixture
def settings():
    return from_stack_file(ROOT / "stacks" / "Pulumi.ha.yaml")
