"""Robots end to end: one or a pair, secrets that no kill loses, rights compared in any order, names without prefix."""

import datetime as dt
import json

import boto3
import pytest
from moto import mock_aws

from infra.errors import SpecError
from slipway.harbor.kinds.robot_rights import rights_of
from slipway.harbor.robots import PRESETS, places
from slipway.harbor.spec import rights
from slipway.harbor.spec.robots import GrantSpec
from tests.harbor.server import rights as servers
from tests.harbor_as_code.command import command

ROBOTS = """
robots:
  - name: nodes
    duration: 60
    description: all nodes
    permissions:
      - {namespace: payments, preset: pull}
      - {kind: system, namespace: /, access: [{resource: catalog, action: read}]}
    secret: {file: nodes.json}
projects:
  payments:
    robots:
      - {name: ci, preset: ci, secret: {file: "{project}-{robot}.json"}, rotation: {}}
      - {name: idle, permissions: [{resource: repository, action: pull}], duration: -1, disable: true, secret: {file: idle.json}}
"""


def there(place, name):
    rows = place.api.api("GET", "/robots").json
    number = place.api.api("GET", "/projects/payments").json["project_id"]
    rows += place.api.api("GET", "/robots", q=f"Level=project,ProjectID={number}").json
    return next(each for each in rows if each["name"] == name)


def opens(place, file):
    kept = json.loads((place.folder / file).read_text())
    return place.api.request("GET", "/v2/", auth=(kept["username"], kept["password"])).status == 200


def test_robots_are_made_with_secrets_that_open_the_registry(place):
    applied = place.apply(ROBOTS)
    assert applied.good, [each for each in applied.outcomes if each.state != "done"]
    assert place.plan(ROBOTS).actions == []
    nodes = there(place, "robot$nodes")
    assert (nodes["duration"], nodes["description"]) == (60, "all nodes")
    assert opens(place, "nodes.json")
    assert opens(place, "payments-ci.json")
    assert there(place, "robot$payments+ci-a")["duration"] == 90
    idle = there(place, "robot$payments+idle")
    assert (idle["disable"], idle["expires_at"]) == (True, -1)
    kept = json.loads((place.folder / "idle.json").read_text())
    assert kept["username"] == "robot$payments+idle", "its secret was proven before it was disabled"
    assert (place.folder / "nodes.json").stat().st_mode & 0o777 == 0o600


def changed(place, name, **how):
    body = there(place, name) | how
    return place.api.api("PUT", f"/robots/{body['id']}", body).status


