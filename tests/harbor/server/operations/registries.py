"""Registries elsewhere: pinged when made, partly updated, secrets never shown."""

from urllib.parse import urlsplit

import aiohttp
from cryptography import x509

from tests.harbor.server.answers import Answer, Panic, bad, conflict, internal, missing, precondition
from tests.harbor.server.call import Call
from tests.harbor.server.query import Fuzzy, conditions
from tests.harbor.server.routes import operation
from tests.harbor.server.state import Taken

TYPES = [
    "ali-acr",
    "aws-ecr",
    "azure-acr",
    "docker-hub",
    "docker-registry",
    "dtr",
    "gitlab",
    "github-ghcr",
    "google-gcr",
    "harbor",
    "huawei-SWR",
    "jfrog-artifactory",
    "quay",
    "tencent-tcr",
    "volcengine-cr",
]
_CREDENTIAL = {"type": str, "access_key": str, "access_secret": str}
_SHAPE = {
    "name": str,
    "description": str,
    "type": str,
    "url": str,
    "insecure": bool,
    "ca_certificate": str,
    "credential": _CREDENTIAL,
}
_UPDATE = {
    "name": str,
    "description": str,
    "url": str,
    "insecure": bool,
    "ca_certificate": str,
    "credential_type": str,
    "access_key": str,
    "access_secret": str,
}
HIDDEN = "*****"


def shown(registry: dict) -> dict:
    """Give a registry as a reader sees it."""
    doc = {key: value for key, value in registry.items() if value not in ("", None)}
    if credential := registry.get("credential"):
        kept = {key: value for key, value in credential.items() if value}
        doc["credential"] = kept | ({"access_secret": HIDDEN} if "access_secret" in kept else {})
    return doc


def _address(url: str) -> str:
    """Trim an address as Harbor does, and put a scheme before a bare host."""
    url = url.strip().rstrip("/")
    if "://" not in url:
        url = f"http://{url}"
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise bad(f"invalid URL: {url}")
    return url


async def reachable(call: Call, url: str) -> bool:
    """Ping an address on this machine; no other is ever asked: it is healthy unless it ends in .invalid."""
    host = urlsplit(url).hostname or ""
    if host not in {"127.0.0.1", "localhost", "::1"}:
        return not host.endswith(".invalid")
    try:
        async with call.harbor.http.get(url, timeout=aiohttp.ClientTimeout(3), ssl=False):
            return True
    except (aiohttp.ClientError, TimeoutError):
        return False


def _check_certificate(text: str | None) -> None:
    try:
        x509.load_pem_x509_certificates(text.encode()) if text else None
    except ValueError:  # also where there is none
        raise bad("invalid CA certificate: no valid certificates found in PEM data") from None


@operation("GET", "/registries")
def list_registries(call: Call) -> Answer:
    call.system("list", "registry")
    extra = ("1", [])
    if name := call.query.get("name"):
        extra = conditions({"name": Fuzzy(name)}, {"name": "key"})
    return call.listed("registry", columns={"name": "key", "type": "type", "url": "url"}, extra=extra, show=shown)


@operation("POST", "/registries")
async def create_registry(call: Call) -> Answer:
    call.system("create", "registry")
    sent = call.shaped(_SHAPE)
    _check_certificate(sent.get("ca_certificate"))
    registry = {key: sent.get(key) or "" for key in ("name", "description", "type", "ca_certificate")}
    if not registry["name"]:
        raise bad("registry name cannot be empty")
    if registry["type"] not in TYPES:
        raise internal()
    if len(registry["name"]) > 64:
        raise bad("the max length of name is 64")
    if registry["type"] == "aws-ecr" and sent.get("credential") is None:
        raise Panic  # its adapter looks into a credential that is not there; an empty one means the machine's role
    registry |= {"url": _address(sent.get("url") or ""), "insecure": bool(sent.get("insecure")), "status": "healthy"}
    if sent.get("credential"):
        registry["credential"] = {"type": "basic"} | {key: sent["credential"].get(key) or "" for key in _CREDENTIAL}
    if call.harbor.state.find("registry", registry["name"]):
        raise conflict(f"registry {registry['name']} already exists")
    if not await reachable(call, registry["url"]):
        raise bad("the registry is unhealthy")
    stamp = call.harbor.stamp()
    try:
        doc = registry | {"creation_time": stamp, "update_time": stamp}
        return call.created(call.harbor.state.add("registry", doc, key=registry["name"]))
    except Taken:
        raise conflict(f"registry {registry['name']} already exists") from None


