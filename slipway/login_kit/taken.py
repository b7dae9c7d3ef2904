"""Which namespaces still have the older secret: the proof that a rotation may go on.

lagging(client, label="slipway.dev/harbor-pull", secret="harbor-pull-default", username="robot$payments+default-b")
"""

import base64
from typing import TYPE_CHECKING

from infra.errors import ClusterError, Problem, SecretStoreError
from slipway.harbor.robots.stores.kubernetes import credential_in

if TYPE_CHECKING:
    from lightkube import Client


def lagging(client: "Client", *, label: str, secret: str, username: str) -> list[str]:
    """Give the labelled namespaces whose pull secret is another robot's. One that has none has nothing to lose.

    Raises:
        ClusterError: namespaces or Secrets cannot be read.
    """
    from lightkube.core.exceptions import ApiError  # noqa: PLC0415  # only where a cluster is asked
    from lightkube.resources.core_v1 import Namespace, Secret  # noqa: PLC0415

    late = []
    try:
        for namespace in client.list(Namespace, labels={label: "true"}):
            name = (namespace.metadata and namespace.metadata.name) or ""
            for found in client.list(Secret, namespace=name, fields={"metadata.name": secret}):
                text = base64.b64decode((found.data or {}).get(".dockerconfigjson", ""))
                if _username(text) != username:
                    late.append(name)
    except ApiError as error:
        fix = "take credentials that may list namespaces, and Secrets in those with the label"
        raise ClusterError(Problem(where="the cluster", what=error.status.message or "", fix=fix)) from error
    return sorted(late)


def _username(text: bytes) -> str:
    try:
        return credential_in(text, where="").username
    except SecretStoreError:
        return ""
