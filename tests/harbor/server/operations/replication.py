"""Replication rules as Harbor normalises them, and their runs.

A run really copies from a registry on this machine (copying.py); of any other it is over at once, with nothing copied.
"""

import json

from tests.harbor.server.answers import Answer, bad, conflict, internal, missing, precondition
from tests.harbor.server.call import Call
from tests.harbor.server.copying import begin
from tests.harbor.server.operations import cron, registries
from tests.harbor.server.query import Fuzzy, conditions
from tests.harbor.server.routes import operation
from tests.harbor.server.state import Taken

_SHAPE = {
    "name": str,
    "description": str,
    "src_registry": {"id": int},
    "dest_registry": {"id": int},
    "dest_namespace": str,
    "dest_namespace_replace_count": int,
    "trigger": {"type": str, "trigger_settings": {"cron": str}},
    "filters": [{"type": str, "decoration": str}],
    "replicate_deletion": bool,
    "deletion": bool,
    "override": bool,
    "enabled": bool,
    "speed": int,
    "copy_by_chunk": bool,
    "single_active_replication": bool,
}

_LONGEST = 1024  # Harbor keeps filters in a varchar(1024)


def _checked(call: Call, sent: dict) -> dict:
    trigger = sent.get("trigger") or {}
    if sent.get("single_active_replication") and trigger.get("type") == "event_based":
        raise internal()
    count = sent.get("dest_namespace_replace_count")
    policy = {
        "name": sent.get("name") or "",
        "description": sent.get("description") or "",
        "dest_namespace": sent.get("dest_namespace") or "",
        "dest_namespace_replace_count": -1 if count is None else count,
        "deletion": bool(sent.get("deletion")),  # replicate_deletion counts for nothing
        "override": bool(sent.get("override")),
        "enabled": bool(sent.get("enabled")),
        "speed": max(sent.get("speed") or 0, 0),
        "copy_by_chunk": bool(sent.get("copy_by_chunk")),
        "single_active_replication": bool(sent.get("single_active_replication")),
        "filters": [_filter(each) for each in sent.get("filters") or []],
        "src_registry": (sent.get("src_registry") or {}).get("id") or 0,
        "dest_registry": (sent.get("dest_registry") or {}).get("id") or 0,
    }
    if not policy["name"]:
        raise bad("empty name")
    if bool(policy["src_registry"]) == bool(policy["dest_registry"]):
        raise bad("either src_registry or dest_registry should be empty and the other one shouldn't be empty")
    number = policy["src_registry"] or policy["dest_registry"]
    if not call.harbor.state.get("registry", number):
        raise missing(f"registry {number} not found")
    if len(json.dumps(policy["filters"], separators=(",", ":"))) > _LONGEST:
        raise internal()  # the database refuses it
    return policy | {"trigger": _trigger(trigger)}


def _filter(sent: dict) -> dict:
    kind, decoration = sent.get("type"), sent.get("decoration") or ""
    if kind not in {"name", "tag", "label", "resource"}:
        raise bad(f"invalid filter type: {kind}")
    if decoration and (kind not in {"tag", "label"} or decoration not in {"matches", "excludes"}):
        raise bad(f"invalid filter decoration: {decoration}")
    value = sent.get("value")
    if kind == "label" and not isinstance(value, list):
        raise bad("the value of label filter isn't a string slice")
    if kind != "label" and not isinstance(value, str):
        raise bad(f"the type of filter value isn't string: {kind}")
    return {"type": kind, "value": value} | ({"decoration": decoration} if decoration else {})


def _trigger(sent: dict) -> dict:
    kind = sent.get("type") or "manual"
    if kind not in {"manual", "scheduled", "event_based"}:
        raise bad("invalid trigger type")
    if kind != "scheduled":
        return {"type": kind}
    expression = (sent.get("trigger_settings") or {}).get("cron") or ""
    if not expression:
        raise bad("the cron string cannot be empty when the trigger type is scheduled")
    cron.check(expression, "scheduled trigger")
    if expression.split()[1] == "*":
        raise bad("* is not allowed for the Minutes field of the cron setting of replication policy")
    return {"type": kind, "trigger_settings": {"cron": expression}}


def _show(call: Call, policy: dict) -> dict:
    doc = {key: value for key, value in policy.items() if value not in ("", []) and value is not False}
    doc["filters"] = policy["filters"] or None  # null, not []
    local = {"id": 0, "name": "Local", "type": "harbor", "url": "http://core:8080", "credential": {"type": "secret"}}
    for side in ("src_registry", "dest_registry"):
        number = policy[side]
        doc[side] = registries.shown(call.harbor.state.get("registry", number)) if number else local
    return doc


