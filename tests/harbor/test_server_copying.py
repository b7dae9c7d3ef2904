"""Replication runs: the contract server copies as Harbor's jobs do, and says what Harbor says."""

import time

import pytest

from tests.harbor.server.copying import _matches, _replaced, _specific
from tests.harbor.test_server_registry import Pusher


@pytest.fixture
def source(harbor):
    """This Harbor as its own source: what is copied gets another project by the rule."""
    credential = {"type": "basic", "access_key": "admin", "access_secret": harbor.password}
    sent = {"name": "self", "type": "harbor", "url": harbor.url, "credential": credential}
    return harbor.api("POST", "/registries", sent).id


def rule(harbor, source, pattern, **more):
    sent = {"name": pattern, "src_registry": {"id": source}, "enabled": True, "trigger": {"type": "manual"}}
    sent |= {"filters": [{"type": "name", "value": pattern}], "dest_namespace": "copy", "override": True}
    return harbor.api("POST", "/replication/policies", sent | {"dest_namespace_replace_count": 1} | more).id


def ran(harbor, policy):
    number = harbor.api("POST", "/replication/executions", {"policy_id": policy}).id
    until = time.monotonic() + 20
    while (run := harbor.api("GET", f"/replication/executions/{number}").json)["status"] == "InProgress":
        assert time.monotonic() < until
        time.sleep(0.02)
    return run


def test_a_run_copies_and_makes_the_project(harbor, source):
    _, digest = Pusher(harbor, "library/app").image("v1")

    run = ran(harbor, rule(harbor, source, "library/*"))

    assert [run[key] for key in ("status", "total", "succeed", "failed")] == ["Succeed", 1, 1, 0]
    assert Pusher(harbor, "copy/app").pull("v1").headers["docker-content-digest"] == digest
    (task,) = harbor.api("GET", f"/replication/executions/{run['id']}/tasks").json
    assert (task["src_resource"], task["status"]) == ("library/app [1 item(s) in total]", "Succeed")
    log = harbor.api("GET", f"/replication/executions/{run['id']}/tasks/{task['id']}/log")
    assert b"copy library/app:v1 to copy/app:v1 completed" in log.body
    assert harbor.api("GET", f"/replication/executions/99/tasks/{task['id']}/log").status == 404


def test_nothing_found_is_a_success_to_harbor(harbor, source):
    run = ran(harbor, rule(harbor, source, "library/nothing"))
    assert (run["status"], run["total"], run["status_text"]) == ("Succeed", 0, "no resources need to be replicated")


def test_a_registry_that_says_no_fails_the_run(harbor, source):
    harbor.fault("status", status=403, operation="list_repositories", times=-1)
    run = ran(harbor, rule(harbor, source, "library/**"))
    assert (run["status"], run["total"]) == ("Failed", 0)
    assert "http status code: 403" in run["status_text"]


def test_override_decides_about_a_tag_that_is_another(harbor, source):
    app, copy = Pusher(harbor, "library/app"), Pusher(harbor, "copy/app")
    app.image("v1", layer=b"one")
    keeping = rule(harbor, source, "library/app", override=False)
    ran(harbor, keeping)
    _, digest = app.image("v1", layer=b"two")

    ran(harbor, keeping)
    assert copy.pull("v1").headers["docker-content-digest"] != digest
    ran(harbor, rule(harbor, source, "library/{app}"))
    assert copy.pull("v1").headers["docker-content-digest"] == digest


def test_one_at_a_time_if_the_rule_says_so(harbor, source):
    Pusher(harbor, "library/app").image("v1")
    harbor.switch(copy_seconds=1.0)
    policy = rule(harbor, source, "library/app", single_active_replication=True)
    first = harbor.api("POST", "/replication/executions", {"policy_id": policy}).id
    second = ran(harbor, policy)
    assert second["status_text"] == "Execution skipped: active replication still in progress."
    assert harbor.api("GET", f"/replication/executions/{first}").json["status"] == "InProgress"


def test_what_harbors_database_and_adapters_do_not_take(harbor, source):
    names = ",".join(f"repository-{number}" for number in range(80))
    sent = {"name": "x", "src_registry": {"id": source}, "filters": [{"type": "name", "value": f"a/{{{names}}}"}]}
    assert harbor.api("POST", "/replication/policies", sent).status == 500
    ecr = {"name": "ecr", "type": "aws-ecr", "url": "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com"}
    assert harbor.api("POST", "/registries", ecr).status == 500
    assert harbor.api("POST", "/registries", ecr | {"credential": {"type": "basic"}}).status == 201
    assert harbor.api("POST", "/registries", ecr | {"name": "x" * 65}).status == 400


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("", "a/b", True),
        ("a/**", "a/b/c", True),
        ("a/*", "a/b/c", False),
        ("a/{b,c}", "a/c", True),
        ("a/{b,c}", "a/bc", False),
        ("a/b.c", "a/bxc", False),
    ],
)
def test_patterns(pattern, name, fits):
    assert _matches(pattern, name) is fits


def test_parts_that_are_spelled_out():
    assert [_specific(each) for each in ("a", "{a,b}", "x{a,b}y")] == [["a"], ["a", "b"], ["xay", "xby"]]
    assert [_specific(each) for each in ("a*", "", "{a}{b}", "**")] == [None] * 4


@pytest.mark.parametrize(("count", "target"), [(-1, "n/image"), (0, "n/a/b/image"), (1, "n/b/image"), (2, "n/image")])
def test_namespaces_are_replaced(count, target):
    assert _replaced("a/b/image", {"dest_namespace": "n", "dest_namespace_replace_count": count}) == target
