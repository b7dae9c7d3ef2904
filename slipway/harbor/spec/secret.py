"""A reference in place of a secret: harbor.yaml never holds one.

password: {secretRef: {awsSecretsManager: harbor/prod/hub, key: token}}
"""

from typing import Self

from pydantic import Field, model_validator

from slipway.harbor.spec.base import Spec


class Source(Spec):
    """Where a secret is; one of the three.

    Attributes:
        key: property of the JSON that is there; without it, all of the text.
    """

    awsSecretsManager: str | None = Field(default=None, description="Name or ARN of a secret.")  # noqa: N815
    env: str | None = Field(default=None, description="Name of an environment variable.")
    file: str | None = Field(default=None, description="Path, relative to the file that says so.")
    key: str | None = Field(default=None, description="Property of the JSON that is there.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.awsSecretsManager, self.env, self.file)) != 1:
            raise ValueError("name one of awsSecretsManager, env and file")
        return self

    def __str__(self) -> str:
        place = f"secret {self.awsSecretsManager}" if self.awsSecretsManager else ""
        place = place or (f"variable {self.env}" if self.env else f"file {self.file}")
        return f"{place}, key {self.key}" if self.key else place


class SecretRef(Spec):
    """A reference to a secret."""

    secretRef: Source  # noqa: N815  # as Kubernetes writes it

    def __str__(self) -> str:
        return str(self.secretRef)
