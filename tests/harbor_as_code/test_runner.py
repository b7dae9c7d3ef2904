"""The robot of the jobs in the cluster: what it may, how it is renewed, and that its rights are enough and no more."""

import asyncio
import json
import time

import pytest
from pydantic import SecretStr

from slipway.harbor.client import connect
from slipway.harbor.kinds.order import KINDS
from slipway.harbor.ledger import Ledger
from slipway.harbor.plan import Consent, Wanted, make_plan
from slipway.harbor.robots.look import prefix_in
from slipway.harbor.robots.runner import drift_rights
from slipway.harbor.secret_values import SecretValues
from slipway.harbor.spec import load
from tests.harbor.clients import connection
from tests.harbor_as_code.command import command

#: Something of every kind.
EVERYTHING = """
registries: [{name: hub, type: docker-hub, url: "https://hub.docker.com"}]
labels: [{name: approved}]
user_groups: [{group_name: devs, group_type: http}]
users: [{username: alice, email: a@example.com, realname: Alice, password: {secretRef: {env: ALICE}}}]
system:
  config: {session_timeout: 60, read_only: false}
  cve_allowlist: {items: [CVE-2026-0001]}
  scanners: [{name: other, url: "http://scanner.example.com:8080"}]
  default_scanner: other
  schedules:
    gc: {type: Daily}
    purge_audit: {type: Daily, audit_retention_hour: 24, include_event_types: [create_artifact]}
    scan_all: {type: Daily}
robots:
  - name: nodes
    rotation: {}
    secret: {file: nodes.json}
    permissions: [{namespace: payments, preset: pull}]
  - name: single
    secret: {file: single.json}
    permissions: [{kind: system, namespace: /, access: [{resource: catalog, action: read}]}]
projects:
  payments:
    storage_quota: 5Gi
    scanner: other
    members: {users: [{username: alice, role: developer}]}
    labels: [{name: stable}]
    retention_policy: {schedule: Daily, rules: [{always_retain: true}]}
    immutable_tag_rules: [{tag_matching: "v*"}]
    webhooks: [{name: hook, event_types: [PUSH_ARTIFACT], targets: [{address: "http://hook.example.com"}]}]
    robots: [{name: ci, preset: ci, rotation: {}, secret: {file: ci.json}}]
    preheat_policies:
      - name: releases
        instance: dragonfly
        trigger: {type: manual}
        filters: [{type: repository, value: "**"}, {type: tag, value: "v*"}]
  quiet: {robots: []}
preheat_instances: [{name: dragonfly, vendor: dragonfly, endpoint: "https://d.example.com", auth_mode: NONE}]
replication_policies:
  - {name: copy, src_registry: hub, filters: [{type: name, value: "library/**"}]}
"""


def install(api, file, tmp_path, *options, **more):
    place = tmp_path / "runner.json"
    arguments = (
        "install-runner",
        "test",
        "-f",
        str(file),
        "--secret-to",
        f"file:{place}",
        "--output",
        "json",
        *options,
    )
    done = command(api, *arguments, **more)
    return (
        done,
        json.loads(done.stdout) if done.stdout else None,
        json.loads(place.read_text()) if place.exists() else None,
    )


def as_robot(credential, **more):
    return {
        "SLIPWAY_HARBOR_USERNAME": credential["username"],
        "SLIPWAY_HARBOR_PASSWORD": credential["password"],
        "SLIPWAY_HARBOR_ROBOT": "true",
    } | more


@pytest.fixture
def declared(place, monkeypatch):
    """Everything declared and made, with its ledger beside the file as the commands find it."""
    monkeypatch.setenv("ALICE", "Password1")
    applied = place.apply(EVERYTHING)
    assert applied.good, [(each.action.ref, each.problems) for each in applied.outcomes if each.problems]
    return place


