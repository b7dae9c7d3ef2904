"""Projects: how one is made, what an update keeps, and what a delete leaves behind."""

import re

from tests.harbor.server.answers import (
    Answer,
    bad,
    conflict,
    forbidden,
    internal,
    precondition,
    unauthorized,
    unprocessable,
)
from tests.harbor.server.call import Call
from tests.harbor.server.harbor import Harbor
from tests.harbor.server.operations import audit
from tests.harbor.server.operations.metadata import KEYS, shown
from tests.harbor.server.query import Fuzzy, conditions, keywords, order, paging
from tests.harbor.server.routes import operation

_NAME = re.compile(r"^[a-z0-9]+(?:[._-][a-z0-9]+)*$")
_COLUMNS = {
    "name": "key",
    "project_id": "id",
    "public": "metadata.public",
    "owner_id": "owner_id",
    "creation_time": "creation_time",
    "update_time": "update_time",
}
ALLOWLIST = {"id": int, "project_id": int, "expires_at": int, "items": [{"cve_id": str}]}
_SHAPE = {
    "project_name": str,
    "public": bool,
    "metadata": dict.fromkeys(KEYS, str),
    "cve_allowlist": ALLOWLIST,
    "storage_limit": int,
    "registry_id": int,
}
_PROXY_ONLY = ("proxy_speed_kb", "max_upstream_conn")
_PROXY_TYPES = set(
    "docker-hub harbor azure-acr aws-ecr google-gcr quay docker-registry github-ghcr jfrog-artifactory".split()  # noqa: SIM905
)
TEBIBYTE = 1 << 40


def show(call: Call, project: dict) -> dict:
    hidden = {"scanner"} if project["registry_id"] else {"scanner", "registry_id"}
    doc = {key: value for key, value in project.items() if key not in hidden}
    doc["metadata"] = shown(project["metadata"])
    if call.who.user_id:
        roles = sorted(
            call.who.roles.get(project["project_id"], [1] if project["owner_id"] == call.who.user_id else [])
        )
        doc |= {"current_user_role_id": roles[0] if roles else 0, "current_user_role_ids": roles}
    return doc


@operation("GET", "/projects")
def list_projects(call: Call) -> Answer:
    wanted = keywords(call.query)
    if name := call.query.get("name"):
        wanted["name"] = Fuzzy(name)
    if public := call.query.get("public"):
        wanted["public"] = public.lower()
    where, values = conditions(wanted, _COLUMNS)
    seen, more = _visible(call)
    page = paging(call.query)
    total, rows = call.harbor.state.page(
        "project",
        where=f"{where} AND {seen}",
        values=[*values, *more],
        order=order(call.query, _COLUMNS),
        limit=page.limit,
        offset=page.offset,
    )
    return call.paged(total, page, [show(call, row) for row in rows])


def _visible(call: Call) -> tuple[str, list]:
    """Give the condition for what the sender may see: nobody sees an error, everybody sees less."""
    who, public = call.who, "json_extract(doc, '$.metadata.public') = 'true'"
    if who.may("list", "project") or (who.robot and any(each["namespace"] == "*" for each in who.robot["permissions"])):
        return "1", []
    if who.robot:
        names = [each["namespace"] for each in who.robot["permissions"]]
        return f"({public} OR key IN ({', '.join('?' * len(names))}))", names
    if who.authenticated:
        return f"({public} OR id IN ({', '.join(str(number) for number in who.roles)}))", []
    return public, []


@operation("HEAD", "/projects", writes=False)
def head_project(call: Call) -> Answer:
    call.require_login()
    found = call.harbor.state.find("project", call.query.get("project_name", ""))
    return Answer(status=200 if found else 404)


