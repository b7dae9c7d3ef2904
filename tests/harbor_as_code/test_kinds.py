"""Every kind end to end: made, planned empty, changed by hand and brought back, taken out of the file."""

import pytest

from slipway.harbor.kinds.config import SECRETS
from slipway.harbor.spec.projects import MetadataSpec
from slipway.harbor.spec.system import ConfigSpec

WHOLE = """
system:
  config:
    session_timeout: 120
    robot_name_prefix: "robot$"
    banner_message: {message: 'say "hi"', type: info}
    disabled_audit_log_event_types: [pull_artifact, create_user]
    oidc_extra_redirect_parms: {prompt: login}
    oidc_client_secret: {secretRef: {env: OIDC}}
  cve_allowlist: {items: [CVE-2, CVE-1], expires_at: 2030-01-31T00:00:00Z}
labels: [{name: approved, color: "#00AB9A", description: fit}]
registries:
  - name: hub
    type: docker-hub
    url: https://hub.example.com/
    description: the hub
    credential: {access_key: acme, access_secret: {secretRef: {env: HUB}}}
user_groups: [{group_name: devs, group_type: http}]
users:
  - {username: alice, email: alice@example.com, realname: Alice, admin: true, comment: hi, password: {secretRef: {env: ALICE}}}
projects:
  payments:
    metadata: {public: true, auto_scan: true, prevent_vul: true, severity: critical, reuse_sys_cve_allowlist: false}
    storage_quota: 5Gi
    cve_allowlist: {items: [CVE-3], expires_at: 2031-01-01T00:00:00Z}
    members:
      users: [{username: alice, role: maintainer}]
      groups: [{group_name: devs, role: developer}]
    labels: [{name: hot, color: "#C92100"}]
  hub-cache: {registry: hub, metadata: {proxy_speed_kb: 100, max_upstream_conn: 20}}
"""
#: Without all objects that can be deleted, but with the lists that they were in.
EMPTY = """
labels: []
registries: []
user_groups: []
users: []
projects: {}
"""
KINDS = {
    "config", "cve-allowlist", "label", "registry", "user-group", "user", "project", "member", "project-label",
}  # fmt: skip


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    for name, value in {"OIDC": "s3cret-of-oidc", "HUB": "s3cret-of-hub", "ALICE": "Password1"}.items():
        monkeypatch.setenv(name, value)


def told(plan):
    return [(each.verb, str(each.ref)) for each in plan.actions]


def test_everything_is_made_in_one_apply_and_then_nothing_is_left_to_do(place):
    applied = place.apply(WHOLE)
    assert applied.good, [each for each in applied.outcomes if each.state != "done"]
    assert {each.action.ref.kind for each in applied.outcomes} == KINDS
    plan = place.plan(WHOLE)
    assert plan.actions == []
    assert plan.problems == []
    config = place.api.api("GET", "/configurations").json
    assert config["banner_message"]["value"] == '{"message": "say \\"hi\\"", "type": "info", "closable": true}'
    assert config["disabled_audit_log_event_types"]["value"] == "create_user,pull_artifact"
    assert place.api.api("GET", "/quotas", reference="project", reference_id=2).json[0]["hard"] == {"storage": 5 << 30}


def test_nothing_is_left_when_the_file_is_emptied(place):
    place.apply(WHOLE)
    applied = place.apply(EMPTY)
    assert applied.good, [each for each in applied.outcomes if each.state != "done"]
    assert [each["name"] for each in place.api.api("GET", "/projects").json] == ["library"]
    for path in ("/registries", "/usergroups", "/users"):
        assert place.api.api("GET", path).json == [], path
    assert place.store.load().entries.keys() == {("config", "system")}, "only the fingerprint of its secret"
    assert place.plan(EMPTY).actions == []


def test_a_file_without_lists_lets_go_of_everything(place):
    place.apply(WHOLE)
    plan = place.plan("instance: test")
    assert {each.verb for each in plan.actions} == {"forget"}
    assert place.apply("instance: test").good
    assert len(place.api.api("GET", "/projects").json) == 3
    assert place.plan("instance: test").actions == []


def with_ids(place, path):
    if "ALICE" not in path:
        return path
    rows = place.api.api("GET", "/projects/2/members").json
    return path.replace("ALICE", next(str(row["id"]) for row in rows if row["entity_name"] == "alice"))


