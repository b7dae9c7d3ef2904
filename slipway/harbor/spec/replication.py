"""Replication rules.

replication_policies: [{name: to-dr, dest_registry: dr, filters: [{type: name, value: "payments/**"}]}]
"""

import json
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from slipway.harbor.spec.base import Named, Spec, Text
from slipway.harbor.spec.times import SlowCron

_LONGEST = 1024  # Harbor keeps the filters of a rule in so many characters, and answers 500 to more


class FilterSpec(Spec):
    """What is copied. Of a label all names must be there; patterns as in retention."""

    type: Literal["name", "tag", "label", "resource"]
    value: Annotated[str, StringConstraints(min_length=1)] | list[Text]
    decoration: Literal["matches", "excludes"] | None = Field(default=None, description="Of tag and label.")

    @model_validator(mode="after")
    def _as_harbor_takes_it(self) -> Self:
        if isinstance(self.value, list) != (self.type == "label"):
            raise ValueError("the value of a label filter is a list of names, of all others one text")
        if self.decoration and self.type not in {"tag", "label"}:
            raise ValueError(f"decoration is for tag and label, not for {self.type}")
        if self.type == "resource" and self.value not in {"image", "artifact"}:
            raise ValueError("the value of a resource filter is image or artifact")
        return self


class TriggerSettingsSpec(Spec):
    """When, of a scheduled one."""

    cron: SlowCron


class TriggerSpec(Spec):
    """By hand, on a schedule, or on each push."""

    type: Literal["manual", "scheduled", "event_based"] = "manual"
    trigger_settings: TriggerSettingsSpec | None = None

    @model_validator(mode="after")
    def _cron_of_scheduled(self) -> Self:
        if (self.type == "scheduled") != (self.trigger_settings is not None):
            raise ValueError("type scheduled needs trigger_settings: {cron: …}, and no other type takes them")
        return self


class ReplicationSpec(Named):
    """A rule: to another registry (dest_registry) or from one (src_registry)."""

    name: Text
    description: str | None = None
    src_registry: Text | None = None
    dest_registry: Text | None = None
    dest_namespace: str | None = None
    dest_namespace_replace_count: Annotated[int, Field(ge=-1, le=127)] | None = Field(
        default=None, description="So many leading parts of a name are replaced; -1 for all but the last."
    )
    trigger: TriggerSpec | None = None
    filters: list[FilterSpec] | None = None
    deletion: bool | None = Field(default=None, description="What is deleted here is deleted there.")
    override: bool | None = None
    enabled: bool | None = None
    speed: Annotated[int, Field(ge=-1, le=2_147_483_647)] | None = Field(
        default=None, description="KB/s; 0 or -1: no limit."
    )
    copy_by_chunk: bool | None = None
    single_active_replication: bool | None = Field(default=None, description="Harbor 2.14 and later.")
    execute_on_changed: bool = Field(default=False, description="Run it once whenever it was made or changed here.")

    @model_validator(mode="after")
    def _as_harbor_takes_it(self) -> Self:
        if bool(self.src_registry) == bool(self.dest_registry):
            raise ValueError("name one of src_registry (pull) and dest_registry (push)")
        event = self.trigger is not None and self.trigger.type == "event_based"
        if event and self.single_active_replication:
            raise ValueError("single_active_replication does not go with a trigger of type event_based")
        if event and self.src_registry:
            raise ValueError("another registry's events do not come here: a pull is manual or scheduled")
        kinds = [each.type for each in self.filters or ()]
        if twice := sorted({kind for kind in kinds if kinds.count(kind) > 1}):
            raise ValueError(f"two filters of type {', '.join(twice)}; put the patterns into one: {{a,b}}")
        kept = [each.model_dump(exclude_none=True) for each in self.filters or ()]
        if (length := len(json.dumps(kept, separators=(",", ":"), ensure_ascii=False))) > _LONGEST:
            raise ValueError(f"the filters have {length} characters, and Harbor keeps {_LONGEST}; make two rules of it")
        return self
