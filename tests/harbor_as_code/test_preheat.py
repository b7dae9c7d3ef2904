"""Preheat instances and policies end to end."""

import asyncio
import json

import pytest
from pydantic import SecretStr

from infra.errors import SpecError
from slipway.harbor.client import connect
from slipway.harbor.plan import Consent, make_plan
from slipway.harbor.secret_values import SecretValues
from tests.harbor.clients import connection

TEXT = """
preheat_instances:
  - name: dfly
    vendor: dragonfly
    endpoint: https://dragonfly.example.com/
    description: near the nodes
    auth_mode: BASIC
    access_credential: {secretRef: {env: DFLY}}
    default: true
  - {name: kraken, vendor: kraken, endpoint: "https://kraken.example.com", enabled: false, insecure: true}
profiles:
  team:
    preheat_policies:
      - name: releases
        instance: dfly
        description: what nodes pull
        enabled: true
        trigger: {type: scheduled, trigger_setting: {cron: "0 0 3 * * *"}}
        filters: [{type: tag, value: "v*"}, {type: repository, value: "**"}, {type: label, value: [stable, edge]}]
        extra_attrs: {scope: all_peers, cluster_ids: [1, 2]}
projects:
  payments: team
  "123": {preheat_policies: [{name: all, instance: dfly}]}
"""


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("DFLY", "harbor:s3cret")


def instances(place):
    return {each["name"]: each for each in place.api.api("GET", "/p2p/preheat/instances").json}


def policy(place, project="payments", name="releases"):
    return place.api.api("GET", f"/projects/{project}/preheat/policies/{name}").json


def test_both_are_made_and_then_nothing_is_left_to_do(place):
    assert place.apply(TEXT).good
    found = instances(place)
    assert (found["dfly"]["endpoint"], found["dfly"]["default"]) == ("https://dragonfly.example.com", True)
    assert (found["kraken"]["enabled"], found["kraken"]["insecure"]) == (False, True)
    made = policy(place)
    assert json.loads(made["filters"]) == [
        {"type": "label", "value": "edge,stable"},
        {"type": "repository", "value": "**"},
        {"type": "tag", "value": "v*"},
    ]
    assert json.loads(made["trigger"]) == {"type": "scheduled", "trigger_setting": {"cron": "0 0 3 * * *"}}
    assert json.loads(made["extra_attrs"]) == {"scope": "all_peers", "cluster_ids": [1, 2]}
    assert [each["type"] for each in json.loads(policy(place, "123", "all")["filters"])] == ["repository", "tag"]
    assert place.plan(TEXT).actions == []


@pytest.mark.parametrize(
    ("mode", "secret", "info"),
    [
        ("BASIC", "harbor:s3:cret", {"harbor": "s3:cret"}),
        ("OAUTH", "t0ken", {"token": "t0ken"}),
        ("CUSTOM", "X-Key: k3y", {"X-Key": "k3y"}),
    ],
)
def test_a_credential_is_sent_as_harbor_reads_it(place, monkeypatch, mode, secret, info):
    """It takes the only key for the user's or the header's name."""
    monkeypatch.setenv("DFLY", secret)
    place.api.switch(record=True)
    text = TEXT.replace("auth_mode: BASIC", f"auth_mode: {mode}")
    assert place.apply(text).good
    bodies = [
        json.loads(each["body"]) for each in place.api.exchanges() if "/instances" in each["path"] and each["body"]
    ]
    assert {str(each["auth_info"]) for each in bodies if each["name"] == "dfly"} == {str(info)}


def test_a_credential_of_another_form_is_told_and_not_shown(place, monkeypatch):
    monkeypatch.setenv("DFLY", "s3cret-alone")
    applied = place.apply(TEXT)
    [problem] = next(each for each in applied.outcomes if each.action.ref.key == "dfly").problems
    assert "not of the form user:password" in problem.what
    assert "s3cret-alone" not in str(applied.outcomes)


def test_a_changed_credential_is_seen_and_sent(place, monkeypatch):
    place.apply(TEXT)
    monkeypatch.setenv("DFLY", "harbor:an0ther")
    [action] = place.plan(TEXT).actions
    assert [change.field for change in action.changes] == ["access_credential"]
    assert place.apply(TEXT).good
    assert place.plan(TEXT).actions == []


