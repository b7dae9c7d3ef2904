"""An export of whatever there is plans empty, makes the same on an empty Harbor, and holds no secret."""

import copy
import json

import pytest
import yaml

from slipway.harbor.environment import open_harbor
from slipway.harbor.export import run_export
from slipway.harbor.kinds.order import KINDS
from slipway.harbor.spec.robots import PlaceSpec
from tests.harbor.process import HarborServer
from tests.harbor_as_code import test_every_field, test_every_field_of_policies
from tests.harbor_as_code.command import command
from tests.harbor_as_code.world import Place

SECRETS = {
    "ALICE": "Password1",
    "KEY": "user:s3cret-of-the-scanner",
    "LOGIN": "harbor:s3cret-of-the-network",
    "HUB": "s3cret-of-hub",
    "HEADER": "Bearer s3cret-of-the-header",
    "SLACK": "https://hooks.slack.com/services/s3cret-of-slack",
    "HOOK": "https://ci.example.com/hook?token=s3cret-of-the-hook",
}
#: What has a secret, and what is not in the lists of fields.
MORE = {
    "system": {"default_scanner": "ext"},
    "registries": [{"name": "acme", "type": "docker-hub", "url": "https://hub.docker.com", "credential": {"access_key": "acme", "access_secret": {"secretRef": {"env": "HUB"}}}}],
    "projects": {
        "a": {
            "scanner": "second",
            "webhooks": [
                {"name": "chat", "event_types": ["QUOTA_EXCEED"], "targets": [{"type": "slack", "address": {"secretRef": {"env": "SLACK"}}}]},
                {"name": "ci", "event_types": ["PUSH_ARTIFACT"], "targets": [{"address": {"secretRef": {"env": "HOOK"}}, "auth_header": {"secretRef": {"env": "HEADER"}}}]},
            ],
        },
    },
}  # fmt: skip
MORE["system"]["scanners"] = [{"name": "second", "url": "https://three.example.com"}]


def merged(*several):
    """Put files together: mappings by key, lists one after the other."""
    whole = {}
    for data in several:
        for key, value in data.items():
            there = whole.get(key)
            if isinstance(value, dict) and isinstance(there, dict):
                whole[key] = merged(there, value)
            else:
                whole[key] = [*there, *value] if isinstance(value, list) and there else copy.deepcopy(value)
    return whole


WHOLE = merged(test_every_field.WHOLE, test_every_field_of_policies.WHOLE, MORE)
#: Kinds that say in which state a Harbor is, which is not carried elsewhere.
STATES = {"read-only"}
ROBOTS = PlaceSpec(file="{project}-{robot}.json")


@pytest.fixture(autouse=True)
def secrets(monkeypatch, api):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLIPWAY_HARBOR_PASSWORD", api.password)


@pytest.fixture
def empty(tmp_path_factory):
    """A second Harbor, with a folder of its own."""
    with HarborServer(tmp_path_factory.mktemp("second")).running() as server:
        yield Place(server, tmp_path_factory.mktemp("elsewhere"))


def exported(api, *, projects=(), robot_secrets=None):
    environment = open_harbor("", url=api.url)
    return run_export(environment, projects=projects, robot_secrets=robot_secrets, tell=lambda _: None)


def text_of(result):
    return "".join(result.files(folder=False).values())


def without_place(text):
    return text.partition("connection:")[0] + text.partition("policy:")[2]


def test_a_folder_that_is_still_empty_stands_in_nobodys_way(tmp_path, monkeypatch):
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\n")
    folder = tmp_path / "stacks" / "prod" / "harbor"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert open_harbor("prod", url="https://registry.example.com").url == "https://registry.example.com"
    (folder / "a.yaml").write_text("connection: {url: https://own.example.com, concurrency: 4}")
    assert open_harbor("prod", url=None).url == "https://own.example.com"


def unowned(place):
    """Take away the ledger."""
    place.store.path.unlink(missing_ok=True)


def assert_empty(plan):
    assert plan.problems == []
    assert [(each.verb, str(each.ref), each.changes) for each in plan.actions if not each.is_note] == []
    assert not plan.differs


# --- there and back


