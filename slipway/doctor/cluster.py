"""The cluster: reachable, of the right version, with Flux, with the rights of `slipway status`. It only asks."""

import re
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from infra import tables
from infra.naming import Names
from slipway.doctor.check import Check, Failed, Skipped, Warned
from slipway.doctor.scene import ANSWER_SECONDS, Scene

if TYPE_CHECKING:
    from httpx2 import Client

FLUX, HARBOR = "flux-system", "harbor"
_EKS = re.compile(r"^arn:[^:]+:eks:(?P<region>[^:]+):\d+:cluster/(?P<name>.+)$")
_UPDATE = "aws eks update-kubeconfig --name {name} --region {region}"
#: What `slipway status` reads: namespace, group, resource.
READS = (
    (FLUX, "source.toolkit.fluxcd.io", "gitrepositories"),
    (FLUX, "kustomize.toolkit.fluxcd.io", "kustomizations"),
    (FLUX, "apps", "deployments"),
    (HARBOR, "helm.toolkit.fluxcd.io", "helmreleases"),
    (HARBOR, "source.toolkit.fluxcd.io", "helmcharts"),
    (HARBOR, "external-secrets.io", "externalsecrets"),
    (HARBOR, "apps", "deployments"),
    (HARBOR, "apps", "statefulsets"),
    (HARBOR, "networking.k8s.io", "ingresses"),
    (HARBOR, "", "services"),
    (HARBOR, "", "pods"),
    (HARBOR, "", "events"),
)
#: Without these nothing is delivered.
CONTROLLERS = ("helm-controller", "kustomize-controller", "source-controller")


def kubeconfig(scene: Scene) -> str:
    """Read the kubeconfig, and look whether it leads to this environment; before the first `up` there is none."""
    from infra.errors import ClusterError  # noqa: PLC0415

    wanted = Names(scene.environment).physical()
    update = _UPDATE.format(name=wanted, region=scene.settings.region)
    try:
        with scene.cluster() as client:
            config = client.config
    except ClusterError as error:
        if scene.kubeconfig or scene.context:
            raise
        raise Skipped(f"no kubeconfig here names a cluster; once there is one: {update}") from error
    named = _EKS.match(config.context.cluster or "") or _EKS.match(config.context_name or "")
    shown = f"{config.context_name} ({config.cluster.server})"
    # A rebuilt cluster has its number behind the name.
    if named and (named["region"] != scene.settings.region or not re.fullmatch(rf"{wanted}(-\d+)?", named["name"])):
        raise Failed(f"{shown} is another cluster than {wanted} in {scene.settings.region}", update)
    program = config.user.exec.command if config.user and config.user.exec else ""
    if program and shutil.which(program) is None:
        raise Failed(f"the kubeconfig logs in with {program}, which is not on PATH", f"install {program}")
    return shown


def reach(scene: Scene) -> str:
    """Ask for the version, which everybody who is known may."""
    with _api(scene) as ask:
        found = ask("GET", "/version")
    version = f"{found.get('major')}.{str(found.get('minor', '')).rstrip('+')}"
    wanted = scene.settings.kubernetes_version
    if version != wanted:
        raise Warned(
            f"Kubernetes {found.get('gitVersion')}; the settings say {wanted}",
            "pulumi up upgrades it, one minor at a time; or correct kubernetesVersion",
        )
    return f"Kubernetes {found.get('gitVersion')}"


def flux(scene: Scene) -> str:
    """Look for Flux's kinds, then its controllers and their version."""
    with _api(scene) as ask:
        if not ask("GET", "/apis/source.toolkit.fluxcd.io/v1"):
            raise Failed(
                "there is no Flux in this cluster", "pulumi up installs it; is this the environment's cluster?"
            )
        listed = ask("GET", f"/apis/apps/v1/namespaces/{FLUX}/deployments")
    controllers = {
        one["metadata"]["name"]: one
        for one in listed.get("items", ())
        if one["metadata"].get("labels", {}).get("app.kubernetes.io/part-of") == "flux"
    }
    if missing := [name for name in CONTROLLERS if name not in controllers]:
        raise Failed(f"no {', '.join(missing)} in {FLUX}", f"kubectl -n {FLUX} get fluxinstance,deployments")
    labels = controllers["source-controller"]["metadata"]["labels"]
    version, oldest = labels.get("app.kubernetes.io/version", "").lstrip("v"), str(tables.read("flux")["oldest"])
    if version and _ordered(version) < _ordered(oldest):
        raise Failed(f"Flux {version} is older than {oldest}", "set spec.distribution.version of the FluxInstance")
    if waiting := [name for name in CONTROLLERS if not controllers[name].get("status", {}).get("readyReplicas")]:
        raise Failed(f"not ready: {', '.join(waiting)}", f"kubectl -n {FLUX} describe deployment {waiting[0]}")
    return f"Flux {version or 'of an untold version'}"


def rights(scene: Scene) -> str:
    """Ask the API server itself what we may do."""
    with _api(scene) as ask:
        refused = [where for where in READS if not _may(ask, "list", where)]
        reconcile = _may(ask, "patch", READS[0])
    if refused:
        told = ", ".join(f"{resource} in {namespace}" for namespace, _, resource in refused)
        fix = "add your role to cluster.adminRoleArns, or bind the ClusterRole view and one that reads Flux's objects"
        raise Failed(f"slipway status may not list {told}", fix)
    if not reconcile:
        fix = "without it Flux looks at Git at its own interval; nothing else is lost"
        raise Warned("slipway status --wait may not ask Flux to look at Git at once (patch gitrepositories)", fix)
    return "may read all that slipway status shows, and ask Flux to look at once"


