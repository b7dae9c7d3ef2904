"""Each component asked inside its own pod, past every load balancer: testinfra's commands by `kubectl exec`.

The commands are those with which Harbor's images ask for their own health.
"""

import json
import time
from urllib.parse import urlencode

import pytest

NAMESPACE = "harbor"
SECONDS_APART = 5
#: Container → what it answers at, plain and with TLS inside the cluster.
COMPONENTS = {
    "core": ("8080/api/v2.0/ping", "8443/api/v2.0/ping"),
    "portal": ("8080/", "8443/"),
    "registry": ("5000/", "5443/"),
    "registryctl": ("8080/api/health", "8443/api/health"),
    "jobservice": ("8080/api/v1/stats", "8443/api/v1/stats"),
    "trivy": ("8080/probe/healthy", "8443/probe/healthy"),
}


@pytest.fixture(scope="session")
def pods(machine, cluster):
    """Harbor's pods that should run."""
    options = " ".join(f"--{name}='{value}'" for name, value in cluster.items())
    listed = json.loads(machine.check_output(f"kubectl {options} -n {NAMESPACE} get pods -o json"))
    return [pod for pod in listed["items"] if pod["status"].get("phase") not in {"Succeeded", "Failed"}]


@pytest.fixture
def inside(pods, cluster):
    """Give a way into every pod that has a container of some name; skips where there is none."""
    import testinfra

    def ways(container):
        found = [pod for pod in pods if container in {one["name"] for one in pod["spec"]["containers"]}]
        if not found:
            pytest.skip(f"no pod has a container {container}")
        query = urlencode({"container": container, "namespace": NAMESPACE, **cluster})
        return {
            pod["metadata"]["name"]: testinfra.get_host(f"kubectl://{pod['metadata']['name']}?{query}")
            for pod in found
        }  # fmt: skip

    return ways


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_pod_answers_for_itself(component, inside):
    plain, secured = COMPONENTS[component]
    command = (
        f"curl --fail --silent --max-time 5 http://localhost:{plain}"
        f" || curl --fail --silent --insecure --max-time 5 https://localhost:{secured}"
    )

    silent = [f"{pod}: {ran.rc}" for pod, host in inside(component).items() if (ran := host.run(command)).failed]

    assert not silent, f"kubectl -n {NAMESPACE} logs POD -c {component}; no answer in {', '.join(silent)}"


def test_replicas_of_the_registry_see_one_storage_and_may_write(inside, pods):
    mounts = [
        mount["mountPath"]
        for pod in pods
        for container in pod["spec"]["containers"]
        if container["name"] == "registry"
        for mount in container.get("volumeMounts", [])
    ]
    if "/storage" not in mounts:
        pytest.skip("blobs are in a bucket")
    ways = inside("registry")

    sources = {pod: host.check_output("df -P /storage").splitlines()[-1].split()[0] for pod, host in ways.items()}
    closed = [pod for pod, host in ways.items() if host.run("test -w /storage").failed]

    assert len(set(sources.values())) == 1, f"registry pods must share one storage: {sources}"
    assert not closed, f"the access point's owner must be 10000: {', '.join(closed)} may not write"


@pytest.mark.parametrize("component", ["core", "registry"])
def test_clocks_agree_so_that_tokens_count(component, inside):
    apart = {}
    for pod, host in inside(component).items():
        before = time.time()
        there = int(host.check_output("date +%s"))
        apart[pod] = there - (before + time.time()) / 2

    assert max(map(abs, apart.values())) < SECONDS_APART, f"seconds off this machine's clock, by pod: {apart}"
