"""Webhook policies, and their delivery: every event goes out over HTTP in the format that was asked for."""

import asyncio
import uuid

import aiohttp

from tests.harbor.server.answers import Answer, bad, conflict, missing
from tests.harbor.server.call import Call
from tests.harbor.server.harbor import ZERO, Harbor, as_json
from tests.harbor.server.routes import operation
from tests.harbor.server.state import Taken

EVENTS = (
    "PUSH_ARTIFACT",
    "PULL_ARTIFACT",
    "DELETE_ARTIFACT",
    "SCANNING_FAILED",
    "SCANNING_STOPPED",
    "SCANNING_COMPLETED",
    "QUOTA_EXCEED",
    "QUOTA_WARNING",
    "REPLICATION",
    "TAG_RETENTION",
)
FORMATS = ("Default", "CloudEvents")
_CLOUD_TYPES = {
    "PUSH_ARTIFACT": "harbor.artifact.pushed",
    "PULL_ARTIFACT": "harbor.artifact.pulled",
    "DELETE_ARTIFACT": "harbor.artifact.deleted",
    "SCANNING_FAILED": "harbor.scan.failed",
    "SCANNING_STOPPED": "harbor.scan.stopped",
    "SCANNING_COMPLETED": "harbor.scan.completed",
    "QUOTA_EXCEED": "harbor.quota.exceeded",
    "QUOTA_WARNING": "harbor.quota.warned",
    "REPLICATION": "harbor.replication.status.changed",
    "TAG_RETENTION": "harbor.tag_retention.finished",
}
_TARGET = {"type": str, "address": str, "auth_header": str, "skip_cert_verify": bool, "payload_format": str}
_SHAPE = {"name": str, "description": str, "enabled": bool, "event_types": [str], "targets": [_TARGET]}


def _checked(body: dict) -> dict:
    """Give a policy to keep; what is absent is gone."""
    events = body.get("event_types") or []
    if not events:
        raise bad("empty event type")
    for event in events:
        if event not in EVENTS:
            raise bad(f"unsupported event type {event}")
    targets = body.get("targets") or []
    if not targets:
        raise bad("empty notification target with policy")
    return {
        "name": body.get("name") or "",
        "description": body.get("description") or "",
        "enabled": bool(body.get("enabled")),
        "event_types": events,
        "targets": [_target(each) for each in targets],
    }


def _target(sent: dict) -> dict:
    kind, form = sent.get("type") or "", sent.get("payload_format") or ""
    if not sent.get("address"):
        raise bad("invalid notification target with empty address")
    if kind not in {"http", "slack", "teams"}:
        raise bad(f"unsupported notification type {kind}")
    if form and kind != "http":
        raise bad("set payload format is not allowed for notify type except http")
    if form and form not in FORMATS:
        raise bad(f"unsupported payload format type: {form}")
    kept = {key: value for key, value in sent.items() if key in _TARGET and value not in (None, "", False)}
    return kept | ({"payload_format": form or "Default"} if kind == "http" else {})


@operation("GET", "/projects/{project_name_or_id}/webhook/policies")
def list_webhooks(call: Call) -> Answer:
    number = call.project("list", "notification-policy")["project_id"]
    return call.listed("webhook", project=number, columns={"name": "key"})


@operation("POST", "/projects/{project_name_or_id}/webhook/policies")
def create_webhook(call: Call) -> Answer:
    number = call.project("create", "notification-policy")["project_id"]
    policy = _checked(call.shaped(_SHAPE))
    stamp = call.harbor.stamp()
    policy |= {"project_id": number, "creator": call.who.name, "creation_time": stamp, "update_time": stamp}
    try:
        return call.created(call.harbor.state.add("webhook", policy, key=policy["name"], project=number))
    except Taken:
        raise conflict(f"notification policy named {policy['name']} already exists") from None


@operation("GET", "/projects/{project_name_or_id}/webhook/policies/{webhook_policy_id}")
def get_webhook(call: Call) -> dict:
    return _found(call, "read")


@operation("PUT", "/projects/{project_name_or_id}/webhook/policies/{webhook_policy_id}")
def update_webhook(call: Call) -> None:
    old, policy = _found(call, "update"), _checked(call.shaped(_SHAPE))
    # The time of the update stays and that of the creation is lost: so does Harbor.
    kept = {"id": old["id"], "project_id": old["project_id"], "creator": "", "creation_time": ZERO}
    policy |= {**kept, "update_time": old["update_time"]}
    try:
        call.harbor.state.put("webhook", old["id"], policy, key=policy["name"])
    except Taken:
        raise conflict(f"notification policy named {policy['name']} already exists") from None


