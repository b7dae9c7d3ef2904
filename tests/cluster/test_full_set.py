"""ha with everything that can be on at once, from the stack file to delivered: real engine, real Flux, real API server."""

import json
import subprocess

import yaml

from slipway.rehearse.cluster.processes import Processes
from tests.engine.project import Project

#: What needs a kind that the rehearsed cluster has not (ServiceMonitors, rules, a Gateway) stays off, as in a cluster without;
#: so does `notify`, whose address somebody puts into Secrets Manager by hand.
EVERYTHING = {
    "autoscaling": {"enabled": True, "core": 4},
    "scheduling": {"nodeSelector": {"kubernetes.io/os": "linux"}},
    "monitoring": {"dashboard": True},
    "trace": {"endpoint": "collector.tracing:4318"},
    "cacheLayer": {"enabled": True},
    "proxy": {"https": "http://proxy.example.com:3128"},
    "internalTls": True,
    "logging": {"level": "debug", "auditForward": "syslog.example.com:514"},
    "scannerAdapter": {"name": "other", "url": "http://scanner.scanning:8080"},
    "images": {"registry": "registry.example.com/hub/goharbor", "pullSecret": "mirror"},
    "pullSecrets": {"enabled": True},
    "layer3": {"enabled": True, "image": "registry.example.com/slipway:1", "rotate": "23 4 * * *"},
}


def test_ha_with_the_full_set_is_delivered_and_a_second_run_changes_nothing(tmp_path):
    project = Project(tmp_path)
    project.own_code()
    stack = tmp_path / "stacks" / "Pulumi.ha.yaml"
    document = yaml.safe_load(stack.read_text())
    document["config"]["slipway:harbor"] = EVERYTHING
    stack.write_text(yaml.safe_dump(document))
    inside = tmp_path / "stacks" / "ha" / "harbor.yaml"
    inside.parent.mkdir(exist_ok=True)
    inside.write_text("policy: {ledger: {type: configmap}}\nlabels: [{name: approved}]\n")
    cluster = tmp_path / ".slipway" / "rehearse" / "ha" / "cluster"
    try:
        first, second = rehearse(project, "--keep"), rehearse(project, "--keep")
        objects = {
            kind: named(cluster, kind)
            for kind in ("networkpolicy", "hpa", "pdb", "job", "cronjob", "configmap", "secret")
        }
    finally:
        Processes(cluster).stop()

    assert first["delivery"]["verdict"] == second["delivery"]["verdict"] == "delivered"
    assert not second["delivery"]["new"]
    assert second["commit"]["created"] == 0
    assert {"harbor-core", "harbor-registry", "harbor-portal"} <= objects["hpa"]
    assert {"harbor-core", "harbor-jobservice", "harbor-trivy"} <= objects["pdb"]
    assert len(objects["networkpolicy"]) > 6
    assert any(name.startswith("harbor-database-") for name in objects["job"])
    assert objects["cronjob"] == {"harbor-layer3", "harbor-layer3-rotate"}
    # Their robot's Secret can only be made when Harbor runs: the delivery did not wait for it.
    assert "harbor-layer3" in objects["configmap"]
    assert "harbor-layer3" not in objects["secret"]


def rehearse(project: Project, *options: str) -> dict:
    with project.start("ha", "--speed", "0", "--output", "json", *options) as process:
        out, said = process.communicate(timeout=400)
    assert process.returncode == 0, said
    return json.loads(out)


def named(cluster, kind: str) -> set[str]:
    """Give the names of a kind in Harbor's namespace, as kubectl lists them."""
    from slipway.rehearse.folders import kubeconfig_of
    from slipway.tools.find import find

    kubectl = find("kubectl", progress=lambda _: None, announce=lambda _: None).path
    command = [str(kubectl), "--kubeconfig", str(kubeconfig_of(cluster)), "-n", "harbor", "get", kind, "-o", "json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {item["metadata"]["name"] for item in json.loads(listed)["items"]}
