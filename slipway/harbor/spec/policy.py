"""How far `slipway harbor apply` may go, where the ledger is, and where Harbor is.

policy: {adopt: matching, prune: owned, max_deletes: 10, project_deletion: if_empty}
"""

from typing import Literal

from pydantic import Field

from slipway.harbor.spec.base import Spec, Text

Adopt = Literal["never", "matching", "always"]
ProjectDeletion = Literal["retain", "if_empty", "force"]


class LedgerPlace(Spec):
    """Where the ledger is."""

    type: Literal["file", "s3", "configmap"] = "file"
    path: str | None = Field(default=None, description="Of a file; by default harbor.ledger.json beside harbor.yaml.")
    bucket: str | None = Field(default=None, description="Of S3; its objects should be versioned.")
    key: str | None = Field(default=None, description="Of S3.")
    region: str | None = None
    namespace: Text = Field(default="harbor", description="Of a ConfigMap, in the cluster of KUBECONFIG or the pod's.")
    name: Text = Field(default="slipway-harbor-ledger", description="Of a ConfigMap.")


class Policy(Spec):
    """What may be done without asking."""

    adopt: Adopt = Field(
        default="matching",
        description="What is there and not ours: never touch it; take it if it is as declared; always take it.",
    )
    prune: Literal["none", "owned", "all"] = Field(
        default="owned",
        description="What is gone from the file: nothing is deleted; what we own; whatever is in a declared list.",
    )
    max_deletes: int = Field(default=10, ge=0, description="A plan with more deletions is refused.")
    project_deletion: ProjectDeletion = Field(
        default="if_empty",
        description="A project that is gone from the file: keep it; delete it if empty; with all its content, "
        "if the command is told so as well.",
    )
    ledger: LedgerPlace = LedgerPlace()


class ConnectionSpec(Spec):
    """Where Harbor is and how to reach it; the password comes from elsewhere."""

    url: Text | None = None
    ca_file: str | None = Field(default=None, description="Certificates to trust besides the system's.")
    concurrency: int = Field(default=16, ge=1, le=64, description="Requests at the same time.")
    timeout_seconds: int = Field(default=60, ge=1, le=600)
