"""The cluster: a server that answers as an API server does; each failure and the fix that is shown."""

import json

import pytest

from infra import tables
from tests.doctor import api_server
from tests.doctor.api_server import TOKEN, deployment

EKS = "arn:aws:eks:eu-central-1:123456789012:cluster/"


@pytest.fixture
def api(tmp_path):
    with api_server.serving() as one:
        one.version = f"v{tables.default_kubernetes_version()}.2"
        yield one


@pytest.fixture
def kubeconfig(api, tmp_path):
    """Write kubeconfigs; gives a function from a name of the cluster and a user to the file."""

    def write(name: str = f"{EKS}harbor-ha", user: dict | None = None, server: str = ""):
        path = tmp_path / "kubeconfig"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": server or api.url}}],
            "users": [{"name": "me", "user": user or {"token": TOKEN}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}}],
            "current-context": name,
        }
        path.write_text(json.dumps(document))
        return path

    return write


def test_a_cluster_that_works(project, api, kubeconfig):
    found = project.look_all("cluster", kubeconfig=kubeconfig())

    assert {name: one.state for name, one in found.items()} == {
        "stack.settings": "ok",
        "cluster.kubeconfig": "ok",
        "cluster.reach": "ok",
        "cluster.flux": "ok",
        "cluster.rights": "ok",
        "cluster.kinds": "skipped",
    }
    assert found["cluster.flux"].says == "Flux 2.9.4"
    assert {method for method, path in api.asked if "selfsubjectaccessreviews" not in path} == {"GET"}


def test_no_kubeconfig_is_no_failure_before_the_first_up(project, home):
    found = project.look("cluster.kubeconfig")

    assert found.state == "skipped"
    assert "aws eks update-kubeconfig --name harbor-ha --region eu-central-1" in found.says
    assert project.look("cluster.flux").says == "because cluster.kubeconfig was skipped"


def test_a_kubeconfig_that_was_named_and_is_not_there(project, tmp_path):
    found = project.look("cluster.kubeconfig", kubeconfig=tmp_path / "none")

    assert found.state == "failed"
    assert "names no cluster" in found.says
    assert "--kubeconfig" in found.fix


@pytest.mark.parametrize("name", [f"{EKS}harbor-dev", EKS.replace("central", "west") + "harbor-ha", f"{EKS}other"])
def test_another_environments_cluster(project, kubeconfig, name):
    found = project.look("cluster.kubeconfig", kubeconfig=kubeconfig(name))

    assert found.state == "failed"
    assert "is another cluster than harbor-ha in eu-central-1" in found.says
    assert found.fix == "aws eks update-kubeconfig --name harbor-ha --region eu-central-1"


@pytest.mark.parametrize("name", [f"{EKS}harbor-ha-2", "bastion"])
def test_a_rebuilt_cluster_and_a_name_that_tells_nothing(project, kubeconfig, name):
    assert project.look("cluster.kubeconfig", kubeconfig=kubeconfig(name)).state == "ok"


def login(command: str) -> dict:
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": command, "args": ["token"]}}


def test_a_login_whose_program_is_missing(project, kubeconfig):
    found = project.look("cluster.kubeconfig", kubeconfig=kubeconfig(user=login("no-such-aws")))

    assert found.says == "the kubeconfig logs in with no-such-aws, which is not on PATH"
    assert found.fix == "install no-such-aws"


def test_a_login_that_fails(project, kubeconfig, tmp_path):
    program = tmp_path / "aws"
    program.write_text("#!/bin/sh\necho 'The SSO session has expired' >&2; exit 255\n")
    program.chmod(0o755)
    found = project.look("cluster.reach", kubeconfig=kubeconfig(user=login(str(program))))

    assert found.state == "failed"
    assert "The SSO session has expired" in found.says
    assert "aws sso login" in found.fix


def test_a_cluster_that_is_away(project, kubeconfig):
    found = project.look("cluster.reach", kubeconfig=kubeconfig(server="http://127.0.0.1:9"))

    assert found.state == "failed"
    assert "cannot be reached" in found.says
    assert "cluster.publicAccessCidrs" in found.fix
    assert (
        project.look("cluster.rights", kubeconfig=kubeconfig(server="http://127.0.0.1:9")).says
        == "because cluster.reach failed"
    )


