"""Users and user groups."""

import re

from tests.harbor.server.answers import Answer, bad, conflict, forbidden, missing, precondition
from tests.harbor.server.call import Call
from tests.harbor.server.harbor import hashed
from tests.harbor.server.operations import audit
from tests.harbor.server.query import Fuzzy, conditions
from tests.harbor.server.rights import PROJECT, SYSTEM
from tests.harbor.server.routes import operation
from tests.harbor.server.state import Taken

_PROFILE = {"email": str, "realname": str, "comment": str}
_SECRET = re.compile(r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d).{8,128}$")
_COLUMNS = {"username": "key", "email": "email"}


def _show(user: dict) -> dict:
    doc = {key: value for key, value in user.items() if key not in {"salt", "hash"}}
    return doc | {"admin_role_in_auth": False}


def _check_secret(secret: str) -> None:
    if not _SECRET.match(secret):
        raise bad(
            "the password or secret must be longer than 8 chars with at least 1 uppercase letter, 1 lowercase letter and 1 number"
        )


@operation("GET", "/users")
def list_users(call: Call) -> Answer:
    call.system("list", "user")
    wanted = {key: Fuzzy(call.query[key]) for key in ("username", "email") if call.query.get(key)}
    where, values = conditions(wanted, _COLUMNS)
    # The administrator of the first day is in no list.
    return call.listed("user", columns=_COLUMNS, extra=(f"{where} AND id > 1", values), show=_show)


@operation("POST", "/users")
def create_user(call: Call) -> Answer:
    if call.harbor.setting("auth_mode") != "db_auth":
        raise forbidden(f"creating local user is not allowed under auth mode: {call.harbor.setting('auth_mode')}")
    call.system("create", "user")
    sent = call.shaped(_PROFILE | {"username": str, "password": str})
    _check_secret(sent.get("password") or "")
    name = sent.get("username") or ""
    if not name or len(name) > 255 or re.search(r"[,\"~#%$\s]", name):
        raise bad("username contains illegal characters or is empty")
    if not sent.get("realname"):
        raise bad("realname can't be empty")
    if not re.match(r"^[^@\s]+@[^@\s]+$", sent.get("email") or ""):
        raise bad("invalid email")
    if any(each["email"] == sent["email"] for each in call.harbor.state.all("user")):
        raise conflict(f"user {name} or email {sent['email']} already exists")
    try:
        number = call.harbor.add_user(
            name,
            sent["password"],
            realname=sent["realname"],
            email=sent["email"],
            comment=sent.get("comment") or "",
        )
    except Taken:
        raise conflict(f"user {name} or email {sent['email']} already exists") from None
    audit.note(call, "create", "user", name)
    return call.created(number)


@operation("GET", "/users/current")
def get_current_user(call: Call) -> dict:
    call.require_login()
    if call.who.robot:
        raise precondition("get current user not available for security context: robot")
    return _show(call.harbor.state.get("user", call.who.user_id))


@operation("GET", "/users/search")
def search_users(call: Call) -> Answer:
    call.require_login()
    extra = conditions({"username": Fuzzy(call.query.get("username", ""))}, _COLUMNS)
    return call.listed("user", extra=extra, show=lambda user: {key: user[key] for key in ("user_id", "username")})


@operation("GET", "/users/{user_id}")
def get_user(call: Call) -> dict:
    return _show(_found(call, "read"))


def _found(call: Call, action: str) -> dict:
    number = call.number("user_id")
    if number != call.who.user_id or action == "delete":
        call.system(action, "user")
    user = call.harbor.state.get("user", number)
    if user is None:
        raise missing(f"user {number} not found")
    return user


@operation("PUT", "/users/{user_id}")
def update_user(call: Call) -> None:
    user, sent = _found(call, "update"), call.shaped(_PROFILE)
    if not sent.get("realname") or not sent.get("email"):
        raise bad("realname and email can't be empty")
    call.harbor.state.put("user", user["user_id"], user | {key: sent.get(key) or "" for key in _PROFILE})


@operation("DELETE", "/users/{user_id}")
def delete_user(call: Call) -> None:
    user = _found(call, "delete")
    if user["user_id"] in {1, call.who.user_id}:
        raise forbidden(f"User with ID {user['user_id']} cannot be deleted")
    call.harbor.state.delete("user", user["user_id"])
    audit.note(call, "delete", "user", user["username"])


