"""The example of docs/harbor-policies.md is applied as it stands, and the rights that it names are enough to look."""

import asyncio
import re

import pytest
from pydantic import SecretStr

from slipway.harbor.client import connect
from slipway.harbor.client.models import Registry
from slipway.harbor.kinds.registries import Registries
from slipway.harbor.plan import Consent, make_plan
from slipway.harbor.secret_values import SecretValues
from slipway.harbor.spec import rights
from tests.harbor.clients import connection
from tests.harbor.process import ROOT

GUIDE = (ROOT / "docs" / "harbor-policies.md").read_text()


@pytest.fixture
def example(monkeypatch):
    """The example, with secrets that are here."""
    monkeypatch.setenv("ONE", "https://hooks.example.com/s3cret")
    text = re.search(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[1]
    text = re.sub(r"\{secretRef: \{awsSecretsManager: [^}]*\}\}", "{secretRef: {env: ONE}}", text)
    text = re.sub(
        r"secret: \{awsSecretsManager: [^}]*\}\{?[^}]*\}?[^}]*\}", 'secret: {file: "{project}-{robot}"}', text
    )
    return re.sub(r"secret: \{kubernetes: \{[^}]*\}\}", "secret: {file: nodes}", text)


def test_the_example_is_applied_as_it_stands(place, example):
    applied = place.apply(example)
    assert applied.good, [each for each in applied.outcomes if each.state != "done"]
    assert place.plan(example).actions == []


def named(sentence):
    found = re.findall(r"`([a-z-]+): ([a-z]+)`", sentence)
    return [{"resource": resource, "action": action} for resource, action in found]


def test_a_robot_with_the_rights_that_the_guide_names_sees_everything(place, example):
    place.apply(example)
    system, projects = re.search(
        r"these kinds need, on the system(.*?)and on all projects(.*?)\. A robot", GUIDE, re.DOTALL
    ).groups()
    assert {(each["resource"], each["action"]) for each in named(system)} <= rights.SYSTEM
    permissions = [
        {"kind": "system", "namespace": "/", "access": named(system)},
        {"kind": "project", "namespace": "*", "access": named(projects)},
    ]
    body = {"name": "drift", "level": "system", "duration": 30, "permissions": permissions}
    made = place.api.api("POST", "/robots", body).json

    async def look():
        async with connect(connection(place.api, name=made["name"], secret=SecretStr(made["secret"]))) as harbor:
            wanted = place.wanted(example)
            return (await make_plan(harbor, wanted, place.store.load(), SecretValues(place.folder), Consent()))[1]

    plan = asyncio.run(look())
    assert (plan.actions, plan.problems, plan.unread) == ([], [], [])


def test_a_registry_that_harbor_cannot_reach_is_a_warning():
    seen = Registries()._seen(Registry(id=1, name="us", type="harbor", url="https://us", status="unhealthy"))
    assert "cannot reach it" in seen.warning
