"""Schedules of garbage collection, of the audit log's purge and of the scan of everything, with their runs."""

import json

from tests.harbor.server.answers import Answer, bad, conflict, missing, precondition
from tests.harbor.server.call import Call
from tests.harbor.server.operations import cron, scanners
from tests.harbor.server.routes import operation

_SHAPE = {"schedule": {"type": str, "cron": str, "next_scheduled_time": str}, "parameters": dict}
_TYPES = {"Hourly", "Daily", "Weekly", "Custom"}
_GC, _PURGE, _SCAN = "GARBAGE_COLLECTION", "PURGE_AUDIT_LOG", "SCAN_ALL"
_PURPOSE = {_GC: "scheduled gc", _PURGE: "scheduled log rotation purge", _SCAN: "scheduled scan all"}


def _sent(call: Call) -> tuple[str, str, dict]:
    body = call.shaped(_SHAPE)
    schedule = body.get("schedule") or {}
    return schedule.get("type") or "", schedule.get("cron") or "", body.get("parameters") or {}


def _keep(call: Call, vendor: str, kind: str, expression: str, parameters: dict) -> int:
    """Replace a schedule, remove it, or run at once; gives the id of a run."""
    state, stamp = call.harbor.state, call.harbor.stamp()
    if kind == "Manual":
        run = {"parameters": parameters, "status": "Success", "creation_time": stamp, "update_time": stamp}
        return state.add(f"{vendor} run", run)
    if kind in _TYPES:
        cron.check(expression, _PURPOSE[vendor])
    elif kind != "None":
        return 0
    if old := state.find("schedule", vendor):
        state.delete("schedule", old["id"])
    if kind == "None":
        return 0
    doc = {"vendor_type": vendor, "vendor_id": -1, "cron": expression, "cron_type": kind, "parameters": parameters}
    return state.add("schedule", doc | {"creation_time": stamp, "update_time": stamp}, key=vendor)


def _history(call: Call, vendor: str, extra: dict) -> Answer | dict:
    """Show a schedule in the shape of a run: its parameters are JSON in a string, with keys that nobody sent."""
    found = call.harbor.state.find("schedule", vendor)
    if found is None:
        return Answer()  # 200, and not a byte
    shown = found["parameters"] | extra
    shown.pop("redis_url_reg", None)  # not since 2.15.1
    return {
        "id": found["id"],
        "job_name": "",
        "job_kind": found["cron"],
        "job_parameters": json.dumps(shown),
        "schedule": {"type": found["cron_type"], "cron": found["cron"], "next_scheduled_time": cron.NEXT},
        "job_status": "",
        "deleted": False,
        "creation_time": found["creation_time"],
        "update_time": found["update_time"],
    }


def _run(row: dict, name: str) -> dict:
    return {
        "id": row["id"],
        "job_name": name,
        "job_kind": "MANUAL",
        "job_parameters": json.dumps(row["parameters"]),
        "schedule": {"type": "Manual"},
        "job_status": row["status"],
        "deleted": False,
        "creation_time": row["creation_time"],
        "update_time": row["update_time"],
    }


def _one(call: Call, vendor: str, parameter: str) -> dict:
    row = call.harbor.state.get(f"{vendor} run", call.number(parameter))
    if row is None:
        raise missing(f"{vendor.lower()} {call.parameters[parameter]} not found")
    return row


# --- garbage collection

_GC_EXTRA = {"redis_url_reg": "redis://redis:6379/2", "time_window": 2}


def _gc(call: Call) -> int:
    kind, expression, parameters = _sent(call)
    workers = parameters.get("workers", 1)
    if not isinstance(workers, int) or not 0 < workers <= 10:
        raise bad(
            f"Error: Invalid number of workers:{workers}. Workers must be greater than 0 and less than or equal to 10."
        )
    return _keep(call, _GC, kind, expression, parameters)


@operation("GET", "/system/gc/schedule")
def get_gc_schedule(call: Call) -> Answer | dict:
    call.system("read", "garbage-collection")
    return _history(call, _GC, _GC_EXTRA)


@operation("POST", "/system/gc/schedule")
def create_gc_schedule(call: Call) -> Answer:
    call.system("create", "garbage-collection")
    return Answer(status=201, headers={"Location": f"/api/v2.0/system/gc/{_gc(call)}"})


@operation("PUT", "/system/gc/schedule")
def update_gc_schedule(call: Call) -> None:
    call.system("update", "garbage-collection")
    _gc(call)


@operation("GET", "/system/gc")
def list_gc(call: Call) -> Answer:
    call.system("list", "garbage-collection")
    return call.listed(f"{_GC} run", show=lambda row: _run(row, _GC))


