"""Rules of immutable tags: one PUT either switches a rule on or off, or changes it, never both."""

import fnmatch
import json
import re

from tests.harbor.server.answers import Answer, bad, conflict, missing
from tests.harbor.server.call import Call
from tests.harbor.server.operations.retentions import _RULE as _SHAPE
from tests.harbor.server.routes import operation
from tests.harbor.server.state import State, Taken


def _kept(body: dict) -> dict:
    return {key: value for key, value in body.items() if key in _SHAPE and key != "id" and value is not None}


def _key(rule: dict) -> str:
    return json.dumps(rule, sort_keys=True)


@operation("GET", "/projects/{project_name_or_id}/immutabletagrules")
def list_immutable(call: Call) -> Answer:
    return call.listed("immutable", project=call.project("list", "immutable-tag")["project_id"])


@operation("POST", "/projects/{project_name_or_id}/immutabletagrules")
def create_immutable(call: Call) -> Answer:
    number = call.project("create", "immutable-tag")["project_id"]
    rule = _kept(call.shaped(_SHAPE))
    try:
        return call.created(
            # Whether it is disabled counts for what is the same, and for nothing else.
            call.harbor.state.add("immutable", rule | {"disabled": False}, key=_key(rule), project=number)
        )
    except Taken:
        raise conflict("immutable rule already exists") from None


@operation("PUT", "/projects/{project_name_or_id}/immutabletagrules/{immutable_rule_id}")
def update_immutable(call: Call) -> None:
    body, number = call.shaped(_SHAPE), call.number("immutable_rule_id")
    if body.get("id") != number:
        raise bad("the immutable_rule_id doesn't match the id in the payload body of ImmutableRule")
    old = _found(call, "update")
    if bool(body.get("disabled")) != old["disabled"]:
        call.harbor.state.put("immutable", number, {**old, "disabled": bool(body.get("disabled"))})
        return
    rule = _kept(body)
    try:
        changed = {"id": number, **rule, "disabled": old["disabled"]}
        call.harbor.state.put("immutable", number, changed, key=_key(rule))
    except Taken:
        raise conflict("immutable rule already exists") from None


@operation("DELETE", "/projects/{project_name_or_id}/immutabletagrules/{immutable_rule_id}")
def delete_immutable(call: Call) -> None:
    call.harbor.state.delete("immutable", _found(call, "delete")["id"])


def _found(call: Call, action: str) -> dict:
    project = call.project(action, "immutable-tag")
    number = call.number("immutable_rule_id")
    found = call.harbor.state.get("immutable", number)
    if found is None or call.harbor.state.project_of("immutable", number) != project["project_id"]:
        raise missing(f"immutable rule {number} not found")
    return found


def is_immutable(state: State, project: int, repository: str, tag: str) -> bool:
    """Tell whether a rule of the project holds a tag; `repository` is named within the project."""
    return any(
        not rule["disabled"]
        and _matches((rule.get("scope_selectors") or {}).get("repository", []), repository, "repoExcludes")
        and _matches(rule.get("tag_selectors") or [], tag, "excludes")
        for rule in state.all("immutable", project=project)
    )


def _matches(selectors: list, name: str, excluding: str) -> bool:
    return bool(selectors) and all(
        _glob(each.get("pattern") or "", name) != (each.get("decoration") == excluding) for each in selectors
    )


def _glob(pattern: str, name: str) -> bool:
    """Match as doublestar does: `**` goes over slashes, `*` does not, `{a,b}` is either."""
    if options := re.search(r"\{([^{}]*)\}", pattern):
        head, tail = pattern[: options.start()], pattern[options.end() :]
        return any(_glob(head + each + tail, name) for each in options[1].split(","))
    text = (
        fnmatch.translate(pattern.replace("**", "\0")).replace(".*", "[^/]*").replace("\\\0", ".*").replace("\0", ".*")
    )
    return re.match(text, name) is not None
