"""Retention, immutable tags, webhooks, schedules.

RetentionPolicy(rules=[Rule(template="latestPushedK", params={"latestPushedK": 10}, …)], trigger=…, scope=…)
"""

from typing import Annotated, Any

from slipway.harbor.client.models.base import NULL_IS_EMPTY, Model, Secret


class Selector(Model):
    """Which names: matches/excludes for tags, repoMatches/repoExcludes for repositories."""

    kind: str = "doublestar"
    decoration: str = ""
    pattern: str = ""
    extras: str | None = None


class Rule(Model):
    """A rule of retention (action retain) or of immutability (action immutable)."""

    id: int | None = None
    priority: int | None = None
    disabled: bool | None = None
    action: str = "retain"
    template: str = ""
    params: dict[str, Any] | None = None
    tag_selectors: Annotated[list[Selector], NULL_IS_EMPTY] = []
    scope_selectors: dict[str, list[Selector]] = {}


class Trigger(Model):
    """When: `settings["cron"]` has six fields, the first of which is 0; empty for never."""

    kind: str = "Schedule"
    settings: dict[str, Any] = {}
    references: dict[str, Any] | None = None


class Scope(Model):
    """Whose: the project's id."""

    level: str = "project"
    ref: int


class RetentionPolicy(Model):
    """At most 15 rules; Harbor checks nothing else."""

    id: int | None = None
    algorithm: str = "or"
    rules: Annotated[list[Rule], NULL_IS_EMPTY] = []
    trigger: Trigger
    scope: Scope


class WebhookTarget(Model):
    """Where to; Harbor reads the header back in clear."""

    type: str = "http"
    address: str
    auth_header: Secret | None = None
    skip_cert_verify: bool | None = None
    payload_format: str | None = None


class Webhook(Model):
    """A project's webhook policy. A change replaces all of it: what is absent is gone."""

    id: int | None = None
    name: str
    description: str = ""
    project_id: int | None = None
    enabled: bool = True
    event_types: Annotated[list[str], NULL_IS_EMPTY]
    targets: Annotated[list[WebhookTarget], NULL_IS_EMPTY]


class ScheduleTime(Model):
    """Hourly, Daily, Weekly, Custom, Manual or None; the cron expression is needed for all but the last two."""

    type: str
    cron: str | None = None
    next_scheduled_time: str | None = None


class Schedule(Model):
    """A schedule to set, and what scan-all's looks like."""

    id: int | None = None
    schedule: ScheduleTime
    parameters: dict[str, Any] | None = None


class ScheduledJob(Model):
    """A schedule of garbage collection or of the purge, or one of its runs: parameters are JSON in a string."""

    id: int
    job_name: str = ""
    job_kind: str = ""
    job_parameters: str = ""
    job_status: str = ""
    schedule: ScheduleTime | None = None
    creation_time: str | None = None
    update_time: str | None = None


class WebhookRun(Model):
    """One delivery of a webhook."""

    id: int
    vendor_id: int = 0
    status: str = ""
    trigger: str = ""
    start_time: str | None = None
    end_time: str | None = None
