"""The contract check: what it refuses, the form of its files, and the differences between them as they are written."""

import json
import tarfile
from itertools import pairwise

import pytest
import yaml

from tests.values.conftest import CHARTS
from values import chart_history, contract
from values.chart_history import Behaviour, fate, refusals, step, steps
from values.errors import Refused, ValuesError
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
        ("core: &c {replicas: *c}", "my.yaml: holds an alias that leads back to itself"),
        ("core: {podAnnotations: {scrape: true}}", "my.yaml core.podAnnotations.scrape: must be string, got true"),
        ("expose: {ingress: {labels: {cost: 7}}}", "my.yaml expose.ingress.labels.cost: must be string, got 7"),
        (
            "trivy: {resources: {requets: {cpu: 1}}}",
            "my.yaml trivy.resources.requets: is no part of a pod's resources; did you mean 'requests'?",
        ),
        ("trivy: {enabled: yes please}", 'my.yaml trivy.enabled: must be boolean, got "yes please"'),
        (
            'redis: {external: {addr: "rediss://:@host"}}',
            "my.yaml redis.external.addr: is a URL with an empty password",
        ),
        (
            "core: {extraEnvVars: [{name: _REDIS_URL_CORE, value: 'redis://:@host/0'}]}",
            "my.yaml core.extraEnvVars: is a URL with an empty password",
        ),
        ("imagePullSecrets: [mirror]", 'my.yaml imagePullSecrets.0: must be a mapping, got "mirror"'),
        ("portal: {extraEnvVars: [{name: A, value: b}, A=b]}", "my.yaml portal.extraEnvVars.1: must be a mapping"),
        ("portal: null", "my.yaml portal: null deletes the whole section"),
        ("core: {image: null}", "my.yaml core.image: null deletes the whole section"),
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
        "database: {internal: {password: Hunter2}}",
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


NEIGHBOURS = list(pairwise(reversed(SUPPORTED_CHART_VERSIONS)))


@pytest.mark.parametrize(("before", "after"), NEIGHBOURS)
def test_the_written_differences_are_those_of_the_contracts(before, after):
    written, found = step(before, after), contract.difference(before, after)

    assert sorted([*written.added, *written.renamed.values()]) == sorted(found.added)
    assert sorted([*written.removed, *written.renamed]) == sorted(found.removed)
    assert written.retyped == found.retyped


@pytest.mark.parametrize(("before", "after"), NEIGHBOURS)
def test_the_written_differences_name_harbors_versions_and_their_sources(before, after):
    written = step(before, after)
    document = yaml.safe_load((chart_history.FOLDER / f"{before}-{after}.yaml").read_text())

    assert document["harbor"] == {"from": contract.harbor_version(before), "to": contract.harbor_version(after)}
    assert all(
        one.source.startswith("https://github.com/goharbor/") for one in (written, written.schema, *written.behaviour)
    )
    assert len({one.id for one in written.behaviour}) == len(written.behaviour)


def test_each_schema_begins_where_the_one_before_ended():
    schemas = [step(*pair).schema for pair in NEIGHBOURS]

    assert [(one.before, one.after) for one in schemas] == [(171, 180), (180, 180)]


@pytest.mark.parametrize(("before", "after"), NEIGHBOURS)
def test_every_condition_is_a_key_of_both_contracts_or_a_new_one(before, after):
    def exists(node, parts):
        if not parts:
            return True
        names = node if parts[0] == "*" else [parts[0]]
        return any(name in node and exists(node[name], parts[1:]) for name in names if isinstance(node, dict))

    conditions = [key for one in step(before, after).behaviour for key in one.when]

    assert conditions
    assert [key for key in conditions if not exists(contract.contract(after), key.split("."))] == []


@pytest.mark.parametrize(("before", "after"), NEIGHBOURS)
def test_the_written_defaults_are_those_of_the_official_charts(before, after):
    def defaults(version):
        path = CHARTS / f"harbor-{version}.tgz"
        if not path.exists():
            pytest.skip(f"no {path}: helm pull harbor --repo https://helm.goharbor.io --version {version} -d {CHARTS}")
        with tarfile.open(path) as archive:
            return dict(leaves(yaml.safe_load(archive.extractfile("harbor/values.yaml"))))

    def leaves(node, at=""):
        for key, value in node.items():
            if isinstance(value, dict) and value:
                yield from leaves(value, f"{at}{key}.")
            else:
                yield f"{at}{key}", value

    old, new = defaults(before), defaults(after)

    assert step(before, after).defaults == {
        key: (old[key], new[key]) for key in old if key in new and old[key] != new[key]
    }


