"""The configuration: one owner, merged key by key, all of a request or nothing; and the system's CVE allowlist."""

import asyncio

from tests.harbor.server.answers import Refused, bad, forbidden, unauthorized, unprocessable
from tests.harbor.server.call import Call
from tests.harbor.server.harbor import ZERO
from tests.harbor.server.operations import audit
from tests.harbor.server.operations.projects import ALLOWLIST, checked_allowlist
from tests.harbor.server.routes import operation
from tests.harbor.server.settings import AUTH_MODES, DEFAULTS, POSITIVE, SECRETS

_MOST = 9_999_999_999


def _require_admin(call: Call) -> None:
    if not call.who.authenticated:
        raise unauthorized()
    if not call.who.admin:  # no robot can be given this
        raise forbidden(call.who.name)


@operation("GET", "/configurations")
def get_configurations(call: Call) -> dict:
    _require_admin(call)
    editable = not call.harbor.switches.overwritten
    doc = {name: {"value": value, "editable": editable} for name, value in call.harbor.settings.items()}
    doc["auth_mode"]["editable"] = editable and not _other_users(call)
    return doc


def _other_users(call: Call) -> bool:
    return call.harbor.state.count("user") > 1


@operation("PUT", "/configurations")
async def update_configurations(call: Call) -> None:
    _require_admin(call)
    if call.body is None:
        raise unprocessable("configurations in body is required")
    sent = {key: value for key, value in call.body.items() if key in DEFAULTS | SECRETS and value is not None}
    for key, value in sent.items():
        _check_type(key, value)
    if call.harbor.switches.overwritten:
        raise forbidden("current config is init by env variable: CONFIG_OVERWRITE_JSON, it cannot be updated")
    _check(call, sent)
    endpoint = sent.get("audit_log_forward_endpoint")
    if endpoint and not await _dials(endpoint):
        raise bad(f"could not connect to the audit endpoint: {endpoint}")
    call.harbor.set_settings({key: value for key, value in sent.items() if key not in SECRETS})
    audit.note(call, "update", "configuration", "configuration")


def _check_type(key: str, value: object) -> None:
    wanted = type(DEFAULTS.get(key, ""))
    if type(value) is not wanted:
        names = {str: "string", bool: "boolean", int: "integer"}
        raise unprocessable(f'{key} in body must be of type {names[wanted]}: "{type(value).__name__}"')


def _check(call: Call, sent: dict) -> None:
    """Refuse what Harbor refuses; it does not look at much."""
    mode = sent.get("auth_mode")
    if mode is not None and mode != call.harbor.setting("auth_mode"):
        if _other_users(call):
            raise bad("the auth mode cannot be modified as new users have been inserted into database")
        if mode not in AUTH_MODES:
            raise bad(f"invalid auth mode {mode}")
    for key, fits in _FITS.items():
        if key in sent and not fits(sent[key]):
            raise bad(f"invalid value of {key}: {sent[key]}")
    for key in ("ldap_url", "ldap_base_dn", "ldap_uid"):
        if key in sent and not sent[key].strip():
            raise bad(f"item name {key}: the configure value can not be empty")
    for key in POSITIVE:
        if key in sent and not 0 < sent[key] <= _MOST:
            raise bad(f"the {key} value must be positive" if sent[key] <= 0 else f"the {key} value is over the limit")
    _check_audit(call, sent)


_FITS = {
    "project_creation_restriction": lambda value: value in {"everyone", "adminonly"},
    "ldap_scope": lambda value: value in {0, 1, 2},
    "ldap_group_search_scope": lambda value: value in {0, 1, 2},
    "storage_per_project": lambda value: value == -1 or value > 0,
    **dict.fromkeys(("ldap_url", "ldap_base_dn", "ldap_uid"), str.strip),
}


def _check_audit(call: Call, sent: dict) -> None:
    if "skip_audit_log_database" not in sent and "audit_log_forward_endpoint" not in sent:
        return
    skip = sent.get("skip_audit_log_database", call.harbor.setting("skip_audit_log_database"))
    if skip and not sent.get("audit_log_forward_endpoint", call.harbor.setting("audit_log_forward_endpoint")):
        raise bad("audit log forward endpoint should be configured before enable skip audit log in database")


async def _dials(endpoint: str) -> bool:
    host, _, port = endpoint.rpartition(":")
    if host not in {"127.0.0.1", "localhost"}:
        return not host.endswith(".invalid") and port.isdigit()
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, ValueError):
        return False
    writer.close()
    return True


@operation("GET", "/system/CVEAllowlist")
def get_system_allowlist(call: Call) -> dict:
    call.require_login()
    found = call.harbor.state.find("allowlist", "system")
    if found is None:
        return {"items": [], "creation_time": ZERO, "update_time": ZERO}
    return {key: value for key, value in found.items() if key != "id"}


@operation("PUT", "/system/CVEAllowlist")
def put_system_allowlist(call: Call) -> None:
    call.require_login()
    if not call.who.admin:
        raise Refused(403, "FORBIDDEN", call.who.name)
    kept = checked_allowlist(call, call.shaped(ALLOWLIST))
    if found := call.harbor.state.find("allowlist", "system"):
        call.harbor.state.put("allowlist", found["id"], {"id": found["id"], **kept})
    else:
        call.harbor.state.add("allowlist", kept, key="system")
