"""signIn: how people come in."""

import re
from typing import Literal

from pydantic import field_validator, model_validator

from infra.sections.base import Setting
from values.errors import Refused


class OidcSettings(Setting):
    """The OpenID Connect provider that people sign in with. The client secret goes to Secrets Manager."""

    name: str
    """Shown on the sign-in button."""
    endpoint: str
    """Issuer URL, https."""
    client_id: str
    """Harbor's client id at the provider."""

    @field_validator("endpoint")
    @classmethod
    def _is_https(cls, value: str) -> str:
        if not re.match(r"^https://[^\s/]+", value):
            raise Refused("is not an https URL", "give the provider's issuer, like https://login.example.com")
        return value


class SignInSettings(Setting):
    """How people sign in to Harbor. It cannot be changed any more once users exist."""

    mode: Literal["database", "oidc"] = "database"
    """`database` (accounts inside Harbor) or `oidc`."""
    oidc: OidcSettings | None = None
    """Needed for mode oidc."""

    @model_validator(mode="after")
    def _oidc_is_described(self) -> "SignInSettings":
        if (self.mode == "oidc") != (self.oidc is not None):
            raise Refused("mode oidc and the section oidc belong together", "give both or neither")
        return self
