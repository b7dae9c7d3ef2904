"""`slipway harbor robots` and `rotate`: nothing that is valid stops before everybody can have the next."""

import json

import pytest

from tests.harbor_as_code.command import command

ROBOTS = """
robots:
  - name: nodes
    duration: 60
    permissions: [{namespace: payments, preset: pull}]
    secret: {file: nodes.json}
    rotation: {strategy: in_place, before_days: 20}
projects:
  payments:
    robots:
      - {name: ci, preset: ci, secret: {file: ci.json}, rotation: {before_days: 30, overlap_days: 7}}
      - {name: idle, preset: pull, duration: -1, secret: {file: idle.json}}
"""


@pytest.fixture
def made(place):
    assert place.apply(ROBOTS).good
    return place


def run(place, *arguments):
    done = command(place.api, arguments[0], "test", "-f", str(place.file), *arguments[1:], "--output", "json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["robots"]


def kept(place, file):
    return json.loads((place.folder / file).read_text())


def opens(place, credential):
    return place.api.request("GET", "/v2/", auth=(credential["username"], credential["password"])).status == 200


def test_the_report_tells_when_each_ends_and_what_is_not_declared(made):
    body = {"name": "theirs", "level": "system", "duration": 3}
    body |= {
        "permissions": [{"kind": "system", "namespace": "/", "access": [{"resource": "catalog", "action": "read"}]}]
    }
    assert made.api.api("POST", "/robots", body).status == 201
    code, rows = run(made, "robots")
    assert code == 0
    assert {(row["key"], row["robot"], row["state"], row["declared"]) for row in rows} == {
        ("theirs", "robot$theirs", "soon", False),
        ("nodes", "robot$nodes", "lives", True),
        ("payments/ci", "robot$payments+ci-a", "lives", True),
        ("payments/idle", "robot$payments+idle", "for ever", True),
    }
    made.api.later(days=55)
    code, rows = run(made, "robots")
    assert code == 2
    assert [(row["key"], row["state"]) for row in rows[:2]] == [("theirs", "over"), ("nodes", "soon")]


def test_the_report_tells_of_one_that_is_not_there(place):
    place.apply("projects: {payments: }")
    place.file.write_text(ROBOTS)
    code, rows = run(place, "robots")
    assert (code, {row["state"] for row in rows}) == (2, {"missing"})


def test_nothing_is_done_before_it_is_due(made):
    before = kept(made, "nodes.json"), kept(made, "ci.json")
    code, rows = run(made, "rotate")
    assert (code, [row["act"] for row in rows]) == (0, ["keep", "keep"])
    assert (kept(made, "nodes.json"), kept(made, "ci.json")) == before


def test_a_pair_overlaps_and_then_the_older_one_ends(made):
    old = kept(made, "ci.json")
    made.api.later(days=61)
    code, rows = run(made, "rotate", "--robot", "payments/ci")
    assert (code, rows[0]["act"]) == (0, "rotate")
    new = kept(made, "ci.json")
    assert new["username"] == "robot$payments+ci-b"
    assert opens(made, old), "who has not got the new one yet still works"
    assert opens(made, new)
    assert made.plan(ROBOTS).actions[0].ref.key == "nodes", "only the one that is over by now"
    made.api.later(days=2)
    assert run(made, "rotate", "-r", "payments/ci")[1][0]["act"] == "wait"
    made.api.later(days=6)
    assert run(made, "rotate", "-r", "payments/ci")[1][0]["act"] == "retire"
    assert not opens(made, old)
    assert opens(made, new)


def test_one_robot_lives_longer_and_gets_another_secret(made):
    old = kept(made, "nodes.json")
    made.api.later(days=45)
    code, rows = run(made, "rotate", "-r", "nodes")
    assert (code, rows[0]["act"]) == (0, "renew")
    new = kept(made, "nodes.json")
    assert opens(made, new)
    assert not opens(made, old)
    robot = made.api.api("GET", "/robots").json[0]
    assert robot["duration"] == 105, "45 days since it was made, and 60 more"
    assert made.plan(ROBOTS).actions == []
    made.api.later(days=55)
    assert opens(made, new)


def test_now_renews_what_has_long_to_live_and_a_dry_run_only_says_so(made):
    before = kept(made, "nodes.json"), kept(made, "ci.json")
    code, rows = run(made, "rotate", "--now", "--dry-run")
    assert (code, [row["act"] for row in rows]) == (0, ["renew", "rotate"])
    assert (kept(made, "nodes.json"), kept(made, "ci.json")) == before
    assert len(made.api.api("GET", "/robots", q="Level=project,ProjectID=2").json) == 2
    assert [row["act"] for row in run(made, "rotate", "--now")[1]] == ["renew", "rotate"]
    assert kept(made, "nodes.json") != before[0]
    assert made.plan(ROBOTS).actions == []


def test_a_renewal_that_was_killed_after_harbor_took_the_secret_is_finished(made):
    """As a kill leaves it: the secret is stored as pending, Harbor has it, and nobody made it current."""
    old = kept(made, "nodes.json")
    pending = old | {"password": "Pending0Secret"}
    (made.folder / "nodes.json.pending").write_text(json.dumps(pending))
    number = made.api.api("GET", "/robots").json[0]["id"]
    assert made.api.api("PATCH", f"/robots/{number}", {"secret": "Pending0Secret"}).status == 200
    assert not opens(made, old)
    code, rows = run(made, "rotate", "-r", "nodes")
    assert (code, rows[0]["act"]) == (0, "renew")
    assert kept(made, "nodes.json") == pending
    assert opens(made, pending)
    assert run(made, "rotate", "-r", "nodes")[1][0]["act"] == "keep"


def test_one_that_fails_stops_no_other(made):
    made.api.api("DELETE", f"/robots/{made.api.api('GET', '/robots').json[0]['id']}")
    code, rows = run(made, "rotate", "--now")
    assert (code, [(row["key"], row["act"]) for row in rows]) == (1, [("nodes", "failed"), ("payments/ci", "rotate")])
    assert "slipway harbor apply" in rows[0]["problems"][0]["fix"]


def test_a_name_that_is_not_declared_is_an_error_before_anything_is_done(made):
    done = command(
        made.api, "rotate", "test", "-f", str(made.file), "-r", "payments/cj", "-r", "payments/idle", "--now"
    )
    assert done.returncode == 1
    assert "did you mean" in done.stderr
    assert "payments/idle has no rotation" in done.stderr


def test_text_tells_the_same(made):
    report = command(made.api, "robots", "test", "-f", str(made.file))
    assert report.returncode == 0
    assert "robot$payments+ci-a" in report.stdout
    told = command(made.api, "rotate", "test", "-f", str(made.file), "--now")
    assert "rotate  payments/ci: a second robot takes over" in told.stdout
    assert kept(made, "ci.json")["password"] not in told.stdout + told.stderr
