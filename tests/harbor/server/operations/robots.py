"""Robots: names with a prefix, durations that count from creation, secrets that only PATCH sets."""

import datetime as dt
import random
import re
import secrets
import string

from tests.harbor.server.answers import Answer, Panic, bad, conflict, denied, forbidden, internal, missing
from tests.harbor.server.call import Call
from tests.harbor.server.harbor import hashed
from tests.harbor.server.operations import audit
from tests.harbor.server.query import Among, Fuzzy, keywords
from tests.harbor.server.rights import PROJECT, SYSTEM
from tests.harbor.server.routes import operation

_NAME = re.compile(r"^[a-z0-9]+(?:[._-][a-z0-9]+)*$")
_ACCESS = {"resource": str, "action": str, "effect": str}
_PERMISSIONS = [{"kind": str, "namespace": str, "access": [_ACCESS]}]
_SHAPE = {
    "name": str,
    "description": str,
    "secret": str,
    "level": str,
    "disable": bool,
    "duration": int,
    "permissions": _PERMISSIONS,
}
_SECRET = re.compile(r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d).{8,128}$")
_HIDDEN = ("salt", "hash", "project_id")


def _show(call: Call, robot: dict) -> dict:
    doc = {key: value for key, value in robot.items() if key not in _HIDDEN}
    permissions = [dict(each) for each in robot["permissions"]]
    random.shuffle(permissions)  # Harbor gives them in another order each time
    return doc | {"name": call.harbor.full_robot_name(robot), "permissions": permissions}


@operation("GET", "/robots")
def list_robots(call: Call) -> Answer:
    call.require_login()
    wanted = keywords(call.query)
    level, number = wanted.get("Level", "system"), 0
    if isinstance(level, Among | Fuzzy):
        raise Panic
    if level not in {"system", "project"}:
        raise bad("bad request error level input")
    if level == "project":
        number = _wanted_project(wanted)
        call.allowed(call.harbor.state.get("project", number), "list", "robot", f"project {number} not found")
    else:
        call.system("list", "robot")
    columns = {"name": "name", "creation_time": "creation_time"}
    return call.listed("robot", project=number, columns=columns, show=lambda robot: _show(call, robot))


def _wanted_project(wanted: dict) -> int:
    if "ProjectID" not in wanted:
        raise bad("must with project ID when to query project robots")
    if not isinstance(wanted["ProjectID"], str):
        raise Panic
    if not wanted["ProjectID"].isdigit() or wanted["ProjectID"] == "0":
        raise bad("ProjectID must be a positive integer")
    return int(wanted["ProjectID"])


@operation("POST", "/robots")
def create_robot(call: Call) -> Answer:
    call.require_login()
    body = call.shaped(_SHAPE)
    name, duration, level = body.get("name") or "", body.get("duration") or 0, body.get("level") or ""
    permissions = body.get("permissions") or []
    if not _NAME.match(name):
        raise bad("the robot name is not allowed")
    _validate(duration, level, permissions)
    project = _of_project(call, permissions[0]["namespace"]) if level == "project" else None
    _require(call, "create", project)
    _must_exist(call, permissions)
    if call.who.robot and not _within(permissions, call.who.robot["permissions"]):
        raise denied("permission scope is invalid. It must be equal to or more restrictive than the creator robot's")
    if len(name) > 255:
        raise internal()
    robot, secret = _new(call, body, project)
    number = project["project_id"] if project else 0
    if call.harbor.state.find("robot", robot["name"], project=number):
        raise conflict(f"robot {robot['name']} already exists")
    robot["id"] = call.harbor.state.add("robot", robot, key=robot["name"], project=number)
    audit.note(call, "create", "robot", robot["name"])
    full = call.harbor.full_robot_name(robot)
    answer = {"id": robot["id"], "name": full, "secret": secret, "creation_time": robot["creation_time"]}
    return Answer(
        status=201,
        body=answer | {"expires_at": robot["expires_at"]},
        headers={"Location": f"{call.path.rstrip('/')}/{robot['id']}"},
    )


def _new(call: Call, body: dict, project: dict | None) -> tuple[dict, str]:
    """Make a robot's document; a secret in the request, or `disable`, counts for nothing."""
    secret, salt, created = _secret(), secrets.token_hex(8), call.harbor.stamp()
    prefix = f"{project['name']}+" if project else ""
    return {
        "name": f"{prefix}{body['name']}",
        "description": body.get("description") or "",
        "level": body["level"],
        "duration": body["duration"],
        "editable": True,
        "disable": False,
        "expires_at": _expiry(created, body["duration"]),
        "permissions": _kept(body["permissions"]),
        "creator_type": "robot" if call.who.robot else "local",
        "creator_ref": call.who.robot["id"] if call.who.robot else call.who.user_id,
        "creation_time": created,
        "update_time": created,
        "salt": salt,
        "hash": hashed(secret, salt),
        "project_id": project["project_id"] if project else 0,
    }, secret


