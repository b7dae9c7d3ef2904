"""The whole delivery on the real engine, and the ways in which it goes wrong."""

import json
import os
import subprocess
import time

import pytest
import yaml

from slipway.rehearse.workspace import opened
from tests.engine.project import RehearsalFailed

CORE = "apps/harbor/dev/release/values/core.yaml"


def changes(report: dict) -> dict:
    return {step["name"]: step["changes"] for step in report["steps"]}


def test_from_nothing_to_a_commit_and_then_nothing_more(project):
    first = project.rehearse()

    created = changes(first)["up"]["create"]
    assert created > 130
    assert changes(first) == {"preview": {"create": created}, "up": {"create": created}, "up again": {}, "refresh": {}}
    assert first["commit"]["created"]
    assert first["steps"][0]["files"] == first["commit"]["files"]
    assert first["commit"]["id"] == project.git("rev-parse", "main")
    assert set(first["commit"]["files"]) < set(project.git("ls-tree", "-r", "--name-only", "main").split())

    second = project.rehearse()

    assert changes(second) == {"preview": {}, "up": {}, "up again": {}, "refresh": {}}
    assert not second["commit"]["created"]
    assert second["commit"]["id"] == first["commit"]["id"] == project.git("rev-parse", "main")
    assert project.git("rev-list", "--count", "main") == "1"

    check_committed_facts(project)
    check_time(first["realTime"])
    check_state(project)


def check_committed_facts(project):
    facts = json.loads(project.git("show", "main:apps/harbor/dev/facts.json"))
    common = yaml.safe_load(project.git("show", "main:apps/harbor/dev/release/values/common.yaml"))

    assert facts["example"] is False
    assert isinstance(facts["database"]["port"], int)
    assert common["database"]["external"]["host"] == facts["database"]["host"]


def check_time(real: dict):
    """The time is that of the longest chain, not a sum over all."""
    assert real["seconds"] == sum(step["seconds"] for step in real["criticalPath"])
    assert 600 < real["seconds"] < real["oneByOne"] / 3
    assert "aws:eks/cluster:Cluster" in [step["type"] for step in real["criticalPath"]]


def check_state(project):
    """Secrets are encrypted in the state, and nothing is locked."""
    folder = project.root / ".slipway/rehearse/dev/state/.pulumi"
    state = (folder / "stacks/slipway/dev.json").read_text()
    passwords = [
        resource["outputs"]["result"]
        for resource in json.loads(state)["checkpoint"]["latest"]["resources"]
        if resource["type"] == "random:index/randomPassword:RandomPassword"
    ]

    assert passwords
    assert all("ciphertext" in password for password in passwords)
    assert "BEGIN RSA PRIVATE KEY" not in state
    assert [path for path in (folder / "locks").rglob("*") if path.is_file()] == []


def test_a_hand_edit_shows_as_drift_and_is_never_overwritten(project):
    report = project.rehearse()
    head = commit_by_hand(project, CORE, project.git("show", f"main:{CORE}").replace("replicas: 1", "replicas: 5"))

    with pytest.raises(RehearsalFailed, match="refresh: must change nothing, and did: 1 update"):
        project.rehearse()
    with pytest.raises(RehearsalFailed, match="is a generated file, and was edited by hand") as caught:
        project.rehearse()

    assert "-  replicas: 5" in str(caught.value)
    assert "+  replicas: 1" in str(caught.value)
    assert project.git("rev-parse", "main") == head
    # Giving the edit up, as the message says, is one of the two ways out.
    project.git("update-ref", "refs/heads/main", report["commit"]["id"])
    assert project.rehearse()["commit"]["id"] == report["commit"]["id"]


def commit_by_hand(project, path: str, text: str) -> str:
    """Commit one file to the scratch repository, as a person would."""
    clone = project.root / "clone"
    subprocess.run(
        ["git", "clone", "-q", str(project.root / ".slipway/rehearse/dev/gitops.git"), str(clone)], check=True
    )
    (clone / path).write_text(text + "\n")
    identity = ["-c", "user.name=Joe", "-c", "user.email=joe@example.com"]
    subprocess.run(["git", "-C", str(clone), *identity, "commit", "-qam", "more replicas"], check=True)
    subprocess.run(["git", "-C", str(clone), "push", "-q"], check=True)
    return project.git("rev-parse", "main")