@pytest.mark.parametrize(
    ("user", "fails", "told", "fix"),
    [
        ({"token": "wrong"}, None, "does not know us", "cluster.adminRoleArns"),
        (None, (403, "forbidden: User me"), "refuses us: forbidden: User me", "cluster.adminRoleArns"),
        (None, (503, "etcd is away"), "answers 503: etcd is away", "try again"),
    ],
)
def test_a_cluster_that_says_no(project, api, kubeconfig, user, fails, told, fix):
    api.fails = fails
    found = project.look("cluster.reach", kubeconfig=kubeconfig(user=user))

    assert found.state == "failed"
    assert told in found.says
    assert fix in found.fix


def test_another_version_than_that_of_the_settings(project, api, kubeconfig):
    api.version = "v1.29.0"
    found = project.look("cluster.reach", kubeconfig=kubeconfig())

    assert found.state == "warning"
    assert "Kubernetes v1.29.0; the settings say" in found.says
    assert "kubernetesVersion" in found.fix


def test_no_flux(project, api, kubeconfig):
    api.groups = {}
    found = project.look("cluster.flux", kubeconfig=kubeconfig())

    assert (found.state, found.says) == ("failed", "there is no Flux in this cluster")
    assert "pulumi up installs it" in found.fix


def test_a_flux_without_a_controller(project, api, kubeconfig):
    api.deployments = [deployment("source-controller")]
    found = project.look("cluster.flux", kubeconfig=kubeconfig())

    assert found.says == "no helm-controller, kustomize-controller in flux-system"
    assert "get fluxinstance,deployments" in found.fix


def test_a_flux_that_is_too_old(project, api, kubeconfig):
    api.deployments = [deployment(name, "v2.3.0") for name in api_server.CONTROLLERS]
    found = project.look("cluster.flux", kubeconfig=kubeconfig())

    assert found.says == "Flux 2.3.0 is older than 2.9.0"
    assert "spec.distribution.version" in found.fix


def test_a_flux_that_is_not_ready(project, api, kubeconfig):
    api.deployments = [deployment(name, ready=int(name != "helm-controller")) for name in api_server.CONTROLLERS]
    found = project.look("cluster.flux", kubeconfig=kubeconfig())

    assert found.says == "not ready: helm-controller"
    assert found.fix == "kubectl -n flux-system describe deployment helm-controller"


def test_rights_that_are_missing(project, api, kubeconfig):
    api.denied = {("list", "pods"), ("list", "helmreleases")}
    found = project.look("cluster.rights", kubeconfig=kubeconfig())
    assert found.state == "failed"
    assert found.says == "slipway status may not list helmreleases in harbor, pods in harbor"
    assert "cluster.adminRoleArns" in found.fix

    api.denied = {("patch", "gitrepositories")}
    assert project.look("cluster.rights", kubeconfig=kubeconfig()).state == "warning"


@pytest.mark.parametrize(
    ("harbor", "kind"),
    [
        ("monitoring: {serviceMonitors: true}", "ServiceMonitor (monitoring.coreos.com/v1)"),
        ("monitoring: {rules: true}", "PrometheusRule (monitoring.coreos.com/v1)"),
        ("expose: {type: route, gateway: {name: web, namespace: web}}", "HTTPRoute (gateway.networking.k8s.io/v1)"),
        ("expose: {type: nginx, clusterIssuer: letsencrypt}", "ClusterIssuer (cert-manager.io/v1)"),
        ("infrastructure: {externalSecrets: false}", "ExternalSecret (external-secrets.io/v1)"),
        ("infrastructure: {loadBalancerController: false}", "TargetGroupBinding (elbv2.k8s.aws/v1beta1)"),
    ],
)
def test_kinds_that_the_settings_need(project, api, kubeconfig, harbor, kind):
    project.add(f"  slipway:harbor:\n    {harbor}\n")
    found = project.look("cluster.kinds", kubeconfig=kubeconfig())
    assert found.state == "failed"
    assert f"{kind} is not there, and harbor." in found.says
    assert found.fix == "install whose kind it is, or turn the setting off"

    api.groups |= {
        "monitoring.coreos.com/v1": ["ServiceMonitor", "PrometheusRule"],
        "gateway.networking.k8s.io/v1": ["Gateway", "HTTPRoute"],
        "cert-manager.io/v1": ["ClusterIssuer"],
        "external-secrets.io/v1": ["ExternalSecret"],
        "elbv2.k8s.aws/v1beta1": ["TargetGroupBinding"],
    }
    assert project.look("cluster.kinds", kubeconfig=kubeconfig()).state == "ok"
