"""The chart's known pain points, one named test each: our answer as it arrives in the official chart's objects.

The numbers are those of docs/harbor.md, which tells each with its evidence. What has no test here is somebody's choice or
is answered inside Harbor (layer 3), and the page says so.
"""

import re
from pathlib import Path

import pytest
import yaml

from infra.settings import Settings
from tests.graph.graphs import recorded
from tests.values.conftest import exposed, facts_of
from tests.values.test_chart import manifests, objects, one, values_of, version_of
from values import helm
from values.composition import Composition
from values.errors import ValuesError
from values.helm import ChartError
from values.options import CLOUD_EXPOSURES
from values.render import render
from values.secrets import SECRETS
from values.sources import Password

PAGE = Path(__file__).parents[2] / "docs" / "harbor.md"
BOTH = pytest.mark.parametrize("chart", ["1.19.1", "1.19.2"], indirect=True)
#: Everything that can be on at once.
EVERYTHING = {
    "internalTls": True,
    "autoscaling": {"enabled": True},
    "monitoring": {"serviceMonitors": True, "rules": True, "dashboard": True, "labels": {"release": "prometheus"}},
    "trace": {"endpoint": "collector.tracing:4318"},
    "cacheLayer": {"enabled": True},
    "proxy": {"https": "http://proxy.example.com:3128"},
    "images": {"registry": "registry.example.com/hub/goharbor", "pullSecret": "mirror"},
}


def rendered(chart: Path, profile: str = "ha", **choices) -> list[dict]:
    return objects(manifests(chart, values_of(profile, chartVersion=version_of(chart), **choices)))


def pod(items: list[dict], name: str, kind: str = "Deployment") -> dict:
    return one(items, kind, f"harbor-{name}")["spec"]["template"]["spec"]


def environment(container: dict) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "") for entry in container.get("env", [])}


def release_of(**choices) -> dict:
    return yaml.safe_load(render(facts_of("ha", **choices))["apps/harbor/ha/release/release.yaml"])["spec"]


def prerequisites(name: str, **choices) -> list[dict]:
    return list(yaml.safe_load_all(render(facts_of("ha", **choices))[f"apps/harbor/ha/prerequisites/{name}.yaml"]))


@BOTH
@pytest.mark.parametrize("storage", ["efs", "s3"])
@pytest.mark.parametrize("expose", CLOUD_EXPOSURES)
@pytest.mark.parametrize("more", [{}, EVERYTHING], ids=["plain", "everything"])
def test_01_secrets_do_not_churn_two_renders_are_identical(chart, expose, storage, more):
    values = values_of("ha", chartVersion=version_of(chart), storage=storage, **exposed(expose, **more))

    assert manifests(chart, values) == manifests(chart, values)


@BOTH
@pytest.mark.parametrize("expose", ["nodePort", "ingress"])
def test_01_secrets_do_not_churn_on_a_laptop(chart, expose):
    values = values_of("kind", chartVersion=version_of(chart), **exposed(expose))

    assert manifests(chart, values) == manifests(chart, values)


@BOTH
def test_02_the_redis_password_is_never_empty_and_never_in_git(chart):
    read = [entry for entry in release_of()["valuesFrom"] if entry["name"] == "harbor-redis"]

    assert read == [
        {"kind": "Secret", "name": "harbor-redis", "valuesKey": "values.yaml"}
    ]  # not optional: it fails loudly
    assert "://:@" not in str(rendered(chart))
    with pytest.raises(ValuesError, match="URL with an empty password"):
        render(facts_of("ha"), {"mine": "core: {extraEnvVars: [{name: X, value: 'rediss://:@cache:6379'}]}"})


@BOTH
def test_03_s3_has_a_static_key_from_a_secret_and_irsa_is_refused(chart):
    registry = pod(rendered(chart, storage="s3"), "registry")

    assert all({"secretRef": {"name": "harbor-s3"}} in container["envFrom"] for container in registry["containers"])
    with pytest.raises(ValueError, match="neither IRSA nor Pod Identity"):
        Settings.parse(
            "prod",
            {"storage": "irsa", "domain": "a.b", "region": "eu-central-1", "gitops": {"repository": "https://x/y"}},
        )