@operation("GET", "/system/gc/{gc_id}")
def get_gc(call: Call) -> dict:
    call.system("read", "garbage-collection")
    return _run(_one(call, _GC, "gc_id"), _GC)


@operation("GET", "/system/gc/{gc_id}/log")
def get_gc_log(call: Call) -> Answer:
    call.system("read", "garbage-collection")
    _one(call, _GC, "gc_id")
    return Answer(body=b"start to run gc in job.\nsuccess to run gc in job.\n")


# --- purge of the audit log


def _purge(call: Call) -> int:
    kind, expression, parameters = _sent(call)
    if not parameters:
        raise bad("schedule parameter cann't be empty")
    for key in ("audit_retention_hour", "include_event_types"):
        if key not in parameters:
            raise bad(f"{key} should provide")
    return _keep(call, _PURGE, kind, expression, parameters)


@operation("GET", "/system/purgeaudit/schedule")
def get_purge_schedule(call: Call) -> Answer | dict:
    call.system("read", "purge-audit")
    return _history(call, _PURGE, {"dry_run": False})


@operation("POST", "/system/purgeaudit/schedule")
def create_purge_schedule(call: Call) -> Answer:
    call.system("create", "purge-audit")
    return Answer(status=201, headers={"Location": f"/api/v2.0/system/purgeaudit/{_purge(call)}"})


@operation("PUT", "/system/purgeaudit/schedule")
def update_purge_schedule(call: Call) -> None:
    call.system("update", "purge-audit")
    _purge(call)


@operation("GET", "/system/purgeaudit")
def list_purges(call: Call) -> Answer:
    call.system("list", "purge-audit")
    return call.listed(f"{_PURGE} run", show=lambda row: _run(row, _PURGE))


# --- scan of everything


def _scan_all(call: Call, action: str) -> dict | None:
    call.system(action, "scan-all")
    if scanners.default(call) is None:
        raise precondition("no scanner is configured, it's not possible to scan")
    return call.harbor.state.find("schedule", _SCAN)


@operation("GET", "/system/scanAll/schedule")
def get_scan_all_schedule(call: Call) -> Answer | dict:
    found = _scan_all(call, "read")
    if found is None:
        return Answer()
    doc = {key: found[key] for key in ("id", "creation_time", "update_time")}
    return doc | {"status": "", "schedule": {"type": found["cron_type"], "cron": found["cron"]}, "parameters": {}}


@operation("POST", "/system/scanAll/schedule")
def create_scan_all_schedule(call: Call) -> Answer:
    found = _scan_all(call, "create")
    kind, expression, _ = _sent(call)
    if kind == "Manual":
        if call.harbor.state.count(f"{_SCAN} run", where="json_extract(doc, '$.status') = 'Running'"):
            raise conflict("a previous scan all job aleady exits, its status is Running")
        _keep(call, _SCAN, kind, "", {})
    elif kind != "None":
        if found:
            raise precondition(
                "fail to set schedule for scan all as always had one, please delete it firstly then to re-schedule"
            )
        _keep(call, _SCAN, kind, expression, {})
    return Answer(status=201)


@operation("PUT", "/system/scanAll/schedule")
def update_scan_all_schedule(call: Call) -> None:
    _scan_all(call, "update")
    kind, expression, _ = _sent(call)
    if kind == "Manual":
        raise bad(f"fail to update scan all schedule as wrong schedule type: {kind}")
    _keep(call, _SCAN, kind, expression, {})


@operation("POST", "/system/scanAll/stop")
def stop_scan_all(call: Call) -> Answer:
    _scan_all(call, "stop")
    if not call.harbor.state.count(f"{_SCAN} run"):
        raise bad("no scan all job is found currently")
    return Answer(status=202)


@operation("GET", "/scans/all/metrics")
def get_scan_all_metrics(call: Call) -> dict:
    _scan_all(call, "read")
    runs = call.harbor.state.count(f"{_SCAN} run")
    return {"total": runs, "completed": runs, "metrics": {"Success": runs}, "ongoing": False, "trigger": "Manual"}


@operation("GET", "/schedules")
def list_schedules(call: Call) -> Answer:
    call.system("list", "jobservice-monitor")
    keys = ("id", "vendor_type", "vendor_id", "cron", "update_time")
    return call.listed("schedule", show=lambda row: {key: row[key] for key in keys})


@operation("GET", "/schedules/{job_type}/paused")
def get_schedules_paused(call: Call) -> dict:
    call.require_login()
    if call.parameters["job_type"].lower() != "all":
        raise bad("job_type can only be 'all'")
    return {"paused": "all" in call.harbor.switches.jobs_paused}
