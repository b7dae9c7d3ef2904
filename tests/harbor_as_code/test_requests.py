"""How many requests a plan and a first apply send for a project: as few as the API allows.

Nothing is read that nobody declares.
"""

from collections import Counter

from tests.harbor_as_code.world import Place

PROJECTS = 4
ALL = """
project_defaults:
  storage_quota: 50Gi
  members: {users: [{username: one, role: developer}, {username: two, role: guest}]}
  retention_policy: {schedule: Daily, rules: [{most_recently_pushed: 10}]}
  immutable_tag_rules: [{tag_matching: "v*"}]
  webhooks:
    - {name: push, event_types: [PUSH_ARTIFACT], targets: [{type: http, address: "http://127.0.0.1:9/"}]}
  robots:
    - {name: ci, preset: push, duration: 90, secret: {file: "{project}-{robot}.json"}}
    - {name: pull, preset: pull, duration: 90, rotation: {}, secret: {file: "{project}-{robot}.json"}}
projects: {a: {}, b: {}, c: {}, d: {}}
"""
#: Of each project: what reads it, once for a plan and once after an apply.
PARTS = {"list_members": 1, "list_robots": 1, "list_immutable": 1, "list_webhooks": 1, "get_retention": 1}
#: What makes it. Harbor takes no secret with a new robot, and one of a pair is marked until its secret was handed out.
MADE = {"create_project": 1, "create_member": 2, "create_retention": 1, "create_immutable": 1, "create_webhook": 1}
MADE |= {"create_robot": 2, "refresh_secret": 2, "v2": 2, "update_robot": 1}


def _counted(place: Place, do) -> dict[str, float]:
    """Give the requests of each operation, for one project; those that are few for any number are left out."""
    place.api.clear_counts()
    do()
    few = {"get_systeminfo", "login", "logout", "list_projects"}
    counts = Counter(place.api.counts())
    return {name: number / PROJECTS for name, number in counts.items() if name not in few}


def _users(place: Place) -> None:
    for name in ("one", "two"):
        user = {"username": name, "password": "Password1", "realname": name, "email": f"{name}@example.com"}
        assert place.api.api("POST", "/users", user).status == 201


def test_requests_of_a_first_apply_and_of_a_plan(place):
    _users(place)
    applied = _counted(place, lambda: place.apply(ALL))
    assert applied == MADE | PARTS | {"list_quotas": 1, "list_robots": 2}, "a pair is looked for before it is made"
    planned = _counted(place, lambda: place.plan(ALL))
    assert planned == PARTS | {"list_quotas": 1}


def test_what_nobody_declares_is_not_read(place):
    _users(place)
    place.apply("projects: {a: {}, b: {}, c: {}, d: {}}")
    assert _counted(place, lambda: place.plan("projects: {a: {}, b: {}, c: {}, d: {}}")) == {}