def change_instance(place, name="dfly", **how):
    now = instances(place)[name]
    return place.api.api("PUT", f"/p2p/preheat/instances/{name}", now | how).status


def change_policy(place, **how):
    return place.api.api("PUT", "/projects/payments/preheat/policies/releases", policy(place) | how).status


ELSE = '{"type": "manual", "trigger_setting": {}}'
DRIFTS = {
    "endpoint": (lambda place: change_instance(place, endpoint="https://x.example.com"), {"endpoint"}),
    "insecure": (lambda place: change_instance(place, "kraken", insecure=False), {"insecure"}),
    "enabled": (lambda place: change_instance(place, "kraken", enabled=True), {"enabled"}),
    "default": (lambda place: change_instance(place, "kraken", default=True), {"default"}),
    "mode": (lambda place: change_instance(place, auth_mode="NONE"), {"auth_mode"}),
    "trigger": (lambda place: change_policy(place, trigger=ELSE), {"trigger.type", "trigger.cron"}),
    "filters": (lambda place: change_policy(place, filters="[]"), {"filters"}),
    "sleeps": (lambda place: change_policy(place, enabled=False), {"enabled"}),
    "scope": (lambda place: change_policy(place, extra_attrs="{}"), {"extra_attrs.scope", "extra_attrs.cluster_ids"}),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_what_is_changed_by_hand_is_seen_and_brought_back(place, name):
    drift, fields = DRIFTS[name]
    place.apply(TEXT)
    assert drift(place) == 200
    actions = place.plan(TEXT).actions
    assert {change.field for action in actions for change in action.changes} == fields
    assert place.apply(TEXT).good
    assert place.plan(TEXT).actions == []


def test_the_default_takes_the_mark_from_the_one_that_had_it(place):
    """Making one does not; only changing one does."""
    body = {"name": "old", "vendor": "kraken", "endpoint": "https://old.example.com", "default": True, "enabled": True}
    assert place.api.api("POST", "/p2p/preheat/instances", body).status == 201
    assert place.apply(TEXT).good
    assert {name for name, each in instances(place).items() if each["default"]} == {"dfly"}


def test_a_mark_that_an_interrupted_run_left_at_two_is_put_right(place):
    for name in ("dfly", "old"):
        body = {"name": name, "vendor": "dragonfly", "endpoint": f"https://{name}.example.com", "default": True}
        assert place.api.api("POST", "/p2p/preheat/instances", body | {"enabled": True}).status == 201
    text = "preheat_instances: [{name: dfly, vendor: dragonfly, endpoint: 'https://dfly.example.com', default: true}]"
    assert place.apply(text, adopt=True).good
    assert {name for name, each in instances(place).items() if each["default"]} == {"dfly"}
    assert place.plan(text).actions == []


def test_an_endpoint_that_another_instance_has_is_told(place):
    """Harbor itself only says 500."""
    body = {"name": "theirs", "vendor": "kraken", "endpoint": "https://kraken.example.com"}
    place.api.api("POST", "/p2p/preheat/instances", body)
    applied = place.apply(TEXT)
    [problem] = next(each for each in applied.outcomes if each.action.ref.key == "kraken").problems
    assert "has the endpoint of preheat instance theirs" in problem.what


def test_policies_go_before_their_instance(place):
    place.apply(TEXT)
    assert place.apply(
        "preheat_instances: []\nprojects: {payments: {preheat_policies: []}, '123': {preheat_policies: []}}"
    ).good
    assert instances(place) == {}


def test_with_a_project_go_its_policies(place):
    place.apply(TEXT)
    assert place.apply("policy: {max_deletes: 20}\npreheat_instances: []\nprojects: {}").good
    assert instances(place) == {}


def test_without_a_credential_in_the_file_an_old_harbor_is_not_made_to_forget_it(place):
    place.apply(TEXT)
    text = "preheat_instances: [{name: dfly, vendor: dragonfly, endpoint: 'https://dragonfly.example.com', description: x}]"
    assert place.apply(text).good
    place.api.switch(version="v2.14.3-1a2b3c4d")
    applied = place.apply(text.replace("x}", "y}"))
    assert "would forget" in applied.outcomes[0].problems[0].what


LABELS = ", ".join(f"label-{number}" for number in range(150))
BAD = {
    "credential": ("preheat_instances: [{name: a, vendor: kraken, endpoint: 'http://x', auth_mode: BASIC}]", "needs an access_credential"),
    "mode": ("preheat_instances: [{name: a, vendor: kraken, endpoint: 'http://x', access_credential: {secretRef: {env: A}}}]", "needs an auth_mode"),
    "vendor": ("preheat_instances: [{name: a, vendor: nydus, endpoint: 'http://x'}]", "'dragonfly' or 'kraken'"),
    "name": ("preheat_instances: [{name: -a, vendor: kraken, endpoint: 'http://x'}]", "match pattern"),
    "endpoint": ("preheat_instances: [{name: a, vendor: kraken, endpoint: x}]", "match pattern"),
    "one endpoint": ("preheat_instances: [{name: a, vendor: kraken, endpoint: 'http://x'}, {name: b, vendor: kraken, endpoint: 'http://x/'}]", "is the endpoint of a already"),
    "two defaults": ("preheat_instances: [{name: a, vendor: kraken, endpoint: 'http://x', default: true}, {name: b, vendor: kraken, endpoint: 'http://y', default: true}]", "cannot be the default, since a is"),
    "cron": ("projects: {a: {preheat_policies: [{name: p, instance: i, trigger: {type: scheduled}}]}}", "needs trigger_setting"),
    "five fields": ("projects: {a: {preheat_policies: [{name: p, instance: i, trigger: {type: scheduled, trigger_setting: {cron: '0 3 * * *'}}}]}}", "Harbor wants six"),
    "label": ("projects: {a: {preheat_policies: [{name: p, instance: i, filters: [{type: label, value: x}]}]}}", "is a list of names"),
    "filter twice": ("projects: {a: {preheat_policies: [{name: p, instance: i, filters: [{type: tag, value: x}, {type: tag, value: y}]}]}}", "two filters of type tag"),
    "too long": (f"projects: {{a: {{preheat_policies: [{{name: p, instance: i, filters: [{{type: label, value: [{LABELS}]}}]}}]}}}}", "write two policies"),
    "scope": ("projects: {a: {preheat_policies: [{name: p, instance: i, extra_attrs: {scope: some}}]}}", "all_peers"),
    "policy twice": ("projects: {a: {preheat_policies: [{name: p, instance: i}, {name: p, instance: j}]}}", "'p' stands here twice"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_harbor_would_refuse_or_take_unchecked_is_refused_first(place, name):
    text, said = BAD[name]
    with pytest.raises(SpecError, match=said):
        place.wanted(text)


def test_an_instance_that_is_not_there_stands_in_the_way(place):
    place.apply(TEXT)
    plan = place.plan(TEXT.replace("instance: dfly}]}", "instance: dfl}]}"))
    assert "there is no preheat-instance dfl, in the file or in Harbor; did you mean 'dfly'?" in plan.problems[0].what


def test_the_vendor_cannot_change(place):
    place.apply(TEXT)
    plan = place.plan(TEXT.replace("vendor: kraken", "vendor: dragonfly"))
    assert "vendor of preheat-instance kraken is 'kraken' and cannot become 'dragonfly'" in plan.problems[0].what


def test_a_robot_needs_two_rights_to_see_them(place):
    place.apply(TEXT)
    rights = [
        ("system", "/", [("project", "list"), ("preheat-instance", "list")]),
        ("project", "*", [("project", "read"), ("preheat-policy", "list")]),
    ]
    permissions = [
        {"kind": kind, "namespace": name, "access": [{"resource": resource, "action": action} for resource, action in pairs]}
        for kind, name, pairs in rights
    ]  # fmt: skip
    body = {"name": "drift", "level": "system", "duration": 3, "permissions": permissions}
    made = place.api.api("POST", "/robots", body).json
    change_policy(place, filters="[]")

    async def plan():
        sender = connection(place.api, name=made["name"], secret=SecretStr(made["secret"]))
        async with connect(sender) as harbor:
            wanted, ledger = place.wanted(TEXT), place.store.load()
            return (await make_plan(harbor, wanted, ledger, SecretValues(place.folder), Consent()))[1]

    found = asyncio.run(plan())
    assert (found.unread, [str(each.ref) for each in found.actions]) == ([], ["preheat-policy payments/releases"])
