"""The support chart on the rehearsed cluster: delivered from Git by Flux, and taken by a real API server."""

import json
import shutil
import subprocess

import pytest
import yaml
from lightkube.core.exceptions import ApiError
from lightkube.resources.batch_v1 import Job
from lightkube.resources.networking_v1 import NetworkPolicy

from infra.delivery.status.observe import HelmRelease
from slipway.rehearse.cluster.api import apply, load
from tests.cluster.world import ENVIRONMENT, eventually
from tests.support.conftest import environment, objects_of, values_of
from tests.support.test_chart import ENVIRONMENTS
from values.support import chart_version

#: Other people's kinds, which the rehearsal has no definition of.
ABSENT = {"PrometheusRule", "ClusterExternalSecret", "ClusterSecretStore"}


def jobs(world) -> dict[str, Job]:
    found = world.client.list(Job, namespace="harbor", labels={"app.kubernetes.io/part-of": "harbor"})
    return {job.metadata.name: job for job in found if job.metadata.name.startswith("harbor-database-")}


def test_the_chart_comes_from_git_and_the_job_is_done_before_harbor(world):
    support = world.client.get(HelmRelease, "harbor-support", namespace="harbor").to_dict()
    (job,) = jobs(world).values()
    harbor = world.release()

    assert support["status"]["history"][0]["chartVersion"] == chart_version()
    assert job.status.succeeded == 1
    assert job.status.completionTime.isoformat() <= harbor["status"]["history"][0]["firstDeployed"].replace(
        "Z", "+00:00"
    )
    names = {policy.metadata.name for policy in world.client.list(NetworkPolicy, namespace="harbor")}
    assert {"harbor-default-deny", "harbor-dns", "harbor-core", "harbor-database-job"} <= names


def test_a_rotated_password_is_a_new_job_and_the_old_one_goes(world):
    (before,) = jobs(world)

    world.secrets_manager.rotate(f"harbor/{ENVIRONMENT}/harbor-db", json.dumps({"password": "rotated" * 4}))

    after = eventually(lambda: [name for name, job in jobs(world).items() if name != before and job.status.succeeded])
    assert len(after) == 1
    assert eventually(lambda: list(jobs(world)) == after)


def test_what_somebody_opened_by_hand_is_closed_again(world):
    opened = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
              "metadata": {"name": "harbor-portal", "namespace": "harbor"},
              "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]}}  # fmt: skip
    apply(world.client, opened)

    world.reconcile(HelmRelease, "harbor-support")

    def closed() -> bool:
        policy = world.get(NetworkPolicy, "harbor-portal")["spec"]
        return policy["podSelector"] != {} and "Ingress" in policy["policyTypes"]

    assert eventually(closed)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_api_server_takes_every_object(world, name, tmp_path):
    """Server-side dry run that refuses unknown fields; the pods of the jobs as pods, so that admission judges them."""
    if not (kubectl := shutil.which("kubectl")):
        pytest.skip("no kubectl on PATH: install kubectl 1.30 or newer")
    items = [item for item in objects_of(values_of(ENVIRONMENTS[name]())) if item["kind"] not in ABSENT]
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump_all([*items, *pods_of(items)]))
    command = [kubectl, "--kubeconfig", str(world.cluster.kubeconfig), "apply", "--server-side", "--force-conflicts",
               "--field-manager=test", "--dry-run=server", "--validate=strict", "-f", str(path)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(items) + len(pods_of(items))


def pods_of(items: list[dict]) -> list[dict]:
    specs = [
        item["spec"].get("jobTemplate", item)["spec"]["template"]
        for item in items
        if item["kind"] in {"Job", "CronJob"}
    ]
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"pod-{number}", "namespace": "harbor"},
            "spec": one["spec"],
        }
        for number, one in enumerate(specs)
    ]


def test_the_namespace_refuses_a_pod_that_is_not_restricted(world):
    """The test above can fail."""
    (pod,) = pods_of([item for item in objects_of(values_of(environment("ha"))) if item["kind"] == "Job"])
    del pod["spec"]["containers"][0]["securityContext"]

    with pytest.raises(ApiError, match='violates PodSecurity "restricted'):
        world.client.apply(load(world.client, pod), force=True, dry_run=True, field_manager="test")
