"""Settings and their traps: what is set in which order, what locks people out, what is never seen, who owns them."""

import json

import pytest

from infra.errors import SpecError


def setting(place, name):
    return place.api.api("GET", "/configurations").json[name]["value"]


def said(applied):
    return [problem.what for each in applied.outcomes for problem in each.problems]


# --- read-only mode


def test_read_only_mode_begins_after_everything_else_deletions_too(place):
    place.apply("labels: [{name: one}, {name: two}]")
    text = "system: {config: {read_only: true}}\nlabels: [{name: two}, {name: three}]\nprojects: {a: {labels: [{name: x}]}}"
    plan = place.plan(text)
    assert "read-only system" in [str(each.ref) for each in plan.actions]
    assert place.apply(text).good
    assert setting(place, "read_only") is True
    assert [each["name"] for each in place.api.api("GET", "/labels", scope="g").json] == ["two", "three"]
    assert place.plan(text).actions == []


def test_it_does_not_begin_where_something_else_failed(place):
    text = "system: {config: {read_only: true}}\nlabels: [{name: one}]"
    place.api.fault("status", operation="create_label", status=400, times=-1)
    applied = place.apply(text)
    assert {str(each.action.ref): each.state for each in applied.outcomes} == {
        "label one": "failed",
        "read-only system": "skipped",
    }
    assert "not done, because label one was not, and nothing could be changed after it" in said(applied)
    assert setting(place, "read_only") is False
    place.api.no_faults()
    assert place.apply(text).good
    assert setting(place, "read_only") is True


def test_what_passes_is_tried_again_before_it_begins(place):
    text = "system: {config: {read_only: true}}\nlabels: [{name: one}]"
    place.api.fault("status", operation="create_label", status=503, times=1)
    assert place.apply(text).good
    assert setting(place, "read_only") is True


# --- the names of robots

ROBOTS = """
projects: {a: {robots: [{name: ci, preset: pull, secret: {file: ci.json}}]}}
"""
PREFIX = "system: {config: {robot_name_prefix: 'bot+'}}\n"


def test_the_prefix_of_a_harbor_without_robots_may_change(place):
    assert place.apply(PREFIX + ROBOTS).good
    assert place.api.api("GET", "/robots", q="Level=project,ProjectID=2").json[0]["name"] == "bot+a+ci"
    assert place.plan(PREFIX + ROBOTS).actions == []


def test_the_prefix_is_not_changed_under_the_robots_that_there_are(place):
    """All would get another name at once, and who uses the old one be locked out."""
    assert place.apply(ROBOTS).good
    [problem] = place.plan(PREFIX + ROBOTS).problems
    assert problem.what == "robot_name_prefix of config system is 'robot$' and cannot become 'bot+'"
    assert problem.fix.startswith("1 robots would be locked out under their old names")
    place.api.configure(robot_name_prefix="bot+")
    assert place.plan(PREFIX + ROBOTS).problems == []


def test_who_has_no_prefix_to_change_is_not_asked_for_robots(place):
    place.api.clear_counts()
    place.plan("system: {config: {session_timeout: 90, robot_name_prefix: 'robot$'}}")
    assert "list_robots" not in place.api.counts()


# --- where the audit log goes


def test_a_receiver_that_is_away_holds_up_no_other_setting(place):
    """Of a request with one bad value Harbor keeps nothing."""
    text = "system: {config: {session_timeout: 90, audit_log_forward_endpoint: '127.0.0.1:9', skip_audit_log_database: true}}"
    applied = place.apply(text)
    assert "could not connect to the audit endpoint" in said(applied)[0]
    assert (setting(place, "session_timeout"), setting(place, "skip_audit_log_database")) == (90, False)
    listening = text.replace("127.0.0.1:9", "siem.example.com:514")
    assert place.apply(listening).good
    assert setting(place, "skip_audit_log_database") is True


def test_the_audit_log_goes_back_into_the_database_when_nobody_receives_it(place):
    place.apply("system: {config: {audit_log_forward_endpoint: 'siem.example.com:514', skip_audit_log_database: true}}")
    text = "system: {config: {audit_log_forward_endpoint: null, skip_audit_log_database: false}}"
    assert place.apply(text).good
    assert place.plan(text).actions == []


# --- the banner


def test_a_banner_is_written_as_the_portal_reads_it(place):
    text = "system: {config: {banner_message: {message: 'Tonight \"at\" nine', type: warning, from_date: 2027-01-31, to_date: 2027-02-01T08:00:00+01:00}}}"
    assert place.apply(text).good
    assert json.loads(setting(place, "banner_message")) == {
        "message": 'Tonight "at" nine', "type": "warning", "closable": True,
        "fromDate": "2027-01-31T00:00:00.000Z", "toDate": "2027-02-01T07:00:00.000Z",
    }  # fmt: skip
    plan = place.plan(text)
    assert (plan.actions, plan.warnings) == ([], [])


