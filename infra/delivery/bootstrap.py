"""Flux's way into a new cluster: what Pulumi makes there once, and then leaves to Flux.

Namespace, operator, the credential that Flux reads Git with, facts for whoever deploys beside Harbor, and the instance,
which names the repository. Each is created if it is missing; afterwards Pulumi ignores its content, since a program
that keeps owning Flux's objects fights Flux. With the cluster they go, without being asked for one by one.
"""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes import Provider
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace, Secret
from pulumi_kubernetes.helm.v3 import Release

from infra import tables
from infra.aws.cluster import Cluster
from infra.delivery.instance import NAMESPACE, SYNC, flux_instance, flux_url
from infra.errors import Problem, SettingsError
from infra.settings import Settings

TOKEN = "slipway:delivery:Bootstrap"  # noqa: S105


class Bootstrap(pulumi.ComponentResource):
    """Flux in the cluster, following the environment's branch."""

    def __init__(
        self,
        settings: Settings,
        *,
        cluster: Cluster,
        nodes: pulumi.Resource,
        facts: pulumi.Output[str],
        commit: pulumi.Resource,
    ) -> None:
        super().__init__(TOKEN, "bootstrap", None, None)
        provider = Provider(
            "kubernetes",
            kubeconfig=cluster.kubeconfig,
            # EKS gives every cluster an endpoint of its own: a replaced cluster is another one and gets its objects
            # anew, while nothing else in the kubeconfig makes a difference.
            cluster_identifier=cluster.endpoint,
            opts=pulumi.ResourceOptions(parent=self, deleted_with=cluster.resource),
        )
        self._provider, self._cluster = provider, cluster
        namespace = Namespace(NAMESPACE, metadata={"name": NAMESPACE}, opts=self._once("metadata"))
        info = ConfigMap(
            "flux-runtime-info",
            metadata={"name": "flux-runtime-info", "namespace": NAMESPACE, "labels": _WATCHED},
            data=facts.apply(runtime_info),
            opts=self._once(after=[namespace]),  # its content follows the facts
        )
        # Its pods need nodes, and names resolved: CoreDNS is one of the cluster's add-ons.
        operator = Release(
            "flux-operator",
            name="flux-operator",
            chart=tables.read("flux")["operator"]["chart"],
            version=tables.read("flux")["operator"]["version"],
            namespace=NAMESPACE,
            opts=self._once("chart", "version", "values", after=[namespace, nodes, cluster]),
        )
        credential = self._credential(settings, namespace)
        CustomResource(
            "flux",
            api_version="fluxcd.controlplane.io/v1",
            kind="FluxInstance",
            metadata={"name": "flux", "namespace": NAMESPACE},
            spec=instance_spec(settings, pull_secret=bool(credential)),
            # Flux finds its first commit there, and the way to read it.
            opts=self._once("spec", after=[operator, info, commit, *credential]),
        )
        self.register_outputs({})

    def _credential(self, settings: Settings, namespace: pulumi.Resource) -> list[pulumi.Resource]:
        """Declare the Secret that Flux reads Git with; none for a public repository."""
        data = credential(settings)
        if not data:
            return []
        secret = Secret(
            "git-credential",
            metadata={"name": SYNC, "namespace": NAMESPACE},
            string_data=pulumi.Output.secret(data),
            opts=self._once("stringData", "data", after=[namespace]),
        )
        return [secret]

    def _once(self, *ignored: str, after: list[pulumi.Resource] | None = None) -> pulumi.ResourceOptions:
        """Give the options of an object that is made once."""
        return pulumi.ResourceOptions(
            parent=self,
            provider=self._provider,
            depends_on=after,
            ignore_changes=[*ignored],
            deleted_with=self._cluster.resource,
            # Out of the program is not out of the cluster: deleting the namespace would take Flux with it.
            retain_on_delete=True,
        )


_WATCHED = {"reconcile.fluxcd.io/watch": "Enabled"}


def refuse_unreachable(settings: Settings) -> None:
    """Stop before anything is made if `up` could not reach the API server that it makes, minutes later.

    Raises:
        SettingsError: there is no way in.
    """
    access = settings.cluster
    if not access.public_access_cidrs and not access.private_access:
        raise SettingsError(
            Problem(
                where="slipway:cluster",
                what="nobody outside the VPC reaches the API server, and `pulumi up` has to: it installs Flux",
                fix="give publicAccessCidrs the network that `up` runs in (it can be taken out again afterwards), "
                "or privateAccess: true where the VPC's addresses are routed to",
            )
        )


def runtime_info(facts: str) -> dict[str, str]:
    """Give what a team's own Kustomizations may want to know, from the facts as JSON text; all values are strings."""
    known = json.loads(facts)
    aws = known["aws"]
    return {
        "ENVIRONMENT": known["environment"],
        "HARBOR_HOST": known["host"],
        "AWS_ACCOUNT_ID": aws["accountId"],
        "AWS_REGION": aws["region"],
        "CLUSTER_NAME": aws["clusterName"],
        "HOSTED_ZONE_ID": aws["hostedZoneId"],
        "VPC_ID": aws["vpcId"],
    }


def credential(settings: Settings) -> dict[str, str]:
    """Give the content of the Secret that Flux reads Git with: the reader's identity, never the writer's."""
    if settings.git_read_key:
        return {"identity": settings.git_read_key.get_secret_value(), "known_hosts": settings.gitops.known_hosts}
    if settings.git_read_token:
        # Hosts that take a token as password ignore the name or want any.
        return {"username": "git", "password": settings.git_read_token.get_secret_value()}
    return {}


def instance_spec(settings: Settings, *, pull_secret: bool) -> Mapping[str, Any]:
    """Give the FluxInstance's spec: which Flux, and the branch and folder that it follows."""
    return flux_instance(
        flux_url(settings.gitops.repository),
        branch=settings.gitops.branch,
        path="/".join(filter(None, (settings.gitops.path, "clusters", settings.environment))),
        cluster="aws",
        pull_secret=pull_secret,
    )
