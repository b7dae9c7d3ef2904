"""The chart itself: goldens, lint, schema, and what each choice brings or takes away."""

import copy
import json
from pathlib import Path

import pytest
from helm_python import chart as helm
from helm_python.errors import HelmError

from tests.support.conftest import EVERYTHING, environment, folder, objects_of, one, rendered, values_of
from tests.values.conftest import exposed
from tests.values.test_chart import values_of as official_values
from values.helm import all_objects
from values.helm import rendered as rendered_official
from values.support import CHART

GOLDENS = Path(__file__).parent / "goldens"
#: File → facts: each profile as it is, and what is far from it.
ENVIRONMENTS = {
    "dev": lambda: environment("dev"),
    "ha": lambda: environment("ha"),
    "large": lambda: environment("large"),
    "kind": lambda: environment("kind"),
    "large-everything": lambda: environment("large", chartVersion="1.18.3", harbor=EVERYTHING | {"internalTls": True}),
    "ha-route-s3": lambda: environment("ha", storage="s3", **exposed("route", monitoring={"rules": True})),
    "dev-least": lambda: environment(
        "dev", harbor={"networkPolicies": False, "trivy": {"enabled": False}, "monitoring": {"metrics": False}}
    ),
    "kind-watched": lambda: environment(
        "kind", harbor={"monitoring": {"metrics": True, "rules": True, "dashboard": True}}
    ),
}


@pytest.fixture(params=ENVIRONMENTS)
def values(request):
    return values_of(ENVIRONMENTS[request.param]())


def manifests(values: dict) -> str:
    return "".join(f"# {name.partition('/')[2]}\n{text.strip()}\n---\n" for name, text in rendered(values).items())


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_golden_is_the_review(name, request):
    """`pytest tests/support --snapshot-update` rewrites them."""
    text, path = manifests(values_of(ENVIRONMENTS[name]())), GOLDENS / f"{name}.yaml"
    if request.config.option.update_snapshots:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    assert text == path.read_text()


def test_two_renders_give_identical_bytes(values):
    assert manifests(values) == manifests(copy.deepcopy(values))


def test_helm_lint_finds_nothing(values):
    for place in (CHART, folder()):
        report = helm.lint(place, values, strict=True, kube_version="v1.33.0")

        assert report["errors"] == []
        # "icon is recommended": a chart that nobody browses has none.
        assert [one["error"] for one in report["messages"]] == ["icon is recommended"]


def test_with_the_charts_own_defaults_there_is_nothing():
    assert rendered({}) == {}


def objects_in(schema: dict):
    if schema.get("type") in ("object", ["object", "null"]):
        yield schema
    for below in [*schema.get("properties", {}).values(), *schema.get("definitions", {}).values()]:
        yield from objects_in(below)
    if isinstance(schema.get("items"), dict):
        yield from objects_in(schema["items"])