@operation("PUT", "/users/{user_id}/sysadmin")
def set_administrator(call: Call) -> None:
    call.system("update", "user")
    user = _found(call, "update")
    flag = bool(call.shaped({"sysadmin_flag": bool}).get("sysadmin_flag"))
    call.harbor.state.put("user", user["user_id"], user | {"sysadmin_flag": flag})


@operation("PUT", "/users/{user_id}/password")
def set_password(call: Call) -> None:
    user = _found(call, "update")
    sent = call.shaped({"old_password": str, "new_password": str})
    own = user["user_id"] == call.who.user_id
    if own and hashed(sent.get("old_password") or "", user["salt"]) != user["hash"]:
        raise forbidden("Current password is incorrect")
    new = sent.get("new_password") or ""
    _check_secret(new)
    if hashed(new, user["salt"]) == user["hash"]:
        raise bad("New password is identical to old password")
    call.harbor.state.put("user", user["user_id"], user | {"hash": hashed(new, user["salt"])})


@operation("GET", "/permissions")
def list_permissions(call: Call) -> dict:
    call.require_login()
    if not call.who.admin:
        raise forbidden()
    return {
        name: [{"resource": resource, "action": action} for resource, action in sorted(pairs)]
        for name, pairs in (("system", SYSTEM), ("project", PROJECT))
    }


# --- groups


@operation("GET", "/usergroups")
def list_groups(call: Call) -> Answer:
    call.system("list", "user-group")
    columns, extra = {"group_name": "group_name"}, ("1", [])
    if name := call.query.get("group_name"):
        extra = conditions({"group_name": Fuzzy(name)}, columns)
    if kind := {"ldap_auth": 1, "http_auth": 2}.get(str(call.harbor.setting("auth_mode"))):
        extra = (f"{extra[0]} AND json_extract(doc, '$.group_type') = ?", [*extra[1], kind])  # all others are unseen
    return call.listed("group", extra=extra)


@operation("POST", "/usergroups")
def create_group(call: Call) -> Answer:
    call.system("create", "user-group")
    sent = call.shaped({"id": int, "group_name": str, "group_type": int, "ldap_group_dn": str})
    name, kind, place = sent.get("group_name") or "", sent.get("group_type") or 0, sent.get("ldap_group_dn") or ""
    if not name:
        return Answer(status=400)
    if kind not in {1, 2, 3}:
        raise bad(f"invalid group type: {kind}")
    key = place if kind == 1 else name
    if kind == 1:
        _search(call, place)
    if call.harbor.state.find("group", key):
        raise conflict(f"user group {name} already exists")
    doc = {"group_name": name, "group_type": kind, "ldap_group_dn": place}
    return call.created(call.harbor.state.add("group", doc, key=key))


def _search(call: Call, place: str) -> None:
    """Ask the directory, in which there is everything but what is called missing; only LDAP sign-in has one."""
    if call.harbor.setting("auth_mode") != "ldap_auth" or "missing" in place:
        raise bad(f"LDAP Group DN is not found: DN:{place}")
    if "=" not in place:
        raise bad(f"invalid DN syntax. DN: {place}")


@operation("GET", "/usergroups/search")
def search_groups(call: Call) -> Answer:
    call.require_login()
    if not call.query.get("groupname"):
        raise bad("need to provide groupname to search user group")
    extra = conditions({"name": Fuzzy(call.query["groupname"])}, {"name": "group_name"})
    return call.listed("group", extra=extra, show=lambda each: {k: each[k] for k in ("id", "group_name", "group_type")})


@operation("GET", "/usergroups/{group_id}")
def get_group(call: Call) -> dict:
    call.system("read", "user-group")
    return {key: value for key, value in _group(call).items() if key != "id"}  # the id is not in this answer


@operation("PUT", "/usergroups/{group_id}")
def update_group(call: Call) -> Answer:
    call.system("update", "user-group")
    name = call.shaped({"group_name": str}).get("group_name")
    if not name:
        return Answer(status=400)
    group = _group(call)
    call.harbor.state.put("group", group["id"], {**group, "group_name": name}, key=name)
    return Answer()


@operation("DELETE", "/usergroups/{group_id}")
def delete_group(call: Call) -> None:
    call.system("delete", "user-group")
    number = call.number("group_id")  # one that is gone already: 200 as well
    call.harbor.state.delete("group", number)
    for member in call.harbor.state.page("member", where="key = ?", values=[f"g/{number}"])[1]:
        call.harbor.state.delete("member", member["id"])


def _group(call: Call) -> dict:
    group = call.harbor.state.get("group", call.number("group_id"))
    if group is None:
        raise missing(f"the user group with id {call.parameters['group_id']} is not found")
    return group