@operation("POST", "/projects")
def create_project(call: Call) -> Answer:
    call.require_login()
    body, harbor = call.shaped(_SHAPE), call.harbor
    may = call.who.may("create", "project")
    if not may and (harbor.setting("project_creation_restriction") == "adminonly" or call.who.robot):
        raise forbidden("Only system admin can create project")
    name = body.get("project_name") or ""
    if len(name) > 255:
        raise unprocessable("project_name in body should be at most 255 chars long")
    metadata = _created_metadata(body)
    registry = body.get("registry_id")
    if registry is not None:
        _check_registry(call, registry)
        metadata.pop("enable_content_trust", None)
    else:
        metadata = {key: value for key, value in metadata.items() if key not in _PROXY_ONLY}
    limit = _limit(harbor, body.get("storage_limit") if may else 0)
    if not _NAME.match(name):
        raise bad(f"the project name {name} should match the pattern {_NAME.pattern}")
    if harbor.state.find("project", name):
        raise conflict(f"The project named {name} already exists")
    number = harbor.add_project(name, owner=call.who.user_id or 1, metadata=metadata, registry_id=registry or 0)
    if limit is not None:
        harbor.add_quota(number, limit)
    if registry is not None:
        _default_retention(harbor, number)
    audit.note(call, "create", "project", name)
    by_name = call.headers.get("X-Resource-Name-In-Location", "").lower() == "true"
    return call.created(name if by_name else number)


def _created_metadata(body: dict) -> dict:
    metadata = {key: value for key, value in (body.get("metadata") or {}).items() if key in KEYS and value is not None}
    if metadata.pop("retention_id", ""):
        raise bad("the retention_id in the request's payload when creating a project should be omitted")
    if not metadata.get("public"):
        metadata["public"] = "true" if body.get("public") else "false"
    if metadata["public"] not in {"true", "false"}:
        raise bad(f"metadata.public should only be 'true' or 'false', but got: '{metadata['public']}'")
    return metadata


def _check_registry(call: Call, number: int) -> None:
    if not call.who.may("create", "project"):
        raise forbidden("Only system admin can create proxy cache project")
    if number <= 0:
        raise bad(f"{number} is invalid value of registry_id, it should be geater than 0")
    registry = call.harbor.state.get("registry", number)
    if registry is None:
        raise internal()
    if registry["type"] not in _PROXY_TYPES:
        raise bad(f"unsupported registry type {registry['type']}")


def _limit(harbor: Harbor, wanted: int | None) -> int | None:
    if not harbor.setting("quota_per_project_enable"):
        return None
    limit = wanted or int(harbor.setting("storage_per_project"))
    if limit < -1 or limit > 1024 * TEBIBYTE:
        raise bad(f"invalid resource storage: {limit}")
    return limit


def _default_retention(harbor: Harbor, project: int) -> None:
    """Give a proxy cache the policy that Harbor gives it: seven days since the last pull, daily."""
    everything = {"kind": "doublestar", "pattern": "**"}
    rule = {
        "id": 1,
        "priority": 1,
        "action": "retain",
        "template": "nDaysSinceLastPull",
        "params": {"nDaysSinceLastPull": 7},
        "tag_selectors": [{**everything, "decoration": "matches"}],
        "scope_selectors": {"repository": [{**everything, "decoration": "repoMatches"}]},
    }
    policy = {
        "algorithm": "or",
        "rules": [rule],
        "trigger": {"kind": "Schedule", "settings": {"cron": "0 0 0 * * *"}},
        "scope": {"level": "project", "ref": project},
    }
    number = harbor.state.add("retention", policy, project=project)
    doc = harbor.project_by_id(project)
    doc["metadata"]["retention_id"] = str(number)
    harbor.save_project(doc)


@operation("GET", "/projects/{project_name_or_id}")
def get_project(call: Call) -> dict:
    return show(call, call.project("read", "project"))


