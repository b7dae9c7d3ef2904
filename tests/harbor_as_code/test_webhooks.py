"""Webhooks end to end: sent whole, their secrets compared and never shown."""

import json

import pytest

from infra.errors import SpecError
from slipway.cli.harbor_text import plan_lines
from slipway.harbor.client.api.webhooks import EVENTS
from slipway.harbor.plan.file import as_data

HOOKS = """
projects:
  payments:
    webhooks:
      - name: scans
        description: to the chat
        event_types: [SCANNING_COMPLETED, SCANNING_FAILED, QUOTA_EXCEED]
        targets: [{type: slack, address: {secretRef: {env: SLACK}}}]
      - name: ci
        enabled: false
        event_types: [TAG_RETENTION, PUSH_ARTIFACT]
        targets:
          - {address: "https://a.example.com/x", auth_header: {secretRef: {env: HEADER}}, payload_format: CloudEvents}
          - {address: "http://b.example.com", skip_cert_verify: true}
"""
PATH = "/projects/2/webhook/policies"


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("SLACK", "https://hooks.slack.com/services/T0/S3CRET")
    monkeypatch.setenv("HEADER", "Bearer S3CRET-1")


def hook(place, name):
    return next(each for each in place.api.api("GET", PATH).json if each["name"] == name)


def test_webhooks_are_made_and_then_nothing_is_left_to_do(place):
    assert place.apply(HOOKS).good
    assert hook(place, "scans")["targets"] == [
        {"type": "slack", "address": "https://hooks.slack.com/services/T0/S3CRET"}
    ]
    ci = hook(place, "ci")
    assert ci["enabled"] is False
    assert ci["targets"][0]["payload_format"] == "CloudEvents"
    assert ci["targets"][0]["auth_header"] == "Bearer S3CRET-1"
    assert ci["targets"][1] == {
        "type": "http", "address": "http://b.example.com", "skip_cert_verify": True, "payload_format": "Default",
    }  # fmt: skip
    assert place.plan(HOOKS).actions == []


def changed(place, name, **how):
    body = hook(place, name) | how
    return place.api.api("PUT", f"{PATH}/{body['id']}", body).status


def first_target(place, **how):
    targets = hook(place, "ci")["targets"]
    return changed(place, "ci", targets=[targets[0] | how, targets[1]])


DRIFTS = {
    "switched on": (lambda place: changed(place, "ci", enabled=True), "enabled"),
    "events": (lambda place: changed(place, "ci", event_types=["PULL_ARTIFACT"]), "event_types"),
    "description": (lambda place: changed(place, "scans", description=""), "description"),
    "a target less": (lambda place: changed(place, "ci", targets=hook(place, "ci")["targets"][:1]), "targets"),
    "address": (lambda place: first_target(place, address="https://evil.example.com"), "targets"),
    "format": (lambda place: first_target(place, payload_format="Default"), "targets"),
    "verification": (lambda place: first_target(place, skip_cert_verify=True), "targets"),
    "header gone": (lambda place: first_target(place, auth_header=""), "targets"),
    "another header": (lambda place: first_target(place, auth_header="Bearer S3CRET-2"), "targets.0.auth_header"),
    "secret address": (
        lambda place: changed(place, "scans", targets=[{"type": "slack", "address": "https://x.example.com/S3CRET"}]),
        "targets.0.address",
    ),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_what_is_changed_by_hand_is_seen_and_brought_back(place, name):
    drift, field = DRIFTS[name]
    place.apply(HOOKS)
    before = place.api.api("GET", PATH).json
    assert drift(place) == 200
    plan = place.plan(HOOKS)
    assert [each.verb for each in plan.actions] == ["update"]
    assert field in [change.field for change in plan.actions[0].changes]
    told = "\n".join(plan_lines(plan)) + json.dumps(as_data(plan), default=str)
    assert "S3CRET" not in told
    assert place.apply(HOOKS).good
    assert place.plan(HOOKS).actions == []
    kept = ("name", "description", "enabled", "event_types", "targets")
    after = place.api.api("GET", PATH).json
    assert [{key: each[key] for key in kept} for each in after] == [{key: each[key] for key in kept} for each in before]


def test_one_that_is_gone_is_made_again_and_one_that_leaves_the_file_is_deleted(place):
    place.apply(HOOKS)
    assert place.api.api("DELETE", f"{PATH}/{hook(place, 'ci')['id']}").status == 200
    assert [(each.verb, each.ref.key) for each in place.plan(HOOKS).actions] == [("create", "payments/ci")]
    assert place.apply(HOOKS).good
    assert place.apply(HOOKS.partition("      - name: ci")[0]).good
    assert [each["name"] for each in place.api.api("GET", PATH).json] == ["scans"]
    assert place.apply("projects: {payments: {webhooks: []}}").good
    assert place.api.api("GET", PATH).json == []


def test_every_event_can_be_named(place):
    text = f"projects: {{p: {{webhooks: [{{name: all, event_types: [{', '.join(EVENTS)}], targets: [{{address: 'http://x'}}]}}]}}}}"
    assert place.apply(text).good
    assert place.plan(text).actions == []


BAD = {
    "an event that is none": ("event_types: [PUSH], targets: [{address: 'http://x'}]", "PUSH_ARTIFACT"),
    "no event": ("event_types: [], targets: [{address: 'http://x'}]", "at least 1 item"),
    "no target": ("event_types: [REPLICATION], targets: []", "at least 1 item"),
    "no address of the web": ("event_types: [REPLICATION], targets: [{address: 'ftp://x'}]", "https?"),
    "a format for slack": (
        "event_types: [REPLICATION], targets: [{type: slack, address: 'http://x', payload_format: CloudEvents}]",
        "payload_format is for type http",
    ),
    "a header in clear": (
        "event_types: [REPLICATION], targets: [{address: 'http://x', auth_header: hunter2}]",
        "a secret is named here, never written",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_harbor_would_refuse_is_refused_first(place, name):
    body, said = BAD[name]
    with pytest.raises(SpecError, match=said) as error:
        place.wanted(f"projects: {{payments: {{webhooks: [{{name: x, {body}}}]}}}}")
    assert "hunter2" not in str(error.value)
