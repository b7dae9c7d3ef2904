"""Preheating: images are sent to a peer-to-peer network before anybody pulls them.

preheat_instances: [{name: dfly, vendor: dragonfly, endpoint: "https://dragonfly-manager.p2p.svc:8080"}]
projects: {payments: {preheat_policies: [{name: releases, instance: dfly, filters: [{type: tag, value: "v*"}]}]}}
"""

import json
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from slipway.harbor.spec.base import Named, Spec, Text
from slipway.harbor.spec.secret import SecretRef
from slipway.harbor.spec.times import Cron

#: Harbor answers 500 to any other.
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$", min_length=1, max_length=255)]
_MOST_FILTERS = 1024


class PreheatInstanceSpec(Named):
    """A peer-to-peer network that Harbor may send images to. Harbor does not ask it when it is declared."""

    name: _Name
    vendor: Literal["dragonfly", "kraken"]
    endpoint: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+\S*$", max_length=255)]
    description: Annotated[str, StringConstraints(max_length=255)] | None = None
    auth_mode: Literal["NONE", "BASIC", "OAUTH", "CUSTOM"] | None = None
    access_credential: SecretRef | None = Field(
        default=None, description="user:password for BASIC, the token for OAUTH, Header-Name:value for CUSTOM."
    )
    enabled: bool | None = None
    default: bool | None = Field(default=None, description="What a new policy proposes; one instance has it.")
    insecure: bool | None = Field(default=None, description="Do not check its certificate.")

    @model_validator(mode="after")
    def _credential(self) -> Self:
        needed = self.auth_mode not in {None, "NONE"}
        if needed and self.access_credential is None:
            raise ValueError(f"auth_mode {self.auth_mode} needs an access_credential")
        if self.access_credential is not None and not needed:
            raise ValueError("an access_credential needs an auth_mode: BASIC, OAUTH or CUSTOM")
        return self


class PreheatTriggerSettingSpec(Spec):
    """When, of a scheduled one."""

    cron: Cron


class PreheatTriggerSpec(Spec):
    """By hand, on a schedule, or on each push, scan or label."""

    type: Literal["manual", "scheduled", "event_based"] = "manual"
    trigger_setting: PreheatTriggerSettingSpec | None = None

    @model_validator(mode="after")
    def _cron_of_scheduled(self) -> Self:
        if (self.type == "scheduled") != (self.trigger_setting is not None):
            raise ValueError("type scheduled needs trigger_setting: {cron: …}, and no other type takes it")
        return self


class PreheatFilterSpec(Spec):
    """What is sent. Patterns as in retention; of a label all names must be there."""

    type: Literal["repository", "tag", "label"]
    value: Text | list[Text]

    @model_validator(mode="after")
    def _as_harbor_reads_it(self) -> Self:
        if isinstance(self.value, list) != (self.type == "label"):
            raise ValueError("the value of a label filter is a list of names, of all others one pattern")
        return self


class PreheatExtraSpec(Spec):
    """What Dragonfly alone knows."""

    scope: Literal["single_seed_peer", "all_seed_peers", "all_peers"] | None = None
    cluster_ids: list[Annotated[int, Field(ge=1)]] | None = None


class PreheatPolicySpec(Named):
    """What of a project is sent where. Signatures and severity follow the project's own settings."""

    name: _Name
    instance: Text = Field(description="Name of one of `preheat_instances`.")
    description: Annotated[str, StringConstraints(max_length=1024)] | None = None
    enabled: bool | None = None
    trigger: PreheatTriggerSpec | None = None
    filters: list[PreheatFilterSpec] | None = None
    extra_attrs: PreheatExtraSpec | None = None

    @model_validator(mode="after")
    def _as_harbor_keeps_it(self) -> Self:
        kinds = [each.type for each in self.filters or ()]
        if twice := sorted({kind for kind in kinds if kinds.count(kind) > 1}):
            raise ValueError(f"two filters of type {', '.join(twice)}; put the patterns into one: {{a,b}}")
        if len(json.dumps([each.model_dump() for each in self.filters or ()])) > _MOST_FILTERS:
            raise ValueError(f"Harbor keeps {_MOST_FILTERS} characters of filters; write two policies")
        return self
