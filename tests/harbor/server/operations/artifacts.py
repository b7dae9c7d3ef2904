"""Repositories, artifacts, tags and accessories, as the registry's side filled them in (pushes.py)."""

from urllib.parse import unquote

from tests.harbor.server.answers import Answer, bad, conflict, missing, precondition
from tests.harbor.server.call import Call
from tests.harbor.server.operations import scans
from tests.harbor.server.operations.immutable import is_immutable
from tests.harbor.server.pushes import artifact_of, remove_artifact, remove_repository
from tests.harbor.server.routes import operation

_REPOSITORY = "/projects/{project_name}/repositories/{repository_name}"
_ARTIFACT = f"{_REPOSITORY}/artifacts/{{reference}}"


def repository(call: Call, action: str, resource: str) -> tuple[dict, dict]:
    """Give the project and the repository of the path; its name comes encoded twice."""
    project = call.project(action, resource, name=call.parameters["project_name"])
    name = f"{project['name']}/{unquote(call.parameters['repository_name'])}"
    found = call.harbor.state.find("repository", name, project=project["project_id"])
    if found is None:
        raise missing(f"repository {name} not found")
    return project, found


def artifact(call: Call, action: str, resource: str) -> tuple[dict, dict, dict]:
    project, repo = repository(call, action, resource)
    found = artifact_of(call.harbor.state, repo["id"], call.parameters["reference"])
    if found is None:
        raise missing(f"artifact {repo['name']}:{call.parameters['reference']} not found")
    return project, repo, found


def _show(call: Call, repo: dict, found: dict) -> dict:
    state, asked = call.harbor.state, call.query
    doc = {key: value for key, value in found.items() if not key.startswith("_")}
    if asked.get("with_tag", "true") == "true":
        doc["tags"] = _tags(call, repo, found["id"])
    if asked.get("with_accessory") == "true":
        doc["accessories"] = _accessories(call, repo, found["digest"])
    if asked.get("with_scan_overview") == "true" and (overview := scans.overview(state, found["id"])):
        doc["scan_overview"] = overview
    if asked.get("with_sbom_overview") == "true" and (overview := scans.sbom_overview(state, found["id"])):
        doc["sbom_overview"] = overview
    return doc


def _tags(call: Call, repo: dict, number: int) -> list[dict]:
    tags = [tag for tag in call.harbor.state.all("tag", project=repo["id"]) if tag["artifact_id"] == number]
    if call.query.get("with_immutable_status") == "true":
        name = repo["name"].partition("/")[2]
        held = {tag["name"]: is_immutable(call.harbor.state, repo["project_id"], name, tag["name"]) for tag in tags}
        return [tag | {"immutable": held[tag["name"]]} for tag in tags]
    return [tag | {"immutable": False} for tag in tags]


def _accessories(call: Call, repo: dict, digest: str) -> list[dict]:
    rows = call.harbor.state.all("accessory", project=repo["id"])
    return [row for row in rows if row["subject_artifact_digest"] == digest]


@operation("GET", "/projects/{project_name}/repositories")
def list_repositories(call: Call) -> Answer:
    project = call.project("list", "repository", name=call.parameters["project_name"])
    return call.listed("repository", project=project["project_id"], columns={"name": "key"})


@operation("GET", "/repositories")
def list_all_repositories(call: Call) -> Answer:
    if not call.who.admin:
        return call.listed("repository", extra=("0", []))
    return call.listed("repository", columns={"name": "key", "project_id": "project"})


@operation("GET", _REPOSITORY)
def get_repository(call: Call) -> dict:
    return repository(call, "read", "repository")[1]


@operation("PUT", _REPOSITORY)
def update_repository(call: Call) -> None:
    _, repo = repository(call, "update", "repository")
    text = call.shaped({"description": str}).get("description") or ""
    call.harbor.state.put("repository", repo["id"], repo | {"description": text})


@operation("DELETE", _REPOSITORY)
def delete_repository(call: Call) -> None:
    project, repo = repository(call, "delete", "repository")
    name = repo["name"].partition("/")[2]
    for tag in call.harbor.state.all("tag", project=repo["id"]):
        if is_immutable(call.harbor.state, project["project_id"], name, tag["name"]):
            raise precondition(f"Failed to process request due to '{name}:{tag['name']}' configured as immutable.")
    remove_repository(call.harbor, project, repo, by=call.who.name)


@operation("GET", f"{_REPOSITORY}/artifacts")
def list_artifacts(call: Call) -> Answer:
    _, repo = repository(call, "list", "artifact")
    return call.listed(
        "artifact",
        project=repo["id"],
        columns={"digest": "key", "type": "type", "media_type": "media_type"},
        extra=("json_extract(doc, '$._accessory') = 0", []),
        show=lambda found: _show(call, repo, found),
    )