def test_a_changed_setting_changes_one_commit_and_destroy_leaves_files_and_data(project):
    project.rehearse()
    stack = project.root / "stacks" / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("config:\n", "config:\n  slipway:chartVersion: 1.19.2\n"))

    report = project.rehearse("dev", "--destroy")

    assert changes(report)["preview"] == changes(report)["up"] == {"update": 1}
    assert "apps/harbor/dev/release/release.yaml" in report["steps"][0]["files"]
    assert "apps/harbor/dev/prerequisites/volumes.yaml" in report["steps"][0]["files"]  # its header names the chart
    assert "1.19.2" in project.git("show", "main:apps/harbor/dev/release/release.yaml")
    assert changes(report)["allow deletion"] == {"update": 2}
    assert changes(report)["destroy"]["delete"] > 130
    assert any("aws:rds/instance:Instance" in urn for urn in report["kept"])
    assert CORE in project.git("ls-tree", "-r", "--name-only", "main").split()


def test_a_failure_in_the_middle_commits_nothing_and_the_next_run_finishes(project):
    with pytest.raises(RehearsalFailed) as caught:
        project.rehearse("ha", "--fail", "aws:rds/instance:Instance")

    assert caught.value.code == 1
    assert "up: aws:rds/instance:Instance database: creating database: operation error" in str(caught.value)
    assert "asked for by --fail" in str(caught.value)
    assert "it goes on from here" in str(caught.value)
    assert project.git("for-each-ref", environment="ha") == ""

    report = project.rehearse("ha")

    assert 2 <= changes(report)["up"]["create"] < 130
    assert report["commit"]["created"]


def test_a_new_zone_stops_before_anything_costly_shows_its_records_and_goes_on(project):
    stack = project.root / "stacks" / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("  slipway:dns:\n    delegateFrom: dev.example.com\n", ""))

    report = project.rehearse()

    assert [step["name"] for step in report["steps"]] == [
        "preview",
        "up, as far as the zone",
        "up",
        "up again",
        "refresh",
    ]
    assert "registry.dev.example.com.  NS  ns-" in project.said
    assert "run `pulumi up` again" in project.said
    assert report["commit"]["created"]
    assert "delegate" not in "".join(changes(project.rehearse()))


def test_ctrl_c_leaves_nothing_locked_and_the_next_run_goes_on(project):
    code, error = project.interrupt(project.start("dev", "--to", "commit", "--speed", "200"), when='"op":"create"')

    assert code == 130, error
    assert "Traceback" not in error
    locks = project.root / ".slipway/rehearse/dev/state/.pulumi/locks"
    assert [path for path in locks.rglob("*") if path.is_file()] == []
    assert project.rehearse()["commit"]["created"]


def test_a_killed_run_leaves_nothing_that_stops_the_next(project):
    with project.start("dev", "--to", "commit", "--speed", "200") as process:
        locks = project.root / ".slipway/rehearse/dev/state/.pulumi/locks"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not any(path.is_file() for path in locks.rglob("*")):
            time.sleep(0.05)
        os.killpg(process.pid, 9)
        process.communicate()

    assert project.rehearse()["commit"]["created"]


def test_a_failure_of_a_type_that_is_none_is_refused_at_once(project):
    with pytest.raises(RehearsalFailed) as caught:
        project.rehearse("dev", "--fail", "aws:rds/instanc:Instance", "--fail", "nonsense")

    assert "--fail aws:rds/instanc:Instance: " in str(caught.value)
    assert "did you mean 'aws:rds/instance:Instance'?" in str(caught.value)
    assert "--fail nonsense: nonsense is no type of aws, random, tls" in str(caught.value)


def test_two_rehearsals_of_one_environment_do_not_meet(project):
    with (
        opened(project.root, "dev", fresh=False),
        pytest.raises(RehearsalFailed, match="is being rehearsed by another process"),
    ):
        project.rehearse()


def test_credentials_and_the_configured_remote_never_reach_the_engine(project, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-secret")
    monkeypatch.setenv("SLIPWAY_GIT_TOKEN", "git-token")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "pulumi-token")

    with opened(project.root, "dev", fresh=False) as workspace:
        workspace.write_settings()
        environment = workspace.engine_environment(providers={"aws": 1}, dns_server="", internet=1, kubeconfig=None)
        written = (workspace.project / "stacks" / "Pulumi.dev.yaml").read_text()

    assert not {"aws-secret", "git-token", "pulumi-token"} & set(environment.values())
    assert "git.example.com" not in written
    assert "http://git.rehearsal.test/gitops.git" in written
