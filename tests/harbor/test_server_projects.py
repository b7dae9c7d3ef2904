"""Projects, their metadata, members, quotas and allowlists: each trap of a real Harbor."""

import pytest


def create(api, name="payments", **more):
    return api.api("POST", "/projects", {"project_name": name, **more})


def project(api, name="payments"):
    return api.api("GET", f"/projects/{name}").json


@pytest.mark.parametrize("name", ["Upper", "a__b", "-a", "a b", "", "ä"])
def test_names_that_it_refuses(api, name):
    assert create(api, name).status == 400


def test_a_name_may_have_255_characters(api):
    assert create(api, "a" * 255).status == 201
    assert create(api, "a" * 256).status == 422


def test_creating_twice_is_a_conflict(api):
    assert create(api).headers["location"] == "/api/v2.0/projects/2"
    again = create(api)
    assert (again.status, again.json["errors"][0]["code"]) == (409, "CONFLICT")


def test_creating_ignores_the_allowlist_and_refuses_a_retention(api):
    assert create(api, cve_allowlist={"items": [{"cve_id": "CVE-1"}]}).status == 201
    assert project(api)["cve_allowlist"]["items"] == []
    assert create(api, "other", metadata={"retention_id": "4"}).status == 400


def test_hardly_any_metadata_is_checked(api):
    create(api, metadata={"auto_scan": "maybe", "severity": "bogus", "colour": "red"})
    assert project(api)["metadata"] == {"public": "false", "auto_scan": "maybe", "severity": "unknown"}
    api.exchanges()  # the colour was sent on purpose: not for the judge

    assert api.api("PUT", "/projects/payments", {"metadata": {"public": "maybe", "severity": "HIGH"}}).status == 200
    assert project(api)["metadata"]["public"] == "maybe"
    assert project(api)["metadata"]["severity"] == "high"
    assert create(api, "other", metadata={"public": "maybe"}).status == 400
    assert create(api, "other", metadata={"auto_scan": True}).status == 422


def test_an_update_merges_and_only_delete_removes_a_key(api):
    create(api, metadata={"auto_scan": "true", "prevent_vul": "true"})

    api.api("PUT", "/projects/payments", {"metadata": {"auto_scan": "", "prevent_vul": None}})

    assert project(api)["metadata"] == {"public": "false", "auto_scan": "", "prevent_vul": "true"}
    assert api.api("DELETE", "/projects/payments/metadatas/auto_scan").status == 200
    assert api.api("DELETE", "/projects/payments/metadatas/auto_scan").status == 200
    assert "auto_scan" not in project(api)["metadata"]


def test_an_update_ignores_name_quota_and_registry(api):
    create(api)

    assert (
        api.api("PUT", "/projects/payments", {"project_name": "x", "storage_limit": 5, "registry_id": 9}).status == 200
    )
    assert project(api)["name"] == "payments"
    assert api.api("GET", "/quotas", reference="project", reference_id=2).json[0]["hard"] == {"storage": -1}


def test_one_key_at_a_time_is_checked(api):
    create(api)

    post = "/projects/payments/metadatas/"
    assert api.api("POST", post, {"auto_scan": "maybe"}).status == 400
    assert api.api("POST", post, {"colour": "red"}).status == 400
    assert api.api("POST", post, {"auto_scan": "t", "severity": "low"}).status == 400
    assert api.api("POST", post, {"auto_scan": "t"}).status == 200
    assert project(api)["metadata"]["auto_scan"] == "true"
    assert api.api("POST", post, {"auto_scan": "true"}).status == 409


def test_putting_a_key_that_is_not_there_answers_200_and_keeps_nothing(api):
    create(api)

    assert api.api("PUT", "/projects/payments/metadatas/severity", {"severity": "low"}).status == 200
    assert "severity" not in project(api)["metadata"]


def test_an_allowlist_is_replaced_whole_and_left_alone_when_absent(api):
    create(api)
    api.api("PUT", "/projects/payments", {"cve_allowlist": {"items": [{"cve_id": "CVE-1"}], "expires_at": 1900000000}})
    api.api("PUT", "/projects/payments", {"metadata": {"auto_scan": "true"}})
    assert project(api)["cve_allowlist"]["expires_at"] == 1900000000

    api.api("PUT", "/projects/payments", {"cve_allowlist": {"items": [{"cve_id": "CVE-2"}]}})

    kept = project(api)["cve_allowlist"]
    assert (kept["items"], kept.get("expires_at")) == ([{"cve_id": "CVE-2"}], None)


@pytest.mark.parametrize("items", [["CVE-1", "CVE-1"], [""]], ids=["twice", "empty"])
def test_bad_entries_of_an_allowlist_are_500(api, items):
    body = {"items": [{"cve_id": item} for item in items]}

    assert api.api("PUT", "/projects/library", {"cve_allowlist": body}).status == 500
    assert api.api("PUT", "/system/CVEAllowlist", body).status == 500