def test_keys_of_older_charts_are_in_no_contract():
    older = yaml.safe_load((chart_history.FOLDER / "older.yaml").read_text())

    for version in SUPPORTED_CHART_VERSIONS:
        assert not [key for part in older.values() for key in part if contract.has(version, key)]
        assert all(contract.has(version, change["to"]) for change in older["renamed"].values())


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        (
            "notary: {enabled: true}",
            "1.19.1",
            "notary: the chart 1.19.1 has no such key; removed in chart 1.13.0: Harbor 2.9 has no Notary; sign with",
        ),
        (
            "expose: {ingress: {harbor: {annotations: {a: b}}}}",
            "1.19.1",
            "expose.ingress.harbor: the chart 1.19.1 has no such key; renamed to expose.ingress.annotations in chart 1.15.0",
        ),
        (
            "core: {podDisruptionBudget: {enabled: true}}",
            "1.18.3",
            "core.podDisruptionBudget: the chart 1.18.3 has no such key; new in chart 1.19.1",
        ),
        (
            "core: {startupProbe: {periodSeconds: 5}}",
            "1.18.3",
            "core.startupProbe.periodSeconds: the chart 1.18.3 has no such key; new in chart 1.19.1",
        ),
    ],
)
def test_an_unknown_key_is_told_with_what_became_of_it(text, version, expected):
    (found,) = contract.findings("my.yaml", text, version)

    assert str(found).startswith(f"my.yaml {expected}")


def test_a_key_that_a_newer_chart_renames_is_told_from_that_version_on(tmp_path, monkeypatch):
    """No supported chart renames one, so two neighbours are made up."""
    document = yaml.safe_load((chart_history.FOLDER / "1.18.3-1.19.1.yaml").read_text())
    document |= {"renamed": {"core.workers": "core.threads"}, "removed": {"portal.theme": "the portal has one"}}
    for name in ("older", "1.19.1-1.19.2"):
        (tmp_path / f"{name}.yaml").write_text((chart_history.FOLDER / f"{name}.yaml").read_text())
    (tmp_path / "1.18.3-1.19.1.yaml").write_text(yaml.safe_dump(document))
    monkeypatch.setattr(chart_history, "FOLDER", tmp_path)
    chart_history.step.cache_clear()
    chart_history._read.cache_clear()
    try:
        assert fate("core.workers.most", "1.19.2") == "renamed to core.threads.most in chart 1.19.1"
        assert fate("core.workers", "1.18.3") == ""
        assert fate("portal.theme", "1.19.1") == "removed in chart 1.19.1: the portal has one"
    finally:
        chart_history.step.cache_clear()
        chart_history._read.cache_clear()


def test_a_chart_without_contract_says_how_to_add_one():
    with pytest.raises(ValuesError, match=r"there is no contract for chart 1\.99\.0") as unknown:
        contract.contract("1.99.0")

    assert "known: 1.19.2, 1.19.1, 1.18.3; to add one: charts/harbor/README.md" in str(unknown.value)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("1.18.3", "1.19.1", []),
        ("1.18.3", "1.19.2", []),
        ("1.19.1", "1.19.1", []),
        ("1.19.1", "1.18.3", ["1.19.1 → 1.18.3 goes back, and Harbor's migrations only go forward"]),
        ("1.19.2", "1.19.1", ["1.19.2 → 1.19.1 goes back, and Harbor's migrations only go forward"]),
        (
            "1.17.0",
            "1.19.1",
            ["there is no contract for chart 1.17.0", "1.17.0 → 1.19.1 skips a minor version"],
        ),
        ("1.19.2", "2.0.0", ["there is no contract for chart 2.0.0", "1.19.2 → 2.0.0 skips a minor version"]),
    ],
)
def test_which_ways_are_safe(before, after, expected):
    assert [one.fact for one in refusals(before, after)] == expected


@pytest.mark.parametrize("version", ["1.19", "v1.19.1", "1.19.1-rc1", "", "latest"])
def test_a_version_is_exact(version):
    with pytest.raises(Refused, match="is no exact chart version"):
        refusals("1.18.3", version)


def test_the_way_goes_by_every_neighbour():
    assert [(one.before, one.after) for one in steps("1.18.3", "1.19.2")] == NEIGHBOURS
    assert steps("1.19.1", "1.19.1") == ()


@pytest.mark.parametrize(
    ("when", "values", "concerned"),
    [
        ({}, {}, True),
        ({"database.type": ["internal", None]}, {}, True),
        ({"database.type": ["internal", None]}, {"database": {"type": "internal"}}, True),
        ({"database.type": ["internal", None]}, {"database": {"type": "external"}}, False),
        ({"redis.external.existingSecret": ["any"]}, {"redis": {"external": {"existingSecret": ""}}}, False),
        ({"redis.external.existingSecret": ["any"]}, {"redis": {"external": {"existingSecret": "x"}}}, True),
        ({"*.podDisruptionBudget.enabled": [True]}, {"core": {"podDisruptionBudget": {"enabled": True}}, "a": 1}, True),
        ({"*.podDisruptionBudget.enabled": [True]}, {"core": {"podDisruptionBudget": {"enabled": False}}}, False),
        ({"jobservice.extraEnvVars": ["any"]}, {"jobservice": {"extraEnvVars": []}}, False),
        ({"expose.type": ["route"], "metrics.enabled": [True]}, {"expose": {"type": "route"}}, False),
    ],
)
def test_whom_a_behaviour_concerns(when, values, concerned):
    assert Behaviour(id="x", what="", do="", when=when, source="").concerns(values) is concerned
