"""A Harbor to talk to: the contract server with the real distribution server behind it, as new for each test."""

import pytest

from tests.harbor import openapi
from tests.harbor.process import HarborServer
from tests.harbor.server.distribution import program


@pytest.fixture(scope="session")
def contract_server(tmp_path_factory):
    with HarborServer(tmp_path_factory.mktemp("harbor")).running() as server:
        yield server


@pytest.fixture
def api(contract_server):
    """Harbor's API; what it took and gave is held against Harbor's own file when the test is done."""
    if contract_server.process.poll() is not None:
        contract_server.start()
    contract_server.reset()
    contract_server.switch(record=openapi.load() is not None)
    yield contract_server
    if contract_server.process.poll() is None and (document := openapi.load()):
        found = [each for exchange in contract_server.exchanges() for each in openapi.problems(document, exchange)]
        assert not found, "\n".join(found)


@pytest.fixture
def harbor(api):
    """Harbor with a registry that takes pushes."""
    if program() is None:
        pytest.skip("docker-registry is not installed (Debian's package of that name)")
    api.registry_answers()
    return api