@operation("POST", "/registries/ping", writes=True)
async def ping_registry(call: Call) -> None:
    call.system("read", "registry")
    sent = call.shaped({"id": int, "type": str, "url": str})
    known = call.harbor.state.get("registry", sent["id"]) if sent.get("id") else {}
    if known is None:
        raise missing(f"registry {sent['id']} not found")
    url, kind = sent.get("url") or known.get("url"), sent.get("type") or known.get("type")
    if not url or not kind:
        raise bad("type or url cannot be empty")
    if not await reachable(call, _address(url)):
        raise bad("the registry is unhealthy")


@operation("GET", "/registries/{id}")
def get_registry(call: Call) -> dict:
    call.system("read", "registry")
    return shown(_found(call))


@operation("PUT", "/registries/{id}")
async def update_registry(call: Call) -> None:
    call.system("update", "registry")
    sent, registry = call.shaped(_UPDATE), _found(call)
    _check_certificate(sent.get("ca_certificate"))
    given = {key: value for key, value in sent.items() if key in _UPDATE and value is not None}
    credential = {"type": "", "access_key": "", "access_secret": ""} | registry.get("credential", {})
    for wire, key in (("credential_type", "type"), ("access_key", "access_key"), ("access_secret", "access_secret")):
        if wire in given:
            credential[key] = given.pop(wire)
    registry |= given | {"credential": credential, "update_time": call.harbor.stamp()}
    registry["url"] = _address(registry["url"])
    if not await reachable(call, registry["url"]):
        raise bad("the registry is unhealthy")
    try:
        call.harbor.state.put("registry", registry["id"], registry, key=registry["name"])
    except Taken:
        raise conflict(f"registry {registry['name']} already exists") from None


@operation("DELETE", "/registries/{id}")
def delete_registry(call: Call) -> None:
    call.system("delete", "registry")
    registry, state = _found(call), call.harbor.state
    number = registry["id"]
    for side in ("src_registry", "dest_registry"):
        if state.count("policy", where=f"json_extract(doc, '$.{side}') = ?", values=[number]):
            raise precondition(f"the registry {number} is referenced by replication policies, cannot delete it")
    if state.count("project", where="json_extract(doc, '$.registry_id') = ?", values=[number]):
        raise precondition(f"the registry {number} is referenced by proxy cache project, cannot delete it")
    state.delete("registry", number)


@operation("GET", "/registries/{id}/info")
def get_registry_info(call: Call) -> dict:
    call.system("read", "registry")
    return {
        "type": _found(call)["type"],
        "supported_resource_filters": [{"type": "name", "style": "input"}, {"type": "tag", "style": "input"}],
        "supported_triggers": ["manual", "scheduled"],
    }


@operation("GET", "/replication/adapters")
def list_adapters(call: Call) -> list[str]:
    call.system("list", "replication-adapter")
    return TYPES


@operation("GET", "/replication/adapterinfos")
def list_adapter_infos(call: Call) -> dict:
    call.system("list", "replication-adapter")
    endpoint = {"key": "hub.docker.com", "value": "https://hub.docker.com"}
    return {"docker-hub": {"endpoint_pattern": {"endpoint_type": "EndpointPatternTypeFix", "endpoints": [endpoint]}}}


def _found(call: Call) -> dict:
    registry = call.harbor.state.get("registry", call.number("id"))
    if registry is None:
        raise missing(f"registry {call.parameters['id']} not found")
    return registry