def test_a_banner_that_the_portal_never_shows_is_a_warning(place):
    [warning] = place.plan("system: {config: {banner_message: {message: Tonight}}}").warnings
    assert "shows a banner only with a from_date or a to_date" in warning.what


@pytest.mark.parametrize("written", ["", "{}", '{"message": ""}', '{"closable": false}'])
def test_a_banner_without_words_is_none(place, written):
    place.api.configure(banner_message=written)
    assert place.plan("system: {config: {banner_message: null}}").actions == []


def test_a_banner_that_is_no_json_is_replaced(place):
    place.api.configure(banner_message="{")
    text = "system: {config: {banner_message: {message: Tonight, to_date: 2027-01-01}}}"
    assert place.apply(text).good
    assert place.plan(text).actions == []


# --- sign-in

OIDC = """
system:
  config:
    auth_mode: oidc_auth
    primary_auth_mode: true
    oidc_name: Okta
    oidc_endpoint: https://acme.okta.com/oauth2/default
    oidc_client_id: harbor
    oidc_client_secret: {secretRef: {env: OIDC}}
    oidc_scope: openid,profile,email,groups,offline_access
    oidc_groups_claim: groups
    oidc_group_filter: "^harbor-.*"
    oidc_admin_group: harbor-admins
    oidc_user_claim: preferred_username
    oidc_auto_onboard: true
    oidc_logout: true
    oidc_extra_redirect_parms: {prompt: login}
user_groups: [{group_name: harbor-devs, group_type: oidc}]
projects:
  a:
    members:
      groups: [{group_name: harbor-devs, role: developer}, {group_name: harbor-ops, group_type: oidc, role: maintainer}]
"""
LDAP = """
system:
  config:
    auth_mode: ldap_auth
    ldap_url: ldaps://ldap.example.com
    ldap_base_dn: dc=example,dc=com
    ldap_uid: uid
    ldap_search_dn: cn=harbor,dc=example,dc=com
    ldap_search_password: {secretRef: {env: LDAP}}
    ldap_group_base_dn: ou=groups,dc=example,dc=com
    ldap_group_search_filter: objectClass=groupOfNames
    ldap_group_attribute_name: cn
    ldap_group_admin_dn: cn=admins,ou=groups,dc=example,dc=com
user_groups: [{group_name: devs, group_type: ldap, ldap_group_dn: "cn=devs,ou=groups,dc=example,dc=com"}]
projects: {a: {members: {groups: [{group_name: devs, role: developer}]}}}
"""


@pytest.fixture
def sign_in(monkeypatch):
    monkeypatch.setenv("OIDC", "s3cret-of-oidc")
    monkeypatch.setenv("LDAP", "s3cret-of-ldap")


@pytest.mark.parametrize("text", [OIDC, LDAP], ids=["oidc", "ldap"])
def test_sign_in_its_groups_and_their_roles_come_in_one_apply(place, sign_in, text):
    """The mode first: only it makes groups of its kind possible."""
    assert place.apply(text).good
    assert place.plan(text).actions == []
    members = place.api.api("GET", "/projects/a/members").json
    assert {each["entity_name"] for each in members if each["entity_type"] == "g"} >= {
        text.split("group_name: ")[1].split(",")[0]
    }


@pytest.mark.parametrize(("text", "name"), [(OIDC, "OIDC"), (LDAP, "LDAP")], ids=["oidc", "ldap"])
def test_a_changed_secret_of_the_sign_in_is_seen_and_set(place, sign_in, monkeypatch, text, name):
    place.apply(text)
    monkeypatch.setenv(name, "another-secret")
    [action] = place.plan(text).actions
    assert [change.secret for change in action.changes] == [True]
    assert place.apply(text).good
    assert place.plan(text).actions == []


def test_the_mode_stays_while_there_are_users_and_nothing_is_done_before_that_is_told(place, sign_in):
    """GET says editable: false, PUT would say 400 and keep no other setting of that request."""
    user = {"username": "alice", "email": "a@example.com", "realname": "A", "password": "Password1"}
    number = place.api.api("POST", "/users", user).id
    plan = place.plan(OIDC)
    assert [each.what for each in plan.problems] == [
        "auth_mode of config system is 'db_auth' and cannot become 'oidc_auth'"
    ]
    assert "no user but admin" in plan.problems[0].fix
    place.api.api("DELETE", f"/users/{number}")
    assert place.apply(OIDC).good


