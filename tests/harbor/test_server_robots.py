"""Robots: each trap of a real Harbor."""

import time

import pytest

PULL = [{"resource": "repository", "action": "pull"}]


def project_robot(name="ci", project="library", **more):
    return {
        "name": name,
        "level": "project",
        "duration": 30,
        "permissions": [{"kind": "project", "namespace": project, "access": PULL}],
        **more,
    }


def system_robot(*access, namespace="*", name="bot", kind="project"):
    rights = [dict(zip(("resource", "action"), each.split(":"), strict=True)) for each in access]
    return {
        "name": name,
        "level": "system",
        "duration": -1,
        "permissions": [{"kind": kind, "namespace": namespace, "access": rights}],
    }


def create(api, robot=None):
    return api.api("POST", "/robots", robot or project_robot())


def robot(api, number):
    return api.api("GET", f"/robots/{number}").json


def test_names_come_with_the_prefix_and_the_project(api):
    assert create(api).json["name"] == "robot$library+ci"
    assert create(api, system_robot("repository:pull")).json["name"] == "robot$bot"
    assert create(api).status == 409


def test_a_secret_and_disable_in_the_request_count_for_nothing(api):
    made = create(api, project_robot(secret="Chosen1234", disable=True)).json

    assert made["secret"] != "Chosen1234"
    assert robot(api, made["id"])["disable"] is False
    assert api.request("GET", "/v2/", auth=(made["name"], made["secret"])).status == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"duration": 0}, 400),
        ({"duration": None}, 400),
        ({"duration": -2}, 400),
        ({"level": "galaxy"}, 400),
        ({"permissions": []}, 400),
        ({"name": "Upper"}, 400),
        ({"name": "a" * 256}, 500),
        ({"permissions": [{"kind": "project", "namespace": "library", "access": []}]}, 400),
        ({"permissions": [{"kind": "project", "namespace": "nothing", "access": PULL}]}, 404),
        ({"duration": "30"}, 422),
    ],
)
def test_what_it_refuses(api, change, status):
    assert create(api, project_robot() | change).status == status


@pytest.mark.parametrize("right", ["robot:update", "configuration:read", "configuration:update", "project:fly"])
def test_rights_that_nobody_can_give(api, right):
    assert create(api, system_robot(right, kind="system", namespace="/")).status == 400


def test_a_patch_sets_the_secret_or_has_one_made(api):
    made = create(api).json

    path = f"/robots/{made['id']}"
    assert api.api("PATCH", path, {"secret": "weak"}).status == 400
    assert api.api("PATCH", path, {"secret": "Chosen1234"}).json == {}
    assert api.request("GET", "/v2/", auth=(made["name"], "Chosen1234")).status == 200
    fresh = api.api("PATCH", path, {}).json["secret"]
    assert api.request("GET", "/v2/", auth=(made["name"], fresh)).status == 200
    assert api.request("GET", "/v2/", auth=(made["name"], "Chosen1234")).status == 401


def test_only_another_duration_extends_it_and_it_counts_from_creation(api):
    made = create(api).json
    before = robot(api, made["id"])
    api.later(days=31)
    assert api.request("GET", "/v2/", auth=(made["name"], made["secret"])).status == 401

    api.api("PATCH", f"/robots/{made['id']}", {"secret": "Chosen1234"})
    api.api("PUT", f"/robots/{made['id']}", before)
    assert robot(api, made["id"])["expires_at"] == before["expires_at"]

    api.api("PUT", f"/robots/{made['id']}", before | {"duration": 61})
    assert robot(api, made["id"])["expires_at"] == before["expires_at"] + 31 * 86400
    assert api.request("GET", "/v2/", auth=(made["name"], "Chosen1234")).status == 200


def test_an_update_replaces_and_needs_the_full_name(api):
    made = create(api, project_robot(description="CI")).json
    sent = robot(api, made["id"])

    assert api.api("PUT", f"/robots/{made['id']}", sent | {"name": "ci"}).status == 400
    assert api.api("PUT", f"/robots/{made['id']}", sent | {"permissions": []}).status == 400
    assert api.api("PUT", f"/robots/{made['id']}", sent | {"disable": True}).status == 200
    assert robot(api, made["id"])["disable"] is True

    short = {key: value for key, value in sent.items() if key not in {"disable", "description", "duration"}}
    assert api.api("PUT", f"/robots/{made['id']}", short).status == 200
    after = robot(api, made["id"])
    assert (after["disable"], after["description"], after["duration"]) == (False, "", 30)


