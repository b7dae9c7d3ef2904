"""Health, configuration, schedules, users, read-only mode: each trap of a real Harbor."""

import pytest

from tests.harbor.server.faults import COMPONENTS


def test_health_is_always_200_and_names_its_components(api):
    assert {each["name"] for each in api.api("GET", "/health", auth=None).json["components"]} == set(COMPONENTS)
    for component in COMPONENTS:
        api.switch(unhealthy={component: "connection refused"})
        answer = api.api("GET", "/health", auth=None)
        assert (answer.status, answer.json["status"]) == (200, "unhealthy")
        assert [each["name"] for each in answer.json["components"] if each["status"] != "healthy"] == [component]


def put(api, **settings):
    return api.api("PUT", "/configurations", settings)


def setting(api, name):
    return api.api("GET", "/configurations").json[name]


def test_configurations_merge_and_hide_secrets(api):
    assert put(api, oidc_name="Okta", oidc_client_secret="hush", colour="red").status == 200
    api.exchanges()  # the colour was sent on purpose: not for the judge

    assert setting(api, "oidc_name") == {"value": "Okta", "editable": True}
    assert not {"oidc_client_secret", "colour"} & api.api("GET", "/configurations").json.keys()


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        ({"session_timeout": 0}, 400),
        ({"auth_mode": "magic"}, 400),
        ({"ldap_scope": 7}, 400),
        ({"storage_per_project": -2}, 400),
        ({"skip_audit_log_database": True}, 400),
        ({"audit_log_forward_endpoint": "127.0.0.1:9"}, 400),
        ({"ldap_url": ""}, 400),
        ({"ldap_base_dn": " "}, 400),
        ({"read_only": "yes"}, 422),
        ({"session_timeout": "60"}, 422),
    ],
)
def test_one_bad_value_and_nothing_is_kept(api, bad, status):
    assert put(api, oidc_name="Okta", **bad).status == status
    assert setting(api, "oidc_name")["value"] == ""


@pytest.mark.parametrize(
    "settings",
    [
        {"robot_name_prefix": ""},
        {"banner_message": "{"},
        {"disabled_audit_log_event_types": "x"},
        {"oidc_group_filter": "("},
    ],
)
def test_settings_that_nobody_checks(api, settings):
    assert put(api, **settings).status == 200


def test_the_auth_mode_stays_while_there_are_users(api):
    user = {"username": "alice", "realname": "Alice", "email": "a@example.com", "password": "Password1"}
    number = api.api("POST", "/users", user).id

    assert put(api, auth_mode="oidc_auth").status == 400
    assert setting(api, "auth_mode")["editable"] is False
    api.api("DELETE", f"/users/{number}")
    assert put(api, auth_mode="oidc_auth").status == 200


def test_a_configuration_from_the_environment_belongs_to_nobody_else(api):
    api.switch(overwritten=True)

    assert put(api).status == 403
    assert setting(api, "oidc_name")["editable"] is False
    assert api.api("PUT", "/system/CVEAllowlist", {"items": [{"cve_id": "CVE-1"}]}).status == 200


def test_the_administrators_password_needs_the_old_one(api):
    def change(**sent):
        return api.api("PUT", "/users/1/password", sent).status

    assert change(new_password="Password1") == 403
    assert change(old_password="Harbor12345", new_password="Harbor12345") == 400
    assert change(old_password="Harbor12345", new_password="weak") == 400
    assert change(old_password="Harbor12345", new_password="Password1") == 200
    assert api.api("GET", "/users").status == 401
    assert api.api("DELETE", "/users/1", auth=("admin", "Password1")).status == 403


def test_read_only_refuses_every_write_but_its_own_end(api):
    api.configure(read_only=True)

    refused = api.api("POST", "/projects", {"project_name": "x"})
    assert (refused.status, refused.json["errors"][0]["code"]) == (403, "DENIED")
    assert api.api("GET", "/projects").status == 200
    assert put(api, read_only=False).status == 200
    assert api.api("POST", "/projects", {"project_name": "x"}).status == 201


# --- schedules


def schedule(kind, cron="", **parameters):
    return {"schedule": {"type": kind, "cron": cron}, "parameters": parameters}


