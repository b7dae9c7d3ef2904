"""EKS control plane, its access entries, and the add-ons that must be there before a node joins."""

import json

import pulumi
from pulumi_aws import eks, iam

from infra import tables
from infra.aws.identity import pod_role
from infra.aws.logs import log_group
from infra.aws.network import Network
from infra.aws.policies import service_trust
from infra.errors import Problem, SettingsError
from infra.naming import Names, partition
from infra.settings import Settings

TOKEN = "slipway:aws:Cluster"  # noqa: S105

#: Service accounts of add-ons that call AWS, and the managed policy of each. The others get no role.
ADDON_IDENTITIES = {
    "vpc-cni": ("aws-node", "AmazonEKS_CNI_Policy"),
    "aws-efs-csi-driver": ("efs-csi-controller-sa", "service-role/AmazonEFSCSIDriverPolicy"),
    "aws-ebs-csi-driver": ("ebs-csi-controller-sa", "service-role/AmazonEBSCSIDriverPolicy"),
}
ADDON_CONFIGURATION = {
    # Without it the CNI ignores every NetworkPolicy in silence.
    "vpc-cni": {"enableNetworkPolicy": "true"},
}


class Cluster(pulumi.ComponentResource):
    """The EKS cluster.

    Outputs:
        name: of the cluster.
        security_group_id: the group that EKS makes; nodes need it beside their own.
        before_nodes: add-ons that a node needs in order to become ready.
        endpoint: URL of the API server; no other cluster ever has it.
        kubeconfig: for whoever runs the program; it holds no credential, `aws eks get-token` gives one.
        resource: the cluster itself, for `deleted_with`.
    """

    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    resource: pulumi.Resource
    security_group_id: pulumi.Output[str]
    before_nodes: list[pulumi.Resource]

    def __init__(
        self,
        settings: Settings,
        *,
        network: Network,
        key_arn: pulumi.Input[str],
        logs_key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(TOKEN, "cluster", None, opts)
        names, child = Names(settings.environment), pulumi.ResourceOptions(parent=self)
        # A new name makes a new cluster, and all that names it follows; the data knows no cluster.
        rebuilt = settings.restore.cluster
        name = names.physical(str(rebuilt.generation) if rebuilt else "", limit=100)
        # EKS makes this group itself, without retention and encryption, unless it is there first.
        logs = log_group(
            "control-plane", name=f"/aws/eks/{name}/cluster", settings=settings, key_arn=logs_key_arn, parent=self
        )
        access = settings.cluster
        role, attachment = self._role(names, settings)
        cluster = eks.Cluster(
            "cluster",
            name=name,
            version=settings.kubernetes_version,
            role_arn=role.arn,
            vpc_config={
                "subnet_ids": list(network.control_plane_subnet_ids.values()),
                "endpoint_private_access": True,
                "endpoint_public_access": bool(access.public_access_cidrs),
                "public_access_cidrs": list(access.public_access_cidrs) or None,
            },
            kubernetes_network_config={"service_ipv4_cidr": settings.network.service_cidr},
            access_config={
                "authentication_mode": "API",
                "bootstrap_cluster_creator_admin_permissions": False,
            },
            encryption_config={"provider": {"key_arn": key_arn}, "resources": ["secrets"]},
            enabled_cluster_log_types=["api", "audit", "authenticator", "controllerManager", "scheduler"],
            bootstrap_self_managed_addons=False,
            # Upgrades by itself at the end of standard support instead of paying six times the price.
            upgrade_policy={"support_type": "STANDARD"},
            zonal_shift_config={"enabled": True},
            deletion_protection=settings.deletion_protection,
            tags=names.tags("cluster"),
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[logs, attachment])),
        )
        self.name = cluster.name
        self.resource, self.endpoint = cluster, cluster.endpoint
        self.kubeconfig = pulumi.Output.all(
            name=cluster.name, endpoint=cluster.endpoint, authority=cluster.certificate_authority.data
        ).apply(lambda known: kubeconfig(settings.region, **known))
        self.security_group_id = cluster.vpc_config.cluster_security_group_id
        for arn in access.admin_role_arns:
            self._admit(arn, settings)
        self.before_nodes = [
            addon(item, cluster=self, settings=settings, after=[]) for item in tables.addons("before-nodes")
        ]
        self.register_outputs({"name": self.name})

    def _role(self, names: Names, settings: Settings) -> tuple[iam.Role, pulumi.Resource]:
        child = pulumi.ResourceOptions(parent=self)
        role = iam.Role(
            "cluster",
            name=names.physical("cluster", limit=64),
            assume_role_policy=service_trust("eks.amazonaws.com"),
            tags=names.tags("cluster"),
            opts=child,
        )
        attachment = iam.RolePolicyAttachment(
            "cluster",
            role=role.name,
            policy_arn=f"arn:{partition(settings.region)}:iam::aws:policy/AmazonEKSClusterPolicy",
            opts=child,
        )
        return role, attachment

    def _admit(self, principal_arn: str, settings: Settings) -> None:
        logical_name = f"admin-{principal_arn.split(':', 4)[4].replace(':', '-').replace('/', '-')}"
        child = pulumi.ResourceOptions(parent=self)
        entry = eks.AccessEntry(
            logical_name,
            cluster_name=self.name,
            principal_arn=principal_arn,
            tags=Names(settings.environment).tags("admin"),
            opts=child,
        )
        eks.AccessPolicyAssociation(
            logical_name,
            cluster_name=self.name,
            principal_arn=entry.principal_arn,
            policy_arn=f"arn:{partition(settings.region)}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            access_scope={"type": "cluster"},
            opts=child,
        )


