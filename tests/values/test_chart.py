"""The official chart, rendered by Helm's own engine with the committed values. Skips without the chart in its cache."""

import re
import tarfile
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from helm_python.chart import Chart

from tests.values.conftest import PROFILES, exposed, facts_of
from values import contract
from values.facts import SUPPORTED_CHART_VERSIONS
from values.merge import harbor_values, merged
from values.render import render

#: What External Secrets' template gives for the Secret harbor-redis.
REDIS = {"redis": {"external": {"username": "harbor", "password": "made-up"}}}


def values_of(profile: str, **facts) -> dict:
    files = render(facts_of(profile, **facts))
    values = harbor_values(files)
    return merged(values, REDIS) if profile != "kind" else values


def manifests(chart: Path, values: dict) -> str:
    with Chart.load(chart) as loaded:
        rendered = loaded.render(values=values, name="harbor", namespace="harbor")
    return "\n---\n".join(f"# {name}\n{text}" for name, text in sorted(rendered.items()) if name.endswith(".yaml"))


def version_of(chart: Path) -> str:
    return chart.stem.removeprefix("harbor-")


def objects(text: str) -> list[dict]:
    # The chart 1.18.3 ends a line with a tab, which Go's parser takes and this one does not.
    return [item for item in yaml.safe_load_all(text.replace("\t\n", "\n")) if isinstance(item, dict)]


def one(items: list[dict], kind: str, name: str) -> dict:
    (found,) = (item for item in items if item["kind"] == kind and item["metadata"]["name"] == name)
    return found


def keys_read_by(template: str) -> set[str]:
    """Give dotted keys that a template reads: `.Values.a.b`, and `$x.b` where `$x := .Values.a`."""
    keys = {match[1] for match in re.finditer(r"\.Values\.([\w.]+\w)", template)}
    for variable, key in re.findall(r"(\$\w+)\s*:=\s*\.Values\.([\w.]+)", template):
        keys |= {f"{key}.{match[1]}" for match in re.finditer(re.escape(variable) + r"\.([\w.]+\w)", template)}
    return keys


def known(keys: Mapping | str, path: list[str]) -> bool:
    """Tell whether a tree of keys has a path; below an open map anything is there."""
    if not path or isinstance(keys, str):
        return True
    return path[0] in keys and known(keys[path[0]], path[1:])


@pytest.mark.parametrize("chart", SUPPORTED_CHART_VERSIONS, indirect=True)
def test_the_contract_knows_every_key_that_the_templates_read(chart):
    with tarfile.open(chart) as archive:
        files = [archive.extractfile(member) for member in archive if "/templates/" in member.name]
        texts = [file.read().decode() for file in files if file]
    keys = set().union(*map(keys_read_by, texts))

    assert len(keys) > 400
    assert sorted(key for key in keys if not known(contract.contract(version_of(chart)), key.split("."))) == []


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("chart", SUPPORTED_CHART_VERSIONS, indirect=True)
def test_two_renders_give_identical_bytes(chart, profile):
    values = values_of(profile, chartVersion=version_of(chart))

    assert manifests(chart, values) == manifests(chart, values)


@pytest.mark.parametrize("chart", SUPPORTED_CHART_VERSIONS, indirect=True)
def test_every_chart_attaches_the_route_to_the_gateway(chart):
    """1.18.3 has a mapping for a default there, and still takes the list that the Gateway API wants."""
    items = objects(manifests(chart, values_of("ha", chartVersion=version_of(chart), **exposed("route"))))

    assert one(items, "HTTPRoute", "harbor-route")["spec"]["parentRefs"] == [
        {"name": "public", "namespace": "gateways", "sectionName": "https"}
    ]


def test_a_chart_whose_randomness_is_not_pinned_does_differ(chart):
    """The test above can fail: without our pins the same chart renders other bytes each time."""
    assert manifests(chart, {}) != manifests(chart, {})


def test_the_charts_own_secrets_hold_nothing_but_what_redis_needs(chart):
    filled = {
        item["metadata"]["name"]: sorted(item.get("data") or {})
        for item in objects(manifests(chart, values_of("ha")))
        if item["kind"] == "Secret" and item.get("data")
    }

    assert filled == {"harbor-registry": ["REGISTRY_REDIS_PASSWORD"], "harbor-trivy": ["gitHubToken", "redisURL"]}


