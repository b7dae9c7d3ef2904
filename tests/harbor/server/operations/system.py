"""Health, system info, statistics, the job service, the audit log."""

import datetime as dt

from tests.harbor.server.answers import Answer, missing
from tests.harbor.server.call import Call
from tests.harbor.server.faults import COMPONENTS
from tests.harbor.server.routes import operation

_JOBS = ("GARBAGE_COLLECTION", "IMAGE_SCAN", "REPLICATION", "RETENTION", "SCAN_DATA_EXPORT", "WEBHOOK")
POOL = "aa4d1c5b0d4e"


@operation("GET", "/ping")
def ping(call: Call) -> str:
    return "Pong"


@operation("GET", "/health")
def get_health(call: Call) -> dict:
    """Answer 200 whatever the state is."""
    sick = call.harbor.switches.unhealthy
    components = [
        {"name": name, "status": "unhealthy", "error": sick[name]}
        if name in sick
        else {"name": name, "status": "healthy"}
        for name in COMPONENTS
    ]
    return {"status": "unhealthy" if sick else "healthy", "components": components}


@operation("GET", "/systeminfo")
def get_systeminfo(call: Call) -> dict:
    """Tell most only to those who are logged in: `harbor_version` is the proof of it."""
    setting, switches = call.harbor.setting, call.harbor.switches
    info = {
        "auth_mode": setting("auth_mode"),
        "primary_auth_mode": setting("primary_auth_mode"),
        "self_registration": setting("self_registration"),
        "banner_message": setting("banner_message"),
        "oidc_provider_name": setting("oidc_name"),
    }
    if not call.who.authenticated:
        return info
    host = call.headers.get("Host", "")
    return info | {
        "has_ca_root": False,
        "project_creation_restriction": setting("project_creation_restriction"),
        "harbor_version": switches.version,
        "external_url": switches.external_url or f"http://{host}",
        "registry_url": switches.external_url.partition("://")[2] or host,
        "read_only": setting("read_only"),
        "registry_storage_provider_name": "filesystem",
        "notification_enable": setting("notification_enable"),
        "current_time": call.harbor.stamp(),
    }


@operation("GET", "/systeminfo/volumes")
def get_volumes(call: Call) -> dict:
    call.system("read", "system-volumes")
    return {"storage": [{"total": 107374182400, "free": 53687091200}]}


@operation("GET", "/statistics")
def get_statistics(call: Call) -> dict:
    call.require_login()
    state, public = call.harbor.state, "json_extract(doc, '$.metadata.public') = 'true'"
    projects, open_ones = state.count("project"), state.count("project", where=public)
    numbers = {row["project_id"] for row in state.page("project", where=public)[1]}
    repositories = [row["project_id"] for row in state.all("repository")]
    shown = sum(number in numbers for number in repositories)
    return {
        "private_project_count": projects - open_ones,
        "private_repo_count": len(repositories) - shown,
        "public_project_count": open_ones,
        "public_repo_count": shown,
        "total_project_count": projects,
        "total_repo_count": len(repositories),
        "total_storage_consumption": sum(row["used"]["storage"] for row in state.all("quota")),
    }


@operation("GET", "/jobservice/pools")
def list_pools(call: Call) -> list[dict]:
    call.system("list", "jobservice-monitor")
    if "jobservice" in call.harbor.switches.unhealthy:
        return []
    now = call.harbor.now().timestamp()
    pool = {"pid": 1, "worker_pool_id": POOL, "concurrency": 10}
    return [pool | {"start_at": _time(now - 3600), "heartbeat_at": _time(now - call.harbor.switches.heartbeat_age)}]


def _time(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@operation("GET", "/jobservice/pools/{pool_id}/workers")
def list_workers(call: Call) -> list[dict]:
    call.system("list", "jobservice-monitor")
    if call.parameters["pool_id"] not in {POOL, "all"}:
        raise missing(f"the worker pool is not found: {call.parameters['pool_id']}")
    return [{"id": f"worker{number}", "pool_id": POOL} for number in range(10)]


@operation("GET", "/jobservice/queues")
def list_queues(call: Call) -> list[dict]:
    call.system("list", "jobservice-monitor")
    paused = call.harbor.switches.jobs_paused
    return [{"job_type": name, "count": 0, "latency": 0, "paused": name in paused} for name in _JOBS]


@operation("PUT", "/jobservice/queues/{job_type}")
def act_on_queue(call: Call) -> None:
    call.system("stop", "jobservice-monitor")
    action, name = call.shaped({"action": str}).get("action"), call.parameters["job_type"]
    paused = set(call.harbor.switches.jobs_paused)
    names = set(_JOBS) if name == "all" else {name}
    call.harbor.switches.jobs_paused = sorted(paused | names if action == "pause" else paused - names)


@operation("GET", "/audit-logs")
def list_audit(call: Call) -> Answer:
    call.require_login()
    keys = ("id", "username", "resource", "resource_type", "operation", "op_time")
    return _log(call, lambda row: {key: row[key] for key in keys})


@operation("GET", "/auditlog-exts")
def list_audit_events(call: Call) -> Answer:
    call.require_login()
    return _log(call, lambda row: row)


def _log(call: Call, show) -> Answer:
    if not call.who.may("list", "audit-log"):
        return call.listed("audit", extra=("0", []))
    columns = {"username": "username", "operation": "operation", "resource": "resource", "op_time": "op_time"}
    return call.listed("audit", columns=columns | {"resource_type": "resource_type"}, show=show)


@operation("GET", "/auditlog-exts/events")
def list_audit_event_types(call: Call) -> list[dict]:
    call.require_login()
    names = [f"{action}_{kind}" for kind in ("project", "robot", "user", "artifact") for action in ("create", "delete")]
    return [{"event_type": name} for name in [*names, "pull_artifact", "user_login", "update_configuration"]]