def test_the_schema_knows_every_key():
    """Free are only what Kubernetes or Prometheus takes freely: labels, selectors, tolerations, and Helm's own `global`."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    open_ones = [one for one in objects_in(schema) if one.get("additionalProperties") is not False]

    assert len(list(objects_in(schema))) > 12
    assert [sorted(one.get("additionalProperties", {})) for one in open_ones] == [[], ["type"], ["type"], []]


def wrong(values: dict, path: str, value: object) -> dict:
    """Give the values with one of them replaced or added, by a dotted path."""
    changed = copy.deepcopy(values)
    *above, last = path.split(".")
    place = changed
    for key in above:
        place = place[int(key) if isinstance(place, list) else key]
    place[last] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("netwrok", {}), ("network.enabeld", True), ("network.in.0.form", {}), ("network.in.0.from.pod", "x"),
        ("network.in.0.from", {}), ("network.out.0.ports", [0]), ("network.out.0.from", ["cores"]),
        ("network.out.0.why", "two\nlines"), ("components", ["chartmuseum"]), ("parts", ["metrics", "metrics"]),
        ("internalTLS", "yes"), ("alerts.numbers.pool", "81"), ("alerts.severity", "page"), ("database.password", "x"),
        ("database.revision", ""), ("database.port", "5432"), ("database.name", "a;b"), ("budgets", ["exporter"]),
        ("autoscaling.0.component", "trivy"), ("pullSecrets.robots", ["A"]), ("layer3.image", ""), ("layer3.args", []),
        ("layer3.schedule", "0 17 * * * *"), ("layer3.rotate", "daily"), ("layer3.ledger", {}), ("layer3.aws.role", "x"),
        ("scheduling.affinity", {}), ("dashboard", True),
    ],
)  # fmt: skip
def test_the_schema_refuses_what_does_not_fit(path, value):
    values = values_of(environment("large", harbor=EVERYTHING))

    with helm.Chart.load(folder()) as loaded:
        loaded.validate_schema(values)
        with pytest.raises(HelmError) as refused:
            loaded.validate_schema(wrong(values, path, value))

    assert path.split(".")[0].partition("[")[0] in str(refused.value)


def test_a_component_that_is_off_leaves_no_trace():
    everything = EVERYTHING | {
        "trivy": {"enabled": False},
        "monitoring": {**EVERYTHING["monitoring"], "metrics": False},
    }
    del everything["monitoring"]["serviceMonitors"]
    text = manifests(values_of(environment("large", chartVersion="1.18.3", harbor=everything)))

    for word in ("trivy", "exporter", "harbor_up", "harbor_core", "registry_http", "8001", "monitoring}"):
        # The one list of who opens a pool is the same with and without the exporter.
        assert word not in text.lower().replace("(core|jobservice|exporter)", ""), word


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({}, ("PrometheusRule", "grafana", "external-secrets.io", "CronJob", "HorizontalPodAutoscaler", "Budget")),
        ({"monitoring": {"rules": True}}, ("grafana", "external-secrets.io", "CronJob")),
        ({"monitoring": {"dashboard": True}}, ("PrometheusRule", "external-secrets.io")),
        ({"pullSecrets": {"enabled": True}}, ("PrometheusRule", "grafana", "CronJob")),
        ({"autoscaling": {"enabled": True}}, ("PrometheusRule", "CronJob")),
    ],
)
def test_what_needs_a_definition_is_there_only_when_it_was_chosen(choice, words):
    text = manifests(values_of(environment("ha", harbor=choice)))

    assert not [word for word in words if word in text]


def test_kind_gets_nothing_of_aws():
    values = values_of(environment("kind", harbor=EVERYTHING))
    text = manifests(values)

    assert values["pullSecrets"] is values["database"] is None
    assert "external-secrets.io" not in text
    assert "externalsecret" not in text
    assert "kind: Job" not in text


def job_name(**changed) -> str:
    values = values_of(environment("ha", harbor=changed.pop("harbor", {})))
    values["database"] |= changed
    return one(objects_of(values), "Job")["metadata"]["name"]


def test_the_jobs_name_changes_with_what_it_is_made_from_and_with_nothing_else():
    names = {
        job_name(),
        job_name(revision="1" * 64),
        job_name(host="other.example.com"),
        job_name(image="registry.example.com/postgres:18"),
        job_name(verified=True),
        job_name(harbor={"scheduling": {"priorityClass": "important"}}),
    }

    assert len(names) == 6
    assert job_name(harbor={"autoscaling": {"enabled": True}, "monitoring": {"rules": True}}) == job_name()
    assert job_name().startswith("harbor-database-")


def test_the_job_never_removes_itself_and_names_secrets_only():
    (job,) = (item for item in objects_of(values_of(environment("ha"))) if item["kind"] == "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    taken = {entry["name"]: entry["valueFrom"]["secretKeyRef"] for entry in container["env"] if "valueFrom" in entry}

    assert "ttlSecondsAfterFinished" not in job["spec"]
    assert "annotations" not in job["metadata"]
    assert taken == {
        "PGUSER": {"name": "harbor-db-admin", "key": "username"},
        "PGPASSWORD": {"name": "harbor-db-admin", "key": "password"},
        "HARBOR_PASSWORD": {"name": "harbor-db-admin", "key": "harbor-password"},
    }


def test_the_job_checks_the_server_where_there_is_a_bundle(tmp_path):
    facts = environment("ha")
    facts = facts.model_copy(update={"database": facts.database.model_copy(update={"ca_bundle": "PEM"})})
    (job,) = (item for item in objects_of(values_of(facts)) if item["kind"] == "Job")
    spec = job["spec"]["template"]["spec"]
    variables = {entry["name"]: entry.get("value") for entry in spec["containers"][0]["env"]}

    assert (variables["PGSSLMODE"], variables["PGSSLROOTCERT"]) == ("verify-full", "/ca/ca.crt")
    assert {
        "name": "ca",
        "secret": {"secretName": "harbor-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]},
    } in spec["volumes"]


def test_our_pods_satisfy_the_restricted_pod_security_standard():
    items = objects_of(values_of(environment("large", harbor=EVERYTHING | {"internalTls": True})))
    pods = [
        (item["spec"].get("jobTemplate", item)["spec"])["template"]["spec"]
        for item in items
        if item["kind"] in {"Job", "CronJob"}
    ]

    assert len(pods) == 3
    for pod in pods:
        reads_the_ledger = pod.get("serviceAccountName") == "harbor-layer3"
        assert pod["automountServiceAccountToken"] is reads_the_ledger
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert {next(key for key in volume if key != "name") for volume in pod["volumes"]} <= {
            "configMap",
            "secret",
            "emptyDir",
        }
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert set(container["resources"]) == {"requests", "limits"}


def test_images_come_from_the_mirror():
    job = one(objects_of(values_of(environment("ha", harbor=EVERYTHING))), "Job")
    image = job["spec"]["template"]["spec"]["containers"][0]["image"]

    assert image == "registry.example.com/aws/docker/library/postgres:17.6-alpine"


@pytest.mark.parametrize("version", ["1.18.3", "1.19.1"])
@pytest.mark.parametrize("profile", ["dev", "ha"])
def test_each_component_with_pods_to_lose_has_exactly_one_budget(official, version, profile):
    facts = environment(profile, chartVersion=version, harbor={"autoscaling": {"enabled": profile == "ha"}})
    theirs = all_objects(rendered_official(official(version), official_values(profile, chartVersion=version)))
    ours = objects_of(values_of(facts))
    budgets = [
        item["metadata"]["name"].replace("-support", "")
        for item in [*theirs, *ours]
        if item["kind"] == "PodDisruptionBudget"
    ]

    expected = ["core", "jobservice", "portal", "registry", "trivy"] if profile == "ha" else []
    assert sorted(budgets) == [f"harbor-{name}" for name in expected]


def test_autoscalers_name_deployments_of_the_official_chart(official):
    facts, plain = environment("large", harbor=EVERYTHING), EVERYTHING | {"layer3": {}}
    theirs = all_objects(rendered_official(official("1.19.1"), official_values("large", harbor=plain)))
    scaled = {
        item["spec"]["scaleTargetRef"]["name"]: (item["spec"]["minReplicas"], item["spec"]["maxReplicas"])
        for item in objects_of(values_of(facts))
        if item["kind"] == "HorizontalPodAutoscaler"
    }

    assert scaled == {"harbor-core": (4, 8), "harbor-registry": (4, 8), "harbor-portal": (2, 4)}
    assert scaled.keys() <= {item["metadata"]["name"] for item in theirs if item["kind"] == "Deployment"}


def filled(text: str, tmp_path: Path, **properties: str) -> str:
    """Fill an External Secrets template: the same engine and functions (Go's, with sprig's) as Helm's own."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: filled, version: 1.0.0}")
    (tmp_path / "templates" / "text.yaml").write_text("{{ with .Values }}" + text + "{{ end }}")
    with helm.Chart.load(tmp_path) as loaded:
        (given,) = loaded.render(values=properties, name="filled").values()
    return given


