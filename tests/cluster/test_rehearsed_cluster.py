"""The rehearsal as one command, from nothing to delivered; and whatever can be killed or be in its way."""

import json
import shutil
import signal
import socket
import subprocess
import time
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from infra.errors import RehearsalError, ToolError
from slipway.rehearse.cluster import cluster
from slipway.rehearse.cluster.cluster import PLAYED, PROGRAMS
from slipway.rehearse.cluster.ports import free_ports
from slipway.rehearse.cluster.processes import Processes, python
from tests.engine.project import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project, rehearsed once and kept."""
    project = Project(tmp_path_factory.mktemp("project"))
    project.first = rehearse(project, "--keep")
    yield project
    Processes(folder(project)).stop()


def folder(project) -> Path:
    return project.root / ".slipway" / "rehearse" / "dev" / "cluster"


def rehearse(project, *options: str) -> dict:
    with project.start("dev", "--speed", "0", "--output", "json", *options) as process:
        out, project.said = process.communicate(timeout=300)
    assert "Traceback" not in project.said
    assert process.returncode == 0, project.said
    return json.loads(out)


def test_one_command_ends_in_a_delivered_commit(project):
    report = project.first
    delivery = report["delivery"]

    assert delivery["verdict"] == "delivered"
    assert delivery["new"]
    assert delivery["url"] == "https://registry.dev.example.com"
    assert {link["state"] for link in delivery["links"]} == {"done"}
    assert report["commit"]["created"] == 1
    page = Path(report["page"]).read_text()
    assert f"Delivered {report['commit']['id'][:12]}" in page
    for real in ("create Cluster cluster", "HelmRelease harbor/harbor", "External Secrets", "deletionPolicy: Orphan"):
        assert real in page


def test_the_second_run_takes_the_kept_cluster_and_delivers_nothing_new(project):
    report = rehearse(project, "--keep")

    assert not report["delivery"]["new"]
    assert report["delivery"]["clusterSeconds"] == 0
    assert report["commit"]["created"] == 0
    assert report["commit"]["id"] == project.first["commit"]["id"]
    assert "cluster, kept from before" in project.said


def test_attach_names_the_kubeconfig_of_what_was_kept(project):
    for name in ("dev", ""):
        with project.start("attach", *filter(None, [name])) as process:
            out, _ = process.communicate(timeout=60)
        assert Path(out.strip()) == folder(project) / "kubeconfig"

    with project.start("attach", "ha") as process:
        _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no rehearsed cluster of ha is running" in error


@pytest.mark.parametrize("victim", [*PROGRAMS, PLAYED])
def test_after_any_process_is_killed_the_next_start_ends_the_others_and_goes_on(world, victim):
    processes = world.cluster.processes
    before = json.loads(processes.record.read_text())
    kill(processes, victim)
    world.mourned = True

    world.start()

    world.mourned = False
    after = json.loads(processes.record.read_text())
    assert not {pid for pid, _ in before.values()} & {pid for pid, _ in after.values()}
    assert not [name for name, (pid, created) in before.items() if runs(pid, created)]
    assert world.follow().verdict == "delivered"


def test_after_a_kill_the_whole_rehearsal_goes_on_as_well(project):
    processes = Processes(folder(project))
    kill(processes, "kube-apiserver")

    report = rehearse(project, "--keep")

    assert report["delivery"]["verdict"] == "delivered"
    assert not report["delivery"]["new"]
    assert report["delivery"]["clusterSeconds"] > 0


def kill(processes: Processes, name: str) -> None:
    psutil.Process(processes.recorded()[name][0]).send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10  # the kernel takes its time with a large process
    while processes.alive(name) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not processes.alive(name)


def runs(pid: int, created: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - created) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_rehearsal_killed_itself_leaves_nothing_that_the_next_one_does_not_end(project):
    Processes(folder(project)).stop()
    with project.start("dev", "--speed", "0") as process:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and "preview: done" not in (process.stderr.readline() or ""):
            pass
        process.kill()
    left = json.loads((folder(project) / "processes.json").read_text())
    assert left
    assert all(runs(pid, created) for pid, created in left.values())

    assert rehearse(project)["delivery"]["verdict"] == "delivered"
    assert not [name for name, (pid, created) in left.items() if runs(pid, created)]
    assert not Processes(folder(project)).names()  # and what is not kept is stopped


def test_stop_ends_what_was_kept(project):
    rehearse(project, "--keep")
    with project.start("stop") as process:
        _, error = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "stopped dev" in error
    assert not Processes(folder(project)).names()


def test_removing_the_folder_of_a_kept_cluster_ends_it(project):
    rehearse(project, "--keep")
    left = Processes(folder(project)).recorded()
    assert all(runs(*process) for process in left.values())

    shutil.rmtree(folder(project), ignore_errors=True)  # etcd may write while we remove

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and any(runs(*process) for process in left.values()):
        shutil.rmtree(folder(project), ignore_errors=True)
        time.sleep(0.2)
    assert not [name for name, process in left.items() if runs(*process)]


def test_a_port_that_is_taken_is_another_next_time(tmp_path):
    remembered = tmp_path / "ports.json"
    first = free_ports(("a", "b"), remembered)
    assert free_ports(("a", "b"), remembered) == first

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["a"]))
        taken.listen()
        second = free_ports(("a", "b"), remembered)

    assert second["a"] != first["a"]
    assert second["b"] == first["b"]


def test_too_little_memory_is_said_before_anything_starts(monkeypatch):
    memory = namedtuple("memory", "available")
    monkeypatch.setattr(cluster.psutil, "virtual_memory", lambda: memory(2 * 2**30))

    with pytest.raises(RehearsalError, match=r"has 2\.0 GiB of memory free, a rehearsed cluster needs 3"):
        cluster.refuse_little_memory()


def test_no_go_and_no_tools_is_one_clear_error(tmp_path, monkeypatch, capsys):
    from slipway.tools.find import find

    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolError, match="there is no etcd on PATH, and no go to build it with"):
        find("etcd", progress=lambda _: None, announce=lambda _: None)


def test_a_process_that_ends_by_itself_is_told_with_its_last_words(tmp_path):
    processes = Processes(tmp_path)
    processes.start("short", ["sh", "-c", "echo it was all too much; exit 3"])
    deadline = time.monotonic() + 10
    while processes.alive("short") and time.monotonic() < deadline:
        time.sleep(0.05)

    with pytest.raises(RehearsalError, match="short: has ended by itself") as caught:
        processes.refuse_dead()
    assert "it was all too much" in str(caught.value)
    processes.stop()


def test_a_process_id_that_somebody_else_has_since_is_left_alone(tmp_path):
    stranger = subprocess.Popen(["sleep", "60"])
    processes = Processes(tmp_path)
    processes.record.write_text(json.dumps({"etcd": [stranger.pid, time.time() - 3600]}))
    try:
        assert not processes.alive("etcd")
        processes.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_our_own_modules_run_as_processes():
    assert python("slipway.rehearse.cluster.played", "x")[1:] == ["-m", "slipway.rehearse.cluster.played", "x"]
