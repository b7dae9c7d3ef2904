"""Whatever people set by hand, the export of it plans empty: servers of odd values, each from a seed."""

import random

import pytest
import yaml

from slipway.harbor.export.compact import compact
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.rights import PROJECT
from tests.harbor_as_code.test_export import assert_empty, exported, text_of

SEEDS = range(12)
MARK = "t0ken-1s-h1dden-4ll-the-way"
WORDS = ["yes", "null", "1e3", "010", "a: b", "#1", "{x}", "*", "ünïcode", " blank ", 'say "hi"', "it's", "2030-01-31", "- x", "a,b", "x" * 200, "one\ntwo"]  # fmt: skip
NAMES = ["1", "0123", "2030-01-31", "null", "yes", "a.b_c-d", "team-1", "team-2", "team-3", "x" * 60]
EVENTS = ["PUSH_ARTIFACT", "PULL_ARTIFACT", "SCANNING_FAILED", "QUOTA_EXCEED", "TAG_RETENTION"]
CRONS = ["0 0 0 * * *", "0 0 * * * *", "0 15 3 1 * *", "", "0 0 0 * * 0", "0 0 0 1 1 1-5"]
TEMPLATES = ["latestPushedK", "latestPulledN", "nDaysSinceLastPush", "nDaysSinceLastPull", "always", "unknown"]


