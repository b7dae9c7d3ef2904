"""Retention policies: hardly anything is checked, and what is gone answers 500."""

import json

from tests.harbor.server.answers import Answer, bad, conflict, internal, missing
from tests.harbor.server.call import Call
from tests.harbor.server.operations import cron
from tests.harbor.server.routes import operation

_SELECTOR = {"kind": str, "decoration": str, "pattern": str, "extras": str}
_RULE = {
    "id": int,
    "priority": int,
    "disabled": bool,
    "action": str,
    "template": str,
    "params": dict,
    "tag_selectors": [_SELECTOR],
    "scope_selectors": dict,
}
_SHAPE = {
    "id": int,
    "algorithm": str,
    "rules": [_RULE],
    "trigger": {"kind": str, "settings": dict, "references": dict},
    "scope": {"level": str, "ref": int},
}


def _policy(body: dict) -> dict:
    rules = [_rule(number, rule) for number, rule in enumerate(body.get("rules") or [])]
    if len(rules) > 15:
        raise bad("only 15 rules are allowed at most")
    seen: dict[str, int] = {}
    for number, rule in enumerate(rules):
        text = json.dumps({**rule, "id": 0}, sort_keys=True)
        if text in seen:
            raise conflict(f"rule {number} is conflict with rule {seen[text]}")
        seen[text] = number
    return {"algorithm": body.get("algorithm") or "", "rules": rules} | {
        key: body[key] for key in ("trigger", "scope") if body.get(key)
    }


def _rule(number: int, sent: dict) -> dict:
    rule = {key: value for key, value in sent.items() if key in _RULE and value not in (None, False, "")}
    rule["id"] = number
    rule["tag_selectors"] = [_selector(each) for each in sent.get("tag_selectors") or []]
    scopes = sent.get("scope_selectors") or {}
    rule["scope_selectors"] = {name: [_selector(each) for each in several] for name, several in scopes.items()}
    return rule


def _selector(sent: dict) -> dict:
    return {key: value for key, value in sent.items() if key in _SELECTOR and value}


def _project(call: Call, policy: dict, action: str) -> dict:
    scope = policy.get("scope") or {}
    if scope.get("level") != "project":
        call.system(action, "tag-retention")
        raise bad(f"scope {scope.get('level', '')} is not support")
    found = call.harbor.state.get("project", scope.get("ref") or 0)
    if found is None and call.who.admin:
        raise bad(f"invalid Project id {scope.get('ref') or 0}")
    return call.allowed(found, action, "tag-retention")


def _check_trigger(policy: dict) -> str:
    """Give the cron expression, empty for none."""
    if "trigger" not in policy:
        raise internal()
    expression = (policy["trigger"].get("settings") or {}).get("cron") or ""
    if expression:
        cron.check(expression, "scheduled tag retention")
    return expression


@operation("POST", "/retentions")
def create_retention(call: Call) -> Answer:
    call.require_login()
    policy = _policy(call.shaped(_SHAPE))
    project = _project(call, policy, "create")
    if old := project["metadata"].get("retention_id"):
        raise bad(f"project {project['project_id']} already has retention policy {old}")
    if _check_trigger(policy):
        policy["trigger"]["settings"]["next_scheduled_time"] = cron.NEXT
    number = call.harbor.state.add("retention", policy, project=project["project_id"])
    project["metadata"]["retention_id"] = str(number)
    call.harbor.save_project(project)
    return call.created(number)


@operation("GET", "/retentions/{id}")
def get_retention(call: Call) -> dict:
    call.require_login()
    policy = call.harbor.state.get("retention", call.number("id"))
    if policy is None:
        raise internal()
    _project(call, policy, "read")
    return policy


@operation("PUT", "/retentions/{id}")
def update_retention(call: Call) -> None:
    call.require_login()
    policy = _policy(call.shaped(_SHAPE))
    project = _project(call, policy, "update")
    number = call.number("id")
    if project["metadata"].get("retention_id") != str(number):
        raise missing(f"the retention policy id {number} does not match")
    expression = _check_trigger(policy)
    old = call.harbor.state.get("retention", number)
    settings = policy["trigger"].setdefault("settings", {})
    if expression:
        settings["next_scheduled_time"] = cron.NEXT
    elif when := (old["trigger"].get("settings") or {}).get("next_scheduled_time"):
        settings["next_scheduled_time"] = when  # it stays, although nothing is scheduled any more
    call.harbor.state.put("retention", number, {"id": number, **policy})


@operation("DELETE", "/retentions/{id}")
def delete_retention(call: Call) -> None:
    policy, project = _kept(call, "delete")
    call.harbor.state.delete("retention", policy["id"])
    if project["metadata"].get("retention_id") == str(policy["id"]):
        del project["metadata"]["retention_id"]
        call.harbor.save_project(project)


def _kept(call: Call, action: str) -> tuple[dict, dict]:
    call.require_login()
    policy = call.harbor.state.get("retention", call.number("id"))
    if policy is None:
        raise bad(f"no such Retention policy with id {call.parameters['id']}")
    return policy, _project(call, policy, action)


@operation("POST", "/retentions/{id}/executions")
def run_retention(call: Call) -> Answer:
    policy, _ = _kept(call, "update")
    body, stamp = call.shaped({"dry_run": bool}), call.harbor.stamp()
    doc = {"policy_id": policy["id"], "start_time": stamp, "end_time": stamp, "status": "Succeed", "trigger": "Manual"}
    doc["dry_run"] = bool(body.get("dry_run"))
    return call.created(call.harbor.state.add("retention-run", doc, project=policy["id"]))


@operation("GET", "/retentions/{id}/executions")
def list_retention_runs(call: Call) -> Answer:
    policy, _ = _kept(call, "list")
    return call.listed("retention-run", project=policy["id"])
