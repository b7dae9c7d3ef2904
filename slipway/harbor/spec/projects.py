"""Projects: what one can say of each, and how defaults, profiles and its own lines become one.

project_defaults: {metadata: {public: false}, storage_quota: 50Gi}
profiles: {team: {metadata: {auto_scan: true}}}
projects: {payments: team, billing: {profile: team, storage_quota: 200Gi}}
"""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from slipway.harbor.spec.base import Size, Spec, Text, refuse_twice
from slipway.harbor.spec.people import MembersSpec
from slipway.harbor.spec.policy import ProjectDeletion
from slipway.harbor.spec.preheat import PreheatPolicySpec
from slipway.harbor.spec.registries import LabelSpec
from slipway.harbor.spec.robots import ProjectRobotSpec
from slipway.harbor.spec.tags import ImmutableRuleSpec, RetentionSpec, refuse_same_rule
from slipway.harbor.spec.webhooks import WebhookSpec

Severity = Literal["none", "low", "medium", "high", "critical"]


def _seconds(value: object) -> object:
    """Give epoch seconds; YAML reads a time as a datetime, or as a date, and one in quotation marks as text."""
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            value = ""
    if isinstance(value, dt.datetime):
        return int(value.replace(tzinfo=value.tzinfo or dt.UTC).timestamp())
    if isinstance(value, dt.date):
        return int(dt.datetime.combine(value, dt.time(), dt.UTC).timestamp())
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError("write a time as 2027-01-31T00:00:00Z, or seconds since 1970; null for never")


#: Epoch seconds, written as a time.
Moment = Annotated[
    int, BeforeValidator(_seconds), WithJsonSchema({"type": ["string", "integer"], "format": "date-time"})
]


#: Lists of named things of a project, and what names each: those of defaults, profile and project are put together.
#: Other lists are replaced.
NAMED_BY = {
    "users": "username", "groups": "group_name", "labels": "name", "robots": "name", "webhooks": "name",
    "preheat_policies": "name",
}  # fmt: skip


class AllowlistSpec(Spec):
    """CVEs that block nothing, and until when."""

    items: list[Text] | None = None
    expires_at: Moment | None = Field(default=None, description="null or absent: never.")


class MetadataSpec(Spec):
    """Switches of a project; `null` gives one its default back."""

    public: bool | None = None
    auto_scan: bool | None = Field(default=None, description="Scan what is pushed.")
    auto_sbom_generation: bool | None = None
    prevent_vul: bool | None = Field(default=None, description="Refuse pulls of what is as bad as severity.")
    severity: Severity | None = None
    reuse_sys_cve_allowlist: bool | None = None
    enable_content_trust_cosign: bool | None = Field(default=None, description="Pulls need a cosign signature.")
    enable_content_trust: bool | None = Field(default=None, description="Pulls need a notation signature.")
    proxy_speed_kb: int | None = Field(default=None, ge=-1, description="Of a proxy cache, KB/s; -1 for no limit.")
    max_upstream_conn: int | None = Field(default=None, ge=-1, description="Of a proxy cache; -1 for no limit.")
    proxy_cache_local_on_not_found: bool | None = None


class ProjectSettings(Spec):
    """What defaults, profiles and projects may say. A list of a kind that is absent is not managed."""

    adopt: str | None = Field(default=None, pattern="^(never|matching|always)$", description="Overrides policy.adopt.")
    protect: bool = Field(default=False, description="Never delete it, even if it is gone from the file.")
    deletion_policy: ProjectDeletion | None = Field(default=None, description="Overrides policy.project_deletion.")
    registry: Text | None = Field(default=None, description="Makes it a cache of that registry, for its life.")
    metadata: MetadataSpec | None = None
    storage_quota: Size | None = None
    cve_allowlist: AllowlistSpec | None = None
    scanner: Text | None = None
    members: MembersSpec | None = None
    labels: list[LabelSpec] | None = None
    retention_policy: RetentionSpec | None = Field(default=None, description="null: none.")
    immutable_tag_rules: list[ImmutableRuleSpec] | None = Field(default=None, description="All there are.")
    webhooks: list[WebhookSpec] | None = None
    robots: list[ProjectRobotSpec] | None = None
    preheat_policies: list[PreheatPolicySpec] | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name, key in NAMED_BY.items():
            refuse_twice(getattr(self, name, None), key)
        refuse_same_rule(self.immutable_tag_rules)
        return self


class ProjectLine(ProjectSettings):
    """A project as it stands in the file."""

    profile: str | None = Field(default=None, description="Name of one of `profiles`.")


class ProjectSpec(ProjectSettings):
    """A project with all that holds for it."""

    name: str


def effective(name: str, layers: Iterable[ProjectSettings]) -> ProjectSpec:
    """Give a project from its layers, the first at the bottom."""
    whole: dict[str, Any] = {}
    for layer in layers:
        whole = _merged(whole, dict(layer.given()))
    whole.pop("profile", None)
    whole["name"] = name
    # Everything in it is validated already; doing it again for a thousand projects would take a second.
    return ProjectSpec.model_construct(_fields_set=set(whole), **whole)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for name, value in above.items():
        there = result.get(name)
        if isinstance(value, Spec) and isinstance(there, Spec) and type(there) is type(value):
            both = _merged(dict(there.given()), dict(value.given()))
            value = type(value).model_construct(_fields_set=set(both), **both)  # noqa: PLW2901
        elif isinstance(value, list) and value and isinstance(there, list) and name in NAMED_BY:
            value = list({getattr(each, NAMED_BY[name]): each for each in (*there, *value)}.values())  # noqa: PLW2901
        result[name] = value
    return result