GC, PURGE, SCAN = "/system/gc/schedule", "/system/purgeaudit/schedule", "/system/scanAll/schedule"
AUDIT = {"audit_retention_hour": 24, "include_event_types": "create_artifact"}


def test_a_schedule_that_is_not_set_is_200_without_a_byte(api):
    for path in (GC, PURGE, SCAN):
        answer = api.api("GET", path)
        assert (answer.status, answer.body) == (200, b"")


def test_a_gc_schedule_needs_its_cron_and_reads_back_as_a_run(api):
    assert api.api("PUT", GC, schedule("Daily")).status == 400
    assert api.api("PUT", GC, schedule("Daily", "0 0 * * *")).status == 400
    assert api.api("PUT", GC, schedule("Daily", "0 0 0 * * *", workers=11)).status == 400
    assert api.api("PUT", GC, schedule("Daily", "0 0 0 * * *", delete_untagged=True)).status == 200

    read = api.api("GET", GC).json
    assert read["schedule"]["cron"] == "0 0 0 * * *"
    assert '"delete_untagged": true' in read["job_parameters"]
    assert "redis_url_reg" not in read["job_parameters"]
    assert api.api("POST", GC, schedule("Weekly", "0 0 0 * * 0")).status == 201
    assert [each["cron"] for each in api.api("GET", "/schedules").json] == ["0 0 0 * * 0"]
    assert api.api("PUT", GC, schedule("None")).status == 200
    assert api.api("GET", GC).body == b""


def test_a_purge_needs_its_event_types_and_does_not_look_at_them(api):
    assert api.api("PUT", PURGE, schedule("Daily", "0 0 0 * * *", audit_retention_hour=24)).status == 400
    assert (
        api.api("PUT", PURGE, schedule("Daily", "0 0 0 * * *", **AUDIT | {"include_event_types": "party"})).status
        == 200
    )


def test_a_scan_of_everything_is_put_not_posted_twice(api):
    assert api.api("POST", SCAN, schedule("Daily", "0 0 0 * * *")).status == 201
    assert api.api("POST", SCAN, schedule("Daily", "0 0 1 * * *")).status == 412
    assert api.api("PUT", SCAN, schedule("Daily", "0 0 1 * * *")).status == 200
    assert api.api("GET", SCAN).json["schedule"] == {"type": "Daily", "cron": "0 0 1 * * *"}


def test_the_audit_log_knows_projects_and_robots_but_no_members(api):
    api.api("POST", "/projects", {"project_name": "x"})
    api.api("PUT", "/projects/x", {"metadata": {"auto_scan": "true"}})
    group = api.api("POST", "/usergroups", {"group_name": "dev", "group_type": 3}).id
    api.api("POST", "/projects/x/members", {"role_id": 2, "member_group": {"id": group}})

    kinds = [(each["operation"], each["resource_type"]) for each in api.api("GET", "/auditlog-exts").json]
    assert kinds == [("create", "project")]
    assert len(api.api("GET", "/audit-logs", page_size=0).json) == 1
    assert api.api("GET", "/projects/x/logs").json[0]["resource"] == "x"


def test_groups_are_deleted_twice_without_a_word(api):
    number = api.api("POST", "/usergroups", {"group_name": "dev", "group_type": 3}).id

    assert api.api("DELETE", f"/usergroups/{number}").status == 200
    assert api.api("DELETE", f"/usergroups/{number}").status == 200


def test_the_job_service_shows_pools_queues_and_pauses(api):
    (pool,) = api.api("GET", "/jobservice/pools").json
    assert pool["concurrency"] == 10
    assert api.api("PUT", "/jobservice/queues/IMAGE_SCAN", {"action": "pause"}).status == 200
    assert {each["job_type"] for each in api.api("GET", "/jobservice/queues").json if each["paused"]} == {"IMAGE_SCAN"}
    assert api.api("GET", "/schedules/all/paused").json == {"paused": False}
    assert api.api("GET", "/statistics").json["total_project_count"] == 1
    assert api.api("GET", "/systeminfo/volumes").status == 200
    assert len(api.api("GET", "/permissions").json["system"]) > 50