def test_every_kind_can_be_exported_and_plans_empty_with_a_ledger_and_without(place):
    assert place.apply(yaml.safe_dump(WHOLE)).good
    result = exported(place.api)
    assert set(KINDS) - set(result.counts) == set()
    assert result.left == []
    text = text_of(result)
    assert_empty(place.plan(text))
    assert [str(each.ref) for each in place.plan(text).actions] == ["retention cache"], "Harbor's own; all else is ours"
    unowned(place)
    plan = place.plan(text)
    assert_empty(plan)
    assert {each.ref.kind for each in plan.actions} >= {"project", "robot", "webhook", "registry", "user"}


def test_an_apply_of_it_only_notes_what_is_ours_and_needs_no_secret(place):
    place.apply(yaml.safe_dump(WHOLE))
    unowned(place)
    text = text_of(exported(place.api))
    place.api.clear_counts()
    applied = place.apply(text)
    assert applied.good, [each for each in applied.outcomes if each.state != "done"]
    written = [name for name in place.api.counts() if name.startswith(("create", "update", "delete", "set"))]
    assert written == []
    assert place.plan(text).actions == []


def test_it_makes_every_kind_on_an_empty_harbor_and_is_exported_from_there_as_the_same(place, empty, monkeypatch):
    assert place.apply(yaml.safe_dump(WHOLE)).good
    result = exported(place.api, robot_secrets=ROBOTS)
    for name, what in result.variables.items():
        value = next(value for word, value in VALUES.items() if word in what)
        monkeypatch.setenv(name, value)
    applied = empty.apply(text_of(result))
    assert applied.good, [each for each in applied.outcomes if each.state != "done"]
    assert {each.action.ref.kind for each in applied.outcomes} == set(KINDS) - STATES
    assert (empty.folder / "nodes.json").exists()
    again = exported(empty.api, robot_secrets=ROBOTS)
    assert without_place(text_of(again)) == without_place(text_of(result))
    assert (again.left, place.api.url in text_of(again)) == ([], False)


#: Word in what a variable is for → a value for it.
VALUES = {
    "preheat": SECRETS["LOGIN"],
    "oidc": "one",
    "ldap": "one",
    "uaa": "one",
    "user alice": "Password1",
    "scanner": "user:password",
    "registry": "token",
    "chat": SECRETS["SLACK"],
    "auth_header": SECRETS["HEADER"],
    "ci": SECRETS["HOOK"],
}


def test_no_secret_is_in_it_and_every_one_is_named(place):
    place.apply(yaml.safe_dump(WHOLE))
    for result in (exported(place.api), exported(place.api, robot_secrets=ROBOTS)):
        text = text_of(result)
        assert "s3cret" not in text
        assert not any(value in text for value in SECRETS.values())
        assert "s3cret" not in repr(result)
        for name in result.variables:
            assert f"#   {name}  " in text
            assert f"secretRef: {{env: {name}}}" in text
    assert {name for name in result.variables if "WEBHOOK" in name} == {
        "HARBOR_SECRET_WEBHOOK_A_CHAT_ADDRESS",
        "HARBOR_SECRET_WEBHOOK_A_CI_ADDRESS",
        "HARBOR_SECRET_WEBHOOK_A_CI_HEADER",
    }


def test_a_variable_that_is_filled_with_what_harbor_has_is_no_difference_where_harbor_shows_it(place, monkeypatch):
    place.apply(yaml.safe_dump(WHOLE))
    unowned(place)
    result = exported(place.api)
    for name, what in result.variables.items():
        if what.startswith("webhook"):
            monkeypatch.setenv(name, next(value for word, value in VALUES.items() if word in what))
    assert_empty(place.plan(text_of(result)))


# --- what is not in it


def test_of_a_new_harbor_nothing_is_exported(place):
    result = exported(place.api)
    assert result.data.keys() == {"connection", "policy"}
    assert_empty(place.plan(text_of(result)))


def test_what_harbor_makes_by_itself_is_not_in_it(place):
    place.api.api("POST", "/projects", {"project_name": "payments"})
    data = exported(place.api).data
    assert data["projects"] == {"payments": {"metadata": {"public": False}}}
    assert "users" not in data


def test_a_library_that_somebody_changed_is_in_it_and_taken_over_elsewhere(place, empty):
    place.api.api("PUT", "/projects/library", {"metadata": {"auto_scan": "true"}})
    text = text_of(exported(place.api))
    assert yaml.safe_load(text)["projects"]["library"]["metadata"] == {"public": True, "auto_scan": True}
    assert_empty(place.plan(text))
    assert empty.apply(text).good
    assert_empty(empty.plan(text))