def test_times_say_nothing_about_changes(api):
    create(api)
    before = project(api)["update_time"]

    api.api("PUT", "/projects/payments", {"metadata": {"auto_scan": "true"}})

    assert project(api)["update_time"] == before


@pytest.mark.parametrize("limit", [-2, (1024 << 40) + 1])
def test_storage_limits_that_it_refuses(api, limit):
    assert create(api, storage_limit=limit).status == 400


def test_zero_storage_means_the_default(api):
    api.configure(storage_per_project=1 << 30)
    create(api, storage_limit=0)

    assert api.api("GET", "/quotas", reference_id=2).json[0]["hard"] == {"storage": 1 << 30}


def test_quota_updates_that_it_refuses(api):
    for hard in ({"storage": 0}, {"storage": -2}, {"count": 4}, {}):
        assert api.api("PUT", "/quotas/1", {"hard": hard}).status == 400
    assert api.api("PUT", "/quotas/1", {"hard": {"storage": -1}}).status == 200


def test_an_unknown_registry_is_500(api):
    assert create(api, registry_id=77).status == 500
    assert create(api, registry_id=0).status == 400


def test_a_proxy_cache_gets_a_retention_policy_of_its_own(api):
    api.api("POST", "/registries", {"name": "hub", "type": "docker-hub", "url": "https://hub.docker.com"})
    create(api, registry_id=1, metadata={"enable_content_trust": "true", "max_upstream_conn": "5"})

    metadata = project(api)["metadata"]
    assert metadata == {"public": "false", "max_upstream_conn": "5", "retention_id": "1"}
    assert api.api("GET", "/retentions/1").json["rules"][0]["params"] == {"nDaysSinceLastPull": 7}
    assert api.api("POST", "/retentions", {"scope": {"level": "project", "ref": 2}, "trigger": {}}).status == 400


def test_a_deleted_projects_name_is_free_with_another_id(api):
    create(api)
    api.api("POST", "/labels", {"name": "x", "scope": "p", "project_id": 2})
    assert api.api("DELETE", "/projects/payments").status == 200
    assert api.api("DELETE", "/projects/payments").status == 404

    assert create(api).headers["location"].endswith("/3")
    assert api.api("GET", "/labels", scope="p", project_id=3).json == []
    assert api.api("GET", "/labels/1").status == 200


def test_its_creator_is_its_administrator_but_need_not_stay_so(api):
    create(api)

    (owner,) = api.api("GET", "/projects/payments/members").json
    assert (owner["entity_name"], owner["role_name"]) == ("admin", "projectAdmin")
    assert api.api("DELETE", f"/projects/payments/members/{owner['id']}").status == 200
    assert api.api("DELETE", f"/projects/payments/members/{owner['id']}").status == 200


# --- members


@pytest.fixture
def alice(api):
    user = {"username": "alice", "realname": "Alice", "email": "a@example.com", "password": "Password1"}
    return api.api("POST", "/users", user).id


def add(api, name, role=2, project="library"):
    return api.api("POST", f"/projects/{project}/members", {"role_id": role, "member_user": {"username": name}})


def test_members_that_it_refuses(api, alice):
    assert add(api, "nobody").status == 404
    assert add(api, "alice", role=6).status == 400
    assert add(api, "alice").status == 201
    assert add(api, "alice", role=1).status == 409


def test_an_unknown_role_loses_the_member(api, alice):
    path = f"/projects/library/members/{add(api, 'alice').id}"

    assert api.api("PUT", path, {"role_id": 77}).status == 200

    members = api.api("GET", "/projects/library/members")
    assert [each["entity_name"] for each in members.json] == ["admin"]
    assert members.headers["x-total-count"] == "2"
    assert add(api, "alice").status == 201


def test_another_projects_member_is_200_and_nothing_is_done(api, alice):
    create(api)
    path = f"/projects/payments/members/{add(api, 'alice').id}"

    assert api.api("PUT", path, {"role_id": 1}).status == 200
    assert api.api("DELETE", path).status == 200
    assert {each["entity_name"]: each["role_id"] for each in api.api("GET", "/projects/library/members").json} == {
        "admin": 1,
        "alice": 2,
    }


def test_groups_come_by_name_only_with_oidc(api):
    group = {"role_id": 2, "member_group": {"group_name": "dev", "group_type": 3}}
    assert api.api("POST", "/projects/library/members", group).status == 404

    api.configure(auth_mode="oidc_auth")

    assert api.api("POST", "/projects/library/members", group).status == 201
    assert api.api("GET", "/usergroups").json[0]["group_name"] == "dev"


def test_a_member_sees_what_the_role_gives(api, alice):
    create(api)
    add(api, "alice", role=3, project="payments")
    auth = ("alice", "Password1")

    assert [each["name"] for each in api.api("GET", "/projects", auth=auth).json] == ["library", "payments"]
    assert api.api("GET", "/projects/payments/members", auth=auth).status == 200
    assert api.api("DELETE", "/projects/payments", auth=auth).status == 403
    assert api.api("GET", "/quotas", auth=auth).status == 403
