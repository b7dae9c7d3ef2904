"""A robot in the administrator's place: what it may not do is told for each object, and all else is done."""

import asyncio

import pytest
from pydantic import SecretStr

from slipway.harbor.apply import apply
from slipway.harbor.client import connect
from slipway.harbor.plan import Consent, make_plan
from slipway.harbor.secret_values import SecretValues
from tests.harbor.clients import connection


def _rights(*pairs):
    return [{"resource": resource, "action": action} for resource, action in (pair.split(":") for pair in pairs)]


SYSTEM = _rights(
    "robot:create", "robot:read", "robot:list", "robot:delete", "project:list", "label:create", "label:read"
)
GRANTS = [
    {"kind": "system", "namespace": "/", "access": SYSTEM},
    {"kind": "project", "namespace": "*", "access": _rights("repository:pull", "project:read")},
]


@pytest.fixture
def robot(place):
    """One that may make robots and labels, and pull."""
    place.api.api("POST", "/projects", {"project_name": "a"})
    body = {"name": "boss", "level": "system", "duration": 3, "permissions": GRANTS}
    made = place.api.api("POST", "/robots", body).json
    return connection(place.api, name=made["name"], secret=SecretStr(made["secret"]))


def applied(place, sender, text):
    async def act():
        async with connect(sender) as harbor:
            wanted, ledger, secrets = place.wanted(text), place.store.load(), SecretValues(place.folder)
            planned = await make_plan(harbor, wanted, ledger, secrets, Consent())
            return await apply(
                harbor, wanted, ledger=ledger, store=place.store, secrets=secrets, planned=planned, consent=Consent()
            )

    outcomes = asyncio.run(act()).outcomes
    return {str(each.action.ref): str(each.problems[0]) if each.problems else each.state for each in outcomes}


def test_it_cannot_give_more_rights_than_it_has(place, robot):
    told = applied(
        place,
        robot,
        """
labels: [{name: approved}]
robots: [{name: writer, permissions: [{namespace: a, preset: push}], secret: {file: writer.json}}]
""",
    )
    assert told["label approved"] == "done"
    assert "create robot writer" in told["robot writer"]
    assert "(403" in told["robot writer"]
    assert [each["name"] for each in place.api.api("GET", "/robots").json] == ["robot$boss"]


def test_what_it_may_not_is_told_for_each_object(place, robot):
    told = applied(place, robot, "labels: [{name: approved}]\nprojects: {b: {}}")
    assert told["label approved"] == "done"
    assert "create project b" in told["project b"]
    assert "give robot$boss the right to do this, or use a sender that has it" in told["project b"]