def test_what_a_killed_check_left_is_told_and_not_exported(place):
    place.api.api("POST", "/projects", {"project_name": "slipway-verify-1a2b"})
    body = {"name": "push", "level": "project", "duration": 1, "permissions": [{"kind": "project", "namespace": "slipway-verify-1a2b", "access": [{"resource": "repository", "action": "push"}]}]}  # fmt: skip
    assert place.api.api("POST", "/robots", body).status == 201
    result = exported(place.api)
    assert "projects" not in result.data
    assert [str(ref) for ref, _ in result.left] == ["project slipway-verify-1a2b"]


def test_who_owns_a_project_and_is_no_administrator_stays_a_member(place):
    place.apply(
        "system: {config: {project_creation_restriction: everyone}}\n"
        "users: [{username: alice, email: a@b.c, realname: A, password: {secretRef: {env: ALICE}}}]"
    )
    body = {"project_name": "hers"}
    assert place.api.api("POST", "/projects", body, auth=("alice", SECRETS["ALICE"])).status == 201
    text = text_of(exported(place.api))
    assert yaml.safe_load(text)["projects"]["hers"]["members"] == {"users": [{"username": "alice", "role": "projectadmin"}]}  # fmt: skip
    assert_empty(place.plan(text))


def test_a_pair_of_robots_needs_a_place_for_its_secrets(place):
    text = "robots: [{name: nodes, permissions: [{namespace: payments, preset: pull}], secret: {file: n.json}, rotation: {}}]\nprojects: {payments: }"
    assert place.apply(text).good
    result = exported(place.api)
    assert ("robots" in result.data, [str(ref) for ref, _ in result.left]) == (False, ["robot nodes"])
    unowned(place)
    assert_empty(place.plan(text_of(result)))
    whole = exported(place.api, robot_secrets=ROBOTS)
    assert whole.data["robots"] == [
        {
            "name": "nodes",
            "duration": 90,
            "secret": {"file": "{robot}.json"},
            "rotation": {},
            "permissions": [{"namespace": "payments", "preset": "pull"}],
        }
    ]
    assert_empty(place.plan(text_of(whole)))


def test_a_robot_that_is_over_is_not_revived(place):
    body = {"name": "old", "level": "system", "duration": 1, "permissions": [{"kind": "project", "namespace": "*", "access": [{"resource": "repository", "action": "pull"}]}]}  # fmt: skip
    place.api.api("POST", "/robots", body)
    place.api.later(days=3)
    text = text_of(exported(place.api))
    assert yaml.safe_load(text)["robots"] == [{"name": "old", "permissions": [{"namespace": "*", "preset": "pull"}]}]
    assert_empty(place.plan(text))


def test_the_configuration_of_a_chart_is_left_to_it(place):
    place.api.configure(session_timeout=120)
    place.api.switch(overwritten=True)
    result = exported(place.api)
    assert "system" not in result.data
    assert "core.configureUserSettings" in result.left[0][1]


def test_read_only_mode_is_not_carried_elsewhere(place):
    place.api.configure(read_only=True, session_timeout=120)
    result = exported(place.api)
    assert result.data["system"]["config"] == {"session_timeout": 120}
    assert "read_only" in result.left[0][1]


# --- what projects share


ALIKE = """
project_defaults:
  metadata: {public: false, auto_scan: true}
  storage_quota: 5Gi
  members: {groups: [{group_name: admins, role: projectadmin}]}
user_groups: [{group_name: admins, group_type: http}]
profiles:
  team:
    metadata: {prevent_vul: true, severity: critical}
    retention_policy: {schedule: Daily, rules: [{most_recently_pushed: 20}]}
    immutable_tag_rules: [{tag_matching: "v*"}]
projects:
  a: team
  b: team
  c: team
  d: {members: {groups: []}}
  e: {profile: team, storage_quota: unlimited}
"""