@operation("GET", _ARTIFACT)
def get_artifact(call: Call) -> dict:
    _, repo, found = artifact(call, "read", "artifact")
    return _show(call, repo, found)


@operation("DELETE", _ARTIFACT)
def delete_artifact(call: Call) -> None:
    project, repo, found = artifact(call, "delete", "artifact")
    name = repo["name"].partition("/")[2]
    for tag in _tags(call, repo, found["id"]):
        if is_immutable(call.harbor.state, project["project_id"], name, tag["name"]):
            raise precondition(f"Failed to process request due to '{name}:{tag['name']}' configured as immutable.")
    remove_artifact(call.harbor, project, repo, found, by=call.who.name)


@operation("GET", f"{_ARTIFACT}/tags")
def list_tags(call: Call) -> Answer:
    _, repo, found = artifact(call, "list", "tag")
    tags = _tags(call, repo, found["id"])
    return Answer(body=tags, headers={"X-Total-Count": str(len(tags))})


@operation("POST", f"{_ARTIFACT}/tags")
def create_tag(call: Call) -> Answer:
    _, repo, found = artifact(call, "create", "tag")
    name = call.shaped({"name": str}).get("name")
    if not name:
        raise bad("tag name is required")
    if call.harbor.state.find("tag", name, project=repo["id"]):
        raise conflict(f"tag {name} already exists")
    stamp = call.harbor.stamp()
    tag = {"repository_id": repo["id"], "artifact_id": found["id"], "name": name, "push_time": stamp}
    call.harbor.state.add("tag", tag, key=name, project=repo["id"])
    return call.created(name)


@operation("DELETE", f"{_ARTIFACT}/tags/{{tag_name}}")
def delete_tag(call: Call) -> None:
    project, repo, _ = artifact(call, "delete", "tag")
    name = call.parameters["tag_name"]
    tag = call.harbor.state.find("tag", name, project=repo["id"])
    if tag is None:
        raise missing(f"tag {name} attached to artifact not found")
    short = repo["name"].partition("/")[2]
    if is_immutable(call.harbor.state, project["project_id"], short, name):
        raise precondition(f"Failed to process request due to '{short}:{name}' configured as immutable.")
    call.harbor.state.delete("tag", tag["id"])


@operation("GET", f"{_ARTIFACT}/accessories")
def list_accessories(call: Call) -> Answer:
    _, repo, found = artifact(call, "list", "accessory")
    rows = _accessories(call, repo, found["digest"])
    return Answer(body=rows, headers={"X-Total-Count": str(len(rows))})


# --- scans


@operation("POST", f"{_ARTIFACT}/scan")
async def scan_artifact(call: Call) -> Answer:
    body = call.body if isinstance(call.body, dict) else {}
    kind = "sbom" if body.get("scan_type") == "sbom" else "vulnerability"
    project, repo, found = artifact(call, "create", "sbom" if kind == "sbom" else "scan")
    scans.start(call.harbor, project, repo, found, kind, by=call.who.name)
    return Answer(status=202)


@operation("POST", f"{_ARTIFACT}/scan/stop")
def stop_scan(call: Call) -> Answer:
    _, _, found = artifact(call, "stop", "scan")
    for report in call.harbor.state.all("report", project=found["id"]):
        if report["scan_status"] == "Running":
            call.harbor.state.put("report", report["id"], report | {"scan_status": "Stopped"})
    return Answer(status=202)


@operation("GET", f"{_ARTIFACT}/scan/{{report_id}}/log")
def get_scan_log(call: Call) -> Answer:
    _, _, found = artifact(call, "read", "scan")
    name = call.parameters["report_id"]
    report = next(
        (each for each in call.harbor.state.all("report", project=found["id"]) if each["report_id"] == name), None
    )
    if report is None or call.harbor.switches.scan_log_missing:
        raise missing(f"report with uuid {name} does not exist")
    return Answer(body=f"scan job of {found['digest']}: {report['scan_status']}\n".encode())


@operation("GET", f"{_ARTIFACT}/additions/vulnerabilities")
def get_vulnerabilities(call: Call) -> Answer:
    _, _, found = artifact(call, "read", "artifact-addition")
    return Answer(body=scans.vulnerabilities(call.harbor.state, found["id"]))


@operation("GET", f"{_ARTIFACT}/additions/{{addition}}")
def get_addition(call: Call) -> Answer:
    _, _, found = artifact(call, "read", "artifact-addition")
    if call.parameters["addition"] != "sbom" or scans.sbom_overview(call.harbor.state, found["id"]) is None:
        raise bad(f"the addition {call.parameters['addition']} isn't supported for {found['type']}")
    return Answer(body={"spdxVersion": "SPDX-2.3", "name": found["digest"], "packages": []})