#: What somebody does by hand → what the plan says of it.
DRIFTS = {
    "setting": ("PUT", "/configurations", {"session_timeout": 90}, ("config", "session_timeout")),
    "banner": ("PUT", "/configurations", {"banner_message": "oops"}, ("config", "banner_message")),
    "system allowlist": ("PUT", "/system/CVEAllowlist", {"items": []}, ("cve-allowlist", "items")),
    "label": ("PUT", "/labels/1", {"name": "approved", "scope": "g", "color": "#000000"}, ("label", "color")),
    "registry": ("PUT", "/registries/1", {"description": "other"}, ("registry", "description")),
    "key of a registry": ("PUT", "/registries/1", {"access_key": "x"}, ("registry", "credential.access_key")),
    "user": ("PUT", "/users/2", {"email": "a@b.c", "realname": "Alice"}, ("user", "email")),
    "administrator": ("PUT", "/users/2/sysadmin", {"sysadmin_flag": False}, ("user", "admin")),
    "public": ("PUT", "/projects/2", {"metadata": {"public": "false"}}, ("project", "metadata.public")),
    "rubbish": ("PUT", "/projects/2", {"metadata": {"auto_scan": "maybe"}}, ("project", "metadata.auto_scan")),
    "severity": ("DELETE", "/projects/2/metadatas/severity", None, ("project", "metadata.severity")),
    "allowlist": ("PUT", "/projects/2", {"cve_allowlist": {"items": []}}, ("project", "cve_allowlist.items")),
    "quota": ("PUT", "/quotas/2", {"hard": {"storage": -1}}, ("project", "storage_quota")),
    "role": ("PUT", "/projects/2/members/ALICE", {"role_id": 1}, ("member", "role")),
    "project label": ("PUT", "/labels/2", {"name": "hot", "scope": "p", "project_id": 2}, ("project-label", "color")),
}  # fmt: skip


@pytest.mark.parametrize("name", DRIFTS)
def test_what_is_changed_by_hand_is_seen_and_brought_back(place, name):
    method, path, body, expected = DRIFTS[name]
    place.apply(WHOLE)
    assert place.api.api(method, with_ids(place, path), body).status == 200
    plan = place.plan(WHOLE)
    assert [each.verb for each in plan.actions] == ["update"]
    assert expected in [(each.ref.kind, change.field) for each in plan.actions for change in each.changes]
    assert place.apply(WHOLE).good
    assert place.plan(WHOLE).actions == []


#: What somebody deletes by hand → what is made again.
LOSSES = {
    "label": ("/labels/1", ["label approved"]),
    "user": ("/users/2", ["user alice"]),
    "group": ("/usergroups/1", ["user-group devs", "member payments/group/devs"]),
    "member": ("/projects/2/members/ALICE", ["member payments/user/alice"]),
    "project": ("/projects/2", ["project payments", "member payments/user/alice", "member payments/group/devs", "project-label payments/hot"]),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_deleted_by_hand_is_made_again(place, name):
    path, expected = LOSSES[name]
    place.apply(WHOLE)
    assert place.api.api("DELETE", with_ids(place, path)).status == 200
    plan = place.plan(WHOLE)
    assert [str(each.ref) for each in plan.actions if each.verb == "create"] == expected
    assert place.apply(WHOLE).good
    assert place.plan(WHOLE).actions == []


def test_a_changed_secret_is_seen_by_its_fingerprint_and_set(place, monkeypatch):
    place.apply(WHOLE)
    monkeypatch.setenv("HUB", "another")
    monkeypatch.setenv("ALICE", "Password2")
    plan = place.plan(WHOLE)
    assert [(str(each.ref), change.field, change.after) for each in plan.actions for change in each.changes] == [
        ("registry hub", "credential.access_secret", "variable HUB"),
        ("user alice", "password", "variable ALICE"),
    ]
    assert place.apply(WHOLE).good
    assert place.plan(WHOLE).actions == []
    assert place.api.api("GET", "/users/current", auth=("alice", "Password2")).status == 200


def test_a_secret_that_cannot_be_had_is_unknown_until_the_apply(place, monkeypatch):
    place.apply(WHOLE)
    monkeypatch.delenv("HUB")
    assert place.plan(WHOLE).actions == []
    place.api.api("PUT", "/registries/1", {"description": "other"})
    assert place.plan(WHOLE).actions[0].unknown == ("credential.access_secret",)
    [outcome] = place.apply(WHOLE).outcomes
    assert outcome.state == "failed"
    assert "variable HUB: is not set" in str(outcome.problems[0])


NOT_EMPTY = {*SECRETS, "ldap_url", "ldap_base_dn"}


def test_null_is_what_a_new_harbor_has(place):
    """Every setting, and every switch of a project."""
    settings = ", ".join(f"{name}: null" for name in ConfigSpec.model_fields if name not in NOT_EMPTY)
    switches = ", ".join(f"{name}: null" for name in MetadataSpec.model_fields)
    text = (
        f"system: {{config: {{{settings}}}, cve_allowlist: null}}\nprojects: {{library: {{metadata: {{{switches}}}}}}}"
    )
    plan = place.plan(text)
    assert plan.actions == []
    # The project of a new Harbor is public, which is all that differs.
    assert [each.what.rpartition("; ")[2] for each in plan.problems] == ["it differs in metadata.public"]


def test_null_takes_a_value_back(place):
    place.apply(
        "projects: {a: {metadata: {severity: high, public: true}, storage_quota: 5Gi, cve_allowlist: {items: [X]}}}"
    )
    text = "projects: {a: {metadata: {severity: null, public: null}, storage_quota: null, cve_allowlist: null}}"
    assert place.apply(text).good
    project = place.api.api("GET", "/projects/2").json
    assert (project["metadata"], project["cve_allowlist"]["items"]) == ({"public": "false"}, [])
    assert place.api.api("GET", "/quotas", reference="project", reference_id=2).json[0]["hard"] == {"storage": -1}
    assert place.plan(text).actions == []