def test_what_projects_share_is_written_once(place):
    assert place.apply(ALIKE).good
    text = text_of(exported(place.api))
    data = yaml.safe_load(text)
    assert data["project_defaults"] == {
        "metadata": {"public": False, "auto_scan": True, "prevent_vul": True, "severity": "critical"},
        "storage_quota": "5Gi",
        "members": {"groups": [{"group_name": "admins", "role": "projectadmin"}]},
        "retention_policy": {"schedule": "Daily", "rules": [{"most_recently_pushed": 20}]},
        "immutable_tag_rules": [{"tag_matching": "v*"}],
    }
    assert data["projects"] == {
        "a": {},
        "b": {},
        "c": {},
        "d": {
            "metadata": {"prevent_vul": False, "severity": None},
            "members": {"groups": []},
            "retention_policy": None,
            "immutable_tag_rules": [],
        },
        "e": {"storage_quota": "unlimited"},
    }
    assert_empty(place.plan(text))


def test_what_some_projects_share_is_a_profile(place):
    lines = [f"  own-{number}: {{storage_quota: {number + 1}Gi}}" for number in range(5)]
    lines += [
        f"  team-{number}: {{storage_quota: 9Gi, immutable_tag_rules: [{{tag_matching: 'v*'}}], labels: [{{name: hot}}]}}"
        for number in range(3)
    ]
    assert place.apply("projects:\n" + "\n".join(lines)).good
    text = text_of(exported(place.api))
    data = yaml.safe_load(text)
    assert data["profiles"] == {
        "like-team-0": {
            "storage_quota": "9Gi",
            "labels": [{"name": "hot"}],
            "immutable_tag_rules": [{"tag_matching": "v*"}],
        }
    }
    assert data["projects"] == {f"own-{n}": {"storage_quota": f"{n + 1}Gi"} for n in range(5)} | {
        f"team-{n}": "like-team-0" for n in range(3)
    }
    assert_empty(place.plan(text))


def test_the_same_secret_of_several_webhooks_is_one_variable(place):
    hook = "webhooks: [{name: ci, event_types: [PUSH_ARTIFACT], targets: [{address: 'https://a.b', auth_header: {secretRef: {env: HEADER}}}]}]"
    place.apply(f"projects: {{a: {{{hook}}}, b: {{{hook}}}, c: {{{hook}}}}}")
    result = exported(place.api)
    assert list(result.variables) == ["HARBOR_SECRET_WEBHOOK_A_CI_HEADER"]
    assert result.data["projects"] == {"a": {}, "b": {}, "c": {}}
    assert_empty(place.plan(text_of(result)))


# --- the command


def test_it_writes_a_file_that_plan_takes(api, place):
    place.apply(ALIKE)
    unowned(place)
    out = place.folder / "harbor.yaml"
    out.unlink()
    done = command(api, "export", "--out", str(out))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == f"{out} written\n"
    planned = command(api, "plan", "test", "-f", str(out))
    assert planned.returncode == 0, planned.stdout
    assert planned.stdout.splitlines()[-1] == "nothing to do: 19 as declared, 19 of them not ours yet"
    assert "> project a, b, c, d, e  (as declared)" in planned.stdout.splitlines()
    drifted = command(api, "drift", "test", "-f", str(out))
    assert drifted.returncode == 0, drifted.stdout
    assert command(api, "apply", "test", "-f", str(out), "--yes").returncode == 0
    assert command(api, "plan", "test", "-f", str(out)).stdout == "nothing to do: 19 as declared\n"


