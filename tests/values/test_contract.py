"""The contract check: what it refuses, and the form of its files."""

import json

import pytest

from values import contract
from values.facts import DEFAULT_CHART_VERSION, SUPPORTED_CHART_VERSIONS


def check(text: str) -> list[str]:
    return [str(finding).splitlines()[0] for finding in contract.findings("my.yaml", text, DEFAULT_CHART_VERSION)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("core: {replcas: 2}", "my.yaml core.replcas: the chart 1.19.1 has no such key; did you mean 'replicas'?"),
        ("notary: {}", "my.yaml notary: the chart 1.19.1 has no such key"),
        ('core: {replicas: "2"}', 'my.yaml core.replicas: must be integer, got "2"'),
        ("core: {replicas: true}", "my.yaml core.replicas: must be integer, got true"),
        ("database: {external: {port: 5432}}", "my.yaml database.external.port: must be string, got 5432"),
        ("core: 3", "my.yaml core: must be a mapping, got 3"),
        ("core: {nodeSelector: []}", "my.yaml core.nodeSelector: must be map, got []"),
        ("trivy: {enabled: yes please}", 'my.yaml trivy.enabled: must be boolean, got "yes please"'),
        (
            'redis: {external: {addr: "rediss://:@host"}}',
            "my.yaml redis.external.addr: is a URL with an empty password",
        ),
        (
            "core: {extraEnvVars: [{name: _REDIS_URL_CORE, value: 'redis://:@host/0'}]}",
            "my.yaml core.extraEnvVars: is a URL with an empty password",
        ),
        ("core: [", "my.yaml: is not YAML in line "),
        ("core: {replicas: 2020-01-01}", 'my.yaml core.replicas: must be integer, got "2020-01-01"'),
        ("core: {replicas: !!binary aGk=}", "my.yaml core.replicas: must be integer, got"),
        ("core: &c {podAnnotations: *c}", "my.yaml: holds an alias that leads back to itself"),
        ("# nothing yet", "my.yaml: must be a mapping of values, got null"),
        ("a: b: c", "my.yaml: is not YAML in line 1: mapping values are not allowed"),
    ],
)
def test_refused(text, expected):
    (found,) = check(text)

    assert found.startswith(expected)


@pytest.mark.parametrize(
    "text",
    [
        "core: {replicas: null}",
        "core: {nodeSelector: {any.thing/here: x}}",
        "core: {podDisruptionBudget: {minAvailable: 50%}}",
        "core: {podDisruptionBudget: {minAvailable: null, maxUnavailable: 1}}",
        "imagePullSecrets: [{name: x}]",
        "caBundleSecretName: rds-bundle",
        "expose: {ingress: {annotations: {my.own/annotation: x}}}",
        "core: {resources: {requests: {cpu: 1}}}",
        "trace: {sample_rate: 0.5}",
        "persistence: {imageChartStorage: {s3: {encrypt: true, keyid: alias/registry, chunksize: '10485760'}}}",
        "redis: {external: {password: ''}}",
    ],
)
def test_taken(text):
    assert check(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "harborAdminPassword: Hunter2",
        "database: {external: {password: Hunter2}}",
        "persistence: {imageChartStorage: {s3: {secretkey: Hunter2}}}",
        "core: {tokenKey: 4711}",
    ],
)
def test_a_credential_is_refused_and_not_repeated(text):
    (found,) = contract.findings("my.yaml", text, DEFAULT_CHART_VERSION)

    assert "is a credential, which must not be in Git" in str(found)
    assert "Hunter2" not in str(found)
    assert "4711" not in str(found)


@pytest.mark.parametrize("version", SUPPORTED_CHART_VERSIONS)
def test_every_supported_version_has_a_contract_of_known_types(version):
    document = json.loads((contract.FOLDER / f"{version}.json").read_text())
    kinds = set()

    def walk(node):
        for value in node.values():
            if isinstance(value, dict):
                walk(value)
            else:
                kinds.update(value.split("|"))

    walk(document["keys"])
    assert document["version"] == version
    assert kinds <= {"string", "integer", "number", "boolean", "list", "map", "any", "credential"}


def test_versions_differ_where_the_chart_does():
    assert contract.has("1.19.1", "core.podDisruptionBudget.enabled")
    assert not contract.has("1.18.3", "core.podDisruptionBudget.enabled")
