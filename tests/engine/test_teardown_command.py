"""`slipway teardown` with the real `pulumi` command, on a stack of its own; a stand-in program takes the cloud's place."""

import json
import subprocess

import pytest
import yaml

from infra.errors import TeardownError
from slipway.teardown.pulumi import PulumiStack

KEPT = "urn:pulumi:dev::slipway::random:index/randomPassword:RandomPassword::kept"


@pytest.fixture
def stack(tmp_path, monkeypatch, pulumi):
    """A stack with one protected resource in its state, and the team's stack file."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\nruntime: yaml\nstackConfigDir: stacks\n")
    for name, value in {
        "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "state").mkdir()

    def run(*arguments, text=None):
        command = [str(pulumi.path), *arguments, "--non-interactive"]
        return subprocess.run(command, cwd=tmp_path, input=text, capture_output=True, text=True, check=True).stdout

    run("stack", "init", "dev")
    exported = json.loads(run("stack", "export", "--stack", "dev"))
    root = {
        "urn": "urn:pulumi:dev::slipway::pulumi:pulumi:Stack::slipway-dev",
        "type": "pulumi:pulumi:Stack",
        "custom": False,
    }
    kept = {
        "urn": KEPT,
        "type": "random:index/randomPassword:RandomPassword",
        "custom": True,
        "id": "1",
        "protect": True,
        "parent": root["urn"],
    }
    exported["deployment"]["resources"] = [root, kept]
    run("stack", "import", "--stack", "dev", text=json.dumps(exported))
    file = tmp_path / "stacks" / "Pulumi.dev.yaml"
    file.write_text(yaml.safe_dump({**(yaml.safe_load(file.read_text()) or {}), "config": {"slipway:profile": "dev"}}))
    return PulumiStack(pulumi=str(pulumi.path), root=tmp_path, environment="dev", asks=False)


def test_the_state_is_read(stack):
    assert [item["urn"].rpartition("::")[2] for item in stack.deployment()["resources"]] == ["slipway-dev", "kept"]


def test_what_is_protected_stays(stack):
    stack.destroy(keep_protected=True)

    assert KEPT in [item["urn"] for item in stack.deployment()["resources"]]


def test_a_step_that_fails_says_how_to_go_on(stack):
    with pytest.raises(TeardownError, match="pulumi destroy: ended with exit code") as failed:
        stack.destroy(keep_protected=False)

    assert "run `slipway teardown dev` again" in str(failed.value)


def test_settings_are_lifted_in_a_copy_and_the_teams_file_stays(stack, tmp_path, monkeypatch):
    """The command is replaced by one that shows what it was given: the program of this stack needs a language host."""
    recorder = tmp_path / "pulumi"
    recorder.write_text(
        '#!/bin/sh\nwhile [ "$1" != "" ]; do [ "$1" = --config-file ] && cp "$2" given.yaml; echo "$1" >> asked; shift; done\n'
    )
    recorder.chmod(0o755)
    before = (tmp_path / "stacks" / "Pulumi.dev.yaml").read_text()

    PulumiStack(pulumi=str(recorder), root=tmp_path, environment="dev", asks=True).up(
        targets=[KEPT], settings={"deletionProtection": False}
    )

    given = yaml.safe_load((tmp_path / "given.yaml").read_text())["config"]
    assert given == {"slipway:profile": "dev", "slipway:deletionProtection": False}
    assert (tmp_path / "stacks" / "Pulumi.dev.yaml").read_text() == before
    asked = (tmp_path / "asked").read_text().split()
    assert asked[:3] == ["up", "--stack", "dev"]
    assert asked[-2:] == ["--target", KEPT]
    assert "--yes" not in asked


def test_no_stack_is_one_error(stack):
    missing = PulumiStack(pulumi=stack.pulumi, root=stack.root, environment="nowhere", asks=False)

    with pytest.raises(TeardownError, match="pulumi stack export"):
        missing.deployment()
