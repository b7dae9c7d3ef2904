"""Preheat instances and policies, after Harbor 2.15.2's source: a change goes to the id in its body."""

import json
import re

from tests.harbor.server.answers import Answer, conflict, internal, missing, precondition
from tests.harbor.server.call import Call
from tests.harbor.server.harbor import ZERO
from tests.harbor.server.operations import cron
from tests.harbor.server.routes import operation
from tests.harbor.server.state import Taken

_NAME = re.compile(r"^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$")
_INSTANCE = {
    "id": int, "name": str, "description": str, "vendor": str, "endpoint": str, "auth_mode": str, "auth_info": dict,
    "status": str, "enabled": bool, "default": bool, "insecure": bool, "setup_timestamp": int,
}  # fmt: skip
_POLICY = {
    "id": int, "name": str, "description": str, "project_id": int, "provider_id": int, "provider_name": str,
    "filters": str, "trigger": str, "enabled": bool, "extra_attrs": str, "creation_time": str, "update_time": str,
}  # fmt: skip
_ONES = "/p2p/preheat/instances/{preheat_instance_name}"
_POLICIES = "/projects/{project_name}/preheat/policies"
_INSTANCES, _RULES = "preheat instance", "preheat policy"


def _sent_instance(call: Call) -> dict:
    sent = call.shaped(_INSTANCE)
    if not _NAME.match(sent.get("name") or ""):
        raise internal()
    doc = {key: sent.get(key) or "" for key in ("name", "description", "vendor", "endpoint", "auth_mode")}
    doc |= {key: bool(sent.get(key)) for key in ("enabled", "default", "insecure")}
    return doc | {"auth_info": sent.get("auth_info") or {}, "setup_timestamp": sent.get("setup_timestamp") or 0}


def _shown_instance(instance: dict) -> dict:
    """Give it as a reader sees it: no credential, and no health."""
    kept = {key: value for key, value in instance.items() if key != "auth_info" and value not in ("", 0, None)}
    return kept | {key: instance[key] for key in ("enabled", "default", "insecure")} | {"status": "Unknown"}


def _found_instance(call: Call) -> dict:
    name = call.parameters["preheat_instance_name"]
    found = call.harbor.state.find(_INSTANCES, name)
    if found is None:
        raise missing(f"instance {name} not found")
    return found


def _is_used(call: Call, instance: dict) -> bool:
    where = "json_extract(doc, '$.provider_id') = ?"
    return call.harbor.state.count(_RULES, where=where, values=[instance["id"]]) > 0


@operation("GET", "/p2p/preheat/providers")
def list_preheat_providers(call: Call) -> list[dict]:
    call.system("list", "preheat-instance")
    return [{"id": "dragonfly", "name": "Dragonfly"}, {"id": "kraken", "name": "Kraken"}]


@operation("GET", "/p2p/preheat/instances")
def list_preheat_instances(call: Call) -> Answer:
    call.system("list", "preheat-instance")
    columns = {"id": "id", "name": "key", "endpoint": "endpoint", "vendor": "vendor"}
    return call.listed(_INSTANCES, columns=columns, show=_shown_instance)


@operation("POST", "/p2p/preheat/instances")
def create_preheat_instance(call: Call) -> Answer:
    call.system("create", "preheat-instance")
    doc, state = _sent_instance(call), call.harbor.state
    if any(each["endpoint"] == doc["endpoint"] for each in state.all(_INSTANCES)):
        raise internal()  # "resource conflict", which only its log tells
    doc["setup_timestamp"] = int(call.harbor.now().timestamp())
    try:
        state.add(_INSTANCES, doc, key=doc["name"])
    except Taken:
        raise conflict(f"instance {doc['name']} already exists") from None
    return call.created(doc["name"])  # and whoever was the default before still is


@operation("GET", _ONES)
def get_preheat_instance(call: Call) -> dict:
    call.system("read", "preheat-instance")
    return _shown_instance(_found_instance(call))


@operation("PUT", _ONES)
def update_preheat_instance(call: Call) -> None:
    call.system("update", "preheat-instance")
    named, state = _found_instance(call), call.harbor.state
    sent, doc = call.shaped(_INSTANCE), _sent_instance(call)
    old = state.get(_INSTANCES, sent.get("id") or 0)
    if old is None:
        raise missing(f"instance {sent.get('id') or 0} not found")
    if not doc["auth_info"] and (doc["auth_mode"] or named["auth_mode"]) != "NONE":
        doc["auth_info"] = named["auth_info"]  # since 2.15.1
    if not doc["enabled"] and _is_used(call, old):
        raise precondition(f"Provider [{old['name']}] cannot be disabled as some preheat policies are using it")
    if doc["vendor"] != old["vendor"]:
        raise internal()
    if doc["default"]:
        for each in state.all(_INSTANCES):
            state.put(_INSTANCES, each["id"], {**each, "default": False})
    state.put(_INSTANCES, old["id"], {"id": old["id"], **doc}, key=doc["name"])


