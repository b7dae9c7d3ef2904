"""Alerts and the dashboard: metrics that exist, rules that Prometheus' own tool takes and that fire, and runbooks."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.conftest import EVERYTHING, RUNBOOKS, environment, objects_of, one, values_of

ROOT = Path(__file__).parents[2]
#: Every metric that we may ask for, and the labels that it has beside those of the scrape.
METRICS = {
    # Harbor v2.14.3 and v2.15.1, src/pkg/exporter/*.go
    "harbor_up": {"component"}, "harbor_health": set(), "harbor_task_queue_size": {"type"},
    "harbor_task_queue_latency": {"type"}, "harbor_task_concurrency": {"type", "pool"},
    "harbor_project_quota_usage_byte": {"project_name"}, "harbor_project_quota_byte": {"project_name"},
    "harbor_statistics_total_project_amount": set(), "harbor_statistics_total_storage_consumption": set(),
    # the same, src/lib/metric/*.go, with METRIC_SUBSYSTEM of the chart's ConfigMaps
    "harbor_core_http_request_total": {"method", "code", "operation"},
    "harbor_core_http_request_duration_seconds": {"method", "operation", "quantile"},
    "harbor_core_http_inflight_requests": set(), "harbor_jobservice_task_total": {"type", "status"},
    # goharbor.io, Access Metrics: those of distribution
    "registry_http_requests_total": {"code", "handler", "method"},
    "registry_http_response_size_bytes_sum": {"handler"},
    "registry_storage_action_seconds_bucket": {"action", "driver", "le"},
    # kube-state-metrics 2, docs/metrics
    "kube_deployment_spec_replicas": {"deployment"}, "kube_deployment_status_replicas_available": {"deployment"},
    "kube_statefulset_replicas": {"statefulset"}, "kube_statefulset_status_replicas_ready": {"statefulset"},
    "kube_pod_container_status_waiting_reason": {"container", "reason"}, "kube_pod_status_phase": {"phase"},
    "kube_job_status_failed": {"job_name"},
    "kube_horizontalpodautoscaler_status_current_replicas": {"horizontalpodautoscaler"},
    "kube_horizontalpodautoscaler_spec_max_replicas": {"horizontalpodautoscaler"},
    "kube_horizontalpodautoscaler_spec_min_replicas": {"horizontalpodautoscaler"},
    # kubelet and cAdvisor
    "kubelet_volume_stats_available_bytes": {"persistentvolumeclaim"},
    "kubelet_volume_stats_capacity_bytes": {"persistentvolumeclaim"},
    "container_cpu_usage_seconds_total": {"container"}, "container_memory_working_set_bytes": {"container"},
    # fluxoperator.dev, Monitoring
    "flux_resource_info": {"kind", "name", "exported_namespace", "ready", "suspended", "reason"},
    # External Secrets 2.9, pkg/controllers/externalsecret/esmetrics
    "externalsecret_status_condition": {"name", "condition", "status", "exported_namespace"},
}  # fmt: skip
#: What every scraped series has.
SCRAPED = {"namespace", "pod", "instance", "job", "service"}
SELECTOR = re.compile(r"([a-z_]+[a-z])\{([^}]*)\}")
BARE = re.compile(r"\b((?:harbor|registry|kube|kubelet|container|flux|externalsecret)_[a-z_]+)\b(?!\s*=)")


@pytest.fixture(scope="module")
def items():
    return objects_of(values_of(environment("large", harbor=EVERYTHING)))


@pytest.fixture(scope="module")
def rules(items):
    (group,) = one(items, "PrometheusRule")["spec"]["groups"]
    return group["rules"]


@pytest.fixture(scope="module")
def dashboard(items):
    config_map = one(items, "ConfigMap", "harbor-dashboard")
    assert config_map["metadata"]["labels"] == {"grafana_dashboard": "1"}
    return json.loads(config_map["data"]["harbor.json"])


def queries(rules, dashboard) -> list[str]:
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    return [*(rule["expr"] for rule in rules), *panels]


def test_every_query_asks_for_metrics_and_labels_that_exist(rules, dashboard):
    asked = queries(rules, dashboard)
    unknown = [
        (name, label)
        for query in asked
        for name, matchers in SELECTOR.findall(query)
        for label in re.findall(r"(\w+)\s*[=!]~?", matchers)
        if label not in METRICS.get(name, set()) | SCRAPED
    ]

    assert {name for query in asked for name in BARE.findall(query)} == METRICS.keys()
    assert unknown == []


def test_every_query_is_about_harbors_namespace(rules, dashboard):
    for query in queries(rules, dashboard):
        assert all('namespace="harbor"' in m or "exported_namespace=~" in m for _, m in SELECTOR.findall(query)), query


def test_every_alert_says_what_where_and_what_to_do(rules):
    for rule in rules:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"{RUNBOOKS}#{rule['alert'].lower()}"


def test_without_an_address_of_the_runbooks_no_alert_links_to_nowhere():
    unlinked = objects_of(values_of(environment("ha", harbor={"monitoring": {"rules": True}})))
    (group,) = one(unlinked, "PrometheusRule")["spec"]["groups"]

    assert not [rule for rule in group["rules"] if "runbook_url" in rule["annotations"]]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert(rules):
    headings = re.findall(r"^### (Harbor\w+)$", (ROOT / "docs" / "monitoring.md").read_text(), re.MULTILINE)

    assert sorted(headings) == sorted(rule["alert"] for rule in rules)
    known = yaml.safe_load((ROOT / "charts" / "support" / "monitoring.yaml").read_text())["alerts"]
    assert [one["alert"] for one in known] == [rule["alert"] for rule in rules]


def test_no_number_of_the_environment_is_left_out():
    for settings in ({}, {"trivy": {"enabled": False}}):
        for profile in ("dev", "large", "kind"):
            facts = environment(profile, harbor={"monitoring": {"metrics": True, "rules": True}, **settings})
            text = json.dumps(one(objects_of(values_of(facts)), "PrometheusRule"))

            assert not re.search(r"<\w+>", text)


@pytest.mark.parametrize(
    ("profile", "options", "absent"),
    [
        ("kind", {}, {"HarborDatabaseConnections", "HarborDatabaseJobFailed", "HarborSecretNotRefreshed", "HarborAutoscalerAtMost", "HarborLayer3Failed"}),
        ("ha", {"trivy": {"enabled": False}}, {"HarborVolumeNearlyFull", "HarborAutoscalerAtMost", "HarborLayer3Failed"}),
        ("ha", {"monitoring": {"metrics": False, "rules": True}}, {"HarborComponentDown", "HarborExporterAbsent", "HarborCoreErrors", "HarborRegistryErrors", "HarborStorageSlow", "HarborQueueStuck", "HarborQueueBacklog", "HarborJobsFail", "HarborQuotaNearlyUsed", "HarborAutoscalerAtMost", "HarborLayer3Failed"}),
    ],
)  # fmt: skip
def test_an_alert_about_what_is_not_there_is_not_there(rules, profile, options, absent):
    harbor = {"monitoring": {"metrics": True, "rules": True}, **options}
    (group,) = one(objects_of(values_of(environment(profile, harbor=harbor))), "PrometheusRule")["spec"]["groups"]

    assert {rule["alert"] for rule in rules} - {rule["alert"] for rule in group["rules"]} == absent


def test_the_dashboard_is_one_that_grafana_takes(dashboard):
    panels = dashboard["panels"]
    places = [(panel["gridPos"]["y"], panel["gridPos"]["x"]) for panel in panels]

    assert len({panel["id"] for panel in panels}) == len(panels) == 24
    assert places == sorted(set(places))
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    assert dashboard["templating"]["list"][0]["type"] == "datasource"
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels if panel["type"] != "row")


def test_a_row_about_what_is_off_is_not_there():
    harbor = {"trivy": {"enabled": False}, "monitoring": {"dashboard": True}}
    text = one(objects_of(values_of(environment("ha", harbor=harbor))), "ConfigMap", "harbor-dashboard")["data"][
        "harbor.json"
    ]
    rows = [panel["title"] for panel in json.loads(text)["panels"] if panel["type"] == "row"]

    assert rows == ["Harbor", "core", "registry", "jobservice", "Pods"]
    assert "trivy" not in text.lower()


@pytest.fixture
def promtool():
    if not (found := shutil.which("promtool")):
        pytest.skip("no promtool on PATH: apt-get install prometheus, or take it from a release of Prometheus")
    return found


def test_prometheus_takes_the_rules(promtool, rules, tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "harbor", "rules": rules}]}))
    done = subprocess.run(
        [promtool, "check", "rules", "--lint-fatal", str(path)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert f"{len(rules)} rules found" in done.stdout


#: alert → series in which it fires (constant, or `a+bxn`), the labels that it then has, and a series in which it must not.
SITUATIONS = {
    "HarborComponentDown": (
        {'harbor_up{namespace="harbor", component="redis"}': "0x99", 'harbor_up{namespace="harbor", component="core"}': "1x99"},
        [{"component": "redis"}],
        {'harbor_up{namespace="harbor", component="redis"}': "1x99"},
    ),
    "HarborExporterAbsent": (
        {'harbor_up{namespace="harbor", component="core"}': "1x99"},
        [{"namespace": "harbor"}],
        {'harbor_health{namespace="harbor"}': "1x99"},
    ),
    "HarborCoreErrors": (
        {'harbor_core_http_request_total{namespace="harbor", code="500"}': "0+6x99", 'harbor_core_http_request_total{namespace="harbor", code="200"}': "0+94x99"},
        [{}],
        {'harbor_core_http_request_total{namespace="harbor", code="404"}': "0+6x99", 'harbor_core_http_request_total{namespace="harbor", code="200"}': "0+94x99"},
    ),
    "HarborRegistryErrors": (
        {'registry_http_requests_total{namespace="harbor", code="503"}': "0+6x99", 'registry_http_requests_total{namespace="harbor", code="200"}': "0+94x99"},
        [{}],
        {'registry_http_requests_total{namespace="harbor", code="503"}': "0+4x99", 'registry_http_requests_total{namespace="harbor", code="200"}': "0+96x99"},
    ),
    "HarborStorageSlow": (
        {f'registry_storage_action_seconds_bucket{{namespace="harbor", action="Stat", le="{le}"}}': f"0+{n}x99" for le, n in (("2.5", 10), ("5", 50), ("10", 100), ("+Inf", 100))},
        [{"action": "Stat"}],
        {f'registry_storage_action_seconds_bucket{{namespace="harbor", action="Stat", le="{le}"}}': f"0+{n}x99" for le, n in (("2.5", 95), ("5", 99), ("10", 100), ("+Inf", 100))},
    ),
    "HarborQueueStuck": (
        {'harbor_task_queue_latency{namespace="harbor", type="REPLICATION"}': "4000+60x99"},
        [{"type": "REPLICATION"}],
        {'harbor_task_queue_latency{namespace="harbor", type="REPLICATION"}': "3500x99"},
    ),
    "HarborQueueBacklog": (
        {'harbor_task_queue_size{namespace="harbor", type="IMAGE_SCAN"}': "1001x99"},
        [{"type": "IMAGE_SCAN"}],
        {'harbor_task_queue_size{namespace="harbor", type="IMAGE_SCAN"}': "1000x99"},
    ),
    "HarborJobsFail": (
        {'harbor_jobservice_task_total{namespace="harbor", type="WEBHOOK", status="fail"}': "0+2x99", 'harbor_jobservice_task_total{namespace="harbor", type="WEBHOOK", status="success"}': "0+1x99"},
        [{"type": "WEBHOOK"}],
        {'harbor_jobservice_task_total{namespace="harbor", type="WEBHOOK", status="fail"}': "0+1x99", 'harbor_jobservice_task_total{namespace="harbor", type="WEBHOOK", status="success"}': "0+2x99"},
    ),
    "HarborQuotaNearlyUsed": (
        {'harbor_project_quota_usage_byte{namespace="harbor", project_name="a"}': "95x99", 'harbor_project_quota_byte{namespace="harbor", project_name="a"}': "100x99"},
        [{"project_name": "a"}],
        # -1: no quota
        {'harbor_project_quota_usage_byte{namespace="harbor", project_name="a"}': "95x99", 'harbor_project_quota_byte{namespace="harbor", project_name="a"}': "-1x99"},
    ),
    "HarborPodsMissing": (
        {'kube_deployment_spec_replicas{namespace="harbor", deployment="harbor-core"}': "2x99", 'kube_deployment_status_replicas_available{namespace="harbor", deployment="harbor-core"}': "1x99",
         'kube_statefulset_replicas{namespace="harbor", statefulset="harbor-trivy"}': "3x99", 'kube_statefulset_status_replicas_ready{namespace="harbor", statefulset="harbor-trivy"}': "0x99"},
        [{"namespace": "harbor", "deployment": "harbor-core", "workload": "harbor-core"}, {"namespace": "harbor", "statefulset": "harbor-trivy", "workload": "harbor-trivy"}],
        {'kube_deployment_spec_replicas{namespace="harbor", deployment="harbor-core"}': "2x99", 'kube_deployment_status_replicas_available{namespace="harbor", deployment="harbor-core"}': "2x99"},
    ),
    "HarborPodCrashLooping": (
        {'kube_pod_container_status_waiting_reason{namespace="harbor", pod="harbor-core-1", container="core", reason="CrashLoopBackOff"}': "1 0 0 1 0 0 1x93"},
        [{"pod": "harbor-core-1", "container": "core"}],
        {'kube_pod_container_status_waiting_reason{namespace="harbor", pod="harbor-core-1", container="core", reason="ContainerCreating"}': "1x99"},
    ),
    "HarborVolumeNearlyFull": (
        {'kubelet_volume_stats_available_bytes{namespace="harbor", persistentvolumeclaim="data-harbor-trivy-0"}': "10x99", 'kubelet_volume_stats_capacity_bytes{namespace="harbor", persistentvolumeclaim="data-harbor-trivy-0"}': "100x99"},
        [{"namespace": "harbor", "persistentvolumeclaim": "data-harbor-trivy-0"}],
        # EFS has no end.
        {'kubelet_volume_stats_available_bytes{namespace="harbor", persistentvolumeclaim="harbor-registry"}': "10x99", 'kubelet_volume_stats_capacity_bytes{namespace="harbor", persistentvolumeclaim="harbor-registry"}': "100x99"},
    ),
    "HarborDatabaseConnections": (
        {f'kube_pod_status_phase{{namespace="harbor", phase="Running", pod="harbor-core-{n}"}}': "1x99" for n in range(60)},
        [{}],
        {f'kube_pod_status_phase{{namespace="harbor", phase="Running", pod="harbor-core-{n}"}}': "1x99" for n in range(12)},
    ),
    "HarborDatabaseJobFailed": (
        {'kube_job_status_failed{namespace="harbor", job_name="harbor-database-0a1b2c3d", reason="BackoffLimitExceeded"}': "9x99"},
        [{"job_name": "harbor-database-0a1b2c3d"}],
        {'kube_job_status_failed{namespace="harbor", job_name="harbor-database-0a1b2c3d"}': "1x99"},
    ),
    "HarborAutoscalerAtMost": (
        {f'kube_horizontalpodautoscaler_{name}{{namespace="harbor", horizontalpodautoscaler="harbor-core"}}': f"{n}x99" for name, n in (("status_current_replicas", 8), ("spec_max_replicas", 8), ("spec_min_replicas", 4))},
        [{"namespace": "harbor", "horizontalpodautoscaler": "harbor-core"}],
        {f'kube_horizontalpodautoscaler_{name}{{namespace="harbor", horizontalpodautoscaler="harbor-core"}}': f"{n}x99" for name, n in (("status_current_replicas", 4), ("spec_max_replicas", 4), ("spec_min_replicas", 4))},
    ),
    "HarborDeliveryFailed": (
        {'flux_resource_info{exported_namespace="harbor", kind="HelmRelease", name="harbor", ready="False", reason="UpgradeFailed"}': "1x99"},
        [{"kind": "HelmRelease", "name": "harbor", "reason": "UpgradeFailed"}],
        {'flux_resource_info{exported_namespace="harbor", kind="HelmRelease", name="harbor", ready="True", reason="UpgradeSucceeded"}': "1x99"},
    ),
    "HarborDeliverySuspended": (
        {'flux_resource_info{exported_namespace="flux-system", kind="Kustomization", name="harbor", ready="True", suspended="True"}': "1x1600"},
        [{"kind": "Kustomization", "name": "harbor"}],
        {'flux_resource_info{exported_namespace="flux-system", kind="Kustomization", name="other", ready="True", suspended="True"}': "1x1600"},
    ),
    "HarborSecretNotRefreshed": (
        {'externalsecret_status_condition{exported_namespace="harbor", namespace="external-secrets", name="harbor-db", condition="Ready", status="False"}': "1x99"},
        [{"name": "harbor-db"}],
        {'externalsecret_status_condition{exported_namespace="harbor", namespace="external-secrets", name="harbor-db", condition="Ready", status="False"}': "0x99"},
    ),
    "HarborLayer3Failed": (
        {'kube_job_status_failed{namespace="harbor", job_name="harbor-layer3-29400000"}': "1x99"},
        [{"job_name": "harbor-layer3-29400000"}],
        {'kube_job_status_failed{namespace="harbor", job_name="other-29400000"}': "1x99"},
    ),
}  # fmt: skip


def run_test(promtool: str, rules: list[dict], tests: list[dict], folder: Path) -> subprocess.CompletedProcess:
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "harbor", "rules": rules}]}))
    (folder / "test.yaml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests})
    )
    return subprocess.run(
        [promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True, check=False
    )


def situation(alert: str, series: dict[str, str], expected: list[dict], minutes: int) -> dict:
    return {
        "name": alert,
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": expected}],
    }


def test_every_alert_fires_when_it_should_and_only_then(promtool, rules, tmp_path):
    bare = [{key: value for key, value in rule.items() if key != "annotations"} for rule in rules]
    tests = []
    for rule in rules:
        firing, labels, quiet = SITUATIONS[rule["alert"]]
        minutes = 25 * 60 if rule["for"] == "24h" else 90
        expected = [{"exp_labels": {**one, **rule["labels"]}} for one in labels]
        tests += [situation(rule["alert"], firing, expected, minutes), situation(rule["alert"], quiet, [], minutes)]
    done = run_test(promtool, bare, tests, tmp_path)

    assert SITUATIONS.keys() == {rule["alert"] for rule in rules}
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_people_read_has_its_numbers(promtool, rules, tmp_path):
    (rule,) = (rule for rule in rules if rule["alert"] == "HarborCoreErrors")
    expected = {
        "exp_labels": {"severity": "critical"},
        "exp_annotations": {
            **rule["annotations"],
            "summary": "Core answers 6% of requests with an error of its own",
        },
    }
    done = run_test(
        promtool, [rule], [situation("HarborCoreErrors", SITUATIONS["HarborCoreErrors"][0], [expected], 60)], tmp_path
    )

    assert done.returncode == 0, done.stdout + done.stderr
