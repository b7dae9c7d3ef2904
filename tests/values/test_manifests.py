"""Rendered manifests in Git: the official chart's objects, without any of its secrets."""

import random
import shutil
import subprocess

import pytest
import yaml

from slipway.cli import run
from tests.values.conftest import facts_of
from tests.values.test_helm import packed
from values.errors import ValuesError
from values.facts import SUPPORTED_CHART_VERSIONS
from values.helm import objects
from values.manifests import SECRET, manifests
from values.options import HarborOptions
from values.pinned import unpinned
from values.releases import PLACEHOLDER
from values.render import render

HOME = "apps/harbor/ha"


def items_of(files: dict[str, str]) -> dict[str, dict]:
    found = [one for path, text in files.items() if "/manifests/" in path for one in objects(text)]
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in found if "metadata" in one}


def environment(item: dict) -> dict[str, dict]:
    (first, *_) = item["spec"]["template"]["spec"]["containers"]
    names = [entry["name"] for entry in first["env"]]
    assert len(names) == len(set(names)), "a name stands twice, which server-side apply refuses"
    return {entry["name"]: entry for entry in first["env"]}


def reference(entry: dict) -> str:
    return entry["valueFrom"]["secretKeyRef"]["name"]


@pytest.mark.parametrize("profile", ["dev", "ha", "large"])
@pytest.mark.parametrize("chart", SUPPORTED_CHART_VERSIONS, indirect=True)
def test_a_file_for_each_component_in_place_of_the_release(chart, profile):
    facts = facts_of(profile, chartVersion=chart.stem.removeprefix("harbor-"))
    files = manifests(facts, {}, chart)
    home = f"apps/harbor/{profile}"
    kustomization = yaml.safe_load(files[f"{home}/manifests/kustomization.yaml"])

    assert not [path for path in files if "/release/" in path]
    assert {"core.yaml", "portal.yaml", "registry.yaml", "jobservice.yaml", "trivy.yaml"} <= set(
        kustomization["resources"]
    )
    assert {f"{home}/manifests/{name}" for name in kustomization["resources"]} < set(files)
    assert f'path: "./{home}/manifests"' in files[f"clusters/{profile}/harbor.yaml"]
    assert f"./{home}/release" not in files[f"clusters/{profile}/harbor.yaml"]
    assert files == manifests(facts, {}, chart)


@pytest.mark.parametrize("chart", SUPPORTED_CHART_VERSIONS, indirect=True)
def test_no_secret_is_in_them_and_every_component_reads_redis_credentials(chart):
    version = chart.stem.removeprefix("harbor-")
    facts = facts_of("ha", chartVersion=version)
    cached = facts.model_copy(update={"harbor": HarborOptions.model_validate({"cacheLayer": {"enabled": True}})})
    files = manifests(cached, {}, chart)
    items = items_of(files)
    text = "".join(files.values())

    assert PLACEHOLDER not in text
    assert "://:@" not in text
    assert not [
        key
        for one in items.values()
        if one["kind"] == "Secret"
        for key, value in (one.get("data") or {}).items()
        if value
    ]
    core, job = environment(items["Deployment/harbor-core"]), environment(items["Deployment/harbor-jobservice"])
    wanted = {"_REDIS_URL_CORE", "_REDIS_URL_REG", "_REDIS_URL_HARBOR", "_REDIS_URL_CACHE_LAYER"}
    assert {name for name in core if name.startswith("_REDIS_URL")} == wanted
    assert "JOB_SERVICE_POOL_REDIS_URL" in job
    assert {name for name in job if name.startswith("_REDIS_URL")} != set()
    for container in items["Deployment/harbor-registry"]["spec"]["template"]["spec"]["containers"]:
        (password,) = (entry for entry in container["env"] if entry["name"] == "REGISTRY_REDIS_PASSWORD")
        assert reference(password) == SECRET
    trivy = environment(items["StatefulSet/harbor-trivy"])
    urls = [name for name in trivy if name.endswith("REDIS_URL")]
    assert len(urls) == 3
    assert {reference(trivy[name]) for name in urls} == {SECRET}
    assert reference(environment(items["Deployment/harbor-exporter"])["HARBOR_REDIS_URL"]) == SECRET


def test_every_variable_that_is_read_is_made(chart):
    files = manifests(facts_of("ha"), {}, chart)
    (external,) = objects(files[f"{HOME}/prerequisites/redis-env.yaml"])
    made = set(external["spec"]["target"]["template"]["data"])
    read = {
        entry["valueFrom"]["secretKeyRef"]["key"]
        for one in items_of(files).values()
        if one["kind"] in {"Deployment", "StatefulSet"}
        for container in one["spec"]["template"]["spec"]["containers"]
        for entry in container.get("env") or ()
        if (entry.get("valueFrom") or {}).get("secretKeyRef", {}).get("name") == SECRET
    }

    assert read == made
    assert external["spec"]["dataFrom"] == [{"extract": {"key": "harbor/ha/harbor-redis"}}]
    assert "redis-env.yaml" in files[f"{HOME}/prerequisites/kustomization.yaml"]


