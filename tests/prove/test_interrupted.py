"""Ctrl-C, a second one, and the limit: the end comes, or what is left is said."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from slipway.prove.deadline import Deadline

ROOT = Path(__file__).parents[2]


def when(path, do) -> threading.Thread:
    """Do something once a file is there."""

    def wait() -> None:
        until = time.monotonic() + 60
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.02)
        path.unlink(missing_ok=True)
        do()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def press(times: int = 1) -> None:
    for number in range(times):
        time.sleep(0.5 if number else 0)
        os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_lets_the_command_finish_what_it_has_begun_and_tears_down(played, prove):
    played.answer("pulumi", "up", sleeps=60, also=True, code=0)
    when(played.works, press)

    code, out, err = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 130
    assert "stopping: pulumi finishes what it has begun" in err
    assert "interrupted: tearing down what was made" in err
    assert played.verbs == ["pulumi stack", "pulumi up", "slipway teardown", "pulumi stack"]
    report = played.report
    assert report["verdict"] == "interrupted"
    assert report["remains"] == []
    assert [step["result"] for step in report["steps"]] == ["passed", "interrupted", "passed", "passed"]
    assert "^C received; cancelling" in (played.folder / "logs" / "02-up.log").read_text()
    assert "Nothing of it is left." in out


def test_a_second_ctrl_c_leaves_it_standing_and_says_what_that_is(played, prove):
    played.answer("pulumi", "up", sleeps=60, deaf=True, also=True, code=0)
    played.change(lambda state: state["stacks"].update({}))
    when(played.works, lambda: press(2))
    started = time.monotonic()

    code, out, _ = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 130
    assert time.monotonic() - started < 40  # a command that hears nothing is ended
    assert played.verbs == ["pulumi stack", "pulumi up"]
    report = played.report
    assert report["verdict"] == "interrupted"
    name = report["name"]
    assert report["remains"] == [f"the stack {name}: {played.root / 'stacks' / f'Pulumi.{name}.yaml'}"]
    assert "End it: slipway prove dev --on aws --teardown" in out

    played.forget()
    code, out, err = prove("dev", "--on", "aws", "--teardown")

    assert played.verbs == ["slipway teardown", "pulumi stack"], err
    assert "Nothing of it is left." in out
    assert code == 0
    assert played.report["verdict"] == "interrupted"  # nothing became a proof


def test_ctrl_c_in_the_teardown_says_what_is_left(played, prove):
    played.answer("slipway", "teardown", sleeps=60, times=1)
    when(played.works, press)

    code, out, _ = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 130
    assert "Left: aws:eks/cluster:Cluster cluster" in out
    assert "End it: slipway prove dev --on aws --teardown" in out
    assert played.record["status"] == "tearing down"


def test_when_the_limits_time_is_over_it_stops_and_tears_down(played, prove, monkeypatch):
    played.answer("slipway", "status", sleeps=60, code=0)
    monkeypatch.setattr("slipway.prove.prove.Prepared.seconds", lambda _: 6.0)

    code, _, err = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 1
    assert "the time that the limit pays for is over: tearing down" in err
    assert played.verbs[-2:] == ["slipway teardown", "pulumi stack"]
    assert played.report["verdict"] == "stopped by the limit"
    assert played.report["remains"] == []


def test_a_run_taken_up_after_the_time_is_over_tears_down_at_once(played, prove):
    played.answer("slipway", "teardown", err="error: no\n", times=1)
    played.answer("pulumi", "destroy", err="error: no\n", times=1)
    prove("dev", "--on", "aws", "--limit", "5")
    record = played.record
    at = next(number for number, step in enumerate(record["steps"]) if step["name"] == "status")
    long_ago = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    record |= {"status": "playing", "billed_since": long_ago, "steps": record["steps"][:at]}
    (played.folder / "record.json").write_text(json.dumps(record))
    played.forget()

    code, _, err = prove("dev", "--on", "aws")

    assert code == 1
    assert played.verbs == ["slipway teardown", "pulumi stack"], err
    assert played.report["verdict"] == "stopped by the limit"
    assert played.report["cost"]["hours"] == pytest.approx(72, abs=0.1)


def test_two_proofs_of_one_environment_do_not_run_at_once(played, prove):
    from slipway.prove.record import held

    with held(played.root, "dev", "aws"):
        code, _, err = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 1
    assert "dev is being proved on aws by another process" in err


def test_a_deadline_interrupts_the_main_thread_and_nothing_after_the_block():
    deadline = Deadline(0.1)
    with pytest.raises(KeyboardInterrupt), deadline:
        time.sleep(20)
    assert deadline.is_over

    short = Deadline(0.2)
    with short:
        pass
    time.sleep(0.4)
    assert not short.is_over


def test_a_teardown_that_is_interrupted_lets_pulumi_give_its_lock_back(tmp_path):
    """As a terminal's Ctrl-C comes: to the command and to the pulumi that it runs."""
    program = tmp_path / "pulumi"
    program.write_text(
        "#!/bin/sh\ntrap 'sleep 1; touch gave-it-back; exit 130' INT\ntouch works\nwhile :; do sleep 0.1; done\n"
    )
    program.chmod(0o755)
    stack = f"PulumiStack(pulumi={str(program)!r}, root=Path({str(tmp_path)!r}), environment='dev', asks=False)"
    code = f"from pathlib import Path; from slipway.teardown.pulumi import PulumiStack; {stack}.destroy(keep_protected=False)"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    when(tmp_path / "works", lambda: os.killpg(process.pid, signal.SIGINT)).join()

    process.wait(30)

    assert (tmp_path / "gave-it-back").exists()
