"""`slipway bootstrap` as a user meets it."""

import json

import pytest

from slipway.cli import run
from tests.graph.graphs import ROOT


@pytest.fixture(autouse=True)
def project(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_it_ends_with_the_lines_to_paste(capsys):
    assert run(["bootstrap", "ha", "--github", "acme/registry"]) == 0

    out = capsys.readouterr().out
    assert "made             S3 bucket harbor-state-123456789012-eu-central-1" in out
    assert "pulumi login 's3://harbor-state-123456789012-eu-central-1?region=eu-central-1'" in out
    assert "pulumi stack init ha --secrets-provider 'awskms://alias/harbor-state?region=eu-central-1'" in out
    assert "Add arn:aws:iam::123456789012:role/harbor-deploy to cluster.adminRoleArns" in out

    assert run(["bootstrap", "ha", "--output", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {part["state"] for part in found["parts"]} == {"kept"}
    assert found["roleArn"] == "arn:aws:iam::123456789012:role/harbor-deploy"


def test_a_dry_run_says_what_would_be(capsys):
    assert run(["bootstrap", "ha", "--dry-run"]) == 0
    assert "would be made" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["nowhere"], 2, "nowhere"),
        (["ha", "--github", "acme"], 2, "--github: 'acme' names no single repository"),
        (["ha", "--gitlab", "acme"], 2, "--gitlab: 'acme' names no single repository"),
    ],
)
def test_what_cannot_be_is_refused_before_any_call(capsys, aws, arguments, code, told):
    assert run(["bootstrap", *arguments]) == code
    assert told in capsys.readouterr().err
    assert aws("s3").list_buckets()["Buckets"] == []


def test_no_credentials_is_one_error(capsys, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))

    assert run(["bootstrap", "ha"]) == 1
    err = capsys.readouterr().err
    assert "error: AWS: Unable to locate credentials" in err
    assert "set AWS_PROFILE" in err
