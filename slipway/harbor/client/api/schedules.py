"""Schedules of garbage collection, of the audit log's purge, of the scan of everything. Always by PUT: POST differs.

await harbor.send(schedules.set_gc(Schedule(schedule=ScheduleTime(type="Daily", cron="0 0 0 * * *"))))
"""

from slipway.harbor.client.models import Schedule, ScheduledJob, ScheduledTask, ScheduleTime
from slipway.harbor.client.request import Created, Pages, Request, created, nothing, one_or_none, page_of, text

_JOB, _SCHEDULE = one_or_none(ScheduledJob), one_or_none(Schedule)
_JOBS, _TASKS = page_of(ScheduledJob), page_of(ScheduledTask)
_GC, _PURGE, _SCAN = "/system/gc/schedule", "/system/purgeaudit/schedule", "/system/scanAll/schedule"


def gc() -> Request[ScheduledJob | None]:
    return Request(what="read the garbage collection's schedule", method="GET", path=_GC, read=_JOB)


def set_gc(schedule: Schedule) -> Request[None]:
    """Set it, or remove it with type None."""
    return Request(what="set the garbage collection's schedule", method="PUT", path=_GC, body=schedule, read=nothing)


def run_gc(*, dry_run: bool, delete_untagged: bool = False) -> Request[Created]:
    parameters = {"dry_run": dry_run, "delete_untagged": delete_untagged}
    body = Schedule(schedule=ScheduleTime(type="Manual"), parameters=parameters)
    return Request(what="run a garbage collection", method="POST", path=_GC, body=body, read=created)


def gc_runs() -> Pages[ScheduledJob]:
    return Pages(first=Request(what="list garbage collections", method="GET", path="/system/gc", read=_JOBS))


def gc_log(number: int) -> Request[str]:
    what = f"read the log of garbage collection {number}"
    return Request(what=what, method="GET", path=f"/system/gc/{number}/log", read=text)


def purge() -> Request[ScheduledJob | None]:
    return Request(what="read the audit purge's schedule", method="GET", path=_PURGE, read=_JOB)


def set_purge(schedule: Schedule) -> Request[None]:
    """Set it; `audit_retention_hour` and `include_event_types` are needed even with type None."""
    return Request(what="set the audit purge's schedule", method="PUT", path=_PURGE, body=schedule, read=nothing)


def scan_all() -> Request[Schedule | None]:
    """Read it; 412 where there is no scanner."""
    return Request(what="read the schedule of the scan of everything", method="GET", path=_SCAN, read=_SCHEDULE)


def set_scan_all(schedule: Schedule) -> Request[None]:
    what = "set the schedule of the scan of everything"
    return Request(what=what, method="PUT", path=_SCAN, body=schedule, read=nothing)


def every() -> Pages[ScheduledTask]:
    return Pages(first=Request(what="list schedules", method="GET", path="/schedules", read=_TASKS))