@BOTH
@pytest.mark.parametrize("redirect", [True, False])
def test_04_s3_redirects_can_be_turned_off(chart, redirect):
    items = rendered(chart, storage="s3", harbor={"s3Redirect": redirect})
    config = yaml.safe_load(one(items, "ConfigMap", "harbor-registry")["data"]["config.yml"])

    assert config["storage"]["redirect"]["disable"] is not redirect


@BOTH
def test_05_abandoned_uploads_go_and_long_commits_are_not_cut(chart):
    from infra.aws.storage import lifecycle_rules

    items = rendered(chart, storage="s3")
    config = yaml.safe_load(one(items, "ConfigMap", "harbor-registry")["data"]["config.yml"])
    annotations = one(items, "Ingress", "harbor-ingress")["metadata"]["annotations"]
    settings = Settings.parse(
        "prod",
        {"domain": "a.example.com", "region": "eu-central-1", "gitops": {"repository": "https://x/y"}, "storage": "s3"},
    )

    assert config["storage"]["maintenance"]["uploadpurging"]["enabled"] is True
    assert "idle_timeout.timeout_seconds=900" in annotations["alb.ingress.kubernetes.io/load-balancer-attributes"]
    assert any("abort_incomplete_multipart_upload" in rule for rule in lifecycle_rules(settings))


@BOTH
def test_06_efs_is_elastic_and_never_trivys(chart):
    (file_system,) = recorded("ha", preview=False).of_type("aws:efs/fileSystem:FileSystem")
    claims = one(rendered(chart), "StatefulSet", "harbor-trivy")["spec"]["volumeClaimTemplates"]

    assert file_system.inputs["throughputMode"] == "elastic"
    assert [claim["spec"]["storageClassName"] for claim in claims] == ["harbor-gp3"]


def test_07_efs_belongs_to_harbors_user_by_its_access_point():
    (point,) = recorded("ha", preview=False).of_type("aws:efs/accessPoint:AccessPoint")
    (volume,) = (item for item in prerequisites("volumes") if item["kind"] == "PersistentVolume")

    assert point.inputs["posixUser"] == {"uid": 10000, "gid": 10000}
    assert "::fsap-" in volume["spec"]["csi"]["volumeHandle"]


@BOTH
def test_08_no_rolling_update_waits_for_a_volume_of_one_node(chart):
    cloud, laptop = rendered(chart), rendered(chart, "kind")
    (claim,) = (item for item in prerequisites("volumes") if item["kind"] == "PersistentVolumeClaim")
    strategy = {
        name: one(items, "Deployment", "harbor-registry")["spec"]["strategy"]["type"]
        for name, items in {"cloud": cloud, "laptop": laptop}.items()
    }

    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert strategy == {"cloud": "RollingUpdate", "laptop": "Recreate"}
    assert not [item for item in cloud if item["kind"] == "PersistentVolumeClaim"]  # no volume of job logs
    job_loggers = yaml.safe_load(one(cloud, "ConfigMap", "harbor-jobservice")["data"]["config.yml"])["job_loggers"]
    assert [logger["name"] for logger in job_loggers] == ["DB"]


@BOTH
def test_09_the_pools_of_all_pods_fit_into_the_database(chart):
    choices = {"harbor": {"autoscaling": {"enabled": True, "core": 12}}}
    facts = facts_of("large", **choices)
    each = int(
        one(rendered(chart, "large", **choices), "ConfigMap", "harbor-core")["data"]["POSTGRESQL_MAX_OPEN_CONNS"]
    )
    # 12 pods of core by the autoscaler, 3 of jobservice and one exporter, and a quarter more of each while they roll.
    height = (12 + 3) + (3 + 1) + (1 + 1)

    assert facts.database
    assert each * height <= 0.8 * facts.database.max_connections
    assert one(rendered(chart), "ConfigMap", "harbor-core")["data"]["QUOTA_UPDATE_PROVIDER"] == "redis"


