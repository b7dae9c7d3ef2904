"""Labels, of the system and of projects; an update replaces, and names are not looked at."""

from tests.harbor.server.answers import Answer, bad, conflict, missing
from tests.harbor.server.call import Call
from tests.harbor.server.query import Fuzzy, conditions
from tests.harbor.server.routes import operation
from tests.harbor.server.state import Taken

_SHAPE = {"name": str, "description": str, "color": str, "scope": str, "project_id": int}


def _require(call: Call, label: dict, action: str) -> None:
    if label.get("scope") == "g":
        call.system(action, "label")
    elif label.get("scope") == "p":
        number = label.get("project_id") or 0
        # A project that does not exist is nobody's, so an administrator's label in it is taken.
        project = call.harbor.state.get("project", number)
        if not call.who.admin:
            call.allowed(project, action, "label")
    else:
        raise bad(f"unsupported scope: {label.get('scope', '')}")


@operation("GET", "/labels")
def list_labels(call: Call) -> Answer:
    scope, number = call.query.get("scope"), int(call.query.get("project_id") or 0)
    if scope not in {"g", "p"}:
        raise bad(f"invalid scope: {scope or ''}")
    if scope == "p":
        if not number:
            raise bad("must with project ID when to query project labels")
        call.allowed(call.harbor.state.get("project", number), "list", "label")
    extra = ("1", [])
    if name := call.query.get("name"):
        extra = conditions({"name": Fuzzy(name)}, {"name": "name"})
    return call.listed("label", project=number, columns={"name": "name"}, extra=extra)


@operation("POST", "/labels")
def create_label(call: Call) -> Answer:
    sent = call.shaped(_SHAPE)
    stamp, number = call.harbor.stamp(), (sent.get("project_id") or 0) if sent.get("scope") == "p" else 0
    label = {key: sent.get(key) or "" for key in ("name", "description", "color", "scope")}
    label |= {"project_id": number, "creation_time": stamp, "update_time": stamp}
    call.require_login()
    _require(call, label, "create")
    try:
        return call.created(call.harbor.state.add("label", label, key=label["name"], project=number))
    except Taken:
        raise conflict(f"label {label['name']} already exists") from None


@operation("GET", "/labels/{label_id}")
def get_label(call: Call) -> dict:
    return _found(call, "read")


@operation("PUT", "/labels/{label_id}")
def update_label(call: Call) -> None:
    sent, label = call.shaped(_SHAPE), _found(call, "update")
    label |= {key: sent.get(key) or "" for key in ("name", "description", "color")}
    label["update_time"] = call.harbor.stamp()
    try:
        call.harbor.state.put("label", label["id"], label, key=label["name"])
    except Taken:
        raise conflict(f"label {label['name']} already exists") from None


@operation("DELETE", "/labels/{label_id}")
def delete_label(call: Call) -> None:
    call.harbor.state.delete("label", _found(call, "delete")["id"])


def _found(call: Call, action: str) -> dict:
    label = call.harbor.state.get("label", call.number("label_id"))
    if label is None:
        raise missing(f"label {call.parameters['label_id']} not found")
    call.require_login()
    _require(call, label, action)
    return label