def test_a_group_that_is_not_in_the_directory_is_told_and_all_else_is_done(place, sign_in):
    applied = place.apply(LDAP.replace("cn=devs", "cn=missing"))
    states = {str(each.action.ref): each.state for each in applied.outcomes}
    assert states["user-group devs"] == "failed"
    assert "LDAP Group DN is not found" in str(applied.outcomes)
    assert (states["config system"], states["project a"]) == ("done", "done")


def test_a_group_that_the_sign_in_does_not_have_is_refused_first(place, sign_in):
    """With LDAP Harbor shows no other groups, so each run would make it again, and be told that it is there."""
    with pytest.raises(SpecError, match="harbor-devs is a group of oidc, and auth_mode ldap_auth has none of these"):
        place.wanted(OIDC.replace("auth_mode: oidc_auth", "auth_mode: ldap_auth"))


@pytest.mark.parametrize("name", ["ldap_url", "ldap_base_dn"])
def test_a_setting_that_harbor_keeps_no_empty_value_of_cannot_be_emptied(place, name):
    with pytest.raises(SpecError, match=f"keeps no empty {name}"):
        place.wanted(f"system: {{config: {{{name}: null}}}}")
    with pytest.raises(SpecError, match="at least 1 character"):
        place.wanted(f"system: {{config: {{{name}: ''}}}}")


def test_the_secret_that_harbor_reads_back_is_compared_with_what_is_there(place, monkeypatch):
    monkeypatch.setenv("UAA", "s3cret-of-uaa")
    text = "system: {config: {uaa_client_id: x, uaa_client_secret: {secretRef: {env: UAA}}}}"
    assert place.apply(text).good
    place.api.configure(uaa_client_secret="by hand")
    [action] = place.plan(text).actions
    assert [change.field for change in action.changes] == ["uaa_client_secret"]
    assert "by hand" not in repr(action)
    assert place.apply(text).good
    assert setting(place, "uaa_client_secret") == "s3cret-of-uaa"


# --- one owner


def test_a_configuration_of_the_chart_is_told_for_each_setting_that_differs_and_for_read_only_mode(place):
    place.api.switch(overwritten=True)
    plan = place.plan(
        "system: {config: {session_timeout: 90, token_expiration: 31, read_only: true, robot_token_duration: 30}}"
    )
    assert {each.what.split(" of ")[0] for each in plan.problems} == {
        "session_timeout",
        "token_expiration",
        "read_only",
    }
    assert all("core.configureUserSettings" in each.fix for each in plan.problems)
    with pytest.raises(AssertionError):
        place.apply("system: {config: {session_timeout: 90}}")
    assert place.plan("system: {config: {session_timeout: 60}}").problems == []


# --- a Harbor without a scanner


def test_without_a_scanner_no_scan_of_everything_can_be_set_and_the_rest_is_done(place):
    """412 for the schedule, already when it is read."""
    place.api.no_scanner()
    text = "system: {schedules: {scan_all: {type: Daily}, gc: {type: Daily}}}"
    applied = place.apply(text)
    assert {each.action.ref.key: each.state for each in applied.outcomes} == {"scan_all": "failed", "gc": "done"}
    assert "no scanner is configured" in said(applied)[0]
    assert place.plan("system: {schedules: {scan_all: null}}").actions == []


def test_the_scanner_comes_before_the_schedule_that_needs_it(place):
    place.api.no_scanner()
    text = "system: {scanners: [{name: ext, url: 'https://trivy.example.com'}], default_scanner: ext, schedules: {scan_all: {type: Daily}}}"
    assert place.apply(text).good
    assert place.plan(text).actions == []


# --- the allowlist


def test_the_systems_allowlist_ends_and_projects_use_it_or_their_own(place):
    text = """
system: {cve_allowlist: {items: [CVE-2, CVE-1, CVE-2], expires_at: 2027-01-31T00:00:00Z}}
projects:
  a: {metadata: {reuse_sys_cve_allowlist: true}}
  b: {metadata: {reuse_sys_cve_allowlist: false}, cve_allowlist: {items: [CVE-3], expires_at: 2026-12-31}}
"""
    assert place.apply(text).good
    found = place.api.api("GET", "/system/CVEAllowlist").json
    assert ([each["cve_id"] for each in found["items"]], found["expires_at"]) == (["CVE-1", "CVE-2"], 1801353600)
    assert place.api.api("GET", "/projects/b").json["cve_allowlist"]["expires_at"] == 1798675200
    assert place.plan(text).actions == []
    # What another tool's update of a project loses is seen.
    place.api.api("PUT", "/projects/b", {"cve_allowlist": {"items": [{"cve_id": "CVE-3"}]}})
    [action] = place.plan(text).actions
    assert [change.field for change in action.changes] == ["cve_allowlist.expires_at"]
