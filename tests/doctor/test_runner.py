"""The run: at the same time, bounded, each in its time, and one check's end is never the others'."""

import subprocess
import threading
import time
from pathlib import Path

import pytest

from infra.errors import Problem, PublishError, SettingsError
from slipway.doctor.check import Check, Failed, Skipped, Warned, select
from slipway.doctor.runner import run_checks
from slipway.doctor.scene import Scene

SCENE = Scene(root=Path())


def check(name, do=lambda _: "fine", **more):
    return Check(id=name, shows="it works", fix="mend it", do=do, **more)


def raising(error):
    def do(_scene):
        raise error

    return do


def run(*checks, **options):
    return {one.check.id: one for one in run_checks(checks, SCENE, **options)}


def test_each_state_and_the_fix_that_goes_with_it():
    found = run(
        check("a.ok"),
        check("a.warned", raising(Warned("so so"))),
        check("a.failed", raising(Failed("no", "do this"))),
        check("a.skipped", raising(Skipped("not here"))),
        check("a.refused", raising(PublishError(Problem(where="main", what="is gone", fix="push it")))),
        check("a.bug", raising(ZeroDivisionError("ours"))),
    )

    assert {name: (one.state, one.says, one.fix) for name, one in found.items()} == {
        "a.ok": ("ok", "fine", ""),
        "a.warned": ("warning", "so so", "mend it"),
        "a.failed": ("failed", "no", "do this"),
        "a.skipped": ("skipped", "not here", ""),
        "a.refused": ("failed", "main: is gone", "push it"),
        "a.bug": ("failed", "the check itself went wrong: ZeroDivisionError: ours", "report this as a bug"),
    }


def test_what_cannot_run_names_what_is_in_the_way():
    found = run(
        check("b.last", needs=("b.middle",)),
        check("b.middle", needs=("b.first",)),
        check("b.first", raising(Failed("no"))),
        check("b.warned", raising(Warned("so so"))),
        check("b.after-warning", needs=("b.warned",)),
        check("b.alone", needs=("not-in-this-run",)),
    )

    assert [found[name].says for name in ("b.middle", "b.last")] == ["because b.first failed"] * 2
    assert found["b.last"].state == "skipped"
    assert found["b.after-warning"].state == found["b.alone"].state == "ok"


def test_they_run_at_the_same_time_and_never_more_than_the_bound():
    running, most, lock = 0, 0, threading.Lock()

    def work(_scene):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
        return ""

    outcomes = run_checks([check(f"c.{number}", work) for number in range(12)], SCENE, at_once=4)

    assert most == 4
    assert [one.check.id for one in outcomes] == [f"c.{number}" for number in range(12)]


def test_one_that_hangs_has_failed_and_the_others_go_on():
    hang = threading.Event()
    begun = time.monotonic()
    found = run(
        check("d.hangs", lambda _: str(hang.wait(30)), seconds=0.2), check("d.after", needs=("d.hangs",)),
        check("d.other"), at_once=1,
    )  # fmt: skip
    hang.set()

    assert time.monotonic() - begun < 5
    assert (found["d.hangs"].state, found["d.hangs"].says, found["d.hangs"].fix) == (
        "failed",
        "not over within 0.2 s",
        "mend it",
    )
    assert found["d.after"].says == "because d.hangs failed"
    assert found["d.other"].state == "ok"


@pytest.mark.parametrize("interrupted", [False, True])
def test_what_a_check_started_ends_with_the_run(interrupted):
    started, ended = [], []

    def program(_scene):
        with subprocess.Popen(["sleep", "300"]) as process:
            started.append(process)
            process.wait()
            ended.append(process.returncode)
        return ""

    def tell(_outcome):
        while not started:
            time.sleep(0.01)
        if interrupted:
            raise KeyboardInterrupt

    checks = [check("e.program", program, seconds=1 if not interrupted else 60), check("e.other")]
    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            run_checks(checks, SCENE, tell=tell)
    else:
        run_checks(checks, SCENE, tell=tell)

    assert ended == [-9]


CHECKS = (check("x.one", environment=False), check("x.two", needs=("x.one",)), check("y.three", needs=("x.two",)))


@pytest.mark.parametrize(
    ("only", "environment", "chosen"),
    [
        ([], True, ["x.one", "x.two", "y.three"]),
        ([], False, ["x.one"]),
        (["y"], True, ["x.one", "x.two", "y.three"]),
        (["x.two"], True, ["x.one", "x.two"]),
        (["x"], False, ["x.one"]),
    ],
)
def test_what_is_chosen_brings_what_it_needs(only, environment, chosen):
    assert [one.id for one in select(CHECKS, only=only, environment=environment)] == chosen


def test_names_that_are_none_are_told_all_at_once():
    with pytest.raises(SettingsError) as caught:
        select(CHECKS, only=["x.tow", "zzz"], environment=True)

    assert "'x.tow' is no check and no group\n    did you mean x.two?" in str(caught.value)
    assert "'zzz' is no check and no group" in str(caught.value)


def test_what_needs_an_environment_says_so():
    with pytest.raises(SettingsError, match="y cannot be looked at without an environment"):
        select(CHECKS, only=["x", "y"], environment=False)
