"""The replay of the engine's schedule: the longest chain, slots, and what counts as a dependency."""

import pytest

from slipway.rehearse.timeline import dependencies, replay

CHAIN = {
    "vpc": frozenset(),
    "db": frozenset({"vpc"}),
    "cluster": frozenset({"vpc"}),
    "nodes": frozenset({"cluster"}),
    "commit": frozenset({"db", "nodes"}),
}
SECONDS = {"vpc": 10, "db": 100, "cluster": 60, "nodes": 50, "commit": 1}


def path(timeline) -> list[str]:
    return [step.urn for step in timeline.critical_path]


def test_the_time_is_the_longest_chains():
    timeline = replay(CHAIN, SECONDS, slots=32)

    assert (timeline.seconds, timeline.one_by_one) == (121, 221)
    assert path(timeline) == ["vpc", "cluster", "nodes", "commit"]


def test_a_faster_database_is_not_on_the_critical_path_and_a_slower_one_is():
    assert "db" not in path(replay(CHAIN, {**SECONDS, "db": 20}, slots=32))
    assert path(replay(CHAIN, {**SECONDS, "db": 500}, slots=32)) == ["vpc", "db", "commit"]


@pytest.mark.parametrize(("slots", "seconds"), [(1, 60), (2, 30), (3, 20), (6, 10)])
def test_fewer_slots_take_longer(slots, seconds):
    six = {str(number): frozenset() for number in range(6)}

    assert replay(six, dict.fromkeys(six, 10), slots=slots).seconds == seconds


def test_nothing_takes_no_time():
    assert replay({}, {}, slots=1).seconds == 0


def test_dependencies_are_all_that_the_engine_waits_for():
    deployment = {
        "resources": [
            {"urn": "stack"},
            {"urn": "provider", "parent": "stack"},
            {"urn": "vpc", "parent": "stack", "provider": "provider::id"},
            {
                "urn": "subnet",
                "dependencies": ["vpc"],
                "propertyDependencies": {"vpcId": ["vpc"], "zone": None},
                "provider": "provider::id",
            },
        ]
    }

    assert dependencies(deployment) == {
        "stack": frozenset(),
        "provider": frozenset({"stack"}),
        "vpc": frozenset({"stack", "provider"}),
        "subnet": frozenset({"vpc", "provider"}),
    }
