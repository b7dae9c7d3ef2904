"""Killed after any request, hit by any fault: the next run ends where an undisturbed one would have ended."""

import random
import signal
import time

import pytest

from infra.errors import HarborError
from tests.harbor_as_code.command import command, start
from tests.harbor_as_code.world import kill_at

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


def end_state(api, place):
    """What there is, without ids; and nothing is left to do, and nothing is there that is not ours."""
    plan = place.plan(TEXT)
    assert (plan.actions, plan.problems, plan.claims, plan.foreign) == ([], [], [], {})
    names = [each["name"] for each in api.api("GET", "/projects", page_size=0).json]
    counts = {
        path: len(api.api("GET", path, page_size=0).json)
        for path in ("/registries", "/labels?scope=g", "/usergroups", "/users", "/projects/b/members", "/quotas")
    }
    owned = {str(ref): sorted(entry.secrets) for ref, entry in place.store.load().entries.items()}
    return sorted(names), counts, owned


@pytest.fixture
def expected(api, place, file):
    assert place.apply(TEXT).good
    state = end_state(api, place)
    api.reset()
    place.store.path.unlink()
    return state


def test_killed_at_any_request_the_next_run_finishes(api, place, file, expected):
    chosen, killed = random.Random(7), 0
    for number in range(100):
        api.reset()
        place.store.path.unlink(missing_ok=True)
        at = chosen.randrange(1, 75)
        killed += kill_at(place, TEXT, at, answered=bool(number % 2))
        applied = place.apply(TEXT)
        assert applied.good, (at, [each for each in applied.outcomes if each.state != "done"])
        assert end_state(api, place) == expected, at
    assert killed > 60


def test_the_command_killed_twice_is_finished_by_the_third(api, place, file, expected):
    arguments = ("apply", "test", "-f", str(file), "--yes")
    api.fault("slow", seconds=0.01, times=-1)
    for kill in (20, 45):
        api.clear_counts()
        process = start(api, *arguments)
        while process.poll() is None and sum(api.counts().values()) < kill:
            time.sleep(0.002)
        assert process.poll() is None, "it was to be killed half way"
        process.send_signal(signal.SIGKILL)
        process.communicate()
    api.no_faults()
    done = command(api, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert end_state(api, place) == expected


@pytest.mark.parametrize("kind", ["status", "reset", "lost", "truncated"])
def test_faults_in_a_twentieth_of_all_requests_end_in_the_right_state(api, place, file, expected, kind):
    """Of a hundred runs at most a few have to be run again."""
    again = 0
    for seed in range(10):
        api.reset()
        api.no_faults()
        place.store.path.unlink(missing_ok=True)
        api.fault(kind, status=503, share=0.05, times=-1, seed=seed)
        while not applied_in_spite(place):
            again += 1
        api.no_faults()
        assert end_state(api, place) == expected, seed
    assert again <= 2


def applied_in_spite(place):
    try:
        return place.apply(TEXT).good
    except HarborError:  # the login, or the first reads, five times over
        return False
