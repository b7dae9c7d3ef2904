"""This machine: each thing that can be wrong with it, and the fix that is shown."""

import json
import shutil
import subprocess
import sys
from importlib import metadata

import pytest

from slipway.doctor import machine


def test_a_python_that_is_too_old(project, monkeypatch):
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (9, 0))
    found = project.look("machine.python")

    assert found.state == "failed"
    assert "is older than 9.0" in found.says
    assert "install Python 3.11 or newer" in found.fix


def test_a_python_outside_of_a_virtual_environment(project, monkeypatch):
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    found = project.look("machine.python")

    assert (found.state, found.fix[:26]) == ("warning", "python3 -m venv .venv, the")


def test_packages_that_are_not_what_is_locked(project):
    lock = project.root / "requirements" / "run.txt"
    assert project.look("machine.packages").state == "ok"
    lock.write_text(lock.read_text().replace("boto3==", "boto3==0.") + "no-such-thing==1.0 \\\n")
    found = project.look("machine.packages")

    assert found.state == "warning"
    assert f"boto3 {metadata.version('boto3')}, locked is 0.{metadata.version('boto3')}" in found.says
    assert "no-such-thing missing, locked is 1.0" in found.says
    assert found.fix == "pip install --require-hashes -r requirements/run.txt"


def test_a_package_that_is_locked_for_another_system_is_not_missed(project):
    (project.root / "requirements" / "run.txt").write_text("no-such-thing==1.0 ; sys_platform == 'win32' \\\n")

    assert project.look("machine.packages").state == "ok"


def test_no_lock_file(project):
    (project.root / "requirements" / "run.txt").unlink()

    assert project.look("machine.packages").fix == "restore it from Git"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_no_pulumi_at_all(project, programs, cache):
    found = project.look("machine.pulumi")

    assert (found.state, found.says) == ("failed", "pulumi is not on PATH")
    assert found.fix.startswith("install Pulumi 3.")
    assert project.look("machine.plugins").says == "because machine.pulumi failed"


def test_only_a_rehearsals_pulumi(project, programs, cache):
    from slipway.tools.table import tools

    built = tools()["pulumi"].built
    built.parent.mkdir(parents=True)
    built.touch()
    found = project.look("machine.pulumi")

    assert found.state == "warning"
    assert found.fix == f"put it on PATH: export PATH=$PATH:{built.parent}"


def test_a_pulumi_that_is_too_old(project, programs):
    programs("pulumi", "v3.100.0")
    found = project.look("machine.pulumi")

    assert found.state == "failed"
    assert "is pulumi 3.100.0, which is older than 3.250.0" in found.says
    assert "install Pulumi 3.250.0 or newer" in found.fix


def test_a_pulumi_that_does_not_run(project, programs):
    programs("pulumi", code=1)

    assert "does not run" in project.look("machine.pulumi").says


def test_plugins_that_are_missing(project, programs):
    there = [{"name": name, "version": metadata.version(f"pulumi-{name}")} for name in ("aws", "random", "tls")]
    path = programs("pulumi", json.dumps([*there, {"name": "kubernetes", "version": "1.0.0"}]))
    path.write_text(path.read_text().replace("*) echo", "*) echo v3.259.0; : "))
    found = project.look("machine.plugins")

    assert found.state == "warning"
    wanted = metadata.version("pulumi-kubernetes")
    assert found.says == f"not there yet: kubernetes {wanted}; the first `pulumi up` downloads them"
    assert found.fix == f"pulumi plugin install resource kubernetes v{wanted}"


def test_plugins_that_are_there(project, programs):
    there = [{"name": name, "version": metadata.version(f"pulumi-{name}")} for name in machine.PROVIDERS]
    path = programs("pulumi", json.dumps(there))
    path.write_text(path.read_text().replace("*) echo", "*) echo v3.259.0; : "))

    assert project.look("machine.plugins").state == "ok"


@pytest.mark.parametrize(
    ("says", "state", "told"),
    [
        (None, "failed", "git is not on PATH"),
        ("git version 2.31.4", "failed", "is git version 2.31.4, which is older than 2.32"),
        ("I am git", "warning", "does not tell its version"),
        ("git version 2.50.1", "ok", "git version 2.50.1"),
    ],
)
def test_git(project, programs, says, state, told):
    if says:
        programs("git", says)
    found = project.look("machine.git")

    assert found.state == state
    assert told in found.says
    assert found.fix == ("" if state == "ok" else "install git 2.32 or newer")


def test_ssh_is_missed_only_where_it_is_needed(project, programs):
    assert project.look("machine.ssh").says == "no SSH repository, and no signed commits"
    project.gitops(repository="git@git.example.com:gitops.git")
    found = project.look("machine.ssh")

    assert (found.state, found.says) == ("failed", "ssh and ssh-keygen not on PATH")
    assert found.fix == "install openssh-client"
    project.gitops(repository="https://git.example.com/gitops.git", signingKey="~/.ssh/id")
    assert project.look("machine.ssh").says == "ssh-keygen not on PATH"


def test_a_folder_that_takes_no_files(project, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "file"))
    found = project.look("machine.folders")

    assert found.state == "failed"
    assert f"cache folder {tmp_path}/file: Not a directory" in found.says
    assert "SLIPWAY_CACHE" in found.fix


def test_too_little_room(project, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 2**29))
    found = project.look("machine.folders")

    assert found.state == "warning"
    assert "0.5 GiB free" in found.says


def test_a_sandbox_without_loopback(project, monkeypatch):
    def refused(*_arguments, **_options):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("socket.create_server", refused)
    found = project.look("machine.ports")

    assert found.says == "127.0.0.1 takes no connections: Operation not permitted"
    assert "allow connections to 127.0.0.1" in found.fix


def test_the_real_git_of_this_machine(project):
    if shutil.which("git") is None:
        pytest.skip("no git here")

    assert subprocess.check_output(["git", "--version"], text=True).strip() in project.look("machine.git").says