@BOTH
def test_10_there_is_no_pooler_between_harbor_and_the_writer(chart):
    host = one(rendered(chart), "ConfigMap", "harbor-core")["data"]["POSTGRESQL_HOST"]

    assert host == "harbor-database.abcdefghijkl.eu-central-1.rds.amazonaws.com"
    assert not [
        node
        for node in recorded("ha", preview=False)
        if "proxy" in node.type.lower() and node.type.startswith("aws:rds")
    ]


@BOTH
def test_11_verify_full_comes_with_its_bundle_and_without_the_hook(chart, tmp_path, bundle):
    items = rendered(chart, database={"caBundle": bundle})
    readers = {
        name
        for name in ("core", "jobservice", "registry", "exporter")
        if any((volume.get("secret") or {}).get("secretName") == "harbor-ca" for volume in pod(items, name)["volumes"])
    }

    assert one(items, "ConfigMap", "harbor-core")["data"]["POSTGRESQL_SSLMODE"] == "verify-full"
    assert readers == {"core", "jobservice", "registry", "exporter"}
    assert not [item for item in items if item["kind"] == "Job"]
    (secret,) = prerequisites("ca-bundle", database={"caBundle": bundle})
    assert secret["stringData"]["ca.crt"].count("BEGIN CERTIFICATE") == 1


def test_12_cluster_mode_is_refused():
    for cache in ({"clusterMode": "enabled"}, {"serverless": True}):
        with pytest.raises(ValueError, match=r"cluster mode|several logical databases"):
            facts_of("ha", cache=cache)


@BOTH
def test_13_the_registry_speaks_tls_to_redis(chart):
    container = pod(rendered(chart), "registry")["containers"][0]

    assert environment(container)["REGISTRY_REDIS_ENABLETLS"] == "true"


def test_14_redis_is_a_queue_that_loses_nothing_and_fails_over():
    graph = recorded("ha", preview=False)
    (group,) = graph.of_type("aws:elasticache/replicationGroup:ReplicationGroup")
    (parameters,) = graph.of_type("aws:elasticache/parameterGroup:ParameterGroup")

    assert {"name": "maxmemory-policy", "value": "noeviction"} in parameters.inputs["parameters"]
    assert group.inputs["automaticFailoverEnabled"] is True
    assert group.inputs["snapshotRetentionLimit"] >= 1


@BOTH
def test_15_nothing_rolls_back_and_a_migration_has_its_time(chart):
    spec = release_of()
    probe = pod(rendered(chart), "core")["containers"][0]["startupProbe"]

    assert spec["install"]["strategy"]["name"] == spec["upgrade"]["strategy"]["name"] == "RetryOnFailure"
    assert "rollback" not in str(spec) + str(spec["upgrade"])
    assert probe["failureThreshold"] * probe["periodSeconds"] == 3600


@BOTH
def test_16_trivys_databases_come_from_three_registries(chart):
    container = pod(rendered(chart), "trivy", "StatefulSet")["containers"][0]
    hosts = [one.split("/")[0] for one in environment(container)["SCANNER_TRIVY_DB_REPOSITORY"].split(",")]

    assert hosts == ["mirror.gcr.io", "ghcr.io", "public.ecr.aws"]


@BOTH
def test_17_each_trivy_has_a_volume_of_its_own(chart):
    trivy = one(rendered(chart, "large"), "StatefulSet", "harbor-trivy")["spec"]

    assert trivy["replicas"] == 3
    assert [claim["spec"]["accessModes"] for claim in trivy["volumeClaimTemplates"]] == [["ReadWriteOnce"]]
    assert environment(trivy["template"]["spec"]["containers"][0])["SCANNER_TRIVY_TIMEOUT"] == "10m0s"


@BOTH
def test_18_one_field_is_the_url_the_ingress_and_the_record(chart):
    items = rendered(chart)
    ingress = one(items, "Ingress", "harbor-ingress")["spec"]

    assert one(items, "ConfigMap", "harbor-core")["data"]["EXT_ENDPOINT"] == "https://registry.ha.example.com"
    assert {rule["host"] for rule in ingress["rules"]} == {"registry.ha.example.com"}


@BOTH
def test_19_configuration_has_one_owner_and_the_chart_is_not_it(chart):
    assert "CONFIG_OVERWRITE_JSON" not in manifests(chart, values_of("ha", chartVersion=version_of(chart)))


