"""Ctrl-C, or the end of a CI job, at any command: nothing runs on, and the same command goes on from there."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.kind.conftest import ROOT

COMMANDS = (
    ("docker", "info"),
    ("kind", "create", "cluster"),
    ("kubectl", "create"),
    ("kubectl", "rollout", "status", "deployment/git"),
    ("kubectl", "apply", "--server-side", "--field-manager", "slipway", "--filename"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("who", ["a terminal's Ctrl-C", "a CI job's end"])
def test_nothing_runs_on_and_the_next_run_goes_on(machine, slipway, port, command, who):
    machine.answer(*command, hangs=True, after=True, times=1)
    options = ("up", "--no-wait", "--host-port", port)
    program = "from slipway.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "kind", *options],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    child = hanging(machine, process, command)

    if who == "a CI job's end":
        process.terminate()
    else:
        os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)

    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert "interrupted: the same command goes on from here" in err
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    code, _, err = slipway(*options)
    assert code == 0, err
    assert machine.objects()["flux-system/FluxInstance/flux"]


def hanging(machine, process, command) -> psutil.Process:
    """Wait for the command, and give its process."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        if any(one[: len(command)] == list(command) for one in asked(machine)):
            children = psutil.Process(process.pid).children()
            if children:
                return children[0]
        time.sleep(0.02)
    raise AssertionError(f"{command} was never asked")


def asked(machine) -> list[list[str]]:
    try:
        return machine.asked
    except ValueError:  # while it is being written
        return []