@operation("GET", "/replication/policies")
def list_policies(call: Call) -> Answer:
    call.system("list", "replication-policy")
    extra = ("1", [])
    if name := call.query.get("name"):
        extra = conditions({"name": Fuzzy(name)}, {"name": "key"})
    return call.listed("policy", columns={"name": "key"}, extra=extra, show=lambda policy: _show(call, policy))


@operation("POST", "/replication/policies")
def create_policy(call: Call) -> Answer:
    call.system("create", "replication-policy")
    policy, stamp = _checked(call, call.shaped(_SHAPE)), call.harbor.stamp()
    try:
        doc = policy | {"creation_time": stamp, "update_time": stamp}
        return call.created(call.harbor.state.add("policy", doc, key=policy["name"]))
    except Taken:
        raise conflict(f"replication policy {policy['name']} already exists") from None


@operation("GET", "/replication/policies/{id}")
def get_policy(call: Call) -> dict:
    call.system("read", "replication-policy")
    return _show(call, _found(call))


@operation("PUT", "/replication/policies/{id}")
def update_policy(call: Call) -> None:
    call.system("update", "replication-policy")
    policy, old = _checked(call, call.shaped(_SHAPE)), _found(call)
    kept = {"id": old["id"], "creation_time": old["creation_time"], "update_time": call.harbor.stamp()}
    try:
        call.harbor.state.put("policy", old["id"], policy | kept, key=policy["name"])
    except Taken:
        raise conflict(f"replication policy {policy['name']} already exists") from None


@operation("DELETE", "/replication/policies/{id}")
def delete_policy(call: Call) -> None:
    call.system("delete", "replication-policy")
    call.harbor.state.delete("policy", _found(call)["id"])


def _found(call: Call) -> dict:
    policy = call.harbor.state.get("policy", call.number("id"))
    if policy is None:
        raise missing(f"replication policy {call.parameters['id']} not found")
    return policy


@operation("GET", "/replication/executions")
def list_replications(call: Call) -> Answer:
    call.system("list", "replication")
    wanted = {key: call.query[key] for key in ("policy_id", "status", "trigger") if key in call.query}
    extra = conditions(wanted, {key: key for key in wanted})
    return call.listed("replication", extra=extra, columns={"start_time": "start_time", "id": "id"})


@operation("POST", "/replication/executions")
def start_replication(call: Call) -> Answer:
    call.system("create", "replication")
    number = call.shaped({"policy_id": int}).get("policy_id") or 0
    policy = call.harbor.state.get("policy", number)
    if policy is None:
        raise missing(f"replication policy {number} not found")
    if not policy["enabled"]:
        raise precondition(f"the policy {number} is disabled")
    stamp, none = call.harbor.stamp(), dict.fromkeys(("total", "failed", "succeed", "in_progress", "stopped"), 0)
    run = {"policy_id": number, "status": "InProgress", "trigger": "manual", "start_time": stamp, "status_text": ""}
    if policy["single_active_replication"] and _running(call, number):
        text = "Execution skipped: active replication still in progress."
        run |= {"status": "Failed", "end_time": stamp, "status_text": text}
        return call.created(call.harbor.state.add("replication", run | none))
    made = call.harbor.state.add("replication", run | none)
    if not begin(call.harbor, policy, made):
        call.harbor.state.put("replication", made, {"id": made, **run, **none, "status": "Succeed", "end_time": stamp})
    return call.created(made)


def _running(call: Call, policy: int) -> bool:
    runs = call.harbor.state.all("replication")
    return any(each["policy_id"] == policy and each["status"] == "InProgress" for each in runs)


@operation("GET", "/replication/executions/{id}")
def get_replication(call: Call) -> dict:
    call.system("read", "replication")
    return _run(call)


@operation("PUT", "/replication/executions/{id}")
def stop_replication(call: Call) -> None:
    call.system("create", "replication")
    _run(call)


@operation("GET", "/replication/executions/{id}/tasks")
def list_replication_tasks(call: Call) -> Answer:
    call.system("list", "replication")
    extra = conditions({"status": call.query["status"]} if "status" in call.query else {}, {"status": "status"})
    return call.listed("replication-task", project=_run(call)["id"], extra=extra, show=_shown)


@operation("GET", "/replication/executions/{id}/tasks/{task_id}/log")
def get_replication_log(call: Call) -> Answer:
    call.system("read", "replication")
    run, task = _run(call), call.harbor.state.get("replication-task", call.number("task_id"))
    if task is None or task["execution_id"] != run["id"]:
        raise missing(f"execution {run['id']} contains no task with ID {call.parameters['task_id']}")
    return Answer(body=task["_log"].encode())


def _shown(task: dict) -> dict:
    return {key: value for key, value in task.items() if not key.startswith("_")}


def _run(call: Call) -> dict:
    run = call.harbor.state.get("replication", call.number("id"))
    if run is None:
        raise missing(f"replication execution {call.parameters['id']} not found")
    return run
