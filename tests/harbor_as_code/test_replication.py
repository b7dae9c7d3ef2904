"""Replication rules end to end."""

import pytest

from infra.errors import SpecError

RULES = """
registries:
  - {name: dr, type: harbor, url: "https://dr.example.com"}
  - {name: us, type: harbor, url: "https://us.example.com"}
replication_policies:
  - name: push
    description: all of it
    dest_registry: dr
    dest_namespace: mirror
    dest_namespace_replace_count: 1
    trigger: {type: event_based}
    filters:
      - {type: name, value: "payments/**"}
      - {type: tag, value: "v*"}
      - {type: label, value: [b, a], decoration: excludes}
      - {type: resource, value: image}
    deletion: true
    override: false
    speed: 512
    copy_by_chunk: true
  - name: pull
    src_registry: us
    trigger: {type: scheduled, trigger_settings: {cron: "0 30 1 * * *"}}
    enabled: false
    speed: -1
    single_active_replication: true
"""


def rule(place, name):
    return next(each for each in place.api.api("GET", "/replication/policies").json if each["name"] == name)


def test_rules_are_made_and_then_nothing_is_left_to_do(place):
    assert place.apply(RULES).good
    push, pull = rule(place, "push"), rule(place, "pull")
    assert (push["dest_registry"]["name"], push["deletion"], push["speed"]) == ("dr", True, 512)
    assert "override" not in push
    assert (pull["src_registry"]["name"], pull["single_active_replication"]) == ("us", True)
    assert pull["trigger"] == {"type": "scheduled", "trigger_settings": {"cron": "0 30 1 * * *"}}
    assert "enabled" not in pull
    assert place.plan(RULES).actions == []


def changed(place, name, **how):
    body = rule(place, name)
    sides = {side: {"id": body[side]["id"]} for side in ("src_registry", "dest_registry") if body[side]["id"]}
    body = {key: value for key, value in body.items() if not key.endswith("registry")} | sides | how
    return place.api.api("PUT", f"/replication/policies/{body['id']}", body).status


def other_side(place):
    return changed(place, "push", dest_registry={"id": rule(place, "pull")["src_registry"]["id"]})


DRIFTS = {
    "description": (lambda place: changed(place, "push", description=""), {"description"}),
    "namespace": (lambda place: changed(place, "push", dest_namespace="x"), {"dest_namespace"}),
    "count": (lambda place: changed(place, "push", dest_namespace_replace_count=0), {"dest_namespace_replace_count"}),
    "trigger": (lambda place: changed(place, "push", trigger={"type": "manual"}), {"trigger.type"}),
    "cron": (
        lambda place: changed(
            place, "pull", trigger={"type": "scheduled", "trigger_settings": {"cron": "0 0 1 * * *"}}
        ),
        {"trigger.cron"},
    ),
    "filters": (lambda place: changed(place, "push", filters=[]), {"filters"}),
    "deletion": (lambda place: changed(place, "push", deletion=False), {"deletion"}),
    "override": (lambda place: changed(place, "push", override=True), {"override"}),
    "enabled": (lambda place: changed(place, "pull", enabled=True), {"enabled"}),
    "speed": (lambda place: changed(place, "push", speed=0), {"speed"}),
    "chunks": (lambda place: changed(place, "push", copy_by_chunk=False), {"copy_by_chunk"}),
    "single": (lambda place: changed(place, "pull", single_active_replication=False), {"single_active_replication"}),
    "registry": (other_side, {"dest_registry"}),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_what_is_changed_by_hand_is_seen_and_brought_back(place, name):
    drift, fields = DRIFTS[name]
    place.apply(RULES)
    assert drift(place) == 200
    [action] = place.plan(RULES).actions
    assert {change.field for change in action.changes} == fields
    assert place.apply(RULES).good
    assert place.plan(RULES).actions == []


def test_rules_go_before_the_registries_that_they_name(place):
    place.apply(RULES)
    applied = place.apply("registries: []\nreplication_policies: []")
    assert [each.state for each in applied.outcomes] == ["done"] * 4
    assert place.api.api("GET", "/replication/policies").json == []


def test_a_registry_that_is_not_there_stands_in_the_way(place):
    plan = place.plan("replication_policies: [{name: x, dest_registry: nowhere}]")
    assert "there is no registry nowhere" in plan.problems[0].what


BAD = {
    "no side": ("{name: x}", "name one of"),
    "both sides": ("{name: x, src_registry: a, dest_registry: b}", "name one of"),
    "single and on events": (
        "{name: x, dest_registry: a, trigger: {type: event_based}, single_active_replication: true}",
        "does not go with",
    ),
    "a pull on events": ("{name: x, src_registry: a, trigger: {type: event_based}}", "events do not come here"),
    "each minute": (
        "{name: x, src_registry: a, trigger: {type: scheduled, trigger_settings: {cron: '0 * * * * *'}}}",
        "no \\* for the minutes",
    ),
    "no cron": ("{name: x, src_registry: a, trigger: {type: scheduled}}", "needs trigger_settings"),
    "a label that is a text": ("{name: x, src_registry: a, filters: [{type: label, value: a}]}", "a list of names"),
    "a decorated name": (
        "{name: x, src_registry: a, filters: [{type: name, value: a, decoration: matches}]}",
        "decoration is for tag and label",
    ),
    "replicate_deletion": ("{name: x, src_registry: a, replicate_deletion: true}", "no key here"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_harbor_would_refuse_is_refused_first(place, name):
    text, said = BAD[name]
    with pytest.raises(SpecError, match=said):
        place.wanted(f"replication_policies: [{text}]")


def test_a_rule_runs_once_when_it_was_made_and_when_it_was_changed(place):
    text = (
        "registries: [{name: us, type: harbor, url: 'https://us.example.com'}]\n"
        "replication_policies: [{name: in, src_registry: us, execute_on_changed: true, description: x}]"
    )

    def runs():
        return len(place.api.api("GET", "/replication/executions").json)

    assert place.apply(text).good
    assert runs() == 1
    assert place.apply(text).good
    assert runs() == 1
    assert place.apply(text.replace("description: x", "description: y")).good
    assert runs() == 2
    assert place.apply(text.replace("description: x", "description: z, enabled: false")).good
    assert runs() == 2


def test_filters_that_harbor_has_no_room_for(place):
    names = ",".join(f"repository-{number}" for number in range(80))
    with pytest.raises(SpecError, match=r"characters, and Harbor keeps 1024; make two rules of it"):
        place.plan(RULES.replace('"payments/**"', f'"payments/{{{names}}}"'))


def test_ecr_by_the_role_of_harbors_pods(place):
    url = "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com"
    text = f'registries: [{{name: ecr, type: aws-ecr, url: "{url}"}}]'
    assert place.apply(text).good
    assert place.plan(text).actions == []