@operation("DELETE", "/projects/{project_name_or_id}/webhook/policies/{webhook_policy_id}")
def delete_webhook(call: Call) -> None:
    call.harbor.state.delete("webhook", _found(call, "delete")["id"])


def _found(call: Call, action: str) -> dict:
    project, number = call.project(action, "notification-policy"), call.number("webhook_policy_id")
    policy = call.harbor.state.get("webhook", number)
    if policy is None or policy["project_id"] != project["project_id"]:
        raise missing(f"project id:{project['project_id']}, webhook policy id: {number} not found")
    return policy


@operation("GET", "/projects/{project_name_or_id}/webhook/events")
def list_events(call: Call) -> dict:
    call.project("read", "notification-policy")
    return {
        "event_type": list(EVENTS),
        "notify_type": ["http", "slack", "teams"],
        "payload_formats": [{"notify_type": "http", "formats": list(FORMATS)}],
    }


@operation("GET", "/projects/{project_name_or_id}/webhook/policies/{webhook_policy_id}/executions")
def list_webhook_runs(call: Call) -> Answer:
    return call.listed("webhook-run", project=_found(call, "read")["id"], show=lambda row: _without(row, "log"))


@operation("GET", "/projects/{project_name_or_id}/webhook/policies/{webhook_policy_id}/executions/{execution_id}/tasks")
def list_webhook_tasks(call: Call) -> Answer:
    policy, number = _found(call, "read"), call.number("execution_id")
    run = call.harbor.state.get("webhook-run", number)
    if run is None or run["vendor_id"] != policy["id"]:
        raise missing(f"execution {number} not found in policy {policy['id']}")
    task = {"id": number, "execution_id": number, "status": run["status"], "run_count": 1}
    return Answer(body=[task | {"start_time": run["start_time"]}], headers={"X-Total-Count": "1"})


@operation(
    "GET",
    "/projects/{project_name_or_id}/webhook/policies/{webhook_policy_id}/executions/{execution_id}/tasks/{task_id}/log",
)
def get_webhook_log(call: Call) -> Answer:
    _found(call, "read")
    run = call.harbor.state.get("webhook-run", call.number("execution_id"))
    if run is None:
        raise missing(f"task {call.parameters['task_id']} not found")
    return Answer(body=run["log"].encode())


def _without(row: dict, *keys: str) -> dict:
    return {key: value for key, value in row.items() if key not in keys}


def fire(harbor: Harbor, event: str, project: dict, data: dict, *, by: str) -> None:
    """Send an event to the targets of a project's policies, beside whatever is going on."""
    if not harbor.setting("notification_enable") or harbor.switches.webhooks_lost:
        return
    for policy in harbor.state.all("webhook", project=project["project_id"]):
        if policy["enabled"] and event in policy["event_types"]:
            for target in policy["targets"]:
                job = asyncio.get_running_loop().create_task(_deliver(harbor, policy, target, event, data, by))
                harbor.background.add(job)
                job.add_done_callback(harbor.background.discard)


async def _deliver(harbor: Harbor, policy: dict, target: dict, event: str, data: dict, by: str) -> None:
    kind, body = _payload(harbor, target, event, data, by)
    headers = {"Content-Type": kind}
    if target.get("auth_header"):
        headers["Authorization"] = target["auth_header"]
    start = harbor.stamp()
    try:
        async with harbor.http.post(
            target["address"], data=as_json(body), headers=headers, timeout=aiohttp.ClientTimeout(5), ssl=False
        ) as answer:
            good, log = answer.status < 300, f"answered {answer.status}"
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        good, log = False, f"webhook job run with error: {error}"
    vendor = "WEBHOOK" if target["type"] == "http" else "SLACK"
    run = {"vendor_type": vendor, "vendor_id": policy["id"], "status": "Success" if good else "Error"}
    run |= {"trigger": "EVENT", "start_time": start, "end_time": harbor.stamp(), "log": f"{start} {event}: {log}\n"}
    harbor.state.add("webhook-run", run | {"extra_attrs": {"event_type": {}}}, project=policy["id"])


def _payload(harbor: Harbor, target: dict, event: str, data: dict, by: str) -> tuple[str, dict]:
    now = int(harbor.now().timestamp())
    if target["type"] != "http":
        return "application/json", {"text": f"Harbor webhook events: {event} by {by}"}
    if target.get("payload_format") == "CloudEvents":
        cloud = {"specversion": "1.0", "id": str(uuid.uuid4()), "requestid": str(uuid.uuid4()), "source": "/projects"}
        cloud |= {"type": _CLOUD_TYPES[event], "datacontenttype": "application/json", "operator": by}
        return "application/cloudevents+json", cloud | {"time": harbor.stamp(), "data": data}
    return "application/json", {"type": event, "occur_at": now, "operator": by, "event_data": data}
