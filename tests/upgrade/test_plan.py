"""The plan of an upgrade, as a person or a pull request reads it: against a real repository and rendered charts."""

import json

import pytest

from slipway.cli import run
from slipway.upgrade.plan import _touches
from tests.values.conftest import CHARTS, facts_of
from values.chart_history import steps
from values.merge import harbor_values
from values.render import render


def plan(capsys, *arguments: str) -> dict:
    code = run(["upgrade", "ha", "--output", "json", *arguments])
    out, err = capsys.readouterr()
    assert code == 0, err
    return json.loads(out)


def refused(capsys, *arguments: str, code: int = 1) -> str:
    assert run(["upgrade", "ha", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return err


def fates(found: dict, fate: str) -> list[str]:
    return sorted(f"{one['kind']}/{one['name']}" for one in found["objects"] if one["fate"] == fate)


def touched(found: dict) -> set[str]:
    return {one["key"] for one in found["touches"]}


def test_the_supported_versions_are_listed(capsys):
    assert run(["upgrade", "--versions"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "1.19.2    Harbor 2.15.2",
        "1.19.1    Harbor 2.15.1  (of new environments)",
        "1.18.3    Harbor 2.14.3",
        "to add one: charts/harbor/README.md",
    ]


def test_an_environment_must_be_named(capsys):
    assert run(["upgrade"]) == 2
    assert "names no environment" in capsys.readouterr().err


def test_the_plan_begins_at_what_the_branch_delivers(project, capsys):
    found = plan(capsys, "--to", "1.19.1")

    assert found["chart"] == {"from": "1.18.3", "to": "1.19.1", "stackFile": "1.18.3"}
    assert found["harbor"] == {"from": "2.14.3", "to": "2.15.1"}
    assert found["commit"] == project.repository.head()
    assert (found["schema"]["from"], found["schema"]["to"], found["schema"]["startupProbeSeconds"]) == (171, 180, 3600)
    assert found["notes"] == []


def test_without_a_version_it_goes_to_the_newest_by_way_of_all_between(project, capsys):
    found = plan(capsys)

    assert found["chart"]["to"] == "1.19.2"
    assert [one["chart"] for one in found["schema"]["steps"]] == ["1.19.1", "1.19.2"]


def test_every_object_has_its_fate(project, capsys):
    found = plan(capsys, "--to", "1.19.1")

    components = ("core", "exporter", "jobservice", "portal", "registry")
    assert fates(found, "rolls") == [*(f"Deployment/harbor-{one}" for one in components), "StatefulSet/harbor-trivy"]
    assert fates(found, "new") == [
        f"PodDisruptionBudget/harbor-{one}" for one in ("core", "jobservice", "portal", "registry", "trivy")
    ]
    # Those of the support chart, which stand in for what the chart before did not have.
    assert fates(found, "removed") == [
        f"PodDisruptionBudget/harbor-support-{one}" for one in ("core", "jobservice", "portal", "registry", "trivy")
    ]
    assert fates(found, "refused") == []
    assert "HelmRelease/harbor" in fates(found, "changed")


@pytest.mark.parametrize("version", ["1.18.3", "1.19.1", "1.19.2"])
def test_the_official_charts_say_the_same(project, capsys, monkeypatch, version):
    if not (CHARTS / f"harbor-{version}.tgz").exists():
        pytest.skip(f"no {CHARTS}/harbor-{version}.tgz")
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(CHARTS))
    if version == "1.18.3":
        found = plan(capsys, "--to", "1.19.1")
        assert len(fates(found, "new")) == 5
        config = next(one for one in found["objects"] if (one["kind"], one["name"]) == ("ConfigMap", "harbor-registry"))
        assert any("username:" in line for line in config["lines"])
    else:
        found = plan(capsys, "--to", version)
    core = next(one for one in found["objects"] if (one["kind"], one["name"]) == ("Deployment", "harbor-core"))
    assert any(f"harbor-core:v{found['harbor']['to']}" in line for line in core["lines"])
    assert len(fates(found, "rolls")) == 6
    assert fates(found, "refused") == []


def test_only_what_touches_the_environment_is_told(project, capsys):
    to_first, to_second = (touched(plan(capsys, "--to", version)) for version in ("1.19.1", "1.19.2"))

    assert {"images-name-their-registry", "registry-cache-user", "disruption-budgets", "cosign-3"} <= to_first
    assert not {"route-backends", "service-namespace", "registry-redis-password"} & to_first
    # RDS and ElastiCache: what the chart's own would go through does not matter here.
    assert not {"internal-database-18", "internal-redis-is-valkey"} & to_second


def test_an_upgrade_that_touches_nothing_says_so(project, capsys, monkeypatch):
    monkeypatch.setattr("slipway.upgrade.plan._touches", lambda *_: ())

    assert run(["upgrade", "ha", "--to", "1.19.1"]) == 0
    assert "What it means for ha\n  nothing that this environment uses\n" in capsys.readouterr().out


def test_a_teams_own_values_are_judged_as_well(project, capsys):
    project.override("mine", "core: {image: {repository: hub.example.com/core}}\n")

    found = plan(capsys, "--to", "1.19.2")

    pinned = [one for one in found["touches"] if one["key"] == "core.image.repository"]
    assert [one["what"] for one in pinned] == [
        "is 'hub.example.com/core' by your own values and stays; "
        "the chart's own goes from 'goharbor/harbor-core' to 'docker.io/goharbor/harbor-core'",
    ]


def test_a_laptops_own_database_is_warned_of_the_new_postgresql():
    values = harbor_values(render(facts_of("kind")))
    trap = next(one for one in _touches(steps("1.18.3", "1.19.2"), values, values) if one.key == "internal-database-18")

    assert "PostgreSQL 15 to 18" in trap.what
    assert "dump the database" in trap.do


def test_an_override_that_the_new_chart_does_not_take_is_told_with_the_new_name(project, capsys):
    project.override("mine", "expose: {ingress: {harbor: {annotations: {a: b}}}}\nnotary: {enabled: true}\n")

    said = refused(capsys, "--to", "1.19.1")

    assert "stacks/ha/values/mine.yaml expose.ingress.harbor: " in said
    assert "renamed to expose.ingress.annotations in chart 1.15.0" in said
    assert "removed in chart 1.13.0: Harbor 2.9 has no Notary" in said


def test_an_override_that_only_the_new_chart_takes_goes_with_the_upgrade(project, capsys):
    project.override("budget", "core: {podDisruptionBudget: {minAvailable: null, maxUnavailable: 1}}\n")

    found = plan(capsys, "--to", "1.19.1")

    assert "override-budget" in {one["component"] for one in found["values"]}
    assert "disruption-budget-of-two" in touched(found)


def test_the_commands_save_what_the_environment_has(project, capsys):
    commands = [one["command"] for one in plan(capsys, "--to", "1.19.1")["commands"]]

    assert commands == [
        "aws rds create-db-snapshot --region eu-central-1 --db-instance-identifier harbor-ha-database "
        "--db-snapshot-identifier harbor-ha-database-chart-1-18-3",
        "aws rds wait db-snapshot-available --region eu-central-1 "
        "--db-snapshot-identifier harbor-ha-database-chart-1-18-3",
        "aws backup start-backup-job --region eu-central-1 --backup-vault-name harbor-ha-backup --resource-arn "
        "arn:aws:elasticfilesystem:eu-central-1:111122223333:file-system/fs-0123456789abcdef0 --iam-role-arn "
        "arn:aws:iam::111122223333:role/harbor-ha-backup --lifecycle DeleteAfterDays=35",
    ]


def test_a_restored_database_is_the_one_that_is_saved(project, capsys):
    with project.stack_file.open("a") as file:
        file.write("  slipway:restore: {database: {generation: 3, snapshot: before}}\n")

    commands = [one["command"] for one in plan(capsys, "--to", "1.19.1")["commands"]]

    assert "--db-instance-identifier harbor-ha-database-3 " in commands[0]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (
            "1.17.0",
            ["there is no contract for chart 1.17.0", "known: 1.19.2, 1.19.1, 1.18.3; to add one: charts/harbor"],
        ),
        ("1.18.2", ["1.18.3 → 1.18.2 goes back, and Harbor's migrations only go forward"]),
        ("1.20.0", ["there is no contract for chart 1.20.0", "1.18.3 → 1.20.0 skips a minor version"]),
        ("newest", ["'newest' is no exact chart version"]),
    ],
)
def test_ways_that_are_not_safe_are_refused_with_all_reasons(project, capsys, version, expected):
    said = refused(capsys, "--to", version)

    for words in expected:
        assert words in said