def kinds(scene: Scene) -> str:
    """Look for the kinds that the settings take from others: what Flux brings itself comes with it."""
    wanted = list(_wanted_kinds(scene))
    if not wanted:
        raise Skipped("the settings need no kind that others install")
    with _api(scene) as ask:
        served = {version: _kinds_of(ask, version) for version in dict.fromkeys(version for version, _, _ in wanted)}
    missing = [(version, kind, why) for version, kind, why in wanted if kind not in served[version]]
    if missing:
        told = "\n".join(f"{kind} ({version}) is not there, and {why} needs it" for version, kind, why in missing)
        raise Failed(told, "install whose kind it is, or turn the setting off")
    return ", ".join(kind for _, kind, _ in wanted)


def _wanted_kinds(scene: Scene) -> Iterator[tuple[str, str, str]]:
    harbor = scene.settings.harbor
    if harbor.expose.type == "route":
        yield "gateway.networking.k8s.io/v1", "Gateway", "harbor.expose.type route"
        yield "gateway.networking.k8s.io/v1", "HTTPRoute", "harbor.expose.type route"
    if harbor.expose.cluster_issuer:
        yield "cert-manager.io/v1", "ClusterIssuer", "harbor.expose.clusterIssuer"
    if harbor.monitoring.service_monitors:
        yield "monitoring.coreos.com/v1", "ServiceMonitor", "harbor.monitoring.serviceMonitors"
    if harbor.monitoring.rules:
        yield "monitoring.coreos.com/v1", "PrometheusRule", "harbor.monitoring.rules"
    if not harbor.infrastructure.external_secrets:
        yield "external-secrets.io/v1", "ExternalSecret", "harbor.infrastructure.externalSecrets off"
    if harbor.infrastructure.load_balancer_controller is False and harbor.expose.type in {None, "alb"}:
        yield "elbv2.k8s.aws/v1beta1", "TargetGroupBinding", "harbor.infrastructure.loadBalancerController off"


Ask = Callable[..., dict[str, Any]]


@contextmanager
def _api(scene: Scene) -> Generator[Ask]:
    """Give a way to ask by plain documents; what is not there is empty.

    Raises:
        ClusterError, ClusterAway: see `infra.delivery.status.observe.asked`.
        Failed: the API server refuses us.
    """
    from lightkube.config.client_adapter import Client, ConnectionParams  # noqa: PLC0415
    from lightkube.core.exceptions import ConfigError  # noqa: PLC0415

    from infra.delivery.status.observe import asked  # noqa: PLC0415

    with scene.cluster() as known:
        try:
            params = ConnectionParams(timeout=_timeout(), trust_env=False)
            with Client(known.config, params) as http:
                yield lambda method, path, document=None: asked(known, lambda: _sent(http, method, path, document))
        except ConfigError as error:  # of the program that logs in
            raise Failed(str(error).strip(), "log in again: aws sso login; aws eks update-kubeconfig") from error


def _timeout() -> Any:  # noqa: ANN401  # httpx2's
    import httpx2  # noqa: PLC0415

    return httpx2.Timeout(ANSWER_SECONDS)


def _sent(http: "Client", method: str, path: str, document: dict[str, Any] | None) -> dict[str, Any]:
    answer = http.request(method, path, json=document)
    if answer.status_code == HTTPStatus.NOT_FOUND:
        return {}
    try:
        said = answer.json()
    except ValueError:
        raise Failed(f"{http.base_url} answers {answer.status_code}, and not as an API server does") from None
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        fix = "log in again: aws sso login; the role must be in cluster.adminRoleArns"
        raise Failed(f"{http.base_url} does not know us", fix)
    if answer.status_code == HTTPStatus.FORBIDDEN:
        raise Failed(f"{http.base_url} refuses us: {said.get('message')}", "add your role to cluster.adminRoleArns")
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        raise Failed(f"{http.base_url} answers {answer.status_code}: {said.get('message')}", "try again in a moment")
    return said


def _may(ask: Ask, verb: str, where: tuple[str, str, str]) -> bool:
    namespace, group, resource = where
    attributes = {"verb": verb, "namespace": namespace, "group": group, "resource": resource}
    kind = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    review = {**kind, "spec": {"resourceAttributes": attributes}}
    answer = ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool(answer.get("status", {}).get("allowed"))


def _kinds_of(ask: Ask, version: str) -> set[str]:
    return {one["kind"] for one in ask("GET", f"/apis/{version}").get("resources", ())}


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())


_NEEDS = ("cluster.reach",)
CHECKS = (
    Check(
        id="cluster.kubeconfig",
        shows="a kubeconfig names the environment's cluster, and its way to log in is there",
        fix="aws eks update-kubeconfig, or give --kubeconfig and --context",
        do=kubeconfig,
        needs=("stack.settings",),
    ),
    Check(
        id="cluster.reach",
        shows="the API server answers, knows us, and has the version of the settings",
        fix="is this machine inside cluster.publicAccessCidrs, or in the VPC?",
        do=reach,
        needs=("cluster.kubeconfig",),
    ),
    Check(
        id="cluster.flux",
        shows="Flux is there, ready, and of a version that Slipway understands",
        fix="kubectl -n flux-system get fluxinstance,deployments",
        do=flux,
        needs=_NEEDS,
    ),
    Check(
        id="cluster.rights",
        shows="we may read what slipway status shows (by SelfSubjectAccessReview)",
        fix="add your role to cluster.adminRoleArns",
        do=rights,
        needs=_NEEDS,
    ),
    Check(
        id="cluster.kinds",
        shows="the kinds that the settings take from others are there",
        fix="install whose kind it is, or turn the setting off",
        do=kinds,
        needs=_NEEDS,
    ),
)