class Hand:
    """Somebody who sets things by hand, as a die falls."""

    def __init__(self, api, seed: int) -> None:
        self.api, self.die, self.done = api, random.Random(seed), 0

    def maybe(self, *, often=0.5) -> bool:
        return self.die.random() < often

    def send(self, method, path, body=None, **query):
        """Harbor may refuse it; what it takes is there."""
        answer = self.api.api(method, path, body, headers={"X-Is-Resource-Name": "true"}, **query)
        self.done += answer.status < 300
        return answer

    def word(self) -> str:
        return self.die.choice(WORDS)

    def all(self) -> None:
        for part in (self.system, self.people, self.registries, self.projects, self.robots, self.replication):
            part()

    def system(self) -> None:
        texts = ["oidc_name", "oidc_scope", "oidc_group_filter", "ldap_url", "ldap_filter", "robot_name_prefix"]
        settings = {name: self.word() for name in self.die.sample(texts, 3)}
        settings |= {
            "session_timeout": self.die.randint(1, 999),
            "storage_per_project": self.die.choice([-1, 1, 5 << 30]),
        }
        settings["banner_message"] = self.die.choice(
            ["", "no JSON", '{"message": "x"}', '{"message": "x", "type": "odd"}']
        )
        settings["disabled_audit_log_event_types"] = self.die.choice(["", "b,a", ",,x", "pull_artifact"])
        for name, value in settings.items():
            self.send("PUT", "/configurations", {name: value})
        items = [{"cve_id": each} for each in self.die.sample(["CVE-2", "CVE-1", "any", "ünï"], 2)]
        self.send("PUT", "/system/CVEAllowlist", {"items": items, "expires_at": self.die.choice([None, 0, 1, 1 << 40])})
        for name in self.die.sample(WORDS, 4):
            color = self.die.choice(["#FFFFFF", "#000000", "#abc", "red", ""])
            self.send("POST", "/labels", {"name": name, "scope": "g", "color": color, "description": self.word()})
        for path in ("gc", "scanAll", "purgeaudit"):
            kind, cron = self.die.choice(
                [
                    ("Daily", "0 0 0 * * *"),
                    ("Daily", "0 5 5 * * *"),
                    ("Custom", self.die.choice(CRONS)),
                    ("Hourly", "0 0 * * * *"),
                ]
            )
            more = {"workers": self.die.randint(1, 10)} if path == "gc" else {}
            more = (
                {"audit_retention_hour": self.die.choice([1, 24, 10**6]), "include_event_types": "b,a"}
                if path == "purgeaudit"
                else more
            )
            self.send("PUT", f"/system/{path}/schedule", {"schedule": {"type": kind, "cron": cron}, "parameters": more})

    def people(self) -> None:
        for number in range(self.die.randint(0, 4)):
            user = {
                "username": f"user{number}",
                "email": f"u{number}@x.y",
                "realname": self.word(),
                "password": "Password1",
            }
            self.send("POST", "/users", user | {"comment": self.word()})
        for name in self.die.sample(WORDS, 2):
            self.send("POST", "/usergroups", {"group_name": name, "group_type": self.die.choice([2, 3])})

    def registries(self) -> None:
        for name in self.die.sample(WORDS, 3):
            body = {
                "name": name,
                "type": self.die.choice(["harbor", "docker-hub", "quay"]),
                "url": self.die.choice(["https://r.example.com/", "r.example.com", "http://10.0.0.1:5000"]),
            }
            body["credential"] = {"type": "basic", "access_key": self.die.choice(["", "key"]), "access_secret": MARK}
            self.send("POST", "/registries", body | {"description": self.word(), "insecure": self.maybe()})

    def projects(self) -> None:
        self.send("PUT", "/projects/library", {"metadata": {"auto_scan": self.die.choice(["true", "false", "maybe"])}})
        registries = [each["id"] for each in self.api.api("GET", "/registries").json]
        for name in self.die.sample(NAMES, self.die.randint(1, len(NAMES))):
            body = {"project_name": name, "storage_limit": self.die.choice([-1, 5 << 30, 12345])}
            if registries and self.maybe(often=0.3):
                body["registry_id"] = self.die.choice(registries)
            if self.send("POST", "/projects", body).status == 201:
                self.project(name)

    def project(self, name: str) -> None:
        metadata = {
            "public": self.die.choice(["true", "false", "maybe"]),
            "severity": self.die.choice(["low", "critical", "bogus"]),
            "prevent_vul": self.die.choice(["true", "false", "x"]),
            "reuse_sys_cve_allowlist": self.die.choice(["true", "false"]),
            "proxy_speed_kb": self.die.choice(["-1", "7"]),
            "enable_content_trust": self.die.choice(["true", "false"]),
        }
        for key in self.die.sample(list(metadata), 4):
            self.send("PUT", f"/projects/{name}", {"metadata": {key: metadata[key]}})
        if self.maybe():
            allowed = {"items": [{"cve_id": "CVE-1"}] if self.maybe() else [], "expires_at": self.die.choice([None, 5])}
            self.send("PUT", f"/projects/{name}", {"cve_allowlist": allowed})
        for number in range(3):
            self.send(
                "POST",
                f"/projects/{name}/members",
                {"role_id": self.die.randint(1, 5), "member_user": {"username": f"user{number}"}},
            )
        number = self.api.api("GET", f"/projects/{name}", headers={"X-Is-Resource-Name": "true"}).json["project_id"]
        for label in self.die.sample(WORDS, 2):
            self.send("POST", "/labels", {"name": label, "scope": "p", "project_id": number, "color": "#C92100"})
        self.policies(name, number)

    def policies(self, name: str, number: int) -> None:
        def rule(template):
            selector = {
                "kind": "doublestar",
                "decoration": self.die.choice(["matches", "excludes"]),
                "pattern": self.die.choice(["**", "v*", "{a,b}"]),
            }
            scope = {
                "kind": "doublestar",
                "decoration": self.die.choice(["repoMatches", "repoExcludes"]),
                "pattern": "**",
            }
            extras = self.die.choice([{}, {"extras": '{"untagged":false}'}, {"extras": "odd"}])
            params = {} if template == "always" else {template: self.die.choice([1, 20])}
            return {
                "action": "retain",
                "template": template,
                "params": params,
                "disabled": self.maybe(often=0.2),
                "tag_selectors": [selector | extras],
                "scope_selectors": {"repository": [scope]},
            }

        if self.maybe():
            rules = [rule(self.die.choice(TEMPLATES)) for _ in range(self.die.randint(0, 3))]
            trigger = {"kind": "Schedule", "settings": {"cron": self.die.choice(CRONS)}}
            self.send(
                "POST",
                "/retentions",
                {"algorithm": "or", "rules": rules, "trigger": trigger, "scope": {"level": "project", "ref": number}},
            )
        for _ in range(self.die.randint(0, 2)):
            self.send(
                "POST",
                f"/projects/{name}/immutabletagrules",
                rule("immutable_template") | {"action": "immutable", "params": {}},
            )
        for hook in self.die.sample(["ci", "chat", *WORDS], 2):
            kind = self.die.choice(["http", "slack", "teams"])
            address = self.die.choice(
                [
                    "https://x.example.com/a",
                    f"https://x.example.com/{MARK}",
                    f"https://u:{MARK}@x",
                    f"http://x?t={MARK}",
                ]
            )
            target = {"type": kind, "address": address, "skip_cert_verify": self.maybe()} | (
                {"auth_header": MARK} if self.maybe() else {}
            )
            self.send(
                "POST",
                f"/projects/{name}/webhook/policies",
                {
                    "name": hook,
                    "enabled": self.maybe(),
                    "description": self.word(),
                    "event_types": self.die.sample(EVENTS, 2),
                    "targets": [target],
                },
            )
        for robot in self.die.sample(["ci", "a_-b", "x--y", "nodes-a", "0"], 2):
            self.robot("project", robot, name)

    def robot(self, level: str, robot: str, namespace: str) -> None:
        access = [{"resource": one, "action": two} for one, two in self.die.sample(sorted(PROJECT), 3)]
        body = {
            "name": robot,
            "level": level,
            "duration": self.die.choice([-1, 1, 90, 9999]),
            "description": self.word(),
            "permissions": [{"kind": "project", "namespace": namespace, "access": access}],
        }
        made = self.send("POST", "/robots", body)
        if made.status == 201 and self.maybe(often=0.3):
            robot = self.api.api("GET", f"/robots/{made.json['id']}").json
            self.send("PUT", f"/robots/{robot['id']}", robot | {"disable": True})

    def robots(self) -> None:
        names = ["*", *(each["name"] for each in self.api.api("GET", "/projects").json)]
        for robot in self.die.sample(["nodes", "nodes-a", "nodes-b", "x--y"], 3):
            self.robot("system", robot, self.die.choice(names))
        if self.maybe():
            self.api.later(days=2)

    def replication(self) -> None:
        registries = [{"id": each["id"]} for each in self.api.api("GET", "/registries").json]
        for name in self.die.sample(WORDS, 3 if registries else 0):
            filters = self.die.sample(
                [
                    {"type": "name", "value": "a/**"},
                    {"type": "tag", "value": "v*", "decoration": "excludes"},
                    {"type": "label", "value": ["b", "a"]},
                    {"type": "resource", "value": "image"},
                ],
                2,
            )
            trigger = self.die.choice(
                [{"type": "manual"}, {"type": "scheduled", "trigger_settings": {"cron": "0 5 * * * *"}}]
            )
            side = self.die.choice(["src_registry", "dest_registry"])
            self.send(
                "POST",
                "/replication/policies",
                {
                    "name": name,
                    side: self.die.choice(registries),
                    "filters": filters,
                    "trigger": trigger,
                    "speed": self.die.choice([-1, 0, 7]),
                    "dest_namespace_replace_count": self.die.choice([-1, 0, 2]),
                    "override": self.maybe(),
                    "enabled": self.maybe(),
                    "deletion": self.maybe(),
                },
            )