@operation("PUT", "/projects/{project_name_or_id}")
def update_project(call: Call) -> None:
    body = call.shaped(_SHAPE)
    project = call.project("update", "project")
    metadata = {key: value for key, value in (body.get("metadata") or {}).items() if key in KEYS and value is not None}
    for key in ("enable_content_trust",) if project["registry_id"] else _PROXY_ONLY:
        metadata.pop(key, None)
    if "retention_id" in metadata and metadata["retention_id"] != project["metadata"].get("retention_id"):
        raise bad("the retention_id in the request's payload when updating a project should be omitted")
    project["metadata"] |= metadata  # not looked at: whatever was sent is kept
    if body.get("cve_allowlist") is not None:
        project["cve_allowlist"] = _allowlist(call, body["cve_allowlist"], project)
    call.harbor.save_project(project)


def _allowlist(call: Call, sent: dict, project: dict) -> dict:
    number = project["project_id"]
    if sent.get("project_id") not in {None, 0, number}:
        raise bad(f"project_id in cve_allowlist must be {number} but it's {sent['project_id']}")
    return {**checked_allowlist(call, sent), "id": number, "project_id": number}


def checked_allowlist(call: Call, sent: dict) -> dict:
    """Give an allowlist to keep: the whole of it is replaced, its expiry as well."""
    names = [item.get("cve_id") or "" for item in sent.get("items") or []]
    if len(set(names)) < len(names) or "" in names:
        raise internal()
    kept = {"items": [{"cve_id": name} for name in names], "creation_time": call.harbor.stamp()}
    if sent.get("expires_at") is not None:
        kept["expires_at"] = sent["expires_at"]
    return {**kept, "update_time": call.harbor.stamp()}


@operation("DELETE", "/projects/{project_name_or_id}")
def delete_project(call: Call) -> None:
    project, harbor = call.project("delete", "project"), call.harbor
    if project["repo_count"]:
        raise precondition("the project contains repositories, can not be deleted")
    number, name = project["project_id"], project["name"]
    harbor.state.delete("project", number)
    # Webhooks, labels and rules stay in the database, where nobody sees them.
    harbor.state.delete_of(number, "member", "robot", "quota", "retention", "blob", "repository", "preheat policy")
    for robot in harbor.state.all("robot", project=0):
        left = [each for each in robot["permissions"] if each["namespace"] != name]
        if left != robot["permissions"]:
            harbor.state.put("robot", robot["id"], {**robot, "permissions": left})
    audit.note(call, "delete", "project", name)


@operation("GET", "/projects/{project_name_or_id}/_deletable")
def get_project_deletable(call: Call) -> dict:
    project = call.project("delete", "project")
    if project["repo_count"]:
        return {"message": "the project contains repositories, can not be deleted"}  # false is left out
    return {"deletable": True}


@operation("GET", "/projects/{project_name_or_id}/summary")
def get_project_summary(call: Call) -> dict:
    project = call.project("read", "project")
    quota = call.harbor.state.find("quota", str(project["project_id"]), project=project["project_id"])
    members = call.harbor.state.all("member", project=project["project_id"])
    roles = [each["role_id"] for each in members]
    summary = {
        "repo_count": project["repo_count"],
        "project_admin_count": roles.count(1),
        "maintainer_count": roles.count(4),
        "developer_count": roles.count(2),
        "guest_count": roles.count(3),
        "limited_guest_count": roles.count(5),
    }
    return summary | ({"quota": {"hard": quota["hard"], "used": quota["used"]}} if quota else {})


@operation("GET", "/projects/{project_name}/logs")
def get_project_logs(call: Call) -> Answer:
    project = call.project("list", "log", name=call.parameters["project_name"])
    if not call.who.authenticated:
        raise unauthorized()
    keys = ("id", "username", "resource", "resource_type", "operation", "op_time")
    return call.listed(
        "audit",
        extra=(
            "(json_extract(doc, '$.resource') = ? OR json_extract(doc, '$.resource') LIKE ?)",
            [project["name"], f"{project['name']}/%"],
        ),
        show=lambda row: {key: row[key] for key in keys},
    )
