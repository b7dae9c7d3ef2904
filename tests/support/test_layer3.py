"""The jobs that look after what lives inside Harbor: what they run, see and reach, and what is refused before."""

import shutil
import subprocess

import pytest
import yaml

from tests.support.conftest import EVERYTHING, INSIDE, environment, objects_of, one
from tests.values.conftest import facts_of
from values.composition import Composition
from values.cron import kubernetes_schedule
from values.errors import Refused, ValuesError
from values.layer3 import MOST_BYTES
from values.render import render
from values.secrets import secrets_for
from values.support import support_files, support_values

IMAGE = "registry.example.com/slipway:1.0.0"
S3 = {"harbor.yaml": "policy: {ledger: {type: s3, bucket: ledgers, key: prod.json}}\n"}


def made(inside=INSIDE, profile="ha", **layer3) -> list[dict]:
    options = {"enabled": True, "image": IMAGE} | layer3
    facts = environment(profile, harbor={"layer3": options})
    return objects_of(support_values(facts, Composition.of(facts), inside) | revision(facts))


def revision(facts) -> dict:
    if not facts.database:
        return {}
    database = support_values(facts, Composition.of(facts))["database"]
    return {"database": database | {"revision": "0" * 64}}


def pod_of(items, name="harbor-layer3") -> dict:
    return one(items, "CronJob", name)["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def variables(pod) -> dict:
    (container,) = pod["containers"]
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


def test_it_compares_as_a_robot_and_two_never_run_at_once():
    items = made()
    (container,) = pod_of(items)["containers"]
    job = one(items, "CronJob")["spec"]

    assert container["command"] == [
        "slipway", "harbor", "drift", "ha", "--file=/etc/slipway/harbor", "--url=http://harbor-core",
    ]  # fmt: skip
    assert job["concurrencyPolicy"] == "Forbid"
    assert variables(pod_of(items))["SLIPWAY_HARBOR_USERNAME"] == {
        "secretKeyRef": {"name": "harbor-layer3", "key": "username", "optional": True}
    }
    assert variables(pod_of(items))["SLIPWAY_HARBOR_REGISTRY"] == "registry.ha.example.com"
    (rule,) = job["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [2]), "a difference is not looked at twice"


def test_inside_tls_it_trusts_the_internal_authority_and_without_it_says_so():
    facts = environment("ha", harbor=EVERYTHING | {"internalTls": True})
    values = support_values(facts, Composition.of(facts), INSIDE) | revision(facts)
    tls, plain = variables(pod_of(objects_of(values))), variables(pod_of(made()))

    assert tls["SLIPWAY_HARBOR_CA_FILE"] == "/etc/harbor-ca/ca.crt"
    assert "SLIPWAY_HARBOR_ALLOW_HTTP" not in tls
    assert "--url=https://harbor-core" in pod_of(objects_of(values))["containers"][0]["command"]
    assert plain["SLIPWAY_HARBOR_ALLOW_HTTP"] == "true"
    assert "SLIPWAY_HARBOR_CA_FILE" not in plain
    # It would stand in the place of the system's authorities, and no webhook outside could be reached.
    assert "SSL_CERT_FILE" not in tls


def test_of_kubernetes_it_sees_the_ledger_and_nothing_else():
    items = made({"harbor.yaml": "policy: {ledger: {type: configmap, name: ours}}"}, rotate="23 4 * * *")
    (rule,) = one(items, "Role")["rules"]

    assert rule == {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["ours"], "verbs": ["get"]}
    assert one(items, "RoleBinding")["subjects"][0]["name"] == pod_of(items)["serviceAccountName"] == "harbor-layer3"
    assert pod_of(items)["automountServiceAccountToken"] is True
    rotates = pod_of(items, "harbor-layer3-rotate")
    assert rotates["serviceAccountName"] == "harbor-layer3-rotate"
    assert rotates["automountServiceAccountToken"] is False
    assert rotates["containers"][0]["command"][2] == "rotate"


def test_with_the_ledger_elsewhere_it_gets_no_token_of_kubernetes():
    items = made(S3)

    assert not [item for item in items if item["kind"] in {"Role", "RoleBinding"}]
    assert pod_of(items)["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("profile", "inside", "options", "expected"),
    [
        ("ha", INSIDE, {}, [([443], {"anywhere": True})]),
        ("ha", S3, {}, [([443], {"anywhere": True}), ([80], {"cidr": "169.254.170.23/32"})]),
        ("ha", INSIDE, {"rotate": "@daily"}, [([443], {"anywhere": True}), ([80], {"cidr": "169.254.170.23/32"})]),
        ("kind", INSIDE, {}, [([443, 6443], {"anywhere": True})]),
        ("kind", S3, {}, []),
        ("kind", S3, {"notify": True}, [([443], {"anywhere": True})]),
    ],
)
def test_its_way_out_is_as_wide_as_what_it_does(profile, inside, options, expected):
    facts = environment(profile, harbor={"layer3": {"enabled": True, "image": IMAGE} | options})
    out = support_values(facts, Composition.of(facts), inside)["network"]["out"]

    assert [(flow["ports"], flow["to"]) for flow in out if flow["from"] == ["layer3"]] == expected


def test_nothing_waits_for_secrets_that_can_only_be_made_when_harbor_runs():
    facts = environment("ha", harbor={"layer3": {"enabled": True, "image": IMAGE, "notify": True}})
    late = {secret.name: secret for secret in secrets_for(Composition.of(facts).parts) if secret.late}
    found = {
        item["metadata"]["name"]: item["spec"] for item in made(notify=True) if item["kind"] == "ClusterExternalSecret"
    }

    assert found.keys() == late.keys()
    for name, spec in found.items():
        keys = {entry["remoteRef"]["property"] for entry in spec["externalSecretSpec"]["data"]}
        assert keys == late[name].properties.keys()
        assert {entry["remoteRef"]["key"] for entry in spec["externalSecretSpec"]["data"]} == {f"harbor/ha/{name}"}
        assert spec["namespaceSelectors"] == [{"matchLabels": {"kubernetes.io/metadata.name": "harbor"}}]
    assert not [item for item in made(profile="kind") if item["kind"] == "ClusterExternalSecret"]


def built(tmp_path, inside) -> dict:
    facts = environment("ha", harbor={"layer3": {"enabled": True, "image": IMAGE}})
    for path, text in support_files(facts, Composition.of(facts), inside).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    command = ["kubectl", "kustomize", str(tmp_path / "support")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    objects = list(yaml.safe_load_all(done.stdout))
    return one(objects, "ConfigMap", "harbor-layer3")


def test_the_file_is_in_the_pod_as_it_was_written(tmp_path):
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl on PATH: install kubectl 1.30 or newer")
    inside = {"a.yaml": "policy: {ledger: {type: configmap}}\n", "teams--b.yaml": "labels: [{name: '${NOT} a'}]\n"}
    found = built(tmp_path, inside)

    assert found["data"] == inside
    assert found["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/substitute"] == "disabled"
    (volume,) = (each for each in pod_of(made())["volumes"] if each["name"] == "harbor")
    assert volume["configMap"]["name"] == found["metadata"]["name"]


def test_off_it_leaves_no_trace():
    facts = facts_of("ha")

    assert render(facts, inside=INSIDE) == render(facts)


@pytest.mark.parametrize(
    ("inside", "options", "expected"),
    [
        ({}, {}, "stacks/ha/harbor.yaml: harbor.layer3 is enabled, and there is no file to compare Harbor with"),
        ({"harbor.yaml": "labels: []\n"}, {}, "stacks/ha/harbor.yaml policy.ledger: is a file, which the job"),
        ({"a.yaml": "labels: []\n", "b.yaml": "users: []\n"}, {}, "stacks/ha/harbor policy.ledger: is a file"),
        ({"harbor.yaml": "policy: {ledger: {type: configmap, namespace: ci}}"}, {}, "is in namespace ci, and the job"),
        ({"harbor.yaml": "a: ["}, {}, "policy.ledger: is a file"),
        (INSIDE | {"more.yaml": "#" * MOST_BYTES}, {}, "bytes, and a ConfigMap for the job in the cluster takes"),
    ],
)
def test_what_would_fail_in_the_cluster_is_refused_before(inside, options, expected):
    facts = facts_of("ha", harbor={"layer3": {"enabled": True, "image": IMAGE} | options})

    with pytest.raises(ValuesError) as refused:
        render(facts, inside=inside)

    assert expected in str(refused.value)


def test_robots_are_not_renewed_in_a_cluster_without_secrets_manager():
    facts = facts_of("kind", harbor={"layer3": {"enabled": True, "image": IMAGE, "rotate": "@daily"}})

    with pytest.raises(ValuesError, match=r"harbor\.layer3\.rotate: renews robots in the cluster"):
        render(facts, inside=INSIDE)


GOOD = ("17 * * * *", "*/15 0-6 1,15 jan-mar mon-fri", "@daily", "0 0 ? * SUN", "5-59/10 4 * 12 0")
BAD = ("", "* * * *", "0 0 0 * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7", "* * * foo *",
       "*/0 * * * *", "5-1 * * * *", "1-2-3 * * * *", "1,, * * * *", "- * * * *", "@often", "17 * * * x", "٣ * * * *")  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_a_time_that_kubernetes_takes(text):
    assert kubernetes_schedule(text) == text


@pytest.mark.parametrize("text", BAD)
def test_a_time_that_kubernetes_would_refuse(text):
    with pytest.raises(Refused):
        kubernetes_schedule(text)