def test_a_branch_that_skips_a_minor_is_refused_though_the_stack_file_does_not(project, capsys):
    """What is delivered decides: somebody set the stack file by hand."""
    path = "apps/harbor/ha/.slipway.lock.json"
    facts = facts_of("ha", chartVersion="1.18.3").model_copy(update={"chart_version": "1.17.2"}).to_json()
    project.repository.write("apps/harbor/ha/facts.json", facts)
    project.repository.write(path, project.repository.read(path).replace('"chart": "1.18.3"', '"chart": "1.17.2"'))

    said = refused(capsys, "--to", "1.19.1")

    assert "1.17.2 → 1.19.1 skips a minor version" in said
    assert "go to chart 1.18 first" in said


def test_a_branch_that_delivers_something_else_is_refused(project, capsys):
    project.publish("1.19.1")
    capsys.readouterr()

    said = refused(capsys, "--to", "1.19.2")

    assert "stacks/Pulumi.ha.yaml chartVersion: says 1.18.3, and the branch delivers 1.19.1" in said


def test_an_edit_by_hand_is_refused(project, capsys):
    project.repository.write("apps/harbor/ha/release/values/core.yaml", "core: {}\n")

    assert "apps/harbor/ha/release/values/core.yaml: was edited by hand" in refused(capsys, "--to", "1.19.1")


