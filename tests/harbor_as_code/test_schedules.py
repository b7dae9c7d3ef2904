"""Schedules end to end; none at all is an empty body."""

import json

import pytest

from infra.errors import SpecError

TIMES = """
system:
  schedules:
    scan_all: {type: Daily}
    gc: {type: Custom, cron: "0 30 2 * * 6", delete_untagged: true, workers: 3}
    purge_audit: {type: Weekly, audit_retention_hour: 2160, include_event_types: [delete_artifact, create_artifact]}
"""
PATHS = {
    "scan_all": "/system/scanAll/schedule",
    "gc": "/system/gc/schedule",
    "purge_audit": "/system/purgeaudit/schedule",
}
NONE = "system: {schedules: {scan_all: null, gc: {type: None}, purge_audit: {type: None}}}".replace("None", "'None'")


def read(place, name):
    answer = place.api.api("GET", PATHS[name])
    return answer.json if answer.body else None


def test_schedules_are_set_and_then_nothing_is_left_to_do(place):
    assert place.apply(TIMES).good
    assert read(place, "scan_all")["schedule"] == {"type": "Daily", "cron": "0 0 0 * * *"}
    assert read(place, "gc")["schedule"]["cron"] == "0 30 2 * * 6"
    purge = json.loads(read(place, "purge_audit")["job_parameters"])
    assert purge["include_event_types"] == "create_artifact,delete_artifact"
    assert place.plan(TIMES).actions == []


def test_none_takes_each_away_and_is_nothing_to_do_where_there_is_none(place):
    assert place.plan(NONE).actions == []
    place.apply(TIMES)
    assert len(place.plan(NONE).actions) == 3
    assert place.apply(NONE).good
    assert [read(place, name) for name in PATHS] == [None, None, None]


GC = {"delete_untagged": True, "delete_tag": False, "workers": 3}
PURGE = {"audit_retention_hour": 2160, "include_event_types": "create_artifact,delete_artifact"}
DRIFTS = {
    "scan time": ("scan_all", "Hourly", "0 0 * * * *", {}, {"type", "cron"}),
    "gone": ("scan_all", "None", "", {}, {"type", "cron"}),
    "gc time": ("gc", "Custom", "0 31 2 * * 6", GC, {"cron"}),
    "gc untagged": ("gc", "Custom", "0 30 2 * * 6", GC | {"delete_untagged": False}, {"delete_untagged"}),
    "gc workers": ("gc", "Custom", "0 30 2 * * 6", GC | {"workers": 1}, {"workers"}),
    "purge hours": ("purge_audit", "Weekly", "0 0 0 * * 0", PURGE | {"audit_retention_hour": 1}, {"audit_retention_hour"}),
    "purge events": ("purge_audit", "Weekly", "0 0 0 * * 0", PURGE | {"include_event_types": "other"}, {"include_event_types"}),
}  # fmt: skip


@pytest.mark.parametrize("name", DRIFTS)
def test_what_is_changed_by_hand_is_seen_and_brought_back(place, name):
    key, kind, cron, parameters, fields = DRIFTS[name]
    place.apply(TIMES)
    body = {"schedule": {"type": kind, "cron": cron}, "parameters": parameters}
    assert place.api.api("PUT", PATHS[key], body).status == 200
    [action] = place.plan(TIMES).actions
    assert (action.ref.key, {change.field for change in action.changes}) == (key, fields)
    assert place.apply(TIMES).good
    assert place.plan(TIMES).actions == []


def test_a_schedule_that_knows_redis_elsewhere_is_set_again(place):
    """Harbor keeps where Redis was when the schedule was set, and does not show it: the ledger knows."""
    here = "system: {schedules: {gc: {type: Daily, redis: 'redis:6379'}}}"
    assert place.apply(here).good
    assert place.plan(here).actions == []
    [action] = place.plan(here.replace("redis:6379", "cache.example.com:6379")).actions
    assert [(change.field, change.before) for change in action.changes] == [("redis", "redis:6379")]
    place.api.clear_counts()
    moved = here.replace("redis:6379", "cache.example.com:6379")
    assert place.apply(moved).good
    assert place.api.counts()["update_gc_schedule"] == 1
    assert place.plan(moved).actions == []


@pytest.mark.parametrize(
    ("schedules", "said"),
    [
        ("scan_all: {type: Custom}", "needs a cron"),
        ("scan_all: {type: Daily, cron: '0 0 0 * * *'}", "no other type takes one"),
        ("gc: {type: Custom, cron: '0 0 * * *'}", "six"),
        ("gc: {type: Daily, workers: 11}", "less than or equal to 10"),
        ("purge_audit: {type: Daily, audit_retention_hour: 1}", "include_event_types"),
    ],
)
def test_what_harbor_would_refuse_is_refused_first(place, schedules, said):
    with pytest.raises(SpecError, match=said):
        place.wanted(f"system: {{schedules: {{{schedules}}}}}")