def _kept(permissions: list) -> list:
    return [
        {
            "kind": each["kind"],
            "namespace": each["namespace"],
            "access": [
                {key: value for key, value in access.items() if value and key in _ACCESS} for access in each["access"]
            ],
        }
        for each in permissions
    ]


def _expiry(created: str, days: int) -> int:
    if days == -1:
        return -1
    return int((dt.datetime.fromisoformat(created) + dt.timedelta(days=days)).timestamp())


def _secret() -> str:
    while True:
        value = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(32))
        if _SECRET.match(value):
            return value


def _validate(duration: int, level: str, permissions: list) -> None:
    if duration != -1 and duration <= 0:
        raise bad(
            f"bad request error duration input: {duration}, duration must be either -1(Never) or a positive integer"
        )
    if level not in {"system", "project"}:
        raise bad(f"bad request error level input: {level}")
    if not permissions:
        raise bad("bad request empty permission")
    if any(not each.get("access") for each in permissions):
        raise bad("bad request empty access")
    if level == "project" and len(permissions) > 1:
        raise bad("bad request permission")
    for each in permissions:
        allowed = {"system": SYSTEM, "project": PROJECT}.get(each.get("kind", ""))
        if allowed is None:
            raise bad(f"bad request permission level: {each.get('kind', '')}")
        for access in each["access"]:
            if (access.get("resource"), access.get("action")) not in allowed:
                raise bad(f"bad request permission: {access.get('resource')}:{access.get('action')}")


def _of_project(call: Call, name: str) -> dict:
    found = call.harbor.state.find("project", name)
    return call.allowed(found, "read", "project", f"project {name} not found")


def _must_exist(call: Call, permissions: list) -> None:
    for each in permissions:
        name = each.get("namespace") or ""
        if each["kind"] == "project" and name != "*" and not call.harbor.state.find("project", name):
            raise missing(f"project {name} not found")


def _within(wanted: list, owned: list) -> bool:
    """Tell whether a robot gives no more than it has."""
    for each in wanted:
        has = {
            (access["resource"], access["action"])
            for grant in owned
            if grant["kind"] == each["kind"] and grant["namespace"] in {"*", each.get("namespace")}
            for access in grant["access"]
        }
        if any((access["resource"], access["action"]) not in has for access in each["access"]):
            return False
    return True


def _require(call: Call, action: str, project: dict | None) -> None:
    if project is None:
        call.system(action, "robot")
    elif not call.who.may(action, "robot", project):
        raise forbidden()


def _found(call: Call, action: str) -> dict:
    call.require_login()
    robot = call.harbor.state.get("robot", call.number("robot_id"))
    if robot is None:
        raise missing(f"robot {call.parameters['robot_id']} not found")
    _require(call, action, call.harbor.state.get("project", robot["project_id"]) if robot["project_id"] else None)
    return robot


@operation("GET", "/robots/{robot_id}")
def get_robot(call: Call) -> dict:
    return _show(call, _found(call, "read"))


@operation("PUT", "/robots/{robot_id}")
def update_robot(call: Call) -> None:
    body = call.shaped(_SHAPE | {"id": int})
    robot = _found(call, "update")
    duration = robot["duration"] if body.get("duration") is None else body["duration"]
    permissions = body.get("permissions") or []
    _validate(duration, body.get("level") or "", permissions)
    if (
        robot["level"] == "project"
        and _of_project(call, permissions[0]["namespace"])["project_id"] != robot["project_id"]
    ):
        raise bad("cannot update the project id of robot")
    if body["level"] != robot["level"] or body.get("name") != call.harbor.full_robot_name(robot):
        raise bad("cannot update the level or name of robot")
    _must_exist(call, permissions)
    expires = robot["expires_at"] if duration == robot["duration"] else _expiry(robot["creation_time"], duration)
    changed = {
        "duration": duration,
        "expires_at": expires,
        "description": body.get("description") or "",
        "disable": bool(body.get("disable")),
        "permissions": _kept(permissions),
        "update_time": call.harbor.stamp(),
    }
    call.harbor.state.put("robot", robot["id"], robot | changed)


@operation("PATCH", "/robots/{robot_id}")
def refresh_secret(call: Call) -> dict:
    wanted = call.shaped({"secret": str}).get("secret") or ""
    robot = _found(call, "update")
    if wanted and not _SECRET.match(wanted):
        raise bad(
            "the secret must be 8-128, inclusively, characters long with at least 1 uppercase letter, 1 lowercase letter and 1 number"
        )
    secret = wanted or _secret()
    robot |= {"hash": hashed(secret, robot["salt"]), "update_time": call.harbor.stamp()}
    call.harbor.state.put("robot", robot["id"], robot)
    return {} if wanted else {"secret": secret}


@operation("DELETE", "/robots/{robot_id}")
def delete_robot(call: Call) -> None:
    robot = _found(call, "delete")
    call.harbor.state.delete("robot", robot["id"])
    audit.note(call, "delete", "robot", robot["name"])
