"""A project's metadata, key by key; here the values are checked, in a project's own update they are not."""

from tests.harbor.server.answers import Answer, bad, conflict
from tests.harbor.server.call import Call
from tests.harbor.server.routes import operation

_FLAGS = {
    "public",
    "enable_content_trust",
    "enable_content_trust_cosign",
    "auto_sbom_generation",
    "prevent_vul",
    "auto_scan",
    "reuse_sys_cve_allowlist",
    "proxy_cache_local_on_not_found",
}
_NUMBERS = {"proxy_speed_kb", "max_upstream_conn"}
KEYS = _FLAGS | _NUMBERS | {"severity", "retention_id"}
SEVERITIES = ("unknown", "none", "negligible", "low", "medium", "high", "critical")
_TRUE, _FALSE = {"1", "t", "T", "TRUE", "true", "True"}, {"0", "f", "F", "FALSE", "false", "False"}


def shown(metadata: dict) -> dict:
    """Give metadata as a reader sees it: severities in small letters, rubbish as unknown."""
    if "severity" not in metadata:
        return metadata
    severity = str(metadata["severity"]).lower()
    return {**metadata, "severity": severity if severity in SEVERITIES else "unknown"}


def _checked(key: str, value: str) -> str:
    if key in _FLAGS and value in _TRUE | _FALSE:
        return "true" if value in _TRUE else "false"
    if key in _NUMBERS and value.lstrip("-").isdigit():
        return str(int(value))
    if key == "severity" and value.lower() in SEVERITIES[1:]:
        return value.lower()
    raise bad(f"invalid value: {value}" if key in KEYS - {"retention_id"} else f"invalid key: {key}")


def _one(body: dict) -> tuple[str, str]:
    if len(body) != 1:
        raise bad("only allow one key/value pair")
    return next(iter(body.items()))


@operation("GET", "/projects/{project_name_or_id}/metadatas/")
def list_metadata(call: Call) -> dict:
    return shown(call.project("list", "metadata")["metadata"])


@operation("POST", "/projects/{project_name_or_id}/metadatas/")
def add_metadata(call: Call) -> None:
    project = call.project("create", "metadata")
    key, value = _one(call.shaped(dict.fromkeys(KEYS, str)))
    value = _checked(key, value)
    if key in project["metadata"]:
        raise conflict(f"metadata {key} already exists")
    project["metadata"][key] = value
    call.harbor.save_project(project)


@operation("GET", "/projects/{project_name_or_id}/metadatas/{meta_name}")
def get_metadata(call: Call) -> dict:
    found = shown(call.project("read", "metadata")["metadata"])
    name = call.parameters["meta_name"]
    return {name: found[name]} if name in found else {}


@operation("PUT", "/projects/{project_name_or_id}/metadatas/{meta_name}")
def put_metadata(call: Call) -> None:
    project = call.project("update", "metadata")
    key = call.parameters["meta_name"]
    value = _checked(key, call.shaped({key: str}).get(key) or "")
    if key in project["metadata"]:  # a key that is not there yet: 200, and nothing is kept
        project["metadata"][key] = value
        call.harbor.save_project(project)


@operation("DELETE", "/projects/{project_name_or_id}/metadatas/{meta_name}")
def delete_metadata(call: Call) -> Answer:
    project = call.project("delete", "metadata")
    project["metadata"].pop(call.parameters["meta_name"], None)  # the policy of retention_id lives on
    call.harbor.save_project(project)
    return Answer()
