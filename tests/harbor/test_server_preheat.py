"""Preheat instances and policies of the contract server: what Harbor's source does."""

import json

import pytest

PATH = "/p2p/preheat/instances"
POLICIES = "/projects/library/preheat/policies"


def instance(**changes):
    usual = {"name": "dfly", "vendor": "dragonfly", "endpoint": "https://dfly.example.com", "enabled": True}
    return usual | changes


def policy(**changes):
    usual = {"name": "all", "provider_id": 1, "filters": "[]", "trigger": '{"type": "manual"}', "enabled": True}
    return usual | changes


@pytest.fixture
def made(api):
    assert api.api("POST", PATH, instance(auth_mode="BASIC", auth_info={"harbor": "hush"})).status == 201
    return api.api("GET", f"{PATH}/dfly").json


def test_an_instance_is_named_where_it_is_and_never_tells_its_credential(api, made):
    answer = api.api("POST", PATH, instance(name="two", endpoint="https://two.example.com"))
    assert answer.headers["location"] == "/api/v2.0/p2p/preheat/instances/two"
    assert (made["id"], made["auth_mode"], made["status"]) == (1, "BASIC", "Unknown")
    assert "auth_info" not in made


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (instance(endpoint="https://x.example.com"), 409),
        (instance(name="x"), 500),  # the endpoint is taken
        (instance(name="-x", endpoint="https://x.example.com"), 500),
        (instance(name="x", endpoint="nonsense", vendor="nobody", auth_mode="MAGIC"), 201),
        (instance(name="x", endpoint="https://x.example.com", enabled="yes"), 422),
    ],
)
def test_what_an_instance_may_be(api, made, body, status):
    assert api.api("POST", PATH, body).status == status


def test_a_change_goes_to_the_id_in_it_and_replaces_everything(api, made):
    assert api.api("PUT", f"{PATH}/dfly", instance()).status == 404  # instance 0 not found
    assert (
        api.api("PUT", f"{PATH}/dfly", {"id": 1, "name": "dfly", "vendor": "dragonfly", "enabled": True}).status == 200
    )
    assert api.api("GET", f"{PATH}/dfly").json.keys() == {"id", "name", "vendor", "enabled", "default", "insecure", "status"}  # fmt: skip
    assert api.api("PUT", f"{PATH}/dfly", instance(id=1, vendor="kraken")).status == 500


def test_only_a_change_takes_the_default_from_the_other(api, made):
    api.api("PUT", f"{PATH}/dfly", made | {"default": True})
    api.api("POST", PATH, instance(name="two", endpoint="https://two.example.com", default=True))
    rows = api.api("GET", PATH).json
    assert [each["default"] for each in rows] == [True, True]
    api.api("PUT", f"{PATH}/two", rows[1])
    assert [each["default"] for each in api.api("GET", PATH).json] == [False, True]


def test_an_instance_that_policies_use_stays_and_stays_enabled(api, made):
    assert api.api("POST", POLICIES, policy()).status == 201
    assert api.api("PUT", f"{PATH}/dfly", made | {"enabled": False}).status == 412
    assert api.api("DELETE", f"{PATH}/dfly").status == 412
    assert api.api("DELETE", f"{POLICIES}/all").status == 200
    assert api.api("DELETE", f"{PATH}/dfly").status == 200
    assert api.api("DELETE", f"{PATH}/dfly").status == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 201),
        ({"provider_id": 9}, 404),
        ({"name": "no good"}, 500),
        ({"filters": ""}, 500),
        ({"trigger": ""}, 500),
        ({"trigger": "{"}, 500),
        ({"filters": json.dumps([{"type": "label", "value": "x" * 1024}])}, 500),
        ({"trigger": json.dumps({"type": "scheduled", "trigger_setting": {"cron": "0 3 * * *"}})}, 400),
        ({"trigger": json.dumps({"type": "magic"})}, 201),
        ({"filters": json.dumps([{"type": "colour", "value": 3}])}, 201),
    ],
)
def test_what_a_policy_may_be(api, made, changes, status):
    assert api.api("POST", POLICIES, policy(**changes)).status == status


def test_a_policy_is_found_by_name_and_changed_by_id(api, made):
    answer = api.api("POST", POLICIES, policy())
    assert answer.headers["location"].endswith("/preheat/policies/all")
    assert api.api("POST", POLICIES, policy()).status == 409
    assert api.api("PUT", f"{POLICIES}/all", policy(description="x")).status == 404  # policy 0 not found
    assert api.api("PUT", f"{POLICIES}/all", policy(id=1, description="x")).status == 200
    read = api.api("GET", f"{POLICIES}/all").json
    assert (read["description"], read["provider_name"]) == ("x", "dfly")
    assert read["creation_time"].startswith("0001")
    assert [each["name"] for each in api.api("GET", POLICIES).json] == ["all"]
