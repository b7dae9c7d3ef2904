"""Which checks run, in which order, how many at once, and what becomes of whatever can happen in one."""

import asyncio

import pytest

from infra.errors import AnswerLost, ClusterError, HarborAway, Problem, RightMissing, SettingsError
from slipway.verify.catalogue import CHECKS
from slipway.verify.check import GROUPS, Check, Failed, Skipped, Undecided, select
from slipway.verify.runner import run_checks


def check(name, do=None, **more):
    async def passes(_scene):
        return "evidence"

    return Check(id=f"outside.{name}", proves="it works", reading="it does not", fix="mend it", do=do or passes, **more)


def raising(error):
    async def do(_scene):
        raise error

    return do


def ran(*checks, **more):
    return {one.check.id: one for one in asyncio.run(run_checks(checks, None, **{"at_once": 8, "seconds": 5, **more}))}


PROBLEM = Problem(what="no right", fix="get the right")
ENDS = [
    pytest.param(Failed("broken"), "failed", "broken", "mend it", id="failed"),
    pytest.param(Failed("broken", "do this"), "failed", "broken", "do this", id="advice of its own"),
    pytest.param(Undecided("who knows"), "undecided", "who knows", "mend it", id="undecided"),
    pytest.param(Skipped("does not apply"), "skipped", "does not apply", "", id="skipped"),
    pytest.param(HarborAway(PROBLEM), "failed", "no right", "get the right; mend it", id="Harbor"),
    pytest.param(RightMissing(PROBLEM), "undecided", "no right", "get the right; mend it", id="no right"),
    pytest.param(AnswerLost(PROBLEM), "undecided", "no right", "get the right; mend it", id="answer lost"),
    pytest.param(ClusterError(PROBLEM), "undecided", "no right", "get the right; mend it", id="cluster"),
]


@pytest.mark.parametrize(("error", "state", "says", "fix"), ENDS)
def test_what_comes_of_what_a_check_raises(error, state, says, fix):
    outcome = ran(check("one", raising(error)))["outside.one"]

    assert (outcome.state, outcome.says, outcome.fix) == (state, says, fix)


def test_a_check_that_takes_too_long_fails():
    async def sleeps(_scene):
        await asyncio.sleep(60)

    outcomes = ran(check("slow", sleeps, seconds=0.05), check("also", sleeps), seconds=0.02)

    assert outcomes["outside.slow"].says == "not over within 0.05 s"
    assert outcomes["outside.also"].says == "not over within 0.02 s"


def test_a_mistake_of_ours_is_no_outcome():
    with pytest.raises(ZeroDivisionError):
        ran(check("one", raising(ZeroDivisionError())), check("two"))


def test_what_needs_a_check_that_did_not_pass_is_skipped_with_the_reason():
    outcomes = ran(
        check("failed", raising(Failed("broken"))),
        check("needs", needs=("outside.failed",)),
        check("unsure", raising(Undecided("?"))),
        check("needs-unsure", needs=("outside.unsure",)),
        check("absent", raising(Skipped("no scanner"))),
        check("needs-absent", needs=("outside.absent",)),
    )

    assert outcomes["outside.needs"].says == "needs outside.failed, which failed"
    assert outcomes["outside.needs-unsure"].says == "needs outside.unsure, which was not decided"
    assert outcomes["outside.needs-absent"].says == "needs outside.absent, which did not run: no scanner"


def test_what_comes_after_runs_whatever_came_before():
    order = []

    def noting(name, error=None):
        async def do(_scene):
            await asyncio.sleep(0.01)
            order.append(name)
            if error:
                raise error
            return ""

        return do

    outcomes = ran(
        check("last", noting("last"), after=("outside.first", "outside.not-in-this-run")),
        check("first", noting("first", Failed("broken"))),
    )

    assert order == ["first", "last"]
    assert outcomes["outside.last"].state == "passed"


def test_no_more_checks_at_the_same_time_than_allowed():
    running, most = 0, 0

    async def busy(_scene):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return ""

    ran(*(check(str(number), busy) for number in range(12)), at_once=3)

    assert most == 3


def test_a_run_with_one_place_comes_to_its_end():
    outcomes = ran(
        check("two", after=("outside.one",)), check("one", needs=("outside.zero",)), check("zero"), at_once=1
    )

    assert {one.state for one in outcomes.values()} == {"passed"}


# --- the catalogue


def test_each_check_is_told_of_once_and_waits_for_none_that_is_not_there():
    ids = [one.id for one in CHECKS]

    assert len(set(ids)) == len(ids)
    assert {one.group for one in CHECKS} == set(GROUPS)
    for one in CHECKS:
        assert {*one.needs, *one.after} <= set(ids), one.id
        assert all([one.proves, one.reading, one.fix]), one.id


def test_no_check_waits_for_itself():
    waits = {one.id: {*one.needs, *one.after} for one in CHECKS}
    while waits:
        ready = [name for name, others in waits.items() if not others & waits.keys()]
        assert ready, waits
        for name in ready:
            del waits[name]


def test_what_writes_is_in_the_round_trip_and_ends_with_the_removal():
    writes = {one.id for one in CHECKS if one.writes}
    clean = next(one for one in CHECKS if one.id == "round-trip.clean")

    assert {name.partition(".")[0] for name in writes} == {"round-trip"}
    assert writes - {"round-trip.clean"} <= set(clean.after)


def test_read_only_runs_nothing_that_writes():
    selection = select(CHECKS, read_only=True)

    assert not [one.id for one in selection.run if one.writes]
    assert {one.check.id for one in selection.left_out} == {one.id for one in CHECKS if one.writes and not one.asked}


def test_one_check_brings_what_it_needs_and_the_removal():
    run = [one.id for one in select(CHECKS, only=["round-trip.referrers"]).run]

    assert run == [
        "outside.reach", "outside.login", "outside.writable", "round-trip.project", "round-trip.robot",
        "round-trip.upload", "round-trip.image", "round-trip.referrers", "round-trip.clean",
    ]  # fmt: skip


def test_a_collection_runs_only_where_it_was_asked_for():
    assert "round-trip.collect" not in [one.id for one in select(CHECKS).run]
    assert "round-trip.collect" not in [one.id for one in select(CHECKS, only=["round-trip"]).run]
    assert "round-trip.collect" in [one.id for one in select(CHECKS, asked=["round-trip.collect"]).run]
    assert "round-trip.collect" in [one.id for one in select(CHECKS, only=["round-trip.collect"]).run]


def test_the_removal_can_not_be_left_out_while_something_is_made():
    with pytest.raises(SettingsError, match="leaves a project behind"):
        select(CHECKS, skip=["round-trip.clean"])

    assert select(CHECKS, skip=["round-trip"]).run


def test_all_unknown_names_are_told_at_once():
    with pytest.raises(SettingsError) as caught:
        select(CHECKS, only=["outsid"], skip=["certificate.dnss"])

    assert [(one.where, one.fix) for one in caught.value.problems] == [
        ("--only", "did you mean outside?"),
        ("--skip", "did you mean certificate.dns?"),
    ]
