"""A Harbor to go to, another one to come from, and an ECR that is moto's server with that other one's images."""

import hashlib
import json
import os

import boto3
import pytest

from tests.harbor.conftest import api, contract_server, harbor  # noqa: F401  # fixtures
from tests.harbor.process import HarborServer
from tests.harbor.server.distribution import program
from tests.harbor.test_server_registry import MANIFEST, Pusher
from tests.moto_server import empty_account, endpoint  # noqa: F401  # a fixture

ACCOUNT, REGION = "123456789012", "eu-central-1"
#: What ECR calls itself for Harbor.
ECR_URL = f"https://{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


@pytest.fixture(scope="session")
def other_server(tmp_path_factory):
    with HarborServer(tmp_path_factory.mktemp("old")).running() as server:
        yield server


@pytest.fixture
def old(other_server):
    """The Harbor to come from, with a registry that takes pushes."""
    if program() is None:
        pytest.skip("docker-registry is not installed (Debian's package of that name)")
    other_server.reset()
    other_server.registry_answers()
    return other_server


def project(server, name, **metadata):
    assert server.api("POST", "/projects", {"project_name": name, "metadata": metadata}).status == 201


def push(server, name, tag, content=b"layer", **more):
    """Push an image; gives its digest and its manifest."""
    pusher = Pusher(server, name)
    done, digest = pusher.image(tag, layer=content, **more)
    assert done.status == 201, done
    return digest


@pytest.fixture
def aws(endpoint, monkeypatch):  # noqa: F811
    """An account with nothing in it, and credentials that it takes."""
    empty_account(endpoint, monkeypatch)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


class Ecr:
    """Images that stand in moto's ECR and, where a registry is given, there too, with the same bytes."""

    def __init__(self, registry=None):
        self.client = boto3.client("ecr", region_name=REGION)
        self.registry = registry

    def repository(self, name, **more):
        self.client.create_repository(repositoryName=name, **more)

    def image(self, name, tag, size=1000, content=b"layer"):
        """Put an image; moto takes the size of the config for that of the image."""
        manifest = self._manifest(name, tag, content) if self.registry else self._made_up(size, content)
        digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
        named = {"imageTag": tag} if tag else {}
        self.client.put_image(repositoryName=name, imageManifest=manifest, imageDigest=digest, **named)
        return digest

    def _manifest(self, name, tag, content):
        push(self.registry, name, tag, content)
        return Pusher(self.registry, name).pull(tag).body.decode()

    def _made_up(self, size, content):
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{'0' * 64}", "size": size}
        layer = {"digest": f"sha256:{hashlib.sha256(content).hexdigest()}", "size": len(content)}
        return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]})


@pytest.fixture
def ecr(aws):
    return Ecr()
