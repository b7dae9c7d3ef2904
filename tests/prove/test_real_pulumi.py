"""The stack of a proof as the real `pulumi` makes it: secrets are encrypted anew, the selected stack stays, rm ends it."""

import subprocess
import sys

import pytest

from infra.stack_config import from_stack_file
from slipway.prove import stack
from slipway.prove.aws import AwsStage
from slipway.prove.commands import play
from slipway.prove.record import Record
from slipway.tools.find import find

NAME = "prove-dev-1f2e"


@pytest.fixture
def pulumi(played, tmp_path, monkeypatch):
    shim = tmp_path / "bin" / "pulumi"
    shim.unlink()  # the real one is looked for on PATH first
    shim.symlink_to(find("pulumi", progress=sys.stderr.write, announce=sys.stderr.write).path)
    (played.root / "Pulumi.yaml").write_text("name: slipway\nruntime: yaml\nstackConfigDir: stacks\n")
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("PULUMI_BACKEND_URL", (tmp_path / "state").as_uri())
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "correct horse")

    def run(*arguments: str) -> str:
        command = ["pulumi", *arguments, "--non-interactive"]
        return subprocess.run(command, cwd=played.root, capture_output=True, text=True, check=True).stdout.strip()

    run("stack", "init", "dev")
    run("config", "set", "--secret", "slipway:gitReadToken", "of-the-reader", "--stack", "dev")
    return run


def test_the_stack_is_made_and_removed(played, pulumi, tmp_path):
    settings = from_stack_file(played.root / "stacks" / "Pulumi.dev.yaml")
    charts = ("1.18.3", "1.19.1")
    record = Record(folder=tmp_path / "proof", environment="dev", on="aws", name=NAME, begun="", charts=charts)
    stage = AwsStage(root=played.root, settings=settings, record=record)
    part = stage.parts()[0]
    part.before()
    say = {"accounts": False, "tell": lambda _: None, "announce": lambda _: None}

    answer = play(part.command, tmp_path / "log", **say)

    assert answer.code == 0, answer.tail
    part.after()
    own = played.root / "stacks" / f"Pulumi.{NAME}.yaml"
    assert stack.is_ours(own, NAME)
    assert "of-the-reader" not in own.read_text()
    assert pulumi("config", "get", "slipway:gitReadToken", "--stack", NAME) == "of-the-reader"
    assert pulumi("config", "get", "slipway:domain", "--stack", NAME) == "prove-registry.dev.example.com"
    assert pulumi("stack", "--show-name") == "dev"  # the user's own stays selected
    assert from_stack_file(own).chart_version == "1.18.3"

    record.steps.append(stack_made())
    removal = stage.ending()[-1]
    answer = play(removal.command, tmp_path / "log", **say)
    assert answer.code == 0, answer.tail
    removal.after()
    assert not own.exists()
    assert stage.remains() == []


def stack_made():
    from slipway.prove.record import Played

    return Played(name="make a stack of its own", command="", began="", seconds=0.0, result="passed")
