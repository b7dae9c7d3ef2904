"""`slipway check` as a user meets it."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from slipway.cli import run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    shutil.copyfile(ROOT / "Pulumi.yaml", tmp_path / "Pulumi.yaml")
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def widen(project: Path) -> None:
    stack = project / "stacks" / "Pulumi.ha.yaml"
    stack.write_text(stack.read_text().replace("203.0.113.0/24", "203.0.0.0/16"))


def waive(project: Path, text: str) -> None:
    (project / "stacks" / "ha").mkdir(exist_ok=True)
    (project / "stacks" / "ha" / "waivers.yaml").write_text(text)


def test_the_ready_environment_passes(project, capsys):
    assert run(["check", "ha"]) == 0

    assert "violated" not in capsys.readouterr().out


def test_a_violation_tells_why_and_what_to_do(project, capsys):
    widen(project)

    assert run(["check", "ha"]) == 1
    out = capsys.readouterr().out
    assert "violated: eks-public-endpoint-narrow (mandatory)  aws:eks/cluster:Cluster::cluster" in out
    assert "fix: cluster.publicAccessCidrs" in out
    assert "1 violated" in out


def test_a_waiver_is_told_with_its_reason(project, capsys):
    widen(project)
    waive(
        project,
        "- {rule: eks-public-endpoint-narrow, resource: cluster, reason: no VPN before March, until: 2999-01-31}\n",
    )

    assert run(["check", "ha", "--output", "json"]) == 0
    (waived,) = [one for one in json.loads(capsys.readouterr().out)["verdicts"] if one["state"] == "waived"]
    assert waived["waiver"] == {"reason": "no VPN before March", "until": "2999-01-31"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- {rule: rds-privat, resource: x, reason: because it is, until: 2999-01-31}", "did you mean rds-private?"),
        ("- {rule: rds-private, resource: x, until: 2999-01-31}", "0.reason: Field required"),
        ("- {rule: rds-private, resource: x, reason: because it is, until: soon}", "0.until:"),
        ("- [", "is no YAML"),
    ],
)
def test_a_waiver_that_cannot_be_used_is_refused(project, capsys, text, told):
    waive(project, text)

    assert run(["check", "ha"]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "stacks/ha/waivers.yaml" in err


def test_the_rules_can_be_listed(project, capsys):
    assert run(["check", "--rules"]) == 0

    assert "rds-private" in capsys.readouterr().out
    assert run(["check"]) == 2


@pytest.mark.parametrize(
    ("rule", "resource", "until", "told"),
    [
        ("rds-private", "database", "2999-01-31", "no longer needed"),
        ("eks-public-endpoint-narrow", "cluster", "2020-01-31", "ended on 2020-01-31"),
        ("eks-public-endpoint-narrow", "cluster", f"{date.today() + timedelta(days=20)}", "in 20 days"),
    ],
)
def test_a_waiver_that_surprises_is_told(project, capsys, rule, resource, until, told):
    widen(project)
    waive(project, f"- {{rule: {rule}, resource: {resource}, reason: no VPN before March, until: {until}}}\n")

    run(["check", "ha"])

    assert told in capsys.readouterr().err


def test_a_waiver_that_fits_nothing_is_refused(project, capsys):
    waive(project, "- {rule: rds-private, resource: databse, reason: no VPN before March, until: 2999-01-31}\n")

    assert run(["check", "ha"]) == 2
    assert "stacks/ha/waivers.yaml: 0: rds-private judges no resource called 'databse'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "No such file"),
        ("{", "is no exported state"),
        ("[]", "is no exported state"),
        ('{"deployment": {"resources": [{"urn": "urn:pulumi:dev::slipway::a:b:C::d"}]}}', "is the state of dev"),
    ],
)
def test_what_is_no_state_is_refused(project, capsys, text, told):
    if text is not None:
        (project / "state.json").write_text(text)

    assert run(["check", "ha", "--state", "state.json"]) == 2
    assert told in capsys.readouterr().err
