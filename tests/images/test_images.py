"""What an environment pulls: the table against the official charts, and every part that can be on or off."""

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from infra import tables
from infra.errors import ChartUnavailable
from slipway.cli import run
from slipway.images.images import Image, images
from slipway.images.mirror import copies, ecr, pull_through
from tests.values.conftest import CHARTS, PROFILES, facts_of
from values.facts import SUPPORTED_CHART_VERSIONS, Facts
from values.options import HarborOptions
from values.render import render


def no_chart(_release) -> Path:
    raise ChartUnavailable


def listed(facts: Facts, chart: Path | None = None) -> list[Image]:
    return list(images(facts, render(facts), no_chart if chart is None else lambda _release: chart).images)


def of_part(found: list[Image], part: str) -> set[str]:
    return {one.reference for one in found if one.part == part}


def with_options(facts: Facts, **options) -> Facts:
    return facts.model_copy(update={"harbor": HarborOptions.model_validate(options)})


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("chart", SUPPORTED_CHART_VERSIONS, indirect=True)
def test_the_table_names_what_the_official_chart_renders(chart, profile):
    facts = facts_of(profile, chartVersion=chart.stem.removeprefix("harbor-"))

    from_table, from_chart = listed(facts), listed(facts, chart)

    assert of_part(from_table, "harbor") == of_part(from_chart, "harbor") != set()
    assert {one.known_from for one in from_table if one.part == "harbor"} == {"table"}
    assert {one.known_from for one in from_chart if one.part == "harbor"} == {"chart"}


@pytest.mark.parametrize(
    "options",
    [
        {"trivy": {"enabled": False}},
        {"monitoring": {"metrics": False}},
        {"images": {"registry": "registry.example.com/mirror/goharbor"}},
    ],
)
def test_parts_and_mirrors_agree_as_well(chart, options):
    facts = with_options(facts_of("ha"), **options)

    assert of_part(listed(facts), "harbor") == of_part(listed(facts, chart), "harbor")


@pytest.mark.parametrize("chart", SUPPORTED_CHART_VERSIONS, indirect=True)
def test_the_table_has_every_image_block_of_every_chart(chart):
    table = tables.read("images")
    row = table["harbor"][chart.stem.removeprefix("harbor-")]
    ours = {name for names in table["repositories"].values() for name in names} | {row["redis"]}

    with tarfile.open(chart) as archive:
        values = yaml.safe_load(archive.extractfile("harbor/values.yaml"))
    blocks = list(image_blocks(values))

    assert len(blocks) == 10
    assert {name.rpartition("/")[2] for name, _ in blocks} == ours
    assert {tag for _, tag in blocks} == {row["tag"]}
    assert tuple(sorted(table["harbor"], reverse=True)) == SUPPORTED_CHART_VERSIONS


def image_blocks(values: dict) -> Iterator[tuple[str, str]]:
    if {"repository", "tag"} <= set(values):
        yield values["repository"], values["tag"]
    for value in values.values():
        if isinstance(value, dict):
            yield from image_blocks(value)


def test_what_is_off_is_not_pulled():
    facts = with_options(
        facts_of("ha"), trivy={"enabled": False}, infrastructure={"externalDns": False, "loadBalancerController": False}
    )
    found = listed(facts)

    assert not any("trivy" in one.reference for one in found)
    assert {one.users for one in found if one.part == "controllers"} == {("external-secrets",)}


def test_flux_is_the_one_that_is_installed():
    """The row of tables/images.yaml belongs to the minor of tables/flux.yaml."""
    found = of_part(listed(facts_of("ha")), "flux")

    assert tables.read("images")["flux"]["version"].startswith(f"{tables.flux_minor()}.")
    assert f"ghcr.io/controlplaneio-fluxcd/flux-operator:v{tables.read('flux')['operator']['version']}" in found
    assert len(found) == 6


def test_every_image_has_a_registry_and_a_tag():
    for one in listed(facts_of("large")):
        assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]+/[a-z0-9/._-]+(:[\w.-]+)?", one.reference)
        assert one.artifact or ":" in one.path


def test_a_mirror_keeps_paths_and_its_settings_lead_there():
    """Whoever makes the settings that it shows pulls every image from the mirror."""
    facts = facts_of("ha")
    mirror = pull_through(listed(facts), account="111122223333", region="eu-central-1")
    there = with_options(facts, **mirror.settings)
    found = listed(there)

    host = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
    assert mirror.registry == host
    assert (
        mirror.mirrored["docker.io/goharbor/harbor-core:v2.15.1"] == f"{host}/docker-hub/goharbor/harbor-core:v2.15.1"
    )
    assert of_part(found, "harbor") | of_part(found, "controllers") <= set(mirror.mirrored.values())
    assert {one.registry for one in found if one.part in {"harbor", "controllers"}} == {host}


def test_the_rules_are_those_that_ecr_has():
    mirror = pull_through(listed(facts_of("ha")), account="111122223333", region="eu-central-1")
    made = [line for line in mirror.commands if "create-pull-through-cache-rule" in line]

    assert {rule.registry: bool(rule.secret) for rule in mirror.rules} == {
        "docker.io": True, "ghcr.io": True, "public.ecr.aws": False, "registry.k8s.io": False,
    }  # fmt: skip
    assert len(made) == 4
    assert all(("--credential-arn" in line) == ("docker-hub" in line or "github" in line) for line in made)
    for rule in mirror.rules:
        assert re.fullmatch(r"([a-z0-9]+([._-][a-z0-9]+)*/)*[a-z0-9]+([._-][a-z0-9]+)*", rule.prefix)
        assert 2 <= len(rule.prefix) <= 30


