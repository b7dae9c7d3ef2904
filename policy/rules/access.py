"""IAM: who may do what, and who may become whom."""

from collections.abc import Iterator
from typing import Any

from policy.rule import Answer, Context, Finding, Rule, as_list, each, every, holds, is_unknown, statements, value
from slipway.graph.record import Node

ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
INLINE = ("aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy")
NODE_POLICIES = {
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonSSMManagedInstanceCore",
}
ADMINISTRATORS = {"AdministratorAccess", "IAMFullAccess", "PowerUserAccess"}
#: What must never be allowed on everything.
GUARDED_ACTIONS = {"kms:decrypt", "kms:*", "secretsmanager:getsecretvalue", "secretsmanager:*", "*", "iam:*", "s3:*"}


def _node_role(node: Node) -> Answer:
    if not node.name.startswith("nodes-"):
        return True
    return holds(node, "policyArn", lambda arn: arn.rpartition("/")[2] in NODE_POLICIES)


def _no_administrator(node: Node) -> Answer:
    return holds(node, "policyArn", lambda arn: arn.rpartition("/")[2] not in ADMINISTRATORS)


def _narrow(node: Node) -> Answer:
    return holds(node, "policy", lambda text: not any(map(_too_wide, statements(text))))


def _too_wide(statement: dict[str, Any]) -> bool:
    everything = "*" in as_list(statement.get("Resource", []))
    actions = {action.lower() for action in as_list(statement.get("Action", []))}
    unbound = statement["Effect"] == "Allow" and everything and "Condition" not in statement
    return unbound and bool(actions & GUARDED_ACTIONS)


def _trust(node: Node) -> Answer:
    return holds(node, "assumeRolePolicy", lambda text: all(map(_names_somebody, statements(text))))


def _names_somebody(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    return isinstance(principal, dict) and not any("*" in as_list(names) for names in principal.values())


def _pod_trust(node: Node) -> Answer:
    text = value(node, "assumeRolePolicy")
    if is_unknown(text):
        return None
    found = [one for one in statements(text) if "pods.eks" in str(one.get("Principal"))]
    return every(set(as_list(one["Action"])) == {"sts:AssumeRole", "sts:TagSession"} for one in found)


def _inline(context: Context) -> Iterator[Finding]:
    for token in INLINE:
        yield from each(token, _narrow)(context)


RULES = (
    Rule(
        id="node-role-narrow",
        reason="whatever a node may do, a pod that leaves its container may do",
        fix="worker, registry pull and SSM policies only; the rest by Pod Identity",
        maps=("CKV_AWS_274", "EKS best practices: identity"),
        look=each(ATTACHMENT, _node_role),
    ),
    Rule(
        id="no-administrators",
        reason="a controller that can do everything is the whole account to whoever takes it over",
        fix="a policy with the calls that it makes",
        maps=("CIS 2.15", "CKV_AWS_274", "CKV2_AWS_56"),
        look=each(ATTACHMENT, _no_administrator),
    ),
    Rule(
        id="policy-narrow",
        reason="all actions, all secrets or all keys on all resources is no least privilege",
        fix="name the resources, or a condition",
        maps=("KMS.1", "KMS.2", "CKV_AWS_62", "CKV_AWS_63", "CKV_AWS_355"),
        look=_inline,
    ),
    Rule(
        id="trust-named",
        reason="a role that anybody may take is everybody's",
        fix="name the service or the ARN that takes it",
        maps=("CKV_AWS_60", "CKV_AWS_61"),
        look=each("aws:iam/role:Role", _trust),
    ),
    Rule(
        id="pod-trust",
        reason="Pod Identity needs both calls, and its sessions carry the tags that policies narrow by",
        fix="pods.eks.amazonaws.com with sts:AssumeRole and sts:TagSession",
        maps=("EKS Pod Identity",),
        look=each("aws:iam/role:Role", _pod_trust),
    ),
)
