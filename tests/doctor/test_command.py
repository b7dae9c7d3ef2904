"""`slipway doctor` as a user meets it: streams, exit codes, what is chosen, how it is shown."""

import io
import json
import os
import pty
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from slipway.cli import run
from slipway.doctor.catalogue import CHECKS
from slipway.doctor.check import GROUPS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def offline(project, repository, monkeypatch, tmp_path, home):
    """An environment whose Git is a folder, whose Helm repository nobody believes, and whose cloud is none."""
    repository.write("README.md", "ours\n")
    project.gitops(repository=repository.path.as_uri())
    project.add("  slipway:chartRepository: http://127.0.0.1:9\n")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return project


def test_each_line_has_state_reason_and_fix(offline, capsys):
    assert run(["doctor", "ha", "--only", "git,cloud.zones"]) == 1

    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert "✓ ok       git.read        " in out
    assert "✗ failed   cloud.identity  no AWS credentials here" in lines
    assert (
        lines[lines.index("✗ failed   cloud.identity  no AWS credentials here") + 1]
        .strip()
        .startswith("fix: set AWS_PROFILE")
    )
    assert "· skipped  cloud.zones     because cloud.identity failed" in lines
    assert lines[-1].startswith("ha: ")
    assert "\x1b" not in out + err
    assert "Traceback" not in out + err


def test_warnings_and_what_was_skipped_are_no_failure(offline, capsys):
    assert run(["doctor", "ha", "--only", "git", "--only", "cluster"]) == 0
    assert "0 failed" not in capsys.readouterr().out


def test_json(offline, capsys):
    assert run(["doctor", "ha", "--only", "git.read,cloud.identity", "--output", "json"]) == 1

    found = json.loads(capsys.readouterr().out)
    assert (found["environment"], found["ok"]) == ("ha", False)
    by_id = {one["id"]: one for one in found["checks"]}
    assert list(by_id) == ["machine.git", "stack.settings", "cloud.identity", "git.read"]
    assert by_id["cloud.identity"]["state"] == "failed"
    assert by_id["cloud.identity"]["fix"]
    assert set(by_id["git.read"]) == {"id", "state", "shows", "says", "fix", "seconds"}


def test_without_an_environment_only_what_needs_none(offline, capsys):
    run(["doctor", "--only", "machine.git,machine.ports,cloud", "--output", "json"])

    found = json.loads(capsys.readouterr().out)
    assert {one["id"] for one in found["checks"]} == {"machine.git", "machine.ports", "cloud.identity"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ha", "--only", "machin"], "did you mean machine"),
        (["--only", "git"], "git cannot be looked at without an environment"),
        (["ha", "--at-once", "0"], "--at-once"),
        (["ha", "--password-stdin"], "standard input gives no password"),
    ],
)
def test_wrong_usage(offline, capsys, monkeypatch, arguments, told):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run(["doctor", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_outside_of_a_project(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert run(["doctor"]) == 2
    assert "no Pulumi.yaml of the project slipway" in capsys.readouterr().err


def test_an_environment_that_does_not_exist_is_a_failed_check(offline, capsys):
    assert run(["doctor", "prod", "--only", "stack"]) == 1
    out = capsys.readouterr().out
    assert "✗ failed   stack.settings" in out
    assert "because stack.settings failed" in out


def test_the_password_comes_from_the_environment_or_standard_input(offline, api, capsys, monkeypatch):
    command = ["doctor", "ha", "--only", "registry.version", "--registry", api.url]
    assert run(command) == 0
    assert "set SLIPWAY_HARBOR_PASSWORD" in capsys.readouterr().out

    monkeypatch.setenv("SLIPWAY_HARBOR_PASSWORD", api.password)
    assert run(command) == 0
    assert "✓ ok       registry.version      Harbor v2.15.2" in capsys.readouterr().out

    monkeypatch.setenv("SLIPWAY_HARBOR_PASSWORD", "wrong")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{api.password}\n"))
    assert run([*command, "--password-stdin"]) == 0


def test_a_run_that_takes_long_tells_how_far_it_is(offline, capsys, monkeypatch):
    create = socket.create_server

    def slow(*arguments, **options):
        time.sleep(2.6)
        return create(*arguments, **options)

    monkeypatch.setattr("socket.create_server", slow)
    run(["doctor", "--only", "machine.ports"])

    assert capsys.readouterr().err == "… 0 of 1 are over; at work: machine.ports\n"


def test_colour_on_a_terminal_alone(offline):
    command = [
        sys.executable,
        "-c",
        "import sys; from slipway.cli import main; main()",
        "doctor",
        "--only",
        "machine.ports",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    leader, follower = pty.openpty()
    with subprocess.Popen(command, stdout=follower, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(follower)
        shown = b""
        try:
            while part := os.read(leader, 4096):
                shown += part
        except OSError:  # the other end is closed
            pass
        assert process.wait() == 0
    os.close(leader)

    assert b"\x1b[32m" in shown


def test_every_check_is_in_a_group_and_needs_what_there_is():
    ids = [check.id for check in CHECKS]

    assert len(set(ids)) == len(ids)
    assert list(dict.fromkeys(check.group for check in CHECKS)) == list(GROUPS)
    assert {need for check in CHECKS for need in check.needs} <= set(ids)
    assert all(check.shows and check.fix for check in CHECKS)
