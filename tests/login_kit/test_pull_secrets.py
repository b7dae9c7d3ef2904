"""What login-kit stores is what the support chart hands to namespaces, under the same names and soon enough."""

import json
import re
from dataclasses import replace

import pytest
from pydantic import SecretStr

from slipway.cli import run
from slipway.cli.login_kit import _LEAST_OVERLAP
from slipway.harbor.robots import Credential
from slipway.login_kit import hosts
from slipway.login_kit.procedure import Login, Task
from slipway.login_kit.robot import Asked
from slipway.login_kit.target import registry_of
from tests.graph.graphs import ROOT
from tests.support.conftest import environment, objects_of, one, values_of


@pytest.fixture
def task(monkeypatch):
    monkeypatch.chdir(ROOT)
    asked = Asked(projects=("payments",), preset="pull")
    no_hosts = {"github": hosts.github(), "gitlab": hosts.gitlab(), "bitbucket": hosts.bitbucket()}
    return Task(registry=registry_of("ha"), asked=asked, login=Login(), **no_hosts)


@pytest.fixture(scope="module")
def chart():
    facts = environment("ha", harbor={"pullSecrets": {"enabled": True, "robots": ["payments"]}})
    return objects_of(values_of(facts))


def test_the_chart_reads_the_place_that_the_secret_goes_to(task, chart):
    spec = one(chart, "ClusterExternalSecret", "harbor-pull-payments")["spec"]
    content = json.loads(Credential(username="u", password=SecretStr("p"), registry="r").to_json())
    for entry in spec["externalSecretSpec"]["data"]:
        assert entry["remoteRef"]["key"] == task.place.id == "harbor/ha/pull/payments"
        assert entry["remoteRef"]["property"] in content


def test_the_chart_names_secret_and_namespaces_as_the_snippets_do(task, chart):
    spec = one(chart, "ClusterExternalSecret", "harbor-pull-payments")["spec"]
    kit = task.kit()
    assert spec["externalSecretSpec"]["target"]["name"] == kit.pull_secret == kit.words()["secret_name"]
    assert spec["namespaceSelectors"] == [{"matchLabels": {kit.label: "true"}}]


def test_the_shortest_overlap_is_two_refreshes(chart):
    interval = one(chart, "ClusterExternalSecret", "harbor-pull-payments")["spec"]["externalSecretSpec"][
        "refreshInterval"
    ]
    assert 2 * int(re.fullmatch(r"(\d+)h", interval)[1]) <= _LEAST_OVERLAP


def test_a_shorter_one_is_refused(capsys):
    assert run(["login-kit", "payments", "--rotate", "--overlap", "1"]) == 2
    assert "greater than or equal to 2" in capsys.readouterr().err


def test_two_teams_do_not_share_a_pull_secret(task):
    other = replace(task, asked=Asked(projects=("shop_a.b",), preset="pull"))
    assert other.place.id == "harbor/ha/pull/shop-a-b"
    assert other.kit().pull_secret == "harbor-pull-shop-a-b"
