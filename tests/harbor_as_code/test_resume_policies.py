"""Policies and robots, killed after any request: the next run finishes, no rule is doubled, every secret opens its robot."""

import json
import random

import pytest

from infra.errors import HarborError
from tests.harbor_as_code.world import kill_at

TEXT = """
policy: {max_deletes: 100}
system:
  scanners: [{name: ext, url: "https://trivy.example.com", auth: Bearer, access_credential: {secretRef: {env: KEY}}}]
  default_scanner: ext
  schedules:
    scan_all: {type: Daily}
    gc: {type: Weekly, delete_untagged: true}
    purge_audit: {type: Daily, audit_retention_hour: 24, include_event_types: [other]}
registries: [{name: hub, type: docker-hub, url: "https://hub.example.com"}]
preheat_instances:
  - {name: dfly, vendor: dragonfly, endpoint: "https://dfly.example.com", default: true, auth_mode: OAUTH, access_credential: {secretRef: {env: KEY}}}
profiles:
  team:
    preheat_policies: [{name: releases, instance: dfly, filters: [{type: tag, value: "v*"}]}]
    retention_policy: {schedule: Daily, rules: [{most_recently_pushed: 20}, {always_retain: true, tag_matching: "v*"}]}
    immutable_tag_rules: [{tag_matching: "v*"}, {tag_matching: "r*", disabled: true}]
    webhooks:
      - name: ci
        event_types: [PUSH_ARTIFACT]
        targets: [{address: "https://ci.example.com", auth_header: {secretRef: {env: KEY}}}]
    robots:
      - {name: one, preset: pull, secret: {file: "{project}-{robot}.json"}}
      - {name: two, preset: ci, secret: {file: "{project}-{robot}.json"}, rotation: {}}
projects: {a: team, b: team, cache: {registry: hub, retention_policy: {rules: [{n_days_since_last_pull: 14}]}}}
robots: [{name: nodes, permissions: [{namespace: a, preset: pull}], disable: true, secret: {file: nodes.json}}]
replication_policies: [{name: mirror, src_registry: hub, filters: [{type: name, value: "library/**"}]}]
"""
FILES = ("a-one.json", "a-two.json", "b-one.json", "b-two.json")


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("KEY", "s3cret-of-all")
    path = tmp_path / "harbor.yaml"
    path.write_text(TEXT)
    return path


def begin(api, place):
    api.reset()
    place.store.path.unlink(missing_ok=True)
    for each in place.folder.glob("*.json*"):
        each.unlink()


def check(api, place):
    """What must be true at any end: nothing left to do, nothing twice, every secret opens what it is for."""
    plan = place.plan(TEXT)
    assert (plan.actions, plan.problems, plan.claims, plan.foreign) == ([], [], [], {})
    numbers = {each["name"]: each["project_id"] for each in api.api("GET", "/projects").json}
    for number in (numbers["a"], numbers["b"]):  # one whose creation failed at first is made after the others
        robots = api.api("GET", "/robots", q=f"Level=project,ProjectID={number}").json
        assert len(robots) == 2, [each["name"] for each in robots]
        assert len(api.api("GET", f"/projects/{number}/immutabletagrules").json) == 2
        assert len(api.api("GET", f"/projects/{number}/webhook/policies").json) == 1
    assert [len(api.api("GET", f"/projects/{name}/preheat/policies").json) for name in "ab"] == [1, 1]
    assert [each["default"] for each in api.api("GET", "/p2p/preheat/instances").json] == [True]
    assert [each["name"] for each in api.api("GET", "/robots").json] == ["robot$nodes"]
    assert len(api.api("GET", "/scanners").json) == 2
    for name in FILES:
        kept = json.loads((place.folder / name).read_text())
        answer = api.request("GET", "/v2/", auth=(kept["username"], kept["password"]))
        assert answer.status == 200, name
    assert not list(place.folder.glob("*.pending"))


def test_killed_at_any_request_the_next_run_finishes(api, place, file):
    chosen, killed = random.Random(8), 0
    for number in range(40):
        begin(api, place)
        at = chosen.randrange(8, 130)
        killed += kill_at(place, TEXT, at, answered=bool(number % 2))
        applied = place.apply(TEXT)
        assert applied.good, (at, [each for each in applied.outcomes if each.state != "done"])
        check(api, place)
    assert killed > 25


@pytest.mark.parametrize("kind", ["status", "lost"])
def test_faults_in_a_twentieth_of_all_requests_end_in_the_right_state(api, place, file, kind):
    again = 0
    for seed in range(4):
        begin(api, place)
        api.no_faults()
        api.fault(kind, status=503, share=0.05, times=-1, seed=seed)
        while not applied_in_spite(place):
            again += 1
            assert again <= 3
        api.no_faults()
        check(api, place)


def applied_in_spite(place):
    try:
        return place.apply(TEXT).good
    except HarborError:  # the login, or the first reads, five times over
        return False
