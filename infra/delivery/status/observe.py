"""One look at Git and at a cluster: read-only, two dozen requests, no cache.

lightkube and not the kubernetes package: it starts in a fifth of the time and reads any kind as plain data.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightkube import Client, KubeConfig
from lightkube.core.exceptions import ApiError, ConfigError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.apps_v1 import Deployment, StatefulSet
from lightkube.resources.core_v1 import Event, Pod, Service
from lightkube.resources.networking_v1 import Ingress
from lightkube.types import PatchType

from infra import tables
from infra.delivery.git import Git, Remote, repository
from infra.delivery.status.chain import KUSTOMIZATIONS, SECRETS, SOURCE, Observed, made
from infra.errors import ClusterAway, ClusterError, Problem, PublishError

GitRepository = create_namespaced_resource("source.toolkit.fluxcd.io", "v1", "GitRepository", "gitrepositories")
HelmChart = create_namespaced_resource("source.toolkit.fluxcd.io", "v1", "HelmChart", "helmcharts")
Kustomization = create_namespaced_resource("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations")
HelmRelease = create_namespaced_resource("helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases")
ExternalSecret = create_namespaced_resource("external-secrets.io", "v1", "ExternalSecret", "externalsecrets")

FLUX_NAMESPACE = "flux-system"
HARBOR_NAMESPACE = "harbor"
_NOT_FOUND, _UNAUTHORIZED, _FORBIDDEN = 404, 401, 403


def connect(kubeconfig: Path | str | None, context: str | None = None) -> Client:
    """Give a client of a cluster.

    Args:
        kubeconfig: path, or the text of one; None for KUBECONFIG, else a pod's own account, else ~/.kube/config.
        context: None for the current one.

    Raises:
        ClusterError: there is no usable kubeconfig.
    """
    try:
        if isinstance(kubeconfig, str):
            import yaml  # noqa: PLC0415

            config = KubeConfig.from_dict(yaml.safe_load(kubeconfig))
        else:
            config = KubeConfig.from_file(kubeconfig) if kubeconfig else KubeConfig.from_env()
        # Kubernetes is asked directly: a proxy that leads out of the building does not lead to the cluster.
        return Client(config=config.get(context_name=context), trust_env=False)
    except (ConfigError, OSError) as error:
        raise ClusterError(
            Problem(
                where=str(kubeconfig or "KUBECONFIG"),
                what=f"names no cluster: {error}",
                fix="aws eks update-kubeconfig --name NAME, or give --kubeconfig and --context",
            )
        ) from None


def observe(client: Client, git: "Callable[[], tuple[str, str]]", branch: str) -> Observed:
    """Look once.

    Args:
        client: of the cluster.
        git: gives the branch's last commit, or nothing and the reason.
        branch: its name.

    Raises:
        ClusterError: the cluster refuses us, or has no Flux that we understand.
        ClusterAway: it does not answer.
    """
    commit, said = git()
    return asked(client, lambda: _observe(client, commit, said, branch))


def head(remote: Remote) -> tuple[str, str]:
    """Give the last commit of a branch, or nothing and the reason."""
    try:
        with repository(remote) as git:
            return _ls_remote(git, remote), ""
    except PublishError as error:
        return "", "; ".join(f"{problem.where}: {problem.what}" for problem in error.problems)


def release_of(client: Client) -> dict[str, Any] | None:
    """Give Harbor's HelmRelease; None where there is none.

    Raises:
        ClusterError, ClusterAway: see `observe`.
    """
    return asked(client, lambda: _get(client, HelmRelease, "harbor", HARBOR_NAMESPACE))


def request_reconciliation(client: Client, now: str) -> None:
    """Ask Flux to look at Git now instead of at its next interval; who may not ask, or too early, waits for that.

    Raises:
        ClusterError: the cluster does not answer.
    """
    asked(client, lambda: _annotate(client, {"reconcile.fluxcd.io/requestedAt": now}))


def _annotate(client: Client, annotations: Mapping[str, str]) -> None:
    patch = {"metadata": {"annotations": annotations}}
    try:
        client.patch(GitRepository, SOURCE, patch, namespace=FLUX_NAMESPACE, patch_type=PatchType.MERGE)
    except ApiError as error:
        if error.status.code != _FORBIDDEN and not is_absent(error):
            raise


def _ls_remote(git: Git, remote: Remote) -> str:
    answer = git.attempt("ls-remote", "origin", remote.ref)
    if answer.code:
        raise git.unavailable(answer.err)
    return answer.out.partition("\t")[0]


def _observe(client: Client, commit: str, said: str, branch: str) -> Observed:
    source = _get(client, GitRepository, SOURCE, FLUX_NAMESPACE)
    if source is None:
        _refuse_without_flux(client)
    _refuse_old_flux(client)
    kustomizations = {name: _get(client, Kustomization, name, FLUX_NAMESPACE) for name in KUSTOMIZATIONS}
    releases = {
        f"{HARBOR_NAMESPACE}/harbor",
        *(one for found in kustomizations.values() for one in made(found, "HelmRelease")),
    }
    return Observed(
        commit=commit,
        git_says=said,
        branch=branch,
        namespace=HARBOR_NAMESPACE,
        source=source,
        kustomizations=kustomizations,
        external_secrets=_external_secrets(client, kustomizations[SECRETS]),
        releases={which: _get(client, HelmRelease, *_place(which)) for which in releases},
        charts={which: _get(client, HelmChart, which.replace("/", "-"), which.partition("/")[0]) for which in releases},
        workloads=[
            *({**one, "kind": "Deployment"} for one in _list(client, Deployment)),
            *({**one, "kind": "StatefulSet"} for one in _list(client, StatefulSet)),
        ],
        pods=_list(client, Pod),
        events=_list(client, Event),
        entries=[
            *({**one, "kind": "Ingress"} for one in _list(client, Ingress)),
            *({**one, "kind": "Service"} for one in _list(client, Service)),
        ],
    )


def _place(which: str) -> tuple[str, str]:
    """Give name and namespace of what is named namespace/name."""
    namespace, _, name = which.partition("/")
    return name, namespace


def _external_secrets(client: Client, kustomization: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Give Harbor's, and those that the same Kustomization made for others: Flux's alerts have one in its namespace."""
    others = [one for one in made(kustomization, "ExternalSecret") if not one.startswith(f"{HARBOR_NAMESPACE}/")]
    found = [_get(client, ExternalSecret, *_place(one)) for one in others]
    return [*_list(client, ExternalSecret), *(one for one in found if one)]