def test_what_ecr_cannot_cache_is_told_with_the_reason():
    strange = Image(reference="registry.example.org/a/b:1", part="harbor", users=("core",), known_from="chart")
    mirror = pull_through([strange, *listed(facts_of("ha"))], account="111122223333", region="eu-central-1")

    assert "no upstream that ECR knows" in mirror.left["registry.example.org/a/b:1"]
    databases = [image for image in mirror.left if "trivy-db" in image]
    assert databases
    assert all("without a login" in mirror.left[image] for image in databases)
    assert set(mirror.left) | set(mirror.mirrored) >= {one.reference for one in listed(facts_of("ha"))}


@pytest.mark.parametrize(
    ("tool", "line"), [("crane", "crane copy {0} {1}"), ("skopeo", "skopeo copy --all docker://{0} docker://{1}")]
)
def test_copy_commands(tool, line):
    found = listed(facts_of("ha"))
    mirror = copies(found, registry=ecr("111122223333", "eu-central-1"), region="eu-central-1", tool=tool)

    for image, place in mirror.mirrored.items():
        assert line.format(image, place) in mirror.commands
    assert sum("create-repository" in command for command in mirror.commands) == len(mirror.mirrored)
    elsewhere = copies(found, registry="registry.example.com/m", region="", tool=tool)
    assert not any("aws " in command for command in elsewhere.commands)


def test_the_registry_of_china_has_another_end():
    assert ecr("1", "cn-north-1") == "1.dkr.ecr.cn-north-1.amazonaws.com.cn"


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\n")
    (tmp_path / "stacks").mkdir()
    settings = {"domain": "registry.ha.example.com", "region": "eu-central-1", "account": "444455556666",
                "gitops": {"repository": "https://git.example.com/gitops.git"}}  # fmt: skip

    def write(**changed) -> None:
        document = {"config": {f"slipway:{key}": value for key, value in {**settings, **changed}.items()}}
        (tmp_path / "stacks" / "Pulumi.ha.yaml").write_text(yaml.safe_dump(document))

    write()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(tmp_path / "none"))
    return write


def test_the_command_without_a_chart(project, capsys):
    assert run(["images", "ha"]) == 0

    out, err = capsys.readouterr()
    assert "  docker.io/goharbor/harbor-core:v2.15.1" in out
    assert "(table)" in out
    assert "EKS add-ons" in out
    assert "those of tables/images.yaml" in err


def test_the_command_as_json(project, chart, capsys, monkeypatch):
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(CHARTS))

    assert run(["images", "ha", "--output", "json", "--mirror", "pull-through"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert {one["knownFrom"] for one in found["images"] if one["part"] == "harbor"} == {"chart"}
    assert found["mirror"]["registry"] == "444455556666.dkr.ecr.eu-central-1.amazonaws.com"
    assert len(found["mirror"]["pullThroughCacheRules"]) == 4
    assert found["addons"]["vpc-cni"]


def test_manifests_pull_the_same_images_and_nothing_is_fetched(project, chart, capsys, monkeypatch):
    project(gitops={"repository": "https://git.example.com/gitops.git", "content": "manifests"})

    assert run(["images", "ha"]) == 0
    assert "docker.io/goharbor/harbor-core:v2.15.1" in capsys.readouterr().out

    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(CHARTS))
    assert run(["images", "ha", "--output", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["knownFrom"] for one in found["images"] if one["part"] == "harbor"} == {"chart"}


def test_a_mirror_in_use_is_still_filled_from_upstream(project, capsys):
    project(harbor={"images": {"registry": "444455556666.dkr.ecr.eu-central-1.amazonaws.com/docker-hub/goharbor"}})

    assert run(["images", "ha"]) == 0
    assert (
        "444455556666.dkr.ecr.eu-central-1.amazonaws.com/docker-hub/goharbor/harbor-core:v2.15.1"
        in capsys.readouterr().out
    )
    assert run(["images", "ha", "--mirror", "copy"]) == 0
    assert "crane copy docker.io/goharbor/harbor-core:v2.15.1 444455556666" in capsys.readouterr().out


def test_the_settings_that_are_shown_are_settings(project, capsys):
    assert run(["images", "ha", "--mirror", "pull-through"]) == 0
    out = capsys.readouterr().out
    shown = out.partition("# Then in the stack file:\n")[2].partition("# Flux's own")[0]
    settings = yaml.safe_load("\n".join(line.removeprefix("#   ") for line in shown.splitlines()))

    project(harbor=settings["slipway:harbor"])
    assert run(["images", "ha"]) == 0
    assert "docker.io/" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mirror", "pull-through", "--to", "registry.example.com"], "only copies go to another registry"),
        (["--mirror", "magic"], "Invalid value"),
        (["--facts", "nowhere.json"], "nowhere.json: cannot be read"),
    ],
)
def test_bad_usage(project, capsys, arguments, message):
    assert run(["images", "ha", *arguments]) == 2
    assert message in capsys.readouterr().err