@pytest.fixture(autouse=True)
def password(monkeypatch, api):
    monkeypatch.setenv("SLIPWAY_HARBOR_PASSWORD", api.password)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_there_is_plans_empty(place, seed):
    hand = Hand(place.api, seed)
    hand.all()
    assert hand.done > 20, "most of it was taken"
    result = exported(place.api)
    text = text_of(result)
    assert_empty(place.plan(text))
    assert MARK not in text
    assert yaml.safe_load(text) == yaml.safe_load(text_of(exported(place.api))), "and it is the same each time"
    some = sorted(result.data.get("projects", {}))[:2]
    if some:
        assert_empty(place.plan(text_of(exported(place.api, projects=some))))


def test_most_of_what_is_odd_can_be_said(place):
    """Few things are left out, and each says why."""
    left = []
    for seed in SEEDS:
        place.api.reset()
        Hand(place.api, seed).all()
        result = exported(place.api)
        left += result.left
        assert len(result.left) < sum(result.counts.values()) / 4
    assert all(why for _, why in left)
    assert {ref.kind for ref, _ in left} >= {"project", "label", "robot", "retention"}


# --- what projects share

PARTS = {
    "metadata": [{"public": True}, {"public": False, "auto_scan": True}, {"public": False, "severity": "high"}],
    "storage_quota": ["5Gi", "unlimited", "6Gi"],
    "cve_allowlist": [{"items": ["X"]}, {"items": ["X"]}, {"items": ["Y"]}],
    "retention_policy": [{"schedule": "Daily", "rules": [{"always_retain": True}]}, {"rules": []}],
    "immutable_tag_rules": [[{"tag_matching": "v*"}], [{"tag_matching": "v*"}], [{"repo_matching": "x"}]],
    "labels": [[{"name": "a"}], [{"name": "a"}, {"name": "b"}]],
    "members": [{"users": [{"username": "a", "role": "guest"}]}, {"users": [{"username": "a", "role": "guest"}], "groups": [{"group_name": "g", "role": "guest"}]}],
    "robots": [[{"name": "ci", "preset": "ci"}]],
}  # fmt: skip
#: What a project may say besides, where the others have something: it is what having nothing is.
NOTHING = (None, [], False)


@pytest.mark.parametrize("seed", range(200))
def test_to_write_it_once_says_the_same(seed):
    die = random.Random(seed)
    often = die.choice([0.3, 0.7, 0.95])
    projects = {
        f"p{number}": {"metadata": {"public": False}}
        | {key: die.choice(some) for key, some in PARTS.items() if die.random() < often}
        for number in range(die.randint(1, 9))
    }
    incomplete = {
        (name, part)
        for name in projects
        for part in ("labels", "members.users", "retention_policy")
        if die.random() < 0.1
    }
    before = HarborSpec.model_validate({"projects": projects}).all_projects
    after = HarborSpec.model_validate(compact({"projects": projects}, incomplete)).all_projects
    assert before.keys() == after.keys()
    for name, project in before.items():
        one, other = (plain(each) for each in (project, after[name]))
        more = {key: other[key] for key in other if one.get(key, ...) != other[key]}
        assert all(value in NOTHING and key not in one for key, value in more.items()), (name, more)
        unsaid = {key for key, value in one.items() if other.get(key, ...) != value}
        assert all(one[key] in (False, "unlimited", -1) for key in unsaid), "only what nobody changed is left out"
        assert not [part for owner, part in incomplete if owner == name and part in more], "unsure is not empty"


def plain(project):
    """Give a project's parts by their paths; lists of named things in one order."""
    found = {}
    for key, value in project.model_dump(exclude_unset=True).items():
        inner = value.items() if key in {"metadata", "members"} and value else [("", value)]
        for name, each in inner:
            path = f"{key}.{name}" if name else key
            found[path] = sorted(each, key=str) if isinstance(each, list) else each
    return found