def _get(client: Client, resource: Any, name: str, namespace: str) -> dict[str, Any] | None:  # noqa: ANN401
    try:
        return client.get(resource, name, namespace=namespace).to_dict()
    except Exception as error:
        if is_absent(error):
            return None
        raise


def _list(client: Client, resource: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    try:
        return [item.to_dict() for item in client.list(resource, namespace=HARBOR_NAMESPACE)]
    except Exception as error:
        if is_absent(error):
            return []
        raise


def is_absent(error: Exception) -> bool:
    """Tell whether an answer means that there is no such object, or no such kind: that one has no Status in it."""
    code = getattr(getattr(error, "status", None), "code", None)
    return (code or getattr(getattr(error, "response", None), "status_code", None)) == _NOT_FOUND


def _refuse_without_flux(client: Client) -> None:
    try:
        list(client.list(GitRepository, namespace=FLUX_NAMESPACE))
    except Exception as error:
        if not is_absent(error):
            raise
        raise ClusterError(
            Problem(
                where=str(client.config.cluster.server),
                what="there is no Flux in this cluster",
                fix="pulumi up installs it; is this the environment's cluster?",
            )
        ) from None


def _refuse_old_flux(client: Client) -> None:
    """Refuse a Flux whose words we do not know; a rehearsal's controllers are no Deployments and pass."""
    oldest = str(tables.read("flux")["oldest"])
    for one in client.list(Deployment, namespace=FLUX_NAMESPACE):
        metadata = one.to_dict()["metadata"]
        labels = metadata.get("labels", {})
        version = labels.get("app.kubernetes.io/version", "").lstrip("v")
        if labels.get("app.kubernetes.io/part-of") == "flux" and version and _ordered(version) < _ordered(oldest):
            raise ClusterError(
                Problem(
                    where=f"{client.config.cluster.server} {metadata['name']}",
                    what=f"Flux {version} is older than {oldest}",
                    fix="upgrade Flux: set spec.distribution.version of the FluxInstance",
                )
            )


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())


def asked(client: Client, ask: "Callable[[], Any]") -> Any:  # noqa: ANN401
    """Ask the cluster, and turn what can go wrong on the way into one clear error.

    Raises:
        ClusterError, ClusterAway: see `observe`.
    """
    where = str(client.config.cluster.server)
    try:
        return ask()
    except ApiError as error:
        if error.status.code == _UNAUTHORIZED:
            what, fix = "does not know us", "log in again: aws eks update-kubeconfig, or aws sso login"
        elif error.status.code == _FORBIDDEN:
            what, fix = f"refuses us: {error.status.message}", "ask for the right to read Flux's objects and Harbor's"
        else:
            raise ClusterAway(
                Problem(where=where, what=f"answers: {error.status.message}", fix="try again in a moment")
            ) from None
        raise ClusterError(Problem(where=where, what=what, fix=fix)) from None
    except Exception as error:
        # The HTTP library's errors have no common class with lightkube's; anything else is our own mistake.
        if type(error).__module__.partition(".")[0] not in {"httpx2", "httpcore2", "ssl"}:
            raise
        raise ClusterAway(
            Problem(
                where=where,
                what=f"cannot be reached: {error}",
                fix="is the kubeconfig's cluster still there, and this machine inside cluster.publicAccessCidrs?",
            )
        ) from None