def test_it_sees_all_that_is_declared_but_the_configuration(declared, tmp_path):
    done, told, credential = install(declared.api, declared.file, tmp_path)
    assert (done.returncode, told["act"]) == (0, "make"), done.stderr
    assert credential["username"] == told["robot"] == "robot$slipway-runner-a"

    found = command(declared.api, "drift", "test", "-f", str(declared.file), **as_robot(credential))

    assert found.returncode == 0, found.stdout + found.stderr
    assert "not looked at, since this robot may not read it: config\n" in found.stdout
    assert (
        command(declared.api, "install-runner", "test", "-f", str(declared.file), **as_robot(credential)).returncode
        == 1
    )


async def _unread(api, credential, wanted, folder):
    sender = connection(api, name=credential[0], secret=SecretStr(credential[1]), robot=True)
    async with connect(sender) as harbor:
        _, plan = await make_plan(harbor, wanted, Ledger(instance="test"), SecretValues(folder), Consent())
        return set(plan.unread)


def test_every_right_is_needed(declared):
    """One right less, and something is not looked at; so none is there for nothing.

    But for those that were seen to be needed on a real Harbor, and those that the first of them only happens to bring:
    `project:read` on all projects reads retention and scanners too, which is more than it says.
    """
    wanted = Wanted.of(load([declared.file]))
    rights = drift_rights(wanted, Ledger(instance="test"))
    needless = []
    for number, (namespace, right) in enumerate((name, each) for name, own in rights.items() for each in sorted(own)):
        less = {name: own - {right} if name == namespace else own for name, own in rights.items()}
        grants = [
            {"kind": "system" if name == "/" else "project", "namespace": name,
             "access": [dict(zip(("resource", "action"), each.split(":"), strict=True)) for each in own]}
            for name, own in less.items()
        ]  # fmt: skip
        body = {"name": f"less-{number}", "level": "system", "duration": 1, "permissions": grants}
        made = declared.api.api("POST", "/robots", body).json
        unread = asyncio.run(_unread(declared.api, (made["name"], made["secret"]), wanted, declared.folder))
        if unread == {"config"}:
            needless.append(f"{namespace} {right}")
    assert needless == [
        "/ label:read", "/ project:list", "* project:read", "* scanner:read", "* tag-retention:read",
    ]  # fmt: skip


def test_it_gets_rights_for_what_is_declared_only(place):
    few = Wanted.of(load([_written(place, "labels: [{name: a}]\nprojects: {payments: {}}\n")]))

    assert drift_rights(few, Ledger(instance="test")) == {
        "/": {"label:read", "project:list"},
        "*": {"project:read"},
    }
    assert drift_rights(Wanted.of(load([_written(place, "{}")])), Ledger(instance="test"))["*"] == frozenset()


def _written(place, text):
    place.file.write_text(text)
    return place.file


def test_every_kind_has_its_rights_stated(place):
    """A new kind must say what reading it needs."""
    from slipway.harbor.robots import runner

    assert runner._READS.keys() | {"schedule"} == KINDS.keys()


def test_run_again_it_keeps_mends_and_renews(declared, tmp_path):
    install(declared.api, declared.file, tmp_path)
    text, ledger = declared.file.read_text(), declared.folder / "harbor.ledger.json"
    declared.file.write_text("labels: [{name: approved}]\n")
    ledger.rename(tmp_path / "aside")  # what it says is ours would be looked at as well

    done, told, first = install(declared.api, declared.file, tmp_path)
    assert (told["act"], told["mended"]) == ("keep", True), done.stderr
    assert "*" not in {each["namespace"] for robot in robots(declared.api) for each in robot["permissions"]}
    declared.file.write_text(text)
    (tmp_path / "aside").rename(ledger)

    done, told, second = install(declared.api, declared.file, tmp_path, "--now")
    assert (told["act"], told["robot"], told["older"]) == ("rotate", "robot$slipway-runner-b", first["username"])
    assert second["username"] == "robot$slipway-runner-b"
    for credential in (first, second):  # a pod that began with the older one goes on
        found = command(declared.api, "drift", "test", "-f", str(declared.file), **as_robot(credential))
        assert found.returncode == 0, found.stderr
    done, told, _ = install(declared.api, declared.file, tmp_path, "--now")
    assert told["act"] == "wait"
    assert len(robots(declared.api)) == 2