@operation("DELETE", _ONES)
def delete_preheat_instance(call: Call) -> None:
    call.system("delete", "preheat-instance")
    instance = _found_instance(call)
    if _is_used(call, instance):
        raise precondition(f"Provider [{instance['name']}] cannot be deleted as some preheat policies are using it")
    call.harbor.state.delete(_INSTANCES, instance["id"])


# --- policies of projects


def _project(call: Call, action: str) -> dict:
    return call.project(action, "preheat-policy", name=call.parameters["project_name"])


def _sent_policy(call: Call, project: dict) -> dict:
    sent = call.shaped(_POLICY)
    if not _NAME.match(sent.get("name") or ""):
        raise internal()
    provider = sent.get("provider_id") or 0
    if call.harbor.state.get(_INSTANCES, provider) is None:
        raise missing(f"instance {provider} not found")
    doc = {key: sent.get(key) or "" for key in ("name", "description", "filters", "trigger", "extra_attrs")}
    _check(doc)
    doc |= {"enabled": bool(sent.get("enabled")), "project_id": project["project_id"], "provider_id": provider}
    return doc | {"update_time": call.harbor.stamp()}


def _check(doc: dict) -> None:
    """Refuse what Harbor cannot read or keep; patterns and types are not looked at."""
    try:
        trigger, filters = json.loads(doc["trigger"]), json.loads(doc["filters"])
        extra = json.loads(doc["extra_attrs"] or "{}")
    except ValueError:
        raise internal() from None
    if not isinstance(trigger, dict) or not isinstance(filters, list | None) or not isinstance(extra, dict | None):
        raise internal()
    if len(doc["filters"]) > 1024 or len(doc["trigger"]) > 255:
        raise internal()
    setting = trigger.get("trigger_setting") or {}
    if trigger.get("type") == "scheduled" and setting.get("cron"):
        cron.check(setting["cron"], "scheduled preheat")


def _shown_policy(call: Call, policy: dict) -> dict:
    kept = {key: value for key, value in policy.items() if value not in ("", None)}
    return kept | {"provider_name": call.harbor.state.get(_INSTANCES, policy["provider_id"])["name"]}


def _found_policy(call: Call, project: dict) -> dict:
    name = call.parameters["preheat_policy_name"]
    found = call.harbor.state.find(_RULES, name, project=project["project_id"])
    if found is None:
        raise missing(f"policy {name} not found")
    return found


@operation("GET", _POLICIES)
def list_preheat_policies(call: Call) -> Answer:
    number = _project(call, "list")["project_id"]
    columns = {"id": "id", "name": "key"}
    return call.listed(_RULES, project=number, columns=columns, show=lambda each: _shown_policy(call, each))


@operation("POST", _POLICIES)
def create_preheat_policy(call: Call) -> Answer:
    project = _project(call, "create")
    doc = _sent_policy(call, project) | {"creation_time": call.harbor.stamp()}
    try:
        call.harbor.state.add(_RULES, doc, key=doc["name"], project=project["project_id"])
    except Taken:
        raise conflict(f"policy {doc['name']} already exists") from None
    return call.created(doc["name"])


@operation("GET", _POLICIES + "/{preheat_policy_name}")
def get_preheat_policy(call: Call) -> dict:
    return _shown_policy(call, _found_policy(call, _project(call, "read")))


@operation("PUT", _POLICIES + "/{preheat_policy_name}")
def update_preheat_policy(call: Call) -> None:
    project = _project(call, "update")
    sent, doc = call.shaped(_POLICY), _sent_policy(call, project)
    number = sent.get("id") or 0
    old = call.harbor.state.get(_RULES, number)
    if old is None or old["project_id"] != project["project_id"]:
        raise missing(f"policy {number} not found")
    kept = {"creation_time": sent.get("creation_time") or ZERO}  # all of it is replaced, the time of its making too
    call.harbor.state.put(_RULES, number, {"id": number, **doc, **kept}, key=doc["name"])


@operation("DELETE", _POLICIES + "/{preheat_policy_name}")
def delete_preheat_policy(call: Call) -> None:
    call.harbor.state.delete(_RULES, _found_policy(call, _project(call, "delete"))["id"])
