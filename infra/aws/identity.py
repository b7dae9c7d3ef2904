"""IAM roles that controllers in the cluster take by EKS Pod Identity, each with the least it needs.

Policies are pure functions of ARNs; the table `CONTROLLERS` says who runs where.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi_aws import eks, iam

from infra.aws.policies import Statement, allow, policy_document
from infra.naming import Names, partition
from infra.settings import Settings

TOKEN = "slipway:aws:Identity"  # noqa: S105

POD_IDENTITY_TRUST = policy_document(
    [
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    ]
)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What the policies of one environment are limited to; all ARNs."""

    zone: str
    secrets: str
    secrets_key: str


def external_dns_policy(scope: Scope) -> list[Statement]:
    """Records of our zone only; listing knows no resource."""
    return [
        allow(["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"], scope.zone),
        allow(["route53:ListHostedZones", "route53:ListTagsForResources"], "*"),
    ]


def external_secrets_policy(scope: Scope) -> list[Statement]:
    """Reading the secrets below our prefix, and decrypting with their key."""
    return [
        allow(["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], scope.secrets),
        allow(["kms:Decrypt"], scope.secrets_key),
    ]


def admin_secret_policy(secret: str, key: str) -> list[Statement]:
    """Reading the database's master user, which RDS keeps outside our prefix and encrypts with the database's key."""
    return [
        allow(["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], secret),
        allow(["kms:Decrypt"], key),
    ]


def load_balancer_policy(_scope: Scope) -> list[Statement]:
    """What the AWS Load Balancer Controller documents as its policy; changes only to what it tagged itself."""
    return json.loads((Path(__file__).parent / "load-balancer-controller-policy.json").read_text())


def robots_policy(scope: Scope) -> list[Statement]:
    """Renewing the secrets of Harbor's robots, which are below two names of our prefix; no other secret is in reach."""
    below = scope.secrets.removesuffix("*")
    actions = ("DescribeSecret", "GetSecretValue", "CreateSecret", "TagResource", "PutSecretValue")
    return [
        allow(
            [f"secretsmanager:{action}" for action in (*actions, "UpdateSecretVersionStage")],
            [f"{below}robots/*", f"{below}pull/*"],
        ),
        allow(["kms:Decrypt", "kms:GenerateDataKey"], scope.secrets_key),
    ]


@dataclass(frozen=True, kw_only=True)
class Controller:
    """A controller that Flux delivers, and the service account that its pods use."""

    namespace: str
    service_account: str
    policy: Callable[[Scope], list[Statement]]


CONTROLLERS: Mapping[str, Controller] = {
    "aws-load-balancer-controller": Controller(
        namespace="kube-system", service_account="aws-load-balancer-controller", policy=load_balancer_policy
    ),
    "external-dns": Controller(namespace="external-dns", service_account="external-dns", policy=external_dns_policy),
    "external-secrets": Controller(
        namespace="external-secrets", service_account="external-secrets", policy=external_secrets_policy
    ),
}


def controllers(settings: Settings) -> Mapping[str, Controller]:
    """Give those of an environment: the job that renews robots takes a role only where there is one."""
    layer3 = settings.harbor.layer3
    if not (layer3.enabled and layer3.rotate):
        return CONTROLLERS
    account = "harbor-layer3-rotate"  # of charts/support/templates/layer3.yaml
    return {**CONTROLLERS, account: Controller(namespace="harbor", service_account=account, policy=robots_policy)}


def pod_role(
    part: str, *, names: Names, parent: pulumi.Resource, managed_policies: Mapping[str, str] | None = None
) -> tuple[iam.Role, list[pulumi.Resource]]:
    """Declare a role that pods take by Pod Identity; gives it with the attachments that its users must wait for.

    Args:
        part: what the role is for.
        names: of the environment.
        parent: the component it belongs to.
        managed_policies: logical name → ARN of AWS's own policies to attach.
    """
    role = iam.Role(
        part,
        name=names.physical(part, limit=64),
        assume_role_policy=POD_IDENTITY_TRUST,
        tags=names.tags(part),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    attachments: list[pulumi.Resource] = [
        iam.RolePolicyAttachment(
            f"{part}-{logical_name}", role=role.name, policy_arn=arn, opts=pulumi.ResourceOptions(parent=parent)
        )
        for logical_name, arn in (managed_policies or {}).items()
    ]
    return role, attachments


class Identity(pulumi.ComponentResource):
    """Roles and Pod Identity associations of the controllers that Flux delivers."""

    def __init__(
        self,
        settings: Settings,
        *,
        account_id: pulumi.Output[str],
        zone_id: pulumi.Output[str],
        secrets_key_arn: pulumi.Output[str],
        admin_secret: pulumi.Output[Mapping[str, str]],
        cluster_name: pulumi.Output[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(TOKEN, "identity", None, opts)
        names = Names(settings.environment)
        known = pulumi.Output.all(account=account_id, zone=zone_id, secrets_key=secrets_key_arn)
        for name, controller in controllers(settings).items():
            role, _ = pod_role(name, names=names, parent=self)
            iam.RolePolicy(
                name,
                role=role.name,
                policy=known.apply(
                    lambda ids, policy=controller.policy: policy_document(policy(scope(settings, names, **ids)))
                ),
                opts=pulumi.ResourceOptions(parent=self),
            )
            eks.PodIdentityAssociation(
                name,
                cluster_name=cluster_name,
                namespace=controller.namespace,
                service_account=controller.service_account,
                role_arn=role.arn,
                tags=names.tags(name),
                opts=pulumi.ResourceOptions(parent=self),
            )
            if name == "external-secrets":
                # By itself: it waits for the database, and the rest must not.
                iam.RolePolicy(
                    f"{name}-database",
                    role=role.name,
                    policy=admin_secret.apply(lambda arns: policy_document(admin_secret_policy(**arns))),
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.register_outputs({})


def scope(settings: Settings, names: Names, *, account: str, zone: str, secrets_key: str) -> Scope:
    """Give what the environment's policies are limited to, from plain identifiers."""
    arn = f"arn:{partition(settings.region)}"
    return Scope(
        zone=f"{arn}:route53:::hostedzone/{zone}",
        secrets=f"{arn}:secretsmanager:{settings.region}:{account}:secret:{names.secrets_prefix}/*",
        secrets_key=secrets_key,
    )
