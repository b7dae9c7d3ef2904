"""Retention policies end to end: what Harbor does not check is refused, and the cache's own policy is replaced."""

import pytest

from infra.errors import SpecError

RULES = """
projects:
  payments:
    retention_policy:
      schedule: Daily
      rules:
        - {most_recently_pushed: 20, tag_matching: "v*", untagged_artifacts: false}
        - {most_recently_pulled: 5, repo_excluding: "tmp/**"}
        - {n_days_since_last_push: 7, tag_excluding: "dev-*"}
        - {n_days_since_last_pull: 30, disabled: true}
        - {always_retain: true, repo_matching: "base/**"}
"""


def policy(place, project=2):
    number = place.api.api("GET", f"/projects/{project}").json["metadata"]["retention_id"]
    return place.api.api("GET", f"/retentions/{number}").json


def test_a_policy_is_made_with_all_its_rules_and_then_nothing_is_left_to_do(place):
    assert place.apply(RULES).good
    made = policy(place)
    assert made["trigger"]["settings"]["cron"] == "0 0 0 * * *"
    assert {rule["template"] for rule in made["rules"]} == {
        "latestPushedK", "latestPulledN", "nDaysSinceLastPush", "nDaysSinceLastPull", "always",
    }  # fmt: skip
    newest = next(rule for rule in made["rules"] if rule["template"] == "latestPushedK")
    assert newest["params"] == {"latestPushedK": 20}
    assert newest["tag_selectors"] == [
        {"kind": "doublestar", "decoration": "matches", "pattern": "v*", "extras": '{"untagged": false}'}
    ]
    assert place.plan(RULES).actions == []


def changed(place, **how):
    body = policy(place) | how
    return place.api.api("PUT", f"/retentions/{body['id']}", body).status


#: What somebody does by hand → the field that differs.
DRIFTS = {
    "schedule": (lambda place: changed(place, trigger={"kind": "Schedule", "settings": {"cron": ""}}), "schedule"),
    "a rule less": (lambda place: changed(place, rules=policy(place)["rules"][1:]), "rules"),
    "a rule that nobody knows": (lambda place: changed(place, rules=[{"template": "bogus", "action": "retain"}]), "rules"),
    "a sleeping rule": (
        lambda place: changed(place, rules=[rule | {"disabled": True} for rule in policy(place)["rules"]]),
        "rules",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DRIFTS)
def test_what_is_changed_by_hand_is_seen_and_brought_back(place, name):
    drift, field = DRIFTS[name]
    place.apply(RULES)
    before = policy(place)["rules"]
    assert drift(place) == 200
    [action] = place.plan(RULES).actions
    assert (action.verb, [change.field for change in action.changes]) == ("update", [field])
    assert place.apply(RULES).good
    assert place.plan(RULES).actions == []
    assert policy(place)["rules"] == before


def test_one_that_is_gone_is_made_again(place):
    place.apply(RULES)
    old = policy(place)["id"]
    assert place.api.api("DELETE", f"/retentions/{old}").status == 200
    assert [each.verb for each in place.plan(RULES).actions] == ["create"]
    assert place.apply(RULES).good
    assert policy(place)["id"] != old
    assert place.plan(RULES).actions == []


def test_null_takes_the_policy_away_and_an_absent_key_lets_go_of_it(place):
    place.apply(RULES)
    assert [each.verb for each in place.plan("projects: {payments: }").actions] == ["forget"]
    assert place.apply("projects: {payments: {retention_policy: null}}").good
    assert "retention_id" not in place.api.api("GET", "/projects/2").json["metadata"]
    assert place.plan("projects: {payments: {retention_policy: null}}").actions == []


CACHE = """
registries: [{name: hub, type: docker-hub, url: "https://hub.example.com"}]
projects:
  cache:
    registry: hub
    retention_policy: {schedule: Weekly, rules: [{n_days_since_last_pull: 14}]}
"""


def test_the_policy_that_harbor_gives_a_cache_is_replaced_without_being_asked(place):
    assert place.apply(CACHE).good
    made = policy(place)
    assert [rule["params"] for rule in made["rules"]] == [{"nDaysSinceLastPull": 14}]
    assert place.plan(CACHE).actions == []
    assert place.api.api("POST", "/retentions", made | {"id": 0}).status == 400, "there is one, and not a second"


def test_the_policy_of_a_cache_that_an_interrupted_run_left_is_taken_without_consent(place):
    place.apply(CACHE.partition("    retention_policy")[0])
    [action] = place.plan(CACHE).actions
    assert action.verb == "adopt"
    assert place.apply(CACHE).good
    assert place.plan(CACHE).actions == []


def test_a_policy_of_somebody_else_is_not_taken_without_consent(place):
    place.apply("projects: {payments: }")
    theirs = {"scope": {"level": "project", "ref": 2}, "trigger": {"kind": "Schedule", "settings": {}}, "rules": []}
    assert place.api.api("POST", "/retentions", theirs).status == 201
    plan = place.plan(RULES)
    assert "is there already and is not ours" in plan.problems[0].what
    assert place.apply(RULES, adopt=True).good
    assert place.plan(RULES).actions == []


BAD = {
    "two criteria": ("[{most_recently_pushed: 1, always_retain: true}]", "exactly one of"),
    "no criterion": ("[{tag_matching: v*}]", "here stands none"),
    "a negative count": ("[{most_recently_pushed: -1}]", "greater than or equal to 1"),
    "both patterns": ("[{always_retain: true, tag_matching: a, tag_excluding: b}]", "stand in one rule"),
    "an empty pattern": ("[{always_retain: true, tag_matching: ''}]", "at least 1 character"),
    "a rule twice": ("[{always_retain: true}, {always_retain: true, repo_matching: '**'}]", "stands here twice"),
    "sixteen rules": ("[" + ", ".join(f"{{most_recently_pushed: {n}}}" for n in range(1, 17)) + "]", "at most 15"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_harbor_would_take_unchecked_is_refused(place, name):
    rules, said = BAD[name]
    with pytest.raises(SpecError, match=said):
        place.wanted(f"projects: {{payments: {{retention_policy: {{rules: {rules}}}}}}}")


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("0 0 * * *", "write '0 0 0 \\* \\* \\*'"),
        ("* 0 0 * * *", "must be 0"),
        ("0 61 0 * * *", "is no minutes"),
        ("Sometimes", "has six fields"),
    ],
)
def test_a_schedule_that_harbor_refuses_is_refused_first(place, schedule, said):
    with pytest.raises(SpecError, match=said):
        place.wanted(f"projects: {{payments: {{retention_policy: {{schedule: '{schedule}'}}}}}}")