def test_what_another_publish_would_change_comes_first(project, capsys):
    """A newer Slipway renders something else: the branch gets it by itself, not together with another Harbor."""
    path = "apps/harbor/ha/.slipway.lock.json"
    lock = json.loads(project.repository.read(path))
    text = project.repository.read("apps/harbor/ha/release/values/core.yaml") + "# an older Slipway's comment\n"
    project.repository.write("apps/harbor/ha/release/values/core.yaml", text)
    blob = project.repository.git("rev-parse", "main:apps/harbor/ha/release/values/core.yaml")
    lock["files"]["apps/harbor/ha/release/values/core.yaml"] = blob
    project.repository.write(path, json.dumps(lock))

    said = refused(capsys, "--to", "1.19.1")

    assert "1 files would change at chart 1.18.3 already: apps/harbor/ha/release/values/core.yaml" in said
    assert "first slipway publish ha" in said


def test_nothing_delivered_is_nothing_to_upgrade(project, capsys):
    project.repository.git("update-ref", "-d", "refs/heads/main")

    assert "delivers nothing for ha" in refused(capsys, "--to", "1.19.1")


def test_a_branch_that_cannot_be_read_leaves_a_plan_from_the_stack_file(project, capsys):
    project.repository.path.rename(project.root / "away.git")

    found = plan(capsys, "--to", "1.19.1")

    assert found["chart"]["from"] == "1.18.3"
    assert found["commit"] == ""
    assert "the branch was not read" in found["notes"][0]
    assert "the facts are made up" in found["notes"][1]


def test_a_chart_that_cannot_be_had_leaves_the_rest_of_the_plan(project, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(tmp_path / "none"))
    facts = json.loads(project.facts("1.18.3").read_text()) | {"chartRepository": "http://127.0.0.1:9"}
    (project.root / "facts.json").write_text(json.dumps(facts))
    run(["publish", "ha", "--facts", "facts.json"])
    capsys.readouterr()

    found = plan(capsys, "--to", "1.19.1")

    ours = {f"{one['kind']}/{one['name']}" for one in found["objects"] if "harbor-support" not in one["name"]}
    assert ours == {"HelmRelease/harbor"}
    assert "Harbor's objects are left out" in found["notes"][0]