def test_a_folder_has_a_file_for_each_sort_and_is_read_as_one(api, place):
    place.apply(yaml.safe_dump(WHOLE))
    folder = place.folder / "stacks" / "harbor"
    done = command(api, "export", "--out", str(folder), "--output", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    names = ["labels", "people", "policy", "projects", "registries", "replication_policies", "robots", "system"]
    assert {str(folder / f"{name}.yaml") for name in names} <= set(report["files"])
    assert "spec" not in report
    assert "s3cret" not in done.stdout
    planned = command(api, "plan", "test", "-f", str(folder))
    assert planned.returncode == 0, planned.stdout + planned.stderr
    again = command(api, "export", "--out", str(folder))
    assert (again.returncode, again.stderr.count("is there already")) == (1, len(report["files"]))
    api.api("DELETE", "/labels/1")
    assert command(api, "export", "--out", str(folder), "--force").returncode == 0
    assert not (folder / "labels.yaml").exists(), "the label is gone, and so is its file"


def test_the_file_goes_to_stdout_and_a_report_instead_if_asked(api, place):
    place.apply("labels: [{name: approved}]\nsystem: {cve_allowlist: {items: [X], expires_at: 2030-01-31T00:00:00Z}}")
    done = command(api, "export")
    assert (done.returncode, yaml.safe_load(done.stdout)["labels"]) == (0, [{"name": "approved"}])
    report = json.loads(command(api, "export", "--output", "json").stdout)
    assert report["spec"]["system"]["cve_allowlist"] == {"items": ["X"], "expires_at": "2030-01-31T00:00:00Z"}
    assert (report["counts"]["label"], report["secrets"], report["leftOut"], report["notRead"]) == (1, {}, [], [])


def test_some_projects_are_exported_to_go_beside_other_files(api, place):
    place.apply(ALIKE)
    unowned(place)
    out = place.folder / "some.yaml"
    assert command(api, "export", "--project", "a", "--project", "e", "--out", str(out)).returncode == 0
    data = yaml.safe_load(out.read_text())
    assert (data.keys(), list(data["projects"])) == ({"projects"}, ["a", "e"])
    assert_empty(place.plan(out.read_text()))
    strange = command(api, "export", "--project", "aa", "--out", str(place.folder / "other.yaml"))
    assert (strange.returncode, "there is no project aa" in strange.stderr) == (1, True)
    assert not (place.folder / "other.yaml").exists()


def test_bad_use_is_told_before_harbor_is_asked(api, tmp_path):
    (tmp_path / "there.yaml").write_text("labels: []")
    taken = command(api, "export", "--out", str(tmp_path / "there.yaml"))
    assert taken.returncode == 1
    assert f"error: {tmp_path}/there.yaml: is there already" in taken.stderr
    assert (tmp_path / "there.yaml").read_text() == "labels: []"
    assert command(api, "export", "--out", str(tmp_path / "there.yaml"), "--force").returncode == 0
    mixed = command(api, "export", "--out", str(tmp_path), "--force")
    assert mixed.returncode == 0, "what is there was exported"
    (tmp_path / "mine.yaml").write_text("labels: []")
    mixed = command(api, "export", "--out", str(tmp_path), "--force")
    assert (mixed.returncode, "mine.yaml: is in the folder and was not exported" in mixed.stderr) == (1, True)
    below = command(api, "export", "--out", str(tmp_path / "mine.yaml" / "x.yaml"))
    assert (below.returncode, "cannot be written to" in below.stderr) == (1, True)
    place = command(api, "export", "--robot-secrets", "vault:x")
    assert (place.returncode, "is no place" in place.stderr) == (1, True)


def test_who_may_not_read_is_told(api, place):
    wrong = command(api, "export", SLIPWAY_HARBOR_PASSWORD="wrong")
    assert (wrong.returncode, "admin cannot log in" in wrong.stderr, wrong.stdout) == (1, True, "")
    place.apply("users: [{username: alice, email: a@b.c, realname: A, password: {secretRef: {env: ALICE}}}]")
    user = command(api, "export", SLIPWAY_HARBOR_USERNAME="alice", SLIPWAY_HARBOR_PASSWORD=SECRETS["ALICE"])
    assert (user.returncode, "give alice the right" in user.stderr) == (1, True), user.stderr


def test_a_robot_exports_what_it_may_see_and_the_file_says_what_is_missing(api, place):
    place.apply(
        "labels: [{name: approved}]\nprojects: {payments: {storage_quota: 5Gi}}\nregistries: [{name: r, type: harbor, url: 'https://r'}]"
    )
    system = [("registry", "list"), ("label", "read"), ("project", "list"), ("quota", "list")]
    permissions = [
        {"kind": "system", "namespace": "/", "access": [{"resource": one, "action": two} for one, two in system]},
        {"kind": "project", "namespace": "payments", "access": [{"resource": "project", "action": "read"}]},
    ]
    body = {"name": "look", "level": "system", "duration": 30, "permissions": permissions}
    made = api.api("POST", "/robots", body).json
    done = command(api, "export", SLIPWAY_HARBOR_USERNAME=made["name"], SLIPWAY_HARBOR_PASSWORD=made["secret"])
    assert done.returncode == 0, done.stderr
    assert f"not looked at, since {made['name']} may not read it: config" in done.stderr
    assert f"# Read by {made['name']}, which sees only what it has rights on" in done.stdout
    data = yaml.safe_load(done.stdout)
    assert [each["name"] for each in data["registries"]] == ["r"]
    assert "system" not in data
