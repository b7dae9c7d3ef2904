"""Dollars and minutes from the recorded graph: near what the three profiles are sized for, and each from its own source."""

from dataclasses import replace
from datetime import date

import pytest

from infra import tables
from slipway.forecast.cost import RULES, cost
from slipway.forecast.duration import duration
from slipway.forecast.forecast import differences, forecast
from slipway.forecast.prices import prices_in
from slipway.forecast.usage import usage_of
from tests.graph.graphs import ENVIRONMENTS, ROOT, recorded

TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def of():
    """Forecasts by name and changed settings, each recorded once."""
    known = {}

    def ask(environment: str, said=None, **changes):
        changes = {key.replace("__", "."): value for key, value in changes.items()}
        key = (environment, tuple(sorted(changes.items())), tuple(sorted((said or {}).items())))
        if key not in known:
            known[key] = forecast(ROOT, environment, changes=changes, said=said)
        return known[key]

    return ask


@pytest.mark.parametrize(("profile", "dollars"), [("dev", 350), ("ha", 1245), ("large", 6920)])
def test_a_profile_costs_what_it_is_sized_for(of, profile, dollars):
    assert of(profile).cost.monthly == pytest.approx(dollars, rel=0.15)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_everything_has_a_price_or_is_known_to_be_free(environment):
    profile = "dev" if environment in ("dev", "other") else "ha"
    found = cost(recorded(environment, preview=False), prices_in("eu-central-1"), usage_of(profile), TODAY)

    assert found.unpriced == []


def test_no_type_is_both_priced_and_free():
    assert not set(RULES) & set(tables.read("prices")["free"])


def test_every_size_that_the_settings_take_has_a_price():
    prices = prices_in("us-east-1")

    for node_type in tables.node_types():
        assert prices.node_hour(node_type) > 0
    for size in tables.database_classes():
        assert prices.of("database-hour", size) > 0
    for size in tables.cache_node_types():
        assert prices.of("cache-hour", size) > 0


@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        ("sizes__nodeType", "m7i.xlarge", ("EC2", "nodes")),
        ("sizes__databaseClass", "db.r7g.large", ("RDS", "instance in two zones")),
        ("sizes__databaseStorageGib", 200, ("RDS", "storage in two zones, gp3")),
        ("sizes__cacheNodeType", "cache.m7g.large", ("ElastiCache", "nodes")),
        ("sizes__cacheNodes", 3, ("ElastiCache", "nodes")),
    ],
)
def test_one_size_moves_its_own_line_alone(of, setting, value, line):
    changed = differences(of("ha"), of("ha", **{setting: value}))

    # A cache node more brings the alarms that watch it.
    assert [(one.service, one.what) for one in changed if one.what != "alarms"] == [line]


def test_a_line_is_quantity_times_price_times_hours(of):
    (line,) = [line for line in of("ha").cost.lines if (line.service, line.what) == ("EC2", "nodes")]

    assert (line.quantity, line.size, line.price, line.hours) == (3, "m6a.xlarge", 0.1728, 730)
    assert line.monthly == pytest.approx(3 * 0.1728 * 730 * 1.1)
    assert line.resources == ("nodes-eu-central-1a", "nodes-eu-central-1b", "nodes-eu-central-1c")


def test_s3_is_priced_instead_of_a_file_system(of):
    services = {line.service for line in of("ha", storage="s3").cost.lines}

    assert "S3" in services
    assert "EFS" not in services


def test_a_control_plane_past_its_standard_support_costs_six_times_as_much():
    graph, prices, usage = recorded("ha", preview=False), prices_in("us-east-1"), usage_of("ha")
    late = cost(graph, prices, usage, date(2100, 1, 1))

    assert late.monthly - cost(graph, prices, usage, TODAY).monthly == pytest.approx(0.5 * 730)


def test_what_has_no_price_is_named_and_never_free():
    graph = recorded("ha", preview=False)
    strange = replace(
        graph.of_type("aws:rds/instance:Instance")[0], type="aws:lambda/function:Function", name="strange"
    )
    huge = replace(graph.of_type("aws:rds/instance:Instance")[0], name="huge", inputs={"instanceClass": "db.x9.huge"})
    found = cost(replace(graph, nodes=(strange, huge)), prices_in("us-east-1"), usage_of("ha"), TODAY)

    assert found.unpriced == [
        "aws:lambda/function:Function::strange: tables/prices.yaml says neither a price nor that it is free",
        "aws:rds/instance:Instance::huge: tables/prices.yaml has no price of db.x9.huge",
    ]


def test_use_is_said_and_its_lines_follow(of):
    changed = {one.what for one in differences(of("ha"), of("ha", said={"pulled_gb": 5000.0}))}

    assert changed == {"elastic throughput, read", "out of AWS", "between zones"}


@pytest.mark.parametrize("environment", ["dev", "ha", "large"])
def test_the_minutes_are_those_of_the_longest_chain(environment):
    found = duration(recorded(environment, preview=False))

    assert found.serving == pytest.approx(sum(stretch.minutes for stretch in found.path))
    assert found.infrastructure < found.serving < found.one_by_one


def test_a_rule_that_a_change_violates_is_told(of):
    assert {one.rule.id for one in of("ha", network__nat="single").violated} == {"nat-per-zone"}
    assert of("ha").violated == []