def test_what_kubernetes_would_refuse_is_an_error_before_anything_is_done(project, capsys):
    before = project.repository.head()
    project.override("mine", "persistence: {persistentVolumeClaim: {trivy: {size: 99Gi}}}\n")

    assert run(["upgrade", "ha", "--to", "1.19.1"]) == 1
    out, _ = capsys.readouterr()
    assert "refused: Kubernetes would refuse it" in out
    assert "StatefulSet/harbor-trivy: spec.volumeClaimTemplates" in out

    assert run(["upgrade", "ha", "--to", "1.19.1", "--apply", "--yes", "--no-cluster"]) == 1
    assert "StatefulSet/harbor-trivy: spec.volumeClaimTemplates cannot be changed in place" in capsys.readouterr().err
    assert project.repository.head() == before
    assert project.says("1.18.3")


def test_text_and_markdown_tell_the_whole_way(project, capsys):
    for output in ("text", "markdown"):
        assert run(["upgrade", "ha", "--to", "1.19.1", "--output", output]) == 0
        out, err = capsys.readouterr()
        for words in (
            "Upgrade of ha: chart 1.18.3 → 1.19.1 (Harbor 2.14.3 → 2.15.1)",
            "schema 171 → 180, forward only",
            "aws rds create-db-snapshot",
            "-d '{\"read_only\": true}' https://registry.ha.example.com/api/v2.0/configurations",
            "only by a restore: Harbor 2.14.3 does not start on schema 180",
        ):
            assert words in out
        assert "\x1b[" not in out + err
    assert "## Upgrade of ha" in out


def test_a_patch_release_of_the_same_schema_says_so(project, capsys):
    project.publish("1.19.1")
    project.stack_file.write_text(project.stack_file.read_text().replace("1.18.3", "1.19.1"))
    capsys.readouterr()

    assert run(["upgrade", "ha", "--to", "1.19.2"]) == 0

    out = capsys.readouterr().out
    assert "schema 180 stays: nothing to migrate" in out
    assert "the older Harbor could run again" in out


@pytest.fixture
def manifests(project, monkeypatch, capsys):
    """The project with its objects in Git in place of the values, and a value of the team's own in them."""
    if not (CHARTS / "harbor-1.18.3.tgz").exists():
        pytest.skip(f"no official charts in {CHARTS}")
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(CHARTS))
    project.repository.git("update-ref", "-d", "refs/heads/main")
    text = project.stack_file.read_text()
    project.stack_file.write_text(f"{text}    content: manifests\n")
    project.override("mine", "core: {podLabels: {team: registry}}")
    facts = project.root / "facts.json"
    gitops = {"repository": project.repository.path.as_uri(), "content": "manifests"}
    facts.write_text(facts_of("ha", chartVersion="1.18.3", gitops=gitops).to_json())
    assert run(["publish", "ha", "--facts", "facts.json"]) == 0
    capsys.readouterr()
    return project


def test_manifests_are_planned_like_values(manifests, capsys):
    found = plan(capsys, "--to", "1.19.1")

    assert found["chart"] == {"from": "1.18.3", "to": "1.19.1", "stackFile": "1.18.3"}
    assert "Deployment/harbor-core" in [f"{one['kind']}/{one['name']}" for one in found["objects"]]
    assert any(one["key"].startswith("core.podDisruptionBudget") for one in found["values"])
    assert found["notes"] == []


def test_a_value_of_the_teams_own_that_is_not_in_the_manifests_yet_comes_first(manifests, capsys):
    manifests.override("mine", "core: {podLabels: {team: platform}}")

    assert "apps/harbor/ha/manifests/core.yaml" in refused(capsys, "--to", "1.19.1")
