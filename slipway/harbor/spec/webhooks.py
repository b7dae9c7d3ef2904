"""Webhooks of a project.

webhooks: [{name: ci, event_types: [PUSH_ARTIFACT], targets: [{address: "https://ci.example.com/hook"}]}]
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from slipway.harbor.spec.base import Named, Spec, Text
from slipway.harbor.spec.secret import SecretRef

EventType = Literal[
    "PUSH_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT", "SCANNING_FAILED", "SCANNING_STOPPED", "SCANNING_COMPLETED",
    "QUOTA_EXCEED", "QUOTA_WARNING", "REPLICATION", "TAG_RETENTION",
]  # fmt: skip
ADDRESS, LONGEST_ADDRESS = r"^https?://[^\s/]+\S*$", 1024
_Address = Annotated[str, StringConstraints(pattern=ADDRESS, max_length=LONGEST_ADDRESS)]


class TargetSpec(Spec):
    """Where an event goes to."""

    type: Literal["http", "slack", "teams"] = "http"
    address: _Address | SecretRef = Field(description="A URL, or where it is kept, if it is a secret as of Slack.")
    auth_header: SecretRef | None = Field(default=None, description="Sent as the header Authorization.")
    payload_format: Literal["Default", "CloudEvents"] | None = Field(default=None, description="Of http only.")
    skip_cert_verify: bool = False

    @model_validator(mode="after")
    def _format_of_http(self) -> Self:
        if self.payload_format and self.type != "http":
            raise ValueError(f"payload_format is for type http; Harbor refuses it for {self.type}")
        return self


class WebhookSpec(Named):
    """What is told to whom."""

    name: Text
    enabled: bool | None = None
    description: str | None = None
    event_types: list[EventType] = Field(min_length=1)
    targets: list[TargetSpec] = Field(min_length=1)