def test_a_pull_secret_is_what_docker_reads_whatever_the_password(tmp_path):
    items = objects_of(values_of(environment("ha", harbor=EVERYTHING)))
    secret = one(items, "ClusterExternalSecret", "harbor-pull-builders")["spec"]
    text = secret["externalSecretSpec"]["target"]["template"]["data"][".dockerconfigjson"]
    written = json.loads(filled(text, tmp_path, username="robot$builders", password='a"b\\c'))

    assert written == {
        "auths": {
            "registry.ha.example.com": {
                "username": "robot$builders",
                "password": 'a"b\\c',
                "auth": "cm9ib3QkYnVpbGRlcnM6YSJiXGM=",
            }
        }
    }
    assert {entry["remoteRef"]["key"] for entry in secret["externalSecretSpec"]["data"]} == {"harbor/ha/pull/builders"}


def test_only_labelled_namespaces_can_use_the_store():
    items = objects_of(values_of(environment("ha", harbor=EVERYTHING)))
    (condition,) = one(items, "ClusterSecretStore")["spec"]["conditions"]
    secrets = [
        item["spec"]
        for item in items
        if item["kind"] == "ClusterExternalSecret" and item["metadata"]["name"].startswith("harbor-pull-")
    ]

    assert condition == {"namespaceSelector": {"matchLabels": {"slipway.dev/harbor-pull": "true"}}}
    assert {item["externalSecretName"] for item in secrets} == {"harbor-pull-default", "harbor-pull-builders"}
    assert all(item["namespaceSelectors"] == [condition["namespaceSelector"]] for item in secrets)