def test_kustomize_builds_it_with_the_patches(chart, tmp_path):
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl on PATH")
    for path, text in manifests(facts_of("ha"), {}, chart).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    built = subprocess.run(
        ["kubectl", "kustomize", tmp_path / HOME / "manifests"], capture_output=True, text=True, check=True
    )
    items = {f"{one['kind']}/{one['metadata']['name']}": one for one in objects(built.stdout)}

    assert {one["metadata"]["namespace"] for one in items.values()} == {"harbor"}
    (core,) = items["Deployment/harbor-core"]["spec"]["template"]["spec"]["containers"]
    assert core["lifecycle"]["preStop"]


def refused(facts, overrides, chart) -> str:
    with pytest.raises(ValuesError) as raised:
        manifests(facts, overrides, chart)
    return str(raised.value)


def test_everything_that_is_not_pinned_is_refused_at_once(chart):
    text = refused(
        facts_of("ha"),
        {"mine": "core: {existingSecret: '', secretName: ''}\nregistry: {credentials: {existingSecret: ''}}\n"},
        chart,
    )

    assert "core.existingSecret: is not pinned: the chart makes core's secret" in text
    assert "set core.secretName or core.tokenKey with core.tokenCert" in text
    assert "registry.credentials.existingSecret: is not pinned" in text
    assert "renders to other bytes each time" in text
    assert "Secret/harbor-core secret: is a Secret with data" in text


def test_kind_looks_its_passwords_up_and_is_refused(chart):
    assert "database.type: is not pinned" in refused(facts_of("kind"), {}, chart)


def test_a_migration_hook_is_refused(chart):
    assert "is a hook, which only Helm runs" in refused(
        facts_of("ha"), {"mine": "enableMigrateHelmHook: true\n"}, chart
    )


def test_a_url_with_credentials_in_an_override_is_refused(chart):
    text = "core: {extraEnvVars: [{name: URL, value: 'https://user:word@host'}]}\n"

    assert "a URL with credentials" in refused(facts_of("ha"), {"mine": text}, chart)


def test_another_chart_that_is_random_is_refused(tmp_path):
    chart = packed(tmp_path, one="kind: ConfigMap\nmetadata: {name: one}\ndata: {at: {{ randAlphaNum 16 | quote }}}\n")

    assert "templates/one.yaml: renders to other bytes each time" in refused(facts_of("ha"), {}, chart)


PINNED = {
    "existingSecretAdminPassword": "a",
    "core": {"existingSecret": "a", "secretName": "a", "existingXsrfSecret": "a"},
    "jobservice": {"existingSecret": "a"},
    "registry": {"existingSecret": "a", "credentials": {"existingSecret": "a"}},
    "expose": {"tls": {"certSource": "none"}},
    "database": {"type": "external"},
}


def test_our_own_values_pin_everything():
    assert list(unpinned(PINNED)) == []
    assert len(list(unpinned({}))) == 9


@pytest.mark.parametrize("seed", range(20))
def test_each_pin_that_is_missing_is_told(seed):
    values = yaml.safe_load(yaml.safe_dump(PINNED))
    draw = random.Random(seed)
    part = draw.choice(["core", "jobservice", "registry"])
    key = draw.choice([key for key in values[part] if key != "credentials"])
    del values[part][key]

    (finding,) = unpinned(values)
    assert finding.key == f"{part}.{key}"


def test_without_it_nothing_changes(chart):
    """The values are delivered as before: this is a way of its own."""
    assert f"{HOME}/release/release.yaml" in render(facts_of("ha"))


def test_the_command_writes_them(chart, tmp_path, monkeypatch, capsys):
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\n")
    (tmp_path / "stacks").mkdir()
    settings = {
        "domain": "r.example.com",
        "region": "eu-central-1",
        "gitops": {"repository": "https://git.example.com/g.git"},
    }
    document = {"config": {f"slipway:{key}": value for key, value in settings.items()}}
    (tmp_path / "stacks" / "Pulumi.ha.yaml").write_text(yaml.safe_dump(document))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(chart.parent))

    assert run(["render", "ha", "--manifests", "--out", "build"]) == 0
    assert (tmp_path / "build" / HOME / "manifests" / "core.yaml").exists()
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(tmp_path / "none"))
    document["config"]["slipway:chartRepository"] = "https://127.0.0.1:1/charts"
    (tmp_path / "stacks" / "Pulumi.ha.yaml").write_text(yaml.safe_dump(document))
    assert run(["render", "ha", "--manifests"]) == 1
    assert "helm pull harbor" in capsys.readouterr().err
