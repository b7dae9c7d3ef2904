"""What Harbor does on a schedule: scan everything, collect garbage, purge the audit log.

schedules: {scan_all: {type: Daily}, gc: {type: Custom, cron: "0 0 3 * * 6", delete_untagged: true}}
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from slipway.harbor.spec.base import Spec, Text
from slipway.harbor.spec.times import WORDS, Cron


class ScheduleSpec(Spec):
    """When; None for never."""

    type: Literal["Hourly", "Daily", "Weekly", "Custom", "None"]
    cron: Cron | None = Field(default=None, description="Of Custom: six fields, seconds first, which are 0.")

    @model_validator(mode="after")
    def _cron_of_custom(self) -> Self:
        if (self.type == "Custom") != (self.cron is not None):
            raise ValueError("type Custom needs a cron, and no other type takes one")
        return self

    @property
    def expression(self) -> str:
        """The cron expression, which Harbor wants for the words too; empty for never."""
        return self.cron or WORDS.get(self.type, "")


class GcSpec(ScheduleSpec):
    """Garbage collection."""

    delete_untagged: bool | None = Field(default=None, description="Artifacts without a tag go as well.")
    delete_tag: bool | None = None
    workers: Annotated[int, Field(ge=1, le=10)] | None = None
    redis: Text | None = Field(
        default=None,
        description="host:port of the registry's Redis. Harbor keeps in the schedule what it was when that was set, "
        "unseen; with this it is set again when another is written here.",
    )


class PurgeSpec(ScheduleSpec):
    """Purge of the audit log."""

    audit_retention_hour: Annotated[int, Field(ge=1, le=240_000)] | None = None
    include_event_types: list[Text] | None = Field(default=None, description="Such as create_artifact, delete_project.")

    @model_validator(mode="after")
    def _what_and_how_old(self) -> Self:
        if self.type != "None" and not (self.audit_retention_hour and self.include_event_types):
            raise ValueError("a purge needs audit_retention_hour and include_event_types")
        return self


class SchedulesSpec(Spec):
    """Each may be null: no schedule."""

    scan_all: ScheduleSpec | None = None
    gc: GcSpec | None = None
    purge_audit: PurgeSpec | None = None
