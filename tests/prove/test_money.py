"""What it costs is stated, accepted and kept to."""

import sys

import pytest
import typer

from infra.errors import ProofError
from slipway.prove.money import Money

MONEY = Money(hourly=1.0, minutes={"up": 30.0, "verify": 10.0}, teardown=20.0, margin=1.5)


def test_planned_is_what_is_expected_with_the_margin_by_the_quarter_hour():
    assert MONEY.hours == 1.5
    assert MONEY.planned == 1.5
    assert Money(hourly=0.5183, minutes={"up": 61.0}, teardown=0.0, margin=1.0).hours == 1.25


def test_the_teardown_is_within_the_limit():
    assert MONEY.seconds(1.5) == 60 * 60  # 90 minutes, less 20 with the margin
    assert MONEY.seconds(3.0) == 150 * 60


@pytest.mark.parametrize("limit", [0.0, 1.49, float("nan")])
def test_a_limit_below_the_plan_is_refused_with_the_plan(limit):
    with pytest.raises(ProofError, match=r"is less than the plan's \$1\.50 \(1\.5 h\)"):
        MONEY.refuse_too_little(limit)


def test_the_forecast_decides(money):
    assert 0.3 < money.hourly < 1.0  # dev, by slipway forecast
    assert list(money.minutes) == ["up", "status", "verify", "upgrade", "verify again"]
    assert money.seconds(money.planned) > 60 * sum(money.minutes.values())


def test_without_a_terminal_nobody_accepts_and_nothing_is_made(played, prove, money):
    code, _, err = prove("dev", "--on", "aws")

    assert code == 1
    assert f"planned, with a margin of 1.5: {money.hours:g} h, ${money.planned:,.2f} at most" in err
    assert f"give --limit {money.planned:.2f} or more; nothing is made" in err
    assert played.state["log"] == []
    assert not list(played.root.glob(".slipway/prove/*/*"))


def test_too_little_is_refused_before_anything_is_made(played, prove):
    code, _, err = prove("dev", "--on", "aws", "--limit", "0.05")

    assert code == 1
    assert "$0.05 is less than the plan's" in err
    assert played.state["log"] == []


@pytest.mark.parametrize(
    ("typed", "begins"), [("{planned}", True), ("${planned}", True), ("yes", False), ("99", False)]
)
def test_the_sum_is_typed_to_accept_it(played, prove, money, monkeypatch, typed, begins):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: typed.format(planned=f"{money.planned:.2f}"))

    code, _, _ = prove("dev", "--on", "aws")

    assert (code == 0) is begins
    assert bool(played.state["log"]) is begins
    if begins:
        assert played.report["cost"]["limit"] == money.planned
