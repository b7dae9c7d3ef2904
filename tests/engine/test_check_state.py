"""`slipway check --state` against the state that the real engine wrote, and against the engine's own preview."""

import json
import os
import subprocess
import sys

import pytest

from slipway.rehearse.events import EventLog
from slipway.rehearse.folders import rehearsal_folder
from slipway.rehearse.workspace import PASSPHRASE
from tests.engine.project import ROOT, RehearsalFailed


def check(project, *arguments):
    """Run the command as a user would; gives exit code and report."""
    done = subprocess.run(
        [sys.executable, "-c", "from slipway.cli import main; main()", "check", "dev", "--output", "json", *arguments],
        cwd=project.root, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)["losses"]


def exported(project, pulumi) -> str:
    folder = rehearsal_folder(project.root, "dev")
    environment = {
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    state = project.root / "state.json"
    command = [str(pulumi.path), "stack", "export", "--stack", "dev", "--file", str(state)]
    subprocess.run(command, cwd=folder / "project", env={**os.environ, **environment}, check=True, capture_output=True)
    return str(state)


@pytest.fixture
def built(project, pulumi):
    """An environment that exists. Its Git credential is encrypted in the stack file, as a team's is."""
    stack = project.root / "stacks" / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text() + "  slipway:gitReadToken: {secure: v1:abc}\n")
    project.rehearse()
    project.state = exported(project, pulumi)
    return project


def change(project, text: str) -> None:
    stack = project.root / "stacks" / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text() + f"  {text}\n")


def test_it_foresees_what_the_engine_would_do(built):
    assert check(built, "--state", built.state) == (0, [])

    change(built, "slipway:network: {cidr: 10.9.0.0/16}")
    code, losses = check(built, "--state", built.state)
    with pytest.raises(RehearsalFailed):  # a protected resource is in the way, or AWS's own order
        built.rehearse("dev", "--fail", "aws:ec2/vpc:Vpc")

    log = EventLog(built.root / ".slipway" / "rehearse" / "dev" / "preview.events")
    log.read()
    replaced = {
        (done.urn.split("::")[2].rpartition("$")[2], done.urn.rpartition("::")[2])
        for done in log.outcome("preview", 0).operated
        if done.operation == "replace"
    }
    foreseen = {tuple(loss["resource"].split("::")) for loss in losses if loss["what"] == "replace"}
    assert replaced
    assert replaced <= foreseen
    assert code == 0  # no data is in it: mount targets are replaced, the file system is not


def test_it_names_the_data(built):
    change(built, "slipway:storage: s3")

    code, losses = check(built, "--state", built.state)

    (system,) = [loss for loss in losses if loss["resource"].startswith("aws:efs/fileSystem:")]
    assert code == 1
    assert (system["what"], system["data"], system["protected"]) == ("delete", "the registry's blobs", True)
