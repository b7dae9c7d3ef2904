"""Immutable tag rules end to end: the list is one thing, and each change is two requests where Harbor wants two."""

import pytest

from infra.errors import SpecError

RULES = """
projects:
  payments:
    immutable_tag_rules:
      - {tag_matching: "v*"}
      - {repo_excluding: "sandbox/**", tag_matching: "release-*", disabled: true}
      - {repo_matching: "base/**", tag_excluding: "dev"}
"""
PATH = "/projects/2/immutabletagrules"


def rules(place):
    """Give what is there, without ids."""
    found = []
    for rule in place.api.api("GET", PATH).json:
        [repo], [tag] = rule["scope_selectors"]["repository"], rule["tag_selectors"]
        found.append((repo["decoration"], repo["pattern"], tag["decoration"], tag["pattern"], rule["disabled"]))
    return sorted(found)


MADE = [
    ("repoExcludes", "sandbox/**", "matches", "release-*", True),
    ("repoMatches", "**", "matches", "v*", False),
    ("repoMatches", "base/**", "excludes", "dev", False),
]


def test_rules_are_made_and_then_nothing_is_left_to_do(place):
    assert place.apply(RULES).good
    assert rules(place) == MADE
    assert place.plan(RULES).actions == []


def put(place, rule, **how):
    return place.api.api("PUT", f"{PATH}/{rule['id']}", rule | how).status


def first(place):
    return place.api.api("GET", PATH).json[0]


def added(place):
    tags = [{"kind": "doublestar", "decoration": "matches", "pattern": "x"}]
    return place.api.api("POST", PATH, first(place) | {"id": 0, "tag_selectors": tags}).status


DRIFTS = {
    "switched": lambda place: put(place, first(place), disabled=not first(place)["disabled"]),
    "edited": lambda place: put(place, first(place), tag_selectors=[{"decoration": "matches", "pattern": "other"}]),
    "of no kind that we know": lambda place: put(place, first(place), tag_selectors=[]),
    "deleted": lambda place: place.api.api("DELETE", f"{PATH}/{first(place)['id']}").status,
    "added": added,
    "doubled": lambda place: place.api.api("POST", PATH, first(place) | {"id": 0, "disabled": True}).status,
}


@pytest.mark.parametrize("name", DRIFTS)
def test_what_is_changed_by_hand_is_seen_and_brought_back(place, name):
    place.apply(RULES)
    assert DRIFTS[name](place) in {200, 201}
    [action] = place.plan(RULES).actions
    assert (action.verb, [change.field for change in action.changes]) == ("update", ["rules"])
    assert place.apply(RULES).good
    assert rules(place) == MADE
    assert place.plan(RULES).actions == []


def test_a_rule_that_is_edited_and_switched_at_once_is_both(place):
    place.apply("projects: {payments: {immutable_tag_rules: [{tag_matching: a}]}}")
    number = first(place)["id"]
    changed = "projects: {payments: {immutable_tag_rules: [{tag_matching: b, disabled: true}]}}"
    assert place.apply(changed).good
    assert rules(place) == [("repoMatches", "**", "matches", "b", True)]
    assert first(place)["id"] == number
    assert place.plan(changed).actions == []


def test_an_empty_list_empties_and_an_absent_one_lets_go(place):
    place.apply(RULES)
    assert [each.verb for each in place.plan("projects: {payments: }").actions] == ["forget"]
    empty = "projects: {payments: {immutable_tag_rules: []}}"
    assert place.apply(empty).good
    assert rules(place) == []
    assert place.plan(empty).actions == []


def test_rules_of_somebody_else_are_not_replaced_without_consent(place):
    place.apply("projects: {payments: }")
    rule = {"action": "immutable", "template": "immutable_template"}
    rule |= {"scope_selectors": {"repository": [{"decoration": "repoMatches", "pattern": "**"}]}}
    rule |= {"tag_selectors": [{"decoration": "matches", "pattern": "theirs"}]}
    assert place.api.api("POST", PATH, rule).status == 201
    assert "is there already and is not ours" in place.plan(RULES).problems[0].what
    assert place.apply(RULES, adopt=True).good
    assert rules(place) == MADE


def test_two_rules_of_one_pattern_are_refused(place):
    with pytest.raises(SpecError, match="two immutable_tag_rules for one pattern"):
        place.wanted("projects: {p: {immutable_tag_rules: [{tag_matching: a}, {tag_matching: a, disabled: true}]}}")
