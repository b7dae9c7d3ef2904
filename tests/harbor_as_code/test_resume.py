"""Killed after any request, hit by any fault: the next run ends where an undisturbed one would have ended."""

import json
import random
import signal
import time

import pytest

from tests.harbor_as_code.command import command, environ, start

TEXT = """
policy: {max_deletes: 100}
system: {config: {session_timeout: 120}, cve_allowlist: {items: [CVE-1]}}
labels: [{name: approved}, {name: tested}]
registries: [{name: hub, type: docker-hub, url: "https://hub.example.com", credential: {access_key: a, access_secret: {secretRef: {env: HUB}}}}]
user_groups: [{group_name: devs, group_type: http}]
users:
  - {username: alice, email: alice@example.com, realname: Alice, admin: true, password: {secretRef: {env: ALICE}}}
  - {username: bob, email: bob@example.com, realname: Bob, password: {secretRef: {env: ALICE}}}
profiles:
  team:
    storage_quota: 5Gi
    metadata: {auto_scan: true, prevent_vul: true, severity: high}
    cve_allowlist: {items: [CVE-9]}
    members: {users: [{username: alice, role: maintainer}], groups: [{group_name: devs, role: developer}]}
    labels: [{name: hot}]
projects: {a: team, b: team, c: team, cache: {registry: hub}}
"""
SECRETS = {"HUB": "s3cret-of-hub", "ALICE": "Password1"}


@pytest.fixture
def file(tmp_path, monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "harbor.yaml"
    path.write_text(TEXT)
    return path


def plan(api, file):
    done = command(api, "plan", "test", "-f", str(file), "--output", "json")
    return json.loads(done.stdout), done


def entries(file):
    data = json.loads((file.parent / "harbor.ledger.json").read_text())
    return {name: sorted(entry) for name, entry in data["objects"].items()}


def end_state(api, file):
    """What there is, without ids: names of projects, members, labels, and that the plan is empty."""
    found, done = plan(api, file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert found["notOurs"] == {}
    names = [each["name"] for each in api.api("GET", "/projects", page_size=0).json]
    counts = {
        path: len(api.api("GET", path, page_size=0).json)
        for path in ("/registries", "/labels?scope=g", "/usergroups", "/users", "/projects/b/members", "/quotas")
    }
    return sorted(names), counts, entries(file)


def apply(api, file):
    return command(api, "apply", "test", "-f", str(file), "--yes")


@pytest.fixture
def expected(api, file):
    done = apply(api, file)
    assert done.returncode == 0, done.stdout + done.stderr
    state = end_state(api, file)
    api.reset()
    (file.parent / "harbor.ledger.json").unlink()
    return state


def kill_after(api, file, requests: int):
    """Begin an apply and kill it when the server got so many requests of it."""
    api.clear_counts()
    process = start(api, "apply", "test", "-f", str(file), "--yes")
    while process.poll() is None and sum(api.counts().values()) < requests:
        time.sleep(0.001)
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return ended


def test_killed_anywhere_the_next_run_finishes(api, file, expected):
    chosen = random.Random(7)
    for kill in sorted(chosen.sample(range(4, 90), 8)):
        api.reset()
        (file.parent / "harbor.ledger.json").unlink(missing_ok=True)
        api.fault("slow", seconds=0.004, times=-1)  # so that the kill meets it half way
        kill_after(api, file, kill)
        api.no_faults()
        done = apply(api, file)
        assert done.returncode == 0, (kill, done.stdout, done.stderr)
        assert end_state(api, file) == expected, kill


@pytest.mark.parametrize("kind", ["status", "reset", "lost", "truncated"])
def test_faults_in_a_twentieth_of_all_requests_end_in_the_right_state(api, file, expected, kind):
    api.fault(kind, status=503, share=0.05, times=-1, seed=3)
    for _ in range(3):
        if apply(api, file).returncode == 0:
            break
    api.no_faults()
    assert apply(api, file).returncode == 0
    assert end_state(api, file) == expected
