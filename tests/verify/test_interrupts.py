"""An interrupted run, at whichever step, leaves nothing behind in the registry."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.harbor.process import ROOT

#: Where the run stands when it is interrupted: the requests that then take long.
STEPS = [
    pytest.param({"operation": "login"}, id="login"),
    pytest.param({"operation": "create_project"}, id="project"),
    pytest.param({"kind": "late", "operation": "create_project"}, id="project made"),
    pytest.param({"kind": "late", "operation": "create_robot"}, id="robot made"),
    pytest.param({"kind": "late", "method": "POST", "path": "/app/blobs/uploads/"}, id="upload begun"),
    pytest.param({"method": "PATCH", "path": "/app/blobs/uploads/", "after": 2}, id="upload"),
    pytest.param({"method": "PUT", "path": "/app/blobs/uploads/"}, id="upload ends"),
    pytest.param({"method": "GET", "path": "/app/blobs/sha256"}, id="pull"),
    pytest.param({"method": "PUT", "path": "/manifests/v1$"}, id="manifest"),
    pytest.param({"kind": "late", "method": "POST", "path": "/app/blobs/uploads/", "after": 1}, id="next upload begun"),
    pytest.param({"kind": "late", "method": "POST", "path": "/copy/blobs/uploads/"}, id="mounted"),
    pytest.param({"kind": "late", "operation": "create_webhook"}, id="webhook made"),
    pytest.param({"operation": "update_project"}, id="signature"),
    pytest.param({"operation": "delete_artifact"}, id="delete"),
    pytest.param({"operation": "delete_repository"}, id="clean"),
]


@contextlib.contextmanager
def running(server, *options):
    environment = os.environ | {"SLIPWAY_HARBOR_PASSWORD": server.password, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "from slipway.cli import main; main()", "verify", server.url, *options]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def meet(server, process, fault, seconds=0.8):
    """Wait until the run meets a fault that makes a request slow; gives the time when that one is through."""
    server.fault(**{"kind": "slow", "seconds": seconds, **fault})
    until = time.monotonic() + 20
    while not server.faults()[0]["hits"]:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)
    time.sleep(0.05)
    return time.monotonic() + seconds


@pytest.mark.parametrize("fault", STEPS)
def test_an_interrupt_leaves_nothing_behind(registry, fault):
    with running(registry.server) as process:
        over = meet(registry.server, process, fault)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=20)
    time.sleep(max(0.0, over - time.monotonic()) + 0.1)  # what the server was at when the run ended

    assert (process.returncode, out) == (130, "")
    assert "interrupted: taking away what was made in the registry" in said
    assert "Traceback" not in said
    assert registry.left == []


def test_a_cancelled_job_leaves_nothing_behind_either(registry):
    with running(registry.server) as process:
        meet(registry.server, process, {"operation": "create_robot"})
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)

    assert process.returncode == 130
    assert registry.left == []


def test_impatience_leaves_nothing_behind_either(registry):
    with running(registry.server) as process:
        meet(registry.server, process, {"method": "PATCH", "path": "/app/blobs/uploads/", "after": 2})
        registry.server.fault("slow", seconds=1, operation="delete_project")
        for _ in range(4):
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        process.communicate(timeout=20)

    assert process.returncode in {130, -signal.SIGINT}  # the last one may meet an interpreter that ends
    assert registry.left == []


def test_what_an_interrupted_run_cannot_remove_is_named(registry):
    registry.server.fault("status", status=500, operation="delete_project", times=-1)
    registry.server.fault("slow", seconds=1.5, operation="create_robot")
    with running(registry.server) as process:
        until = time.monotonic() + 20
        while not registry.server.faults()[1]["hits"]:
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)

    assert process.returncode == 130
    assert f"project {registry.left[0]} is left in the registry" in said
    assert "--remove-leftovers" in said
