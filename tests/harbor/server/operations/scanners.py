"""Scanner registrations; the one named Trivy is Harbor's own and stays."""

import uuid
from urllib.parse import urlsplit

from tests.harbor.server.answers import Answer, Refused, bad, forbidden, internal, missing
from tests.harbor.server.call import Call
from tests.harbor.server.operations.registries import reachable
from tests.harbor.server.routes import operation

_SHAPE = {
    "name": str,
    "description": str,
    "url": str,
    "auth": str,
    "access_credential": str,
    "skip_certVerify": bool,
    "use_internal_addr": bool,
    "disabled": bool,
}
_AUTHS = {"", "Basic", "Bearer", "X-ScannerAdapter-API-Key"}
REPORT = "application/vnd.security.vulnerability.report; version=1.1"
_IMAGE = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]


def _show(call: Call, scanner: dict) -> dict:
    doc = {key: value for key, value in scanner.items() if key not in {"id", "immutable", "credential"}}
    # The credential is never read back.
    return doc | {"access_credential": "", "capabilities": {"support_vulnerability": True, "support_sbom": True}}


def _of_project(call: Call, scanner: dict) -> dict:
    """Show it with its health, which no other answer has."""
    healthy = "unhealthy" if "trivy" in call.harbor.switches.unhealthy else "healthy"
    about = {"health": healthy, "adapter": scanner["name"], "vendor": "Aqua Security", "version": "v0.69.1"}
    return _show(call, scanner) | about


def default(call: Call) -> dict | None:
    return next((each for each in call.harbor.state.all("scanner") if each["is_default"]), None)


def _checked(sent: dict) -> dict:
    doc = {key: sent.get(key) or "" for key in ("name", "description", "url", "auth")}
    doc |= {key: bool(sent.get(key)) for key in ("skip_certVerify", "use_internal_addr", "disabled")}
    if not doc["name"]:
        raise bad("missing scanner registration name")
    if urlsplit(doc["url"]).scheme not in {"http", "https"}:
        raise bad(f"invalid scanner registration URL: {doc['url']}")
    if doc["auth"] not in _AUTHS:
        raise bad(f"auth type {doc['auth']} is not supported")
    return doc


def _credential(doc: dict, credential: str) -> dict:
    if doc["auth"] and not credential:
        raise bad(f"access_credential is required for auth type {doc['auth']}")
    return {**doc, "credential": credential if doc["auth"] else ""}


@operation("GET", "/scanners")
def list_scanners(call: Call) -> Answer:
    call.system("list", "scanner")
    return call.listed("scanner", columns={"name": "key", "url": "url"}, show=lambda each: _show(call, each))


@operation("POST", "/scanners")
async def create_scanner(call: Call) -> Answer:
    call.system("create", "scanner")
    sent, state = call.shaped(_SHAPE), call.harbor.state
    doc = _checked(sent)
    doc = _credential(doc, sent.get("access_credential") or "")
    if doc["name"] == "Trivy":
        raise bad("the name Trivy is reserved")
    if any(doc[key] == each[key] for each in state.all("scanner") for key in ("name", "url")):
        raise Refused(409, "UNKNOWN", f"duplicated registration: {doc['name']}")
    if not await reachable(call, f"{doc['url'].rstrip('/')}/api/v1/metadata"):
        raise internal()
    stamp, name = call.harbor.stamp(), str(uuid.uuid4())
    doc |= {"uuid": name, "is_default": not state.count("scanner"), "create_time": stamp, "update_time": stamp}
    state.add("scanner", doc, key=doc["name"])
    return call.created(name)


@operation("POST", "/scanners/ping", writes=True)
async def ping_scanner(call: Call) -> None:
    call.system("read", "scanner")
    doc = _checked(call.shaped(_SHAPE))
    if not await reachable(call, doc["url"]):
        raise internal()


@operation("GET", "/scanners/{registration_id}")
def get_scanner(call: Call) -> dict:
    call.system("read", "scanner")
    return _show(call, _found(call))


@operation("GET", "/scanners/{registration_id}/metadata")
def get_scanner_metadata(call: Call) -> dict:
    call.system("read", "scanner")
    if "trivy" in call.harbor.switches.unhealthy:
        raise internal()
    return {
        "scanner": {"name": _found(call)["name"], "vendor": "Aqua Security", "version": "v0.69.1"},
        "capabilities": [
            {"type": "vulnerability", "consumes_mime_types": _IMAGE, "produces_mime_types": [REPORT]},
            {"type": "sbom", "consumes_mime_types": _IMAGE, "produces_mime_types": []},
        ],
        "properties": {"harbor.scanner-adapter/scanner-type": "os-package-vulnerability"},
    }


@operation("PUT", "/scanners/{registration_id}")
def update_scanner(call: Call) -> None:
    call.system("update", "scanner")
    old, sent = _found(call), call.shaped(_SHAPE)
    if old.get("immutable"):
        raise forbidden(f"registration {old['name']} is not allowed to update as it is immutable: scanner API: update")
    doc = _credential(_checked(sent), sent.get("access_credential") or old.get("credential", ""))
    if old["is_default"] and doc["disabled"]:
        raise internal()  # "can not be marked to deactivated" is only in its log
    changed = old | doc | {"update_time": call.harbor.stamp()}
    call.harbor.state.put("scanner", old["id"], changed, key=doc["name"])


@operation("PATCH", "/scanners/{registration_id}")
def set_default_scanner(call: Call) -> None:
    call.system("update", "scanner")
    chosen = _found(call)
    if call.shaped({"is_default": bool}).get("is_default"):
        for each in call.harbor.state.all("scanner"):
            call.harbor.state.put("scanner", each["id"], {**each, "is_default": each["id"] == chosen["id"]})


@operation("DELETE", "/scanners/{registration_id}")
def delete_scanner(call: Call) -> dict:
    call.system("delete", "scanner")
    scanner = _found(call)
    if scanner.get("immutable"):
        raise forbidden(
            f"registration {scanner['name']} is not allowed to delete as it is immutable: scanner API: delete"
        )
    call.harbor.state.delete("scanner", scanner["id"])
    return _show(call, scanner)


def _found(call: Call) -> dict:
    name = call.parameters["registration_id"]
    found = next((each for each in call.harbor.state.all("scanner") if each["uuid"] == name), None)
    if found is None:
        raise missing(f"scanner {name} not found")
    return found


@operation("GET", "/projects/{project_name_or_id}/scanner")
def get_project_scanner(call: Call) -> dict | Answer:
    call.require_login()
    project = call.project("read", "scanner")
    wanted = project.get("scanner")
    found = next((each for each in call.harbor.state.all("scanner") if each["uuid"] == wanted), None) or default(call)
    return _of_project(call, found) if found else Answer()


@operation("PUT", "/projects/{project_name_or_id}/scanner")
def set_project_scanner(call: Call) -> None:
    call.require_login()
    project = call.project("create", "scanner")
    project["scanner"] = call.shaped({"uuid": str}).get("uuid")  # any uuid is taken
    call.harbor.save_project(project)


@operation("GET", "/projects/{project_name_or_id}/scanner/candidates")
def list_candidates(call: Call) -> Answer:
    call.require_login()
    call.project("create", "scanner")
    return call.listed("scanner", show=lambda each: _show(call, each))
