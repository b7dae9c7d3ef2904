"""Each request that changes something, of every kind, refused or cut in every way: told for its object, nothing lost.

All else is done, the next run finishes, and nothing is left of the fault.
"""

import pytest

from infra.errors import HarborError
from tests.harbor import clients
from tests.harbor.clients import Patience

PASSWORD, LOGIN = "{secretRef: {env: PASSWORD}}", "{secretRef: {env: LOGIN}}"
WHOLE = f"""
policy: {{max_deletes: 100}}
system:
  config: {{session_timeout: 120}}
  cve_allowlist: {{items: [CVE-1]}}
  scanners: [{{name: ext, url: "https://trivy.example.com"}}]
  default_scanner: ext
  schedules:
    scan_all: {{type: Daily}}
    gc: {{type: Weekly}}
    purge_audit: {{type: Daily, audit_retention_hour: 24, include_event_types: [other]}}
labels: [{{name: approved, description: one}}]
registries: [{{name: hub, type: docker-hub, url: "https://hub.example.com", description: one}}]
preheat_instances: [{{name: dfly, vendor: dragonfly, endpoint: "https://one.example.com", auth_mode: BASIC, access_credential: {LOGIN}}}]
user_groups: [{{group_name: devs, group_type: http}}]
users: [{{username: alice, email: alice@example.com, realname: one, password: {PASSWORD}}}]
robots: [{{name: nodes, description: one, permissions: [{{namespace: a, preset: pull}}], secret: {{file: nodes.json}}}}]
replication_policies: [{{name: mirror, src_registry: hub, description: one}}]
projects:
  a:
    metadata: {{auto_scan: true}}
    storage_quota: 5Gi
    scanner: Trivy
    members: {{users: [{{username: alice, role: guest}}], groups: [{{group_name: devs, role: developer}}]}}
    labels: [{{name: hot, description: one}}]
    retention_policy: {{schedule: Daily, rules: [{{most_recently_pushed: 20}}]}}
    immutable_tag_rules: [{{tag_matching: one}}]
    webhooks: [{{name: ci, description: one, event_types: [PUSH_ARTIFACT], targets: [{{address: "https://ci.example.com"}}]}}]
    robots: [{{name: ci, description: one, preset: pull, secret: {{file: ci.json}}}}]
    preheat_policies: [{{name: all, instance: dfly, description: one}}]
"""
CHANGED = (
    WHOLE.replace("one", "two").replace("session_timeout: 120", "session_timeout: 90").replace("[CVE-1]", "[CVE-2]")
    .replace("default_scanner: ext", "default_scanner: Trivy").replace("scanner: Trivy\n    members", "scanner: ext\n    members")
    .replace("Daily", "Weekly").replace("gc: {type: Weekly}", "gc: {type: Daily}").replace("auto_scan: true", "auto_scan: false")
    .replace("5Gi", "6Gi").replace("role: guest", "role: maintainer").replace("hub.example.com", "hub2.example.com")
)  # fmt: skip
EMPTY = """
policy: {max_deletes: 100}
system:
  scanners: []
  default_scanner: Trivy
  schedules: {scan_all: null, gc: null, purge_audit: null}
labels: []
registries: []
preheat_instances: []
user_groups: []
users: []
robots: []
replication_policies: []
projects:
  a: {members: {users: [], groups: []}, labels: [], retention_policy: null, immutable_tag_rules: [], webhooks: [], robots: [], preheat_policies: [], scanner: Trivy}
"""
STEPS = {"made": ("", WHOLE), "changed": (WHOLE, CHANGED), "deleted": (WHOLE, EMPTY)}
STATUSES = (400, 401, 403, 404, 409, 412, 422, 429, 500, 502, 503)
FAULTS = [
    *(("status", {"status": each}) for each in STATUSES),
    ("reset", {}),
    ("lost", {}),
    ("truncated", {}),
    ("slow", {"seconds": 0.6}),
]
#: A second login is no change of anything.
NO_WRITES = {"login", "logout", "v2", "token"}


@pytest.fixture
def quick(monkeypatch):
    """Give up an answer soon, so that no test waits for one that is late."""
    monkeypatch.setenv("PASSWORD", "Password1")
    monkeypatch.setenv("LOGIN", "harbor:s3cret")
    patience = Patience(attempts=3, wait=0.002, wait_most=0.005, answer=0.4, retry_after_most=1.0)
    monkeypatch.setattr(clients, "IMPATIENT", patience)


def begin(place, before):
    place.api.reset()
    place.store.path.unlink(missing_ok=True)
    for each in place.folder.glob("*.json*"):
        each.unlink()
    if before:
        assert place.apply(before).good


def writes(place, before, after):
    """Give the operations that an apply asks for and a plan does not."""
    begin(place, before)
    place.api.clear_counts()
    place.plan(after)
    read = set(place.api.counts())
    assert place.apply(after).good
    return sorted(
        name for name in place.api.counts().keys() - read - NO_WRITES if not name.startswith(("get_", "list_"))
    )


def check(place, before, after, operation, kind, how):
    begin(place, before)
    place.api.fault(kind, operation=operation, times=-1, **how)
    try:
        applied = place.apply(after)
    except HarborError as error:
        raise AssertionError((operation, kind, how)) from error
    finally:
        place.api.no_faults()
    failed = [each for each in applied.outcomes if each.state == "failed"]
    # After a deletion a project's change only makes Harbor's cache layer forget: the next round finds nothing to do.
    forgets = operation == "update_project" and after == STEPS["deleted"][1]
    assert failed or forgets or kind in {"lost", "truncated", "slow"}, (operation, kind, how)
    for each in failed:
        assert each.problems, (operation, kind, how)
        assert each.problems[0].what, (operation, kind, how)
    done = [each for each in applied.outcomes if each.state == "done"]
    assert done or operation in {"create_project"}, (operation, kind, how)
    again = place.apply(after)
    assert again.good, (operation, kind, how, [each for each in again.outcomes if each.state != "done"])
    plan = place.plan(after)
    assert (plan.actions, plan.problems, plan.foreign) == ([], [], {}), (operation, kind, how)


@pytest.mark.parametrize("step", STEPS)
def test_each_request_that_fails_in_some_way(place, quick, step):
    """Every operation in one way, and every way at several operations; which at which goes round."""
    before, after = STEPS[step]
    operations = writes(place, before, after)
    assert len(operations) >= {"made": 20, "changed": 18, "deleted": 10}[step], operations
    for number, operation in enumerate(operations):
        kind, how = FAULTS[(number + len(step)) % len(FAULTS)]
        check(place, before, after, operation, kind, how)
