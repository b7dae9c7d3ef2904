"""The FluxInstance: which Flux, and what it follows; the same on EKS and on kind. Pure, and without Pulumi.

flux_instance(flux_url("git@host:gitops.git"), branch="main", path="clusters/prod", cluster="aws", pull_secret=True)
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from infra import tables

NAMESPACE = "flux-system"
#: The name that the operator gives to the GitRepository and the root Kustomization as well.
SYNC = "flux-system"
#: What the operator's controllers get beside their defaults; JSON patches on their arguments.
CONTROLLER_FLAGS = (
    # Without it a release that cannot become ready holds up the commit that mends it, until its timeout.
    "--feature-gates=CancelHealthCheckOnNewRevision=true",
    "--requeue-dependency=5s",
)


def flux_instance(
    url: str, *, branch: str, path: str, cluster: Literal["aws", "kubernetes"], pull_secret: bool
) -> Mapping[str, Any]:
    """Give the spec.

    Args:
        url: of the repository, as Flux takes it.
        branch: short name.
        path: folder that holds what Flux begins with.
        cluster: what the operator calls it.
        pull_secret: the Secret `SYNC` opens the repository.
    """
    flags = [
        {"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": flag} for flag in CONTROLLER_FLAGS
    ]
    return {
        "distribution": tables.read("flux")["distribution"],
        "components": ["source-controller", "kustomize-controller", "helm-controller", "notification-controller"],
        "cluster": {"type": cluster, "networkPolicy": True},
        "sync": {
            "kind": "GitRepository",
            "name": SYNC,
            "url": url,
            "ref": f"refs/heads/{branch}",
            "path": path,
            "interval": "1m",
            **({"pullSecret": SYNC} if pull_secret else {}),
        },
        "kustomize": {
            "patches": [
                {
                    "target": {"kind": "Deployment", "name": "(kustomize-controller|helm-controller)"},
                    "patch": json.dumps(flags),
                }
            ]
        },
    }


def flux_url(repository: str) -> str:
    """Give a repository's URL as Flux takes it: scp's short form is none."""
    short = re.match(r"^(?P<user>[\w.-]+)@(?P<host>[\w.-]+):(?P<path>[^/].*)$", repository)
    return "ssh://{user}@{host}/{path}".format(**short.groupdict()) if short else repository
