"""Schedules of the scan of everything, of garbage collection, and of the audit log's purge.

Always set by PUT (a POST differs for each of them); what is not scheduled answers with an empty body. Harbor keeps
parameters as JSON in a string, with keys of its own; ours are compared. Where Redis is, it writes itself and no longer
shows, so the ledger has to know.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from infra.errors import NotAllowedNow
from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import schedules
from slipway.harbor.client.models import Schedule, ScheduledJob, ScheduleTime
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import unusual
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.schedules import GcSpec, ScheduleSpec

_NEVER: Mapping[str, Any] = {"type": "None", "cron": ""}
#: What Harbor does where a parameter is not set.
_PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "scan_all": {},
    "gc": {"delete_untagged": False, "delete_tag": False, "workers": 1},
    "purge_audit": {"audit_retention_hour": 0, "include_event_types": []},
}
_READ = {"gc": schedules.gc, "purge_audit": schedules.purge}
_SET = {"scan_all": schedules.set_scan_all, "gc": schedules.set_gc, "purge_audit": schedules.set_purge}


class Schedules(Kind):
    """The three schedules; the key is the name of each."""

    name: ClassVar = "schedule"
    singleton: ClassVar = True

    def desired(self, spec: HarborSpec) -> Desired:
        declared = spec.system.schedules.given() if spec.system and spec.system.schedules else ()
        return Desired(objects=[self._wanted(name, schedule, spec) for name, schedule in declared])

    def _wanted(self, name: str, schedule: ScheduleSpec | None, spec: HarborSpec) -> Object:
        scanner = spec.system.default_scanner if spec.system and name == "scan_all" else None
        return Object(
            kind=self.name,
            key=name,
            fields=dict(_NEVER) if schedule is None or schedule.type == "None" else _fields(name, schedule),
            noted={"redis": schedule.redis} if isinstance(schedule, GcSpec) and schedule.redis else {},
            after=(Ref("default-scanner", "system"),) if scanner else (),
            at=("system", "schedules", name),
        )

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        names = _PARAMETERS if scope.everything else [name for name in _PARAMETERS if name in scope.keys]
        return [self._seen(name, await _read(harbor, name)) for name in names]

    def _seen(self, name: str, fields: Mapping[str, Any]) -> Object:
        return Object(kind=self.name, key=name, id=name, fields=fields)

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            fields = one.fields
            if fields.get("type", "None") == "None":
                continue
            data = {"type": fields["type"]} | ({"cron": fields["cron"]} if fields["type"] == "Custom" else {})
            # Where Redis is, Harbor notes by itself.
            draft.put(("system", "schedules", one.key), data | unusual(fields, _PARAMETERS[one.key]), one)

    async def update(self, site: Site, edit: Edit) -> None:
        name = edit.wanted.key
        time = ScheduleTime(type=edit.value("type"), cron=edit.value("cron") or None)
        parameters = {key: edit.value(key) for key in _PARAMETERS[name]}
        parameters = {key: value for key, value in parameters.items() if value is not None}
        if name == "purge_audit":
            # Wanted even where nothing is to be purged any more.
            parameters = {
                "audit_retention_hour": parameters.get("audit_retention_hour") or 24,
                "include_event_types": ",".join(parameters.get("include_event_types") or ["other"]),
            }
        await site.harbor.send(_SET[name](Schedule(schedule=time, parameters=parameters or None)))


def _fields(name: str, schedule: ScheduleSpec) -> dict[str, Any]:
    fields: dict[str, Any] = {"type": schedule.type, "cron": schedule.expression}
    for key, value in schedule.given():
        if key in _PARAMETERS[name]:
            fields[key] = _PARAMETERS[name][key] if value is None else value
    if "include_event_types" in fields:
        fields["include_event_types"] = sorted(set(fields["include_event_types"]))
    return fields


async def _read(harbor: HarborClient, name: str) -> dict[str, Any]:
    if name in _READ:
        job = await harbor.send(_READ[name]())
        return _of_job(name, job) if job else dict(_NEVER)
    try:
        found = await harbor.send(schedules.scan_all())
    except NotAllowedNow:  # there is no scanner, so nothing is scheduled
        found = None
    return _time(found.schedule) if found else dict(_NEVER)


def _time(schedule: ScheduleTime | None) -> dict[str, Any]:
    if schedule is None or schedule.type in {"", "None"}:
        return dict(_NEVER)
    return {"type": schedule.type, "cron": schedule.cron or ""}


def _of_job(name: str, job: ScheduledJob) -> dict[str, Any]:
    fields = _time(job.schedule)
    if fields["type"] == "None":
        return fields
    try:
        kept = json.loads(job.job_parameters or "{}")
    except ValueError:
        kept = {}
    fields |= {key: kept.get(key, default) for key, default in _PARAMETERS[name].items()}
    if name == "purge_audit":
        fields["include_event_types"] = sorted(filter(None, str(fields["include_event_types"] or "").split(",")))
    return fields