OTHER = [{"kind": "project", "namespace": "payments", "access": [{"resource": "repository", "action": "push"}]}]
DRIFTS = {
    "description": ("robot$nodes", {"description": "x"}, "description"),
    "shorter": ("robot$nodes", {"duration": 30}, "duration"),
    "longer": ("robot$nodes", {"duration": 90}, "duration"),
    "for ever": ("robot$nodes", {"duration": -1}, "duration"),
    "disabled": ("robot$payments+idle", {"disable": False}, "disable"),
    "rights": ("robot$nodes", {"permissions": OTHER}, "permissions"),
    "rights of one of a pair": ("robot$payments+ci-a", {"permissions": OTHER}, "permissions"),
    "end of one of a pair": ("robot$payments+ci-a", {"duration": 30}, "duration"),
    "a pair out of use": ("robot$payments+ci-a", {"disable": True}, "expired"),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_what_is_changed_by_hand_is_seen_and_brought_back(place, name):
    robot, how, field = DRIFTS[name]
    place.apply(ROBOTS)
    assert changed(place, robot, **how) == 200
    [action] = place.plan(ROBOTS).actions
    assert (action.verb, [change.field for change in action.changes]) == ("update", [field])
    assert place.apply(ROBOTS).good
    assert place.plan(ROBOTS).actions == []
    assert opens(place, "nodes.json")
    assert opens(place, "payments-ci.json")


def test_one_that_is_gone_is_made_again_with_a_secret_that_works(place):
    place.apply(ROBOTS)
    for name in ("robot$nodes", "robot$payments+ci-a"):
        assert place.api.api("DELETE", f"/robots/{there(place, name)['id']}").status == 200
    assert [each.verb for each in place.plan(ROBOTS).actions] == ["create", "create"]
    assert place.apply(ROBOTS).good
    assert opens(place, "nodes.json")
    assert opens(place, "payments-ci.json")
    assert place.plan(ROBOTS).actions == []


def test_robots_that_leave_the_file_are_deleted(place):
    place.apply(ROBOTS)
    assert place.apply("robots: []\nprojects: {payments: {robots: []}}").good
    assert place.api.api("GET", "/robots").json == []
    assert place.api.api("GET", "/robots", q="Level=project,ProjectID=2").json == []


def test_one_that_is_over_lives_again_with_the_secret_that_it_had(place):
    text = "projects: {payments: {robots: [{name: ci, preset: pull, duration: 1, secret: {file: ci.json}}]}}"
    place.apply(text)
    place.api.later(days=3)
    assert not opens(place, "ci.json")
    assert [change.field for change in place.plan(text).actions[0].changes] == ["expired"]
    assert place.apply(text).good
    assert opens(place, "ci.json")
    assert there(place, "robot$payments+ci")["duration"] == 4
    assert place.plan(text).actions == [], "a longer duration is the one declared, since it counts from the creation"


def test_a_run_that_was_killed_before_the_secret_was_stored_is_finished(place):
    """As a kill leaves it: the robot is there, the ledger says that it was about to be made."""
    place.apply("projects: {payments: }")
    body = {"name": "ci", "level": "project", "duration": 90, "permissions": OTHER}
    assert place.api.api("POST", "/robots", body).status == 201
    text = """
projects:
  payments: {robots: [{name: ci, permissions: [{resource: repository, action: push}], secret: {file: ci.json}}]}
"""
    ledger = place.store.load()
    ledger.intend(each for each in place.wanted(text).objects.values() if each.kind == "project-robot")
    place.store.save(ledger)
    [action] = place.plan(text).actions
    assert (action.verb, [change.field for change in action.changes]) == ("update", ["secret"])
    assert place.apply(text).good
    assert opens(place, "ci.json")
    assert place.plan(text).actions == []


def test_the_secret_of_one_that_is_taken_over_is_left_alone(place):
    place.apply("projects: {payments: }")
    body = {"name": "ci", "level": "project", "duration": 90, "permissions": OTHER}
    made = place.api.api("POST", "/robots", body).json
    text = """
projects:
  payments: {robots: [{name: ci, permissions: [{resource: repository, action: push}], secret: {file: ci.json}}]}
"""
    assert [(each.verb, each.changes) for each in place.plan(text).actions] == [("adopt", ())]
    assert place.apply(text).good
    assert place.plan(text).actions == []
    assert not (place.folder / "ci.json").exists()
    assert place.api.request("GET", "/v2/", auth=(made["name"], made["secret"])).status == 200


def test_one_whose_projects_were_deleted_is_made_again(place):
    text = "robots: [{name: nodes, permissions: [{namespace: payments, preset: pull}], secret: {file: nodes.json}}]\nprojects: {payments: }"
    place.apply(text)
    assert place.api.api("DELETE", "/projects/2").status == 200
    assert there_permissions(place) == []
    assert place.apply(text).good
    assert opens(place, "nodes.json")
    assert place.plan(text).actions == []


def there_permissions(place):
    return place.api.api("GET", "/robots").json[0]["permissions"]


def test_another_prefix_of_the_server_changes_nothing(place):
    text = 'system: {config: {robot_name_prefix: "bot-"}}\n' + ROBOTS
    assert place.apply(text).good
    assert there(place, "bot-nodes")
    assert there(place, "bot-payments+ci-a")
    assert place.plan(text).actions == []


def test_a_place_that_holds_another_secret_is_not_written_over(place):
    (place.folder / "nodes.json").write_text('{"username": "robot$other", "password": "x"}')
    applied = place.apply(ROBOTS)
    failed = {str(each.action.ref): str(each.problems[0]) for each in applied.outcomes if each.state == "failed"}
    assert list(failed) == ["robot nodes"]
    assert "would lose it" in failed["robot nodes"]
    assert json.loads((place.folder / "nodes.json").read_text())["username"] == "robot$other"


def test_without_a_place_for_its_secret_none_is_made(place):
    plan = place.plan("projects: {payments: {robots: [{name: ci, preset: pull}]}}")
    assert "cannot be made without secret" in plan.problems[0].what


def test_a_pair_does_not_become_one_unseen(place):
    place.apply(ROBOTS)
    plan = place.plan(ROBOTS.replace(", rotation: {}", ""))
    assert "rotation.strategy" in plan.problems[0].what


def test_rights_on_every_project_that_reach_further_are_told(place):
    text = "robots: [{name: x, permissions: [{namespace: '*', access: [{resource: project, action: update}]}], secret: {file: x.json}}]"
    plan = place.plan(text)
    assert "change every member's role" in plan.warnings[0].what
    assert place.apply(text).good


def test_a_project_that_is_not_there_stands_in_the_way(place):
    plan = place.plan("robots: [{name: x, permissions: [{namespace: paymets, preset: pull}], secret: {file: x.json}}]")
    assert "there is no project paymets" in plan.problems[0].what


def test_rights_are_those_that_harbor_grants():
    assert (rights.SYSTEM, rights.PROJECT) == (servers.SYSTEM, servers.PROJECT)
    for name, several in PRESETS.items():
        assert {(each.resource, each.action) for each in several} <= rights.PROJECT, name
        assert rights_of([GrantSpec(namespace="p", preset=name)])["p"]


BAD = {
    "no rights": ("{name: x}", "a robot needs rights"),
    "a right that is none": (
        "{name: x, permissions: [{resource: repository, action: pul}]}",
        "no robot may pul repository in a project; there is",
    ),
    "a resource that is none": (
        "{name: x, permissions: [{resource: repo, action: pull}]}",
        "nothing that a robot has rights on",
    ),
    "a change of robots": ("{name: x, permissions: [{resource: robot, action: update}]}", "no robot may update robot"),
    "a name with a prefix": ("{name: robot$x, preset: pull}", "pattern"),
    "days": ("{name: x, preset: pull, duration: 0}", "1 to 3650, or -1"),
    "for ever and renewed": (
        "{name: x, preset: pull, duration: -1, secret: {file: x}, rotation: {}}",
        "what never ends needs no rotation",
    ),
    "renewed all the time": (
        "{name: x, preset: pull, duration: 20, secret: {file: x}, rotation: {}}",
        "is not less than duration",
    ),
    "renewed to nowhere": ("{name: x, preset: pull, rotation: {}}", "rotation needs secret"),
    "a described pair": (
        "{name: x, preset: pull, secret: {file: x}, rotation: {}, description: x}",
        "a pair describes itself",
    ),
    "two places": ("{name: x, preset: pull, secret: {file: x, awsSecretsManager: y}}", "name one of"),
    "one place for two": (
        "{name: x, preset: pull, secret: {file: same}}, {name: y, preset: pull, secret: {file: same}}",
        "is the place of two robots' secrets",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_harbor_would_refuse_is_refused_first(place, name):
    text, said = BAD[name]
    with pytest.raises(SpecError, match=said):
        place.wanted(f"projects: {{payments: {{robots: [{text}]}}}}")


def test_an_end_is_told_by_harbors_clock():
    from slipway.harbor.robots.single import age, duration_for

    now = dt.datetime(2026, 1, 11, tzinfo=dt.UTC)
    assert duration_for("2026-01-01T00:00:00Z", 90, now) == 100
    assert duration_for("2026-01-01T12:00:00Z", 90, now) == 100
    assert duration_for("2026-01-10T23:30:00Z", 90, now) == 90
    assert duration_for("2020-01-01T00:00:00Z", -1, now) == -1
    assert age(None, now) == 0


def test_a_secret_that_is_to_be_kept_elsewhere_is_made_anew_there(place):
    place.apply(ROBOTS)
    moved = ROBOTS.replace("nodes.json", "elsewhere.json").replace("{project}-{robot}.json", "pair.json")
    plan = place.plan(moved)
    assert [(each.ref.key, [change.field for change in each.changes]) for each in plan.actions] == [
        ("nodes", ["secret"]),
        ("payments/ci", ["secret"]),
    ]
    assert place.apply(moved).good
    assert opens(place, "elsewhere.json")
    assert not opens(place, "nodes.json"), "one robot has one secret"
    assert opens(place, "pair.json")
    assert opens(place, "payments-ci.json"), "a pair has two"
    assert place.plan(moved).actions == []


def test_a_plan_of_robots_can_be_kept_in_a_file(place):
    place.file.write_text(ROBOTS)
    kept = place.folder / "plan.json"
    done = command(place.api, "plan", "test", "-f", str(place.file), "--out", str(kept))
    assert done.returncode == 2, done.stderr
    assert "secret: from slipway, which makes it and keeps it in file nodes.json" in done.stdout
    assert command(place.api, "apply", "test", "-f", str(place.file), "--plan", str(kept)).returncode == 0
    assert opens(place, "nodes.json")


def test_secrets_go_to_secrets_manager_with_the_names_filled_in(place, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    text = """
profiles:
  team: {robots: [{name: ci, preset: push, secret: {awsSecretsManager: "robots/{project}/{robot}", region: eu-central-1}}]}
projects: {payments: team, billing: team}
"""
    with mock_aws():
        places._secrets_manager.cache_clear()
        applied = place.apply(text)
        assert applied.good, [each for each in applied.outcomes if each.state != "done"]
        manager = boto3.client("secretsmanager", region_name="eu-central-1")
        for project in ("payments", "billing"):
            found = manager.get_secret_value(SecretId=f"robots/{project}/ci")
            kept = json.loads(found["SecretString"])
            assert found["VersionStages"] == ["AWSCURRENT"]
            assert kept["username"] == f"robot${project}+ci"
            assert place.api.request("GET", "/v2/", auth=(kept["username"], kept["password"])).status == 200
        assert place.plan(text).actions == []
    places._secrets_manager.cache_clear()
