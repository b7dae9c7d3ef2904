"""Registries elsewhere, and labels.

registries: [{name: dockerhub, type: docker-hub, url: "https://hub.docker.com"}]
"""

import ssl
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from slipway.harbor.spec.base import Named, Spec, Text
from slipway.harbor.spec.secret import SecretRef

RegistryType = Literal[
    "ali-acr", "aws-ecr", "azure-acr", "docker-hub", "docker-registry", "dtr", "github-ghcr", "gitlab", "google-gcr",
    "harbor", "huawei-SWR", "jfrog-artifactory", "quay", "tencent-tcr", "volcengine-cr",
]  # fmt: skip


def _certificates(text: str) -> str:
    """Refuse what Harbor could not read."""
    try:
        if text.strip():
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except ssl.SSLError:
        raise ValueError("there is no certificate in it that can be read; give one or several as PEM") from None
    return text


class CredentialSpec(Spec):
    """How Harbor logs in there."""

    type: Literal["basic", "oauth", "secret"] = "basic"
    access_key: str | SecretRef | None = None
    access_secret: SecretRef | None = None


class RegistrySpec(Named):
    """A registry to replicate with, or to be a cache of."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    type: RegistryType
    url: Text
    description: str | None = None
    insecure: bool | None = Field(default=None, description="Do not check its certificate.")
    ca_certificate: Annotated[str, AfterValidator(_certificates)] | None = Field(
        default=None, description="Certificate to trust, PEM; Harbor 2.15 and later."
    )
    credential: CredentialSpec | None = None


class LabelSpec(Named):
    """A label to put on artifacts."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    color: Annotated[str, StringConstraints(pattern="^#[0-9A-Fa-f]{6}$")] | None = None
    description: str | None = None