def refuse_stranger(settings: Settings, caller_arn: str) -> None:
    """Stop before anything is made if who runs `up` could not use the cluster afterwards.

    Args:
        settings: of the environment.
        caller_arn: what AWS says we are: a user, a role, or a session of a role (which does not tell the role's path).

    Raises:
        SettingsError: no access entry is for the caller.
    """
    admitted = settings.cluster.admin_role_arns
    kind, _, rest = caller_arn.rpartition(":")[2].partition("/")
    name = rest.partition("/")[0] if kind == "assumed-role" else rest.rpartition("/")[2]
    if name not in {arn.rpartition("/")[2] for arn in admitted}:
        raise SettingsError(
            Problem(
                where="slipway:cluster.adminRoleArns",
                what=f"does not admit {caller_arn}, which runs this: it could not install Flux in its own cluster",
                fix=f"add the role: arn:{partition(settings.region)}:iam::{caller_arn.split(':')[4]}:role/{name}",
            )
        )


def kubeconfig(region: str, *, name: str, endpoint: str, authority: str) -> str:
    """Give a kubeconfig as JSON text.

    Args:
        region: of the cluster.
        name: of the cluster.
        endpoint: URL of its API server.
        authority: its certificate authority, base64.
    """
    get_token = ["eks", "get-token", "--cluster-name", name, "--region", region, "--output", "json"]
    by_aws = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": get_token,
        "interactiveMode": "Never",
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": endpoint, "certificate-authority-data": authority}}],
            "users": [{"name": name, "user": {"exec": by_aws}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        },
        sort_keys=True,
    )


def addon(
    name: str,
    *,
    cluster: Cluster,
    settings: Settings,
    after: list[pulumi.Resource],
) -> eks.Addon:
    """Declare one EKS add-on of `cluster`, with a Pod Identity role where it calls AWS.

    Args:
        name: EKS's name of the add-on.
        cluster: the cluster, also the parent.
        settings: of the environment.
        after: what must be there first, such as a node to run on.
    """
    names = Names(settings.environment)
    associations, attachments = [], []
    if name in ADDON_IDENTITIES:
        service_account, policy = ADDON_IDENTITIES[name]
        arn = f"arn:{partition(settings.region)}:iam::aws:policy/{policy}"
        role, attachments = pod_role(f"addon-{name}", names=names, parent=cluster, managed_policies={"policy": arn})
        associations.append({"role_arn": role.arn, "service_account": service_account})
    configuration = ADDON_CONFIGURATION.get(name)
    return eks.Addon(
        name,
        cluster_name=cluster.name,
        addon_name=name,
        addon_version=addon_version(name, settings, cluster),
        configuration_values=json.dumps(configuration) if configuration else None,
        pod_identity_associations=associations or None,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="OVERWRITE",
        tags=names.tags(name),
        opts=pulumi.ResourceOptions(parent=cluster, depends_on=[*after, *attachments]),
    )


def addon_version(name: str, settings: Settings, parent: pulumi.Resource) -> pulumi.Input[str]:
    """Give an add-on's version: the settings', the table's, or the one that EKS has as default at this `up`."""
    known = settings.cluster.addon_versions.get(name) or tables.addon_version(name, settings.kubernetes_version)
    return (
        known
        or eks.get_addon_version_output(
            addon_name=name, kubernetes_version=settings.kubernetes_version, opts=pulumi.InvokeOptions(parent=parent)
        ).version
    )