def test_permissions_come_in_any_order_and_without_effect(api):
    body = system_robot("repository:pull", namespace="library")
    body["permissions"].append(
        {"kind": "system", "namespace": "/", "access": [{"resource": "catalog", "action": "read"}]}
    )
    made = create(api, body).json

    orders = {tuple(each["namespace"] for each in robot(api, made["id"])["permissions"]) for _ in range(30)}
    assert orders == {("library", "/"), ("/", "library")}
    assert robot(api, made["id"])["permissions"][0]["access"][0].keys() == {"resource", "action"}


def test_project_robots_come_by_project_only(api):
    create(api)
    create(api, system_robot("repository:pull"))

    assert [each["name"] for each in api.api("GET", "/robots").json] == ["robot$bot"]
    assert [each["name"] for each in api.api("GET", "/robots", q="Level=project,ProjectID=1").json] == [
        "robot$library+ci"
    ]
    assert api.api("GET", "/robots", q="Level=project").status == 400
    both = api.api("GET", "/robots", q="Level=project,ProjectID={1 2}")
    assert (both.status, both.body) == (500, b"")


def test_another_prefix_renames_all_and_the_old_names_stop(api):
    made = create(api).json

    api.configure(robot_name_prefix="bot-")

    assert robot(api, made["id"])["name"] == "bot-library+ci"
    assert api.request("GET", "/v2/", auth=(made["name"], made["secret"])).status == 401
    assert api.request("GET", "/v2/", auth=("bot-library+ci", made["secret"])).status == 200


def test_a_deleted_project_disappears_from_a_robots_permissions(api):
    api.api("POST", "/projects", {"project_name": "payments"})
    made = create(api, system_robot("repository:pull", namespace="payments")).json

    api.api("DELETE", "/projects/payments")

    left = robot(api, made["id"])
    assert left["permissions"] == []
    assert api.api("PUT", f"/robots/{made['id']}", left).status == 400


def test_a_robot_creates_others_with_no_more_than_its_own_and_changes_none_of_the_system(api):
    rights = ["robot:create", "robot:list", "robot:read", "robot:delete", "label:create"]
    made = create(api, system_robot(*rights, kind="system", namespace="/")).json
    auth = (made["name"], made["secret"])

    child = api.api(
        "POST", "/robots", system_robot("label:create", kind="system", namespace="/", name="child"), auth=auth
    )
    assert child.status == 201
    more = api.api("POST", "/robots", system_robot("quota:list", kind="system", namespace="/", name="more"), auth=auth)
    assert (more.status, more.json["errors"][0]["code"]) == (403, "DENIED")
    assert api.api("PATCH", f"/robots/{child.json['id']}", {}, auth=auth).status == 403
    assert api.api("DELETE", f"/robots/{child.json['id']}", auth=auth).status == 200
    assert api.api("GET", "/configurations", auth=auth).status == 403


def test_update_on_all_projects_reaches_their_robots_and_members(api):
    made = create(api).json
    wide = create(api, system_robot("project:update", name="wide")).json
    narrow = create(api, system_robot("project:update", namespace="library", name="narrow")).json

    path = f"/robots/{made['id']}"
    assert api.api("PATCH", path, {}, auth=(narrow["name"], narrow["secret"])).status == 403
    assert api.api("PATCH", path, {}, auth=(wide["name"], wide["secret"])).status == 200


def test_twenty_equal_creations_at_once_make_one(api):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(20) as pool:
        answers = [each.status for each in pool.map(lambda _: create(api), range(20))]

    assert sorted(answers) == [201] + [409] * 19


def test_a_robot_is_quick_and_expires_by_the_clock(api):
    made = create(api).json
    assert robot(api, made["id"])["expires_at"] == pytest.approx(time.time() + 30 * 86400, abs=5)