def test_no_rendered_credential_is_empty(chart):
    text = manifests(chart, values_of("ha"))
    decoded = [
        b64decode(value).decode()
        for item in objects(text)
        if item["kind"] == "Secret"
        for value in (item.get("data") or {}).values()
    ]

    assert "://:@" not in text
    assert not any("://:@" in value for value in decoded)
    assert "rediss://harbor:made-up@" in text


def test_our_values_arrive_in_the_objects(chart):
    items = objects(manifests(chart, values_of("ha")))
    core, registry = one(items, "Deployment", "harbor-core"), one(items, "Deployment", "harbor-registry")
    environment = one(items, "ConfigMap", "harbor-core")["data"]
    pod = registry["spec"]["template"]["spec"]

    assert core["spec"]["replicas"] == registry["spec"]["replicas"] == 2
    assert environment["POSTGRESQL_HOST"] == "harbor-database.abcdefghijkl.eu-central-1.rds.amazonaws.com"
    assert environment["POSTGRESQL_SSLMODE"] == "require"
    assert environment["POSTGRESQL_MAX_OPEN_CONNS"] == "81"
    assert environment["QUOTA_UPDATE_PROVIDER"] == "redis"
    assert {"name": "registry-data", "persistentVolumeClaim": {"claimName": "harbor-registry"}} in pod["volumes"]
    assert {"name": "REGISTRY_REDIS_ENABLETLS", "value": "true"} in pod["containers"][0]["env"]
    assert (
        one(items, "StatefulSet", "harbor-trivy")["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"]
        == "harbor-gp3"
    )
    assert not [item for item in items if item["kind"] == "PersistentVolumeClaim"]


@pytest.mark.parametrize(("chart", "known"), [("1.18.3", False), ("1.19.1", True)], indirect=["chart"])
def test_the_registry_asks_the_cache_only_where_it_can_log_in(chart, known):
    """Only charts from 1.19 on write the user name into the registry's configuration."""
    items = objects(manifests(chart, values_of("ha", chartVersion=version_of(chart))))
    configuration = one(items, "ConfigMap", "harbor-registry")["data"]["config.yml"]
    container = one(items, "Deployment", "harbor-registry")["spec"]["template"]["spec"]["containers"][0]
    disabled = {"name": "REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR", "value": "disabled"}

    assert ('username: "harbor"' in configuration) == known
    assert (disabled not in container["env"]) == known


def test_the_ingress_is_the_load_balancers_and_the_health_checks_are_answered(chart):
    items = objects(manifests(chart, values_of("ha")))
    ingress = one(items, "Ingress", "harbor-ingress")
    checks = {
        name: one(items, "Service", f"harbor-{name}")["metadata"]["annotations"][
            "alb.ingress.kubernetes.io/healthcheck-path"
        ]
        for name in ("core", "portal")
    }

    assert ingress["spec"]["ingressClassName"] == "alb"
    assert not [key for key in ingress["metadata"]["annotations"] if "nginx" in key]
    assert checks == {"core": "/api/v2.0/ping", "portal": "/"}


def test_every_secret_that_a_pod_names_is_in_the_secret_table(chart):
    text = manifests(chart, values_of("ha", storage="s3"))
    named = set(
        re.findall(
            r"(?:secretName|name): \"?(harbor-(?:admin|secretkey|core-shared|token-service|xsrf|jobservice-shared|registry-http|registry-creds|db|s3))\"?",
            text,
        )
    )

    assert named == {
        "harbor-admin", "harbor-secretkey", "harbor-core-shared", "harbor-token-service", "harbor-xsrf",
        "harbor-jobservice-shared", "harbor-registry-http", "harbor-registry-creds", "harbor-db", "harbor-s3",
    }  # fmt: skip


def test_kind_runs_on_the_charts_own_database_and_redis(chart):
    items = objects(manifests(chart, values_of("kind")))

    assert one(items, "StatefulSet", "harbor-database")
    assert one(items, "Service", "harbor")["spec"]["ports"][0]["nodePort"] == 30002
    assert one(items, "Deployment", "harbor-registry")["spec"]["strategy"]["type"] == "Recreate"
