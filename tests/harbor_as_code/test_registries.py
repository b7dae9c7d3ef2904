"""Registries elsewhere: every adapter that Harbor has, and addresses that do not answer."""

from typing import get_args

import pytest

from infra.errors import SpecError
from slipway.harbor.client.api import registries
from slipway.harbor.spec.registries import RegistryType
from tests.harbor.clients import run


def test_the_types_are_the_adapters_that_harbor_has(place):
    """Of any other Harbor only says 500: artifact-hub and helm-hub are names without an adapter since Harbor 2.13."""
    adapters = run(place.api, lambda client: client.send(registries.types()))
    assert sorted(get_args(RegistryType)) == sorted(adapters)
    for name in ("artifact-hub", "helm-hub", "dockerhub"):
        assert (
            place.api.api("POST", "/registries", {"name": name, "type": name, "url": "https://x.example.com"}).status
            == 500
        )
        with pytest.raises(SpecError, match="'docker-hub'"):
            place.wanted(f"registries: [{{name: x, type: {name}, url: 'https://x.example.com'}}]")


def test_one_of_each_type_is_made_and_replicates(place):
    rows = ", ".join(
        f"{{name: {each}, type: {each}, url: 'https://{each}.example.com'}}" for each in map(str.lower, TYPES)
    )
    for name in TYPES:
        rows = rows.replace(f"type: {name.lower()},", f"type: {name},")
    rules = ", ".join(f"{{name: from-{each}, src_registry: {each}}}" for each in map(str.lower, TYPES))
    text = f"registries: [{rows}]\nreplication_policies: [{rules}]"
    assert place.apply(text).good
    assert place.plan(text).actions == []
    assert len(place.api.api("GET", "/replication/policies", page_size=100).json) == len(TYPES)


TYPES = get_args(RegistryType)
AWAY = """
labels: [{name: approved}]
registries: [{name: away, type: harbor, url: "https://away.invalid"}, {name: us, type: harbor, url: "https://us.example.com"}]
replication_policies: [{name: from-away, src_registry: away}, {name: from-us, src_registry: us}]
projects: {cache: {registry: away}, plain: {}}
"""


def test_an_address_that_does_not_answer_stops_only_what_needs_it(place):
    """Harbor asks it whenever a registry is made or changed."""
    applied = place.apply(AWAY)
    states = {str(each.action.ref): each.state for each in applied.outcomes}
    assert {name for name, state in states.items() if state == "failed"} == {"registry away"}
    assert {name for name, state in states.items() if state == "skipped"} == {"replication from-away", "project cache"}
    [problem] = next(each for each in applied.outcomes if each.state == "failed").problems
    assert "the registry is unhealthy" in problem.what
    assert place.apply(AWAY.replace("away.invalid", "away.example.com")).good


def test_a_group_that_is_in_nobodys_directory_is_told_for_that_member(place):
    text = (
        "projects: {a: {members: {groups: [{group_name: nobody, group_type: http, role: guest}]}, labels: [{name: x}]}}"
    )
    applied = place.apply(text)
    states = {str(each.action.ref): each.state for each in applied.outcomes}
    assert states == {"project a": "done", "project-label a/x": "done", "member a/group/nobody": "failed"}
    assert "group nobody not found" in str(applied.outcomes)
