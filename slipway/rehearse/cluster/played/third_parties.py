"""Played: the CRDs of third parties, in minimal form: any spec is taken, the status is a subresource of its own.

Not played: their schemas, so a misspelt field of an ExternalSecret or a FluxInstance passes here; their webhooks.
"""

from typing import Any

#: group, version, kind, plural
KINDS = (
    ("fluxcd.controlplane.io", "v1", "FluxInstance", "fluxinstances"),
    ("external-secrets.io", "v1", "ExternalSecret", "externalsecrets"),
    ("external-secrets.io", "v1", "SecretStore", "secretstores"),
)
OPERATOR_GROUP = "fluxcd.controlplane.io"


def definitions(*groups: str) -> list[dict[str, Any]]:
    """Give the CustomResourceDefinitions of some groups."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {
                "group": group,
                "scope": "Namespaced",
                "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
                "versions": [
                    {
                        "name": version,
                        "served": True,
                        "storage": True,
                        "subresources": {"status": {}},
                        "schema": {"openAPIV3Schema": anything},
                    }
                ],
            },
        }
        for group, version, kind, plural in KINDS
        if group in groups
    ]
