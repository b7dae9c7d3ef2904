"""Played: the CRDs of third parties, in minimal form: any spec is taken, the status is a subresource of its own.

Not played: their schemas, so a misspelt field of an ExternalSecret or a FluxInstance passes here; their webhooks.
"""

from typing import Any

OPERATOR_GROUP = "fluxcd.controlplane.io"
SECRETS_GROUP = "external-secrets.io"
LOAD_BALANCER_GROUP = "elbv2.k8s.aws"
GATEWAY_GROUP = "gateway.networking.k8s.io"
PROMETHEUS_GROUP = "monitoring.coreos.com"
#: Flux's own, of the one controller that a rehearsal does not run.
NOTIFICATION_GROUP = "notification.toolkit.fluxcd.io"

#: group, versions (the first is stored), kind, plural, scope
KINDS = (
    (OPERATOR_GROUP, ("v1",), "FluxInstance", "fluxinstances", "Namespaced"),
    (SECRETS_GROUP, ("v1",), "ExternalSecret", "externalsecrets", "Namespaced"),
    (SECRETS_GROUP, ("v1",), "SecretStore", "secretstores", "Namespaced"),
    (SECRETS_GROUP, ("v1",), "ClusterSecretStore", "clustersecretstores", "Cluster"),
    (SECRETS_GROUP, ("v1",), "ClusterExternalSecret", "clusterexternalsecrets", "Cluster"),
    (LOAD_BALANCER_GROUP, ("v1beta1",), "IngressClassParams", "ingressclassparams", "Cluster"),
    (LOAD_BALANCER_GROUP, ("v1beta1",), "TargetGroupBinding", "targetgroupbindings", "Namespaced"),
    (GATEWAY_GROUP, ("v1",), "Gateway", "gateways", "Namespaced"),
    (GATEWAY_GROUP, ("v1",), "HTTPRoute", "httproutes", "Namespaced"),
    (PROMETHEUS_GROUP, ("v1",), "ServiceMonitor", "servicemonitors", "Namespaced"),
    (PROMETHEUS_GROUP, ("v1",), "PrometheusRule", "prometheusrules", "Namespaced"),
    (NOTIFICATION_GROUP, ("v1beta3", "v1"), "Provider", "providers", "Namespaced"),
    (NOTIFICATION_GROUP, ("v1beta3", "v1"), "Alert", "alerts", "Namespaced"),
)


def definitions(*groups: str) -> list[dict[str, Any]]:
    """Give the CustomResourceDefinitions of some groups."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": f"{plural}.{group}",
                # Groups below k8s.io are the Kubernetes project's own, which must say who allowed them.
                **({"annotations": {_APPROVED: "unapproved, a rehearsal"}} if group.endswith(".k8s.io") else {}),
            },
            "spec": {
                "group": group,
                "scope": scope,
                "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
                "versions": [
                    {
                        "name": version,
                        "served": True,
                        "storage": version == versions[0],
                        "subresources": {"status": {}},
                        "schema": {"openAPIV3Schema": anything},
                    }
                    for version in versions
                ],
            },
        }
        for group, versions, kind, plural, scope in KINDS
        if group in groups
    ]


_APPROVED = "api-approved.kubernetes.io"