def robots(api):
    return [each for each in api.api("GET", "/robots").json if "slipway-runner" in each["name"]]


def test_nobody_deletes_it_who_prunes_all(declared, tmp_path):
    install(declared.api, declared.file, tmp_path)

    plan = declared.plan(EVERYTHING + "policy: {prune: all}\n")

    assert [str(each.ref) for each in plan.actions] == []


def test_in_the_cluster_it_renews_pairs_with_rights_for_just_these(declared, tmp_path):
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\n")
    from slipway.harbor.robots.runner import rotation_rights, together

    spec = load([declared.file])
    rights = together(drift_rights(Wanted.of(spec), declared.store.load()), rotation_rights(spec))
    made = declared.api.api("POST", "/robots", {
        "name": "slipway-runner-a", "level": "system", "duration": 9, "permissions": [
            {"kind": "system" if name == "/" else "project", "namespace": name,
             "access": [dict(zip(("resource", "action"), each.split(":"), strict=True)) for each in own]}
            for name, own in rights.items()]}).json  # fmt: skip
    credential = {"username": made["name"], "password": made["secret"]}

    done = command(
        declared.api, "rotate", "test", "-f", str(declared.file), "--now", "--output", "json",
        **as_robot(credential, SLIPWAY_HARBOR_REGISTRY="registry.example.com"),
    )  # fmt: skip

    rows = {row["key"]: row for row in json.loads(done.stdout)["robots"]}
    assert done.returncode == 0, rows
    assert {key: row["act"] for key, row in rows.items()} == {"nodes": "rotate", "payments/ci": "rotate"}
    kept = json.loads((declared.folder / "ci.json").read_text())
    assert kept["username"] == "robot$payments+ci-b"
    assert kept["registry"] == "registry.example.com", "the address of the pod is nobody else's"
    # It got what it needs and no more: a robot that may delete is not among what it can make.
    assert "payments" in rights
    assert "quiet" not in rights


def test_a_server_with_another_prefix(declared, tmp_path):
    declared.api.api("PUT", "/configurations", {"robot_name_prefix": "bot-"})
    done, _, credential = install(declared.api, declared.file, tmp_path)
    assert credential["username"] == "bot-slipway-runner-a", done.stderr

    found = command(declared.api, "drift", "test", "-f", str(declared.file), **as_robot(credential))

    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("robot$slipway-runner-a", "robot$"),
        ("bot-slipway-runner-b", "bot-"),
        ("slipway-runner-a", ""),
        ("other", "robot$"),
    ],
)
def test_the_prefix_is_told_from_its_own_name(name, prefix):
    assert prefix_in(name) == prefix


def test_without_its_secret_the_pod_says_what_to_do(place):
    place.file.write_text("labels: []\n")
    done = command(
        place.api, "drift", "prod", "-f", str(place.file), SLIPWAY_HARBOR_PASSWORD="", SLIPWAY_HARBOR_ROBOT="true"
    )

    assert done.returncode == 1
    assert "slipway harbor install-runner prod" in done.stderr


def test_the_files_of_a_mounted_configmap_are_read_once(place):
    """As a kubelet mounts it: links into a hidden folder that is exchanged whole."""
    mounted = place.folder / "mounted"
    (mounted / "..2026_11_25").mkdir(parents=True)
    (mounted / "..2026_11_25" / "harbor.yaml").write_text("labels: [{name: approved}]\n")
    (mounted / "..data").symlink_to("..2026_11_25")
    (mounted / "harbor.yaml").symlink_to("..data/harbor.yaml")
    started = time.monotonic()

    done = command(place.api, "plan", "test", "-f", str(mounted))

    assert (done.returncode, done.stdout.splitlines()[-1]) == (2, "1 to make; 0 as declared"), done.stderr
    assert time.monotonic() - started < 30
