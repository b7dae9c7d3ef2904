"""A registry that is really there, verified as tests: pytest tests/live --url https://registry.example.com

Without --url nothing here runs, and one line says so. The password comes from SLIPWAY_HARBOR_PASSWORD.
"""

import asyncio
import os
from pathlib import Path

import pytest
from pydantic import SecretStr

HERE = Path(__file__).parent
HOW = "no registry to verify: pytest tests/live --url https://registry.example.com"


def pytest_addoption(parser):
    group = parser.getgroup("live", "a registry that is really there (docs/verify.md)")
    group.addoption("--url", help="an address, or an environment")
    group.addoption("--username", default="admin", help="a user, or a robot with its prefix")
    group.addoption("--ca-file", type=Path, help="certificates to trust besides the system's (PEM)")
    group.addoption("--allow-http", action="store_true", help="send the password in clear text to another machine")
    group.addoption("--read-only", action="store_true", help="change nothing at all: no round trip")
    group.addoption("--webhook-address", default="", help="http://HOST:PORT at which Harbor reaches this machine")
    group.addoption("--kubeconfig", type=Path, help="look into this cluster, and into its pods")
    group.addoption("--context", help="of the kubeconfig; default: the current one")


@pytest.hookimpl(trylast=True)  # -k and -m have chosen by then
def pytest_collection_modifyitems(config, items):
    ours = [item for item in items if HERE in item.path.parents]
    if ours and not config.getoption("--url", default=None):
        ours[0].add_marker(pytest.mark.skip(reason=HOW))
        config.hook.pytest_deselected(items=ours[1:])
        items[:] = [item for item in items if item not in ours[1:]]


@pytest.fixture(scope="session")
def target(pytestconfig):
    """The registry, as the options and the environment have it."""
    from slipway.verify.scene import Cluster
    from slipway.verify.target import VARIABLE, target_of

    given = pytestconfig.getoption
    password = os.environ.get(VARIABLE)
    cluster = Cluster(kubeconfig=given("--kubeconfig"), context=given("--context"), sure=_names_a_cluster(pytestconfig))
    return target_of(
        given("--url"),
        username=given("--username"),
        given=SecretStr(password) if password else None,
        cluster=cluster,
        ca_file=given("--ca-file"),
        allow_http=given("--allow-http"),
    )


@pytest.fixture(scope="session")
def outcomes(request, target):
    """What came of the checks whose tests were chosen: one run for all of them, as many at once as `slipway verify`."""
    from slipway.verify.catalogue import CHECKS
    from slipway.verify.check import select
    from slipway.verify.scene import Options
    from slipway.verify.verify import verify

    given = request.config.getoption
    chosen = [item.callspec.params["check"].id for item in request.session.items if _has_check(item)]
    selection = select(CHECKS, only=chosen, read_only=given("--read-only"))
    report = asyncio.run(verify(target, Options(webhook_address=given("--webhook-address")), selection))
    return {one.check.id: one for one in report.outcomes}


@pytest.fixture(scope="session")
def machine(target):
    """This machine, as testinfra sees it; whoever wants to know whether the registry is there says so first."""
    import testinfra

    return testinfra.get_host("local://")


@pytest.fixture(scope="session")
def cluster(pytestconfig):
    """kubectl's options for the cluster; without one there are no pods to ask."""
    if not _names_a_cluster(pytestconfig):
        pytest.skip("no cluster was named: --kubeconfig or --context")
    given = {name: pytestconfig.getoption(f"--{name}") for name in ("kubeconfig", "context")}
    return {name: str(value) for name, value in given.items() if value}


def _names_a_cluster(config) -> bool:
    return bool(config.getoption("--kubeconfig") or config.getoption("--context"))


def _has_check(item) -> bool:
    return "check" in getattr(getattr(item, "callspec", None), "params", {}) and HERE in item.path.parents
