"""Scanners besides the one that comes with Harbor.

scanners: [{name: trivy-ext, url: "https://trivy.scan.svc:8443", auth: Bearer, access_credential: {secretRef: …}}]
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from slipway.harbor.spec.base import Named, Text
from slipway.harbor.spec.secret import SecretRef

#: Harbor's own; nobody else may be called so, and nobody may change it.
BUILT_IN = "Trivy"


def _not_built_in(name: str) -> str:
    if name == BUILT_IN:
        raise ValueError(f"{BUILT_IN} is Harbor's own scanner, which cannot be declared; default_scanner may name it")
    return name


class ScannerSpec(Named):
    """A scanner; it must answer when it is registered."""

    name: Annotated[Text, AfterValidator(_not_built_in)]
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+\S*$")]
    description: str | None = None
    auth: Literal["", "Basic", "Bearer", "X-ScannerAdapter-API-Key"] | None = None
    access_credential: SecretRef | None = Field(default=None, description="user:password for Basic, else the key.")
    skip_cert_verify: bool | None = None
    use_internal_addr: bool | None = Field(default=None, description="It fetches images from inside the cluster.")
    disabled: bool | None = None

    @model_validator(mode="after")
    def _credential(self) -> Self:
        if self.auth and self.access_credential is None:
            raise ValueError(f"auth {self.auth} needs an access_credential")
        if self.access_credential is not None and not self.auth:
            raise ValueError("an access_credential needs an auth: Basic, Bearer or X-ScannerAdapter-API-Key")
        return self
