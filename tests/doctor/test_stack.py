"""The stack: each thing that can be wrong with it, and the fix that is shown."""

from datetime import UTC, date, datetime, timedelta

import pytest

from infra import tables


def test_settings_tell_every_problem_at_once(project):
    project.add("  slipway:profile: big\n  slipway:zone: [a]\n")
    found = project.look("stack.settings")

    assert found.state == "failed"
    assert "profile" in found.says
    assert "unknown setting 'zone'; did you mean 'zones'?" in found.says
    assert "known: " in found.fix
    assert project.look("stack.contract").says == "because stack.settings failed"


def test_a_stack_file_that_is_not_there(project):
    found = project.look("stack.settings", environment="prod")

    assert "no such stack file" in found.says
    assert "environments here: ha; `slipway init` makes a new one" in found.fix


@pytest.mark.parametrize(("days", "state"), [(400, "ok"), (30, "warning"), (-1, "failed")])
def test_a_version_whose_support_ends(project, monkeypatch, days, state):
    today = datetime.now(UTC).date()
    ends = dict.fromkeys(tables.standard_support_ends(), date(2099, 1, 1))
    version = tables.default_kubernetes_version()
    ends["kubernetesVersion", version] = today + timedelta(days=days)
    monkeypatch.setattr(tables, "standard_support_ends", lambda: ends)
    found = project.look("stack.support")

    assert found.state == state
    if state != "ok":
        assert version in found.says
        assert found.fix


def test_values_that_do_not_fit_the_chart(project):
    folder = project.root / "stacks" / "ha" / "values"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("core: {replcas: 3}\n")
    found = project.look("stack.contract")

    assert found.state == "failed"
    assert "stacks/ha/values/mine.yaml" in found.says
    assert "did you mean 'replicas'?" in found.says
    assert "docs/overrides.md" in found.fix


def test_waivers(project):
    folder = project.root / "stacks" / "ha"
    folder.mkdir()
    row = "- {rule: %s, resource: 'aws:eks/cluster:Cluster::cluster', reason: because it is a test, until: %s}\n"
    (folder / "waivers.yaml").write_text(row % ("no-such-rule", "2099-01-01"))
    found = project.look("stack.waivers")
    assert found.state == "failed"
    assert "no-such-rule" in found.says

    (folder / "waivers.yaml").write_text(row % ("eks-guarded", "2020-01-01"))
    found = project.look("stack.waivers")
    assert (found.state, found.says) == ("warning", "the waiver of eks-guarded ended on 2020-01-01")
    assert "renew it in stacks/ENV/waivers.yaml" in found.fix


def test_a_rule_that_is_violated(project):
    folder = project.root / "stacks" / "ha" / "values"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("core: {podDisruptionBudget: {enabled: false}}\n")
    project.add("  slipway:deletionProtection: false\n")
    found = project.look("stack.rules")

    assert found.state == "failed"
    assert "eks-guarded (mandatory)" in found.says
    assert "eks-guarded: deletionProtection, upgradePolicy.supportType STANDARD" in found.fix


def test_rules_that_hold(project):
    found = project.look("stack.rules")

    assert found.state == "ok", found
    assert "verdicts" in found.says