def test_20_the_csrf_key_has_exactly_32_characters():
    (secret,) = (secret for secret in SECRETS if secret.name == "harbor-xsrf")

    assert secret.properties == {"CSRF_KEY": Password(length=32)}


@BOTH
def test_22_a_garbage_collection_of_days_is_not_taken_for_dead(chart):
    config = yaml.safe_load(one(rendered(chart), "ConfigMap", "harbor-jobservice")["data"]["config.yml"])

    assert config["reaper"]["max_update_hours"] == 72


@BOTH
def test_25_proxy_caches_have_an_hour_for_a_huge_image(chart):
    core = pod(rendered(chart), "core")["containers"][0]
    jobservice = one(rendered(chart), "ConfigMap", "harbor-jobservice-env")["data"]

    assert environment(core)["REGISTRY_HTTP_CLIENT_TIMEOUT"] == jobservice["REGISTRY_HTTP_CLIENT_TIMEOUT"] == "60"


@BOTH
@pytest.mark.parametrize("expose", CLOUD_EXPOSURES)
def test_26_no_certificate_is_the_charts_own(chart, expose):
    items = rendered(chart, **exposed(expose, internalTls=True))

    assert not [item for item in items if item["kind"] == "Secret" and "tls.crt" in (item.get("data") or {})]


@BOTH
def test_27_health_checks_are_answered_and_a_route_waits_for_no_secret(chart):
    alb, route = rendered(chart), rendered(chart, **exposed("route"))
    checks = {
        name: one(alb, "Service", f"harbor-{name}")["metadata"]["annotations"][
            "alb.ingress.kubernetes.io/healthcheck-path"
        ]
        for name in ("core", "portal")
    }
    (download,) = (volume for volume in pod(route, "core")["volumes"] if volume["name"] == "ca-download")

    assert checks == {"core": "/api/v2.0/ping", "portal": "/"}
    assert not download["secret"]
    assert one(route, "HTTPRoute", "harbor-route")["spec"]["hostnames"] == ["registry.ha.example.com"]


def test_every_pain_point_is_on_the_page_with_its_test_or_its_owner():
    rows = {int(row[1]): row[0] for row in re.finditer(r"^\| (\d+) \|.*$", PAGE.read_text(), re.MULTILINE)}
    tested = {int(name[5:7]) for name in globals() if re.match(r"test_\d\d_", name)}

    assert rows.keys() == set(range(1, 28))
    assert tested == {number for number, row in rows.items() if "`test_" in row}
    named = {name for row in rows.values() for name in re.findall(r"`(test_\w+)`", row)}
    assert named <= globals().keys()
    assert {number for number, row in rows.items() if row.endswith("| layer 3 |")} == rows.keys() - tested


@pytest.mark.parametrize("count", [10])
def test_a_mirror_serves_all_image_blocks(chart, count):
    """Over a cloud's and a laptop's environment, no image is left that another registry serves."""
    choice = {"registry": "registry.example.com/hub/goharbor"}
    texts = [
        manifests(chart, values_of("ha", harbor={"images": choice})),
        manifests(chart, values_of("kind", **exposed("nodePort", images=choice))),
    ]
    images = {image for text in texts for image in re.findall(r"image: \"?([^\s\"]+)", text)}

    assert {image.rpartition("/")[0] for image in images} == {"registry.example.com/hub/goharbor"}
    assert len(images) == count


def test_a_template_error_names_template_line_and_variable(chart):
    values = values_of("ha") | {"expose": {"type": "ingress", "ingress": None}}

    with pytest.raises(ChartError) as caught:
        helm.rendered(chart, values)
    assert caught.value.template.endswith(".yaml") or caught.value.template.endswith(".tpl")
    assert caught.value.line
    assert caught.value.variable


def test_the_composition_is_what_the_chart_renders(chart):
    for choices in ({}, {"harbor": {"trivy": {"enabled": False}}}, {"harbor": {"monitoring": {"metrics": False}}}):
        there = {
            item["metadata"]["labels"]["component"]
            for item in rendered(chart, **choices)
            if item["kind"] in {"Deployment", "StatefulSet"}
        }
        assert there == set(Composition.of(facts_of("ha", **choices)).replicas)
