"""Members of projects, with the answers of 200 that did nothing or lost somebody."""

from tests.harbor.server.answers import Answer, bad, conflict, missing
from tests.harbor.server.call import Call
from tests.harbor.server.query import paging
from tests.harbor.server.rights import ROLE_NAMES
from tests.harbor.server.routes import operation

_GROUP = {"id": int, "group_name": str, "group_type": int, "ldap_group_dn": str}
_SHAPE = {"role_id": int, "member_user": {"user_id": int, "username": str}, "member_group": _GROUP}
_VISIBLE = "json_extract(doc, '$.role_id') BETWEEN 1 AND 5"


def _show(member: dict) -> dict:
    return {**member, "role_name": ROLE_NAMES.get(member["role_id"], "")}


@operation("GET", "/projects/{project_name_or_id}/members")
def list_members(call: Call) -> Answer:
    number = call.project("list", "member")["project_id"]
    page, state = paging(call.query), call.harbor.state
    where, values = _VISIBLE, []
    if name := call.query.get("entityname"):
        where, values = f"{where} AND json_extract(doc, '$.entity_name') LIKE '%' || ? || '%'", [name]
    _, rows = state.page("member", project=number, where=where, values=values, limit=page.limit, offset=page.offset)
    # The count knows them all, also those whose role nobody knows.
    return call.paged(state.count("member", project=number), page, [_show(row) for row in rows])


@operation("POST", "/projects/{project_name_or_id}/members")
def create_member(call: Call) -> Answer:
    project = call.project("create", "member")
    body, number = call.shaped(_SHAPE), project["project_id"]
    kind, entity, name = _entity(call, body)
    key, state = f"{kind}/{entity}", call.harbor.state
    if state.find("member", key, project=number):
        raise conflict("already exist with the same member")
    role = body.get("role_id")
    if role not in ROLE_NAMES:
        raise bad("invalid role id")
    doc = {"project_id": number, "entity_name": name, "entity_id": entity, "entity_type": kind, "role_id": role}
    member = state.add("member", doc, key=key, project=number)
    return Answer(status=201, headers={"Location": f"/api/v2.0/projects/{number}/members/{member}"})


def _entity(call: Call, body: dict) -> tuple[str, int, str]:
    """Give whether it is a user or a group, its id and its name."""
    user, group, state = body.get("member_user") or {}, body.get("member_group") or {}, call.harbor.state
    if user.get("user_id"):
        found = state.get("user", user["user_id"])
        if found is None:
            raise bad(f"Failed to get user {user['user_id']}: user {user['user_id']} not found")
        return "u", found["user_id"], found["username"]
    if group.get("id"):
        found = state.get("group", group["id"])
        if found is None:
            raise bad(f"Failed to get group {group['id']}: usergroup {group['id']} not found")
        return "g", found["id"], found["group_name"]
    if user.get("username"):
        found = state.find("user", user["username"])
        if found is None:
            raise missing(f"user {user['username']} not found")
        return "u", found["user_id"], found["username"]
    name = group.get("ldap_group_dn") or group.get("group_name")
    if not name:
        raise bad("can not get valid member entity")
    found = state.find("group", name)
    if found is None and call.harbor.setting("auth_mode") == "oidc_auth":
        number = state.add("group", {"group_name": name, "group_type": 3, "ldap_group_dn": ""}, key=name)
        return "g", number, name
    if found is None or found["group_type"] != group.get("group_type", found["group_type"]):
        raise missing(f"group {name} not found")
    return "g", found["id"], name


@operation("GET", "/projects/{project_name_or_id}/members/{mid}")
def get_member(call: Call) -> dict:
    project = call.project("read", "member")
    found = call.harbor.state.get("member", call.number("mid"))
    if found is None or found["project_id"] != project["project_id"] or found["role_id"] not in ROLE_NAMES:
        raise missing(f"the project member {call.parameters['mid']} is not found")
    return _show(found)


@operation("PUT", "/projects/{project_name_or_id}/members/{mid}")
def update_member(call: Call) -> None:
    project = call.project("update", "member")
    role = call.shaped({"role_id": int}).get("role_id") or 0
    found = call.harbor.state.get("member", call.number("mid"))
    if found and found["project_id"] == project["project_id"]:  # of another project: 200, and nothing is done
        lost = None if role in ROLE_NAMES else f"lost/{found['id']}"
        call.harbor.state.put("member", found["id"], {**found, "role_id": role}, key=lost)


@operation("DELETE", "/projects/{project_name_or_id}/members/{mid}")
def delete_member(call: Call) -> None:
    project = call.project("delete", "member")
    found = call.harbor.state.get("member", call.number("mid"))
    if found and found["project_id"] == project["project_id"]:
        call.harbor.state.delete("member", found["id"])
