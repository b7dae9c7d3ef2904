"""The system's configuration and its CVE allowlist: always there, one of each, and one owner.

Only what differs is sent: a PUT merges, and of one with a bad value nothing is kept. What Harbor keeps as text (the
banner, redirect parameters, event types) is data here.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import SecretStr

from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import configuration
from slipway.harbor.client.models import AllowedCve, Allowlist, Setting, Settings
from slipway.harbor.kinds.banner import UNSEEN, from_portal, to_portal
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import allowlist_data, unusual
from slipway.harbor.kinds.robot_names import robots_there
from slipway.harbor.spec import HarborSpec, SecretRef
from slipway.harbor.spec.base import size_text
from slipway.harbor.spec.system import BannerSpec, ConfigSpec

#: What a new Harbor has; a setting that is not here has an empty text.
DEFAULTS: Mapping[str, Any] = {
    "auth_mode": "db_auth",
    "primary_auth_mode": False,
    "self_registration": False,
    "oidc_auto_onboard": False,
    "oidc_verify_cert": True,
    "oidc_logout": False,
    "oidc_extra_redirect_parms": {},
    "ldap_uid": "cn",
    "ldap_scope": 2,
    "ldap_timeout": 5,
    "ldap_verify_cert": True,
    "ldap_group_membership_attribute": "memberof",
    "ldap_group_search_scope": 2,
    "ldap_group_attach_parallel": False,
    "http_authproxy_verify_cert": True,
    "http_authproxy_skip_search": False,
    "uaa_verify_cert": False,
    "project_creation_restriction": "everyone",
    "robot_name_prefix": "robot$",
    "robot_token_duration": 30,
    "token_expiration": 30,
    "session_timeout": 60,
    "quota_per_project_enable": True,
    "storage_per_project": -1,
    "read_only": False,
    "notification_enable": True,
    "scanner_skip_update_pulltime": False,
    "skip_audit_log_database": False,
    "disabled_audit_log_event_types": [],
    "banner_message": None,
}
#: Secret → the setting without which there is none. Only the last is read back.
SECRETS: Mapping[str, str] = {
    "oidc_client_secret": "oidc_client_id",
    "ldap_search_password": "ldap_search_dn",
    "uaa_client_secret": "uaa_client_id",
}
_FORWARDING = ("audit_log_forward_endpoint", "skip_audit_log_database")
_PREFIX = "robot_name_prefix"
_RENAMED = "delete them first, or change it in the portal when nobody needs those names any more"


class Config(Kind):
    """The configuration."""

    name: ClassVar = "config"
    singleton: ClassVar = True

    def desired(self, spec: HarborSpec) -> Desired:
        config = spec.system.config if spec.system else None
        if config is None:
            return Desired(objects=[])
        given = dict(config.given())
        if config.read_only:
            del given["read_only"]  # which comes last: read_only.py
        wanted = Object(
            kind=self.name,
            key="system",
            fields={name: _plain(name, value) for name, value in given.items() if name not in SECRETS},
            secrets={name: value for name, value in given.items() if isinstance(value, SecretRef)},
            at=("system", "config"),
            warning=UNSEEN if config.banner_message and config.banner_message.is_unseen else "",
        )
        return Desired(objects=[wanted])

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        settings = await harbor.send(configuration.get())
        known = [name for name in ConfigSpec.model_fields if name in settings and name not in SECRETS]
        fields = {name: _read(name, settings[name].value) for name in known}
        closed = dict(locked(settings, known))
        if _renames(scope.wanted.get("system"), fields) and (count := await robots_there(harbor)):
            closed.setdefault(_PREFIX, f"{count} robots would be locked out under their old names: {_RENAMED}")
        shown = {name: SecretStr(settings[name].value or "") for name in SECRETS if name in settings}
        return [Object(kind=self.name, key="system", id="system", fields=fields, locked=closed, shown=shown)]

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            if one.fields and one.fields.keys() <= one.locked.keys():
                draft.leave(one, "the chart's core.configureUserSettings owns the configuration")
                continue
            usual = {name: DEFAULTS.get(name, "") for name in ConfigSpec.model_fields if name not in SECRETS}
            data = {name: value for name, value in unusual(one.fields, usual).items() if value is not None}
            if data.pop("read_only", False):
                draft.leave(one, "read_only is on, and with it nothing could be applied")
            if "storage_per_project" in data:
                data["storage_per_project"] = size_text(data["storage_per_project"])
            data |= {name: draft.secret(one, name, name) for name, sign in SECRETS.items() if one.fields.get(sign)}
            if data:
                draft.put(("system", "config"), data, one)

    async def update(self, site: Site, edit: Edit) -> None:
        change = {name: _sent(name, edit.value(name)) for name in edit.fields if name in edit.wanted.fields}
        change |= {name: site.secret(edit.wanted, name) for name in edit.fields if name in edit.wanted.secrets}
        # Of a request with one bad value nothing is kept, and Harbor dials where the audit log is forwarded to: nobody
        # who listens there must not hold up all the rest.
        forwarding = {name: change.pop(name) for name in _FORWARDING if name in change}
        for part in filter(None, (change, forwarding)):
            await set_settings(site.harbor, Settings.model_validate(part))


async def set_settings(harbor: HarborClient, change: Settings) -> None:
    """Set settings, and then nothing.

    Harbor drops what it remembers of the settings before the change is committed, so whoever asks in between makes it
    remember the old ones for a minute, on all of its pods. After the commit, an empty change drops them once more.
    """
    await harbor.send(configuration.update(change))
    await harbor.send(configuration.update(Settings()))


def _renames(wanted: Object | None, fields: Mapping[str, Any]) -> bool:
    return wanted is not None and wanted.fields.get(_PREFIX, fields.get(_PREFIX)) != fields.get(_PREFIX)


def locked(settings: Mapping[str, Setting], known: Sequence[str]) -> Mapping[str, str]:
    """Give why settings cannot be changed, of those that cannot."""
    closed = [name for name in known if not settings[name].editable]
    if len(closed) == len(known):
        why = "the chart's core.configureUserSettings owns the configuration: take it out there, or system.config here"
    else:
        why = "it can only change while there is no user but admin"
    return dict.fromkeys(closed, why)


def _plain(name: str, value: Any) -> Any:  # noqa: ANN401  # any setting
    if value is None:
        return DEFAULTS.get(name, "")
    if isinstance(value, BannerSpec):
        return {key: each for key, each in value.model_dump().items() if each is not None}
    return sorted(set(value)) if isinstance(value, list) else value


_LISTS, _JSON = {"disabled_audit_log_event_types"}, {"oidc_extra_redirect_parms"}


def _read(name: str, value: Any) -> Any:  # noqa: ANN401  # any setting
    if name in _LISTS:
        return sorted(filter(None, str(value or "").split(",")))
    if name == "banner_message":
        return from_portal(_from_json(value))
    if name in _JSON:
        return _from_json(value) or DEFAULTS[name]
    return value


def _from_json(value: Any) -> Any:  # noqa: ANN401  # any setting
    """Give what the text says; what is no JSON stays text, and differs from anything."""
    try:
        return json.loads(value) if isinstance(value, str) and value else value
    except ValueError:
        return value


def _sent(name: str, value: Any) -> Any:  # noqa: ANN401  # any setting
    if name in _LISTS:
        return ",".join(value)
    if name == "banner_message":
        return json.dumps(to_portal(value)) if value else ""
    return json.dumps(value) if name in _JSON else value


class SystemAllowlist(Kind):
    """The allowlist that projects with reuse_sys_cve_allowlist share. Replaced whole."""

    name: ClassVar = "cve-allowlist"
    singleton: ClassVar = True

    def desired(self, spec: HarborSpec) -> Desired:
        if spec.system is None or not spec.system.has("cve_allowlist"):
            return Desired(objects=[])
        allowed = spec.system.cve_allowlist
        given: dict[str, Any] = {"items": [], "expires_at": None} if allowed is None else dict(allowed.given())
        fields = {name: _ALLOWED[name](value) for name, value in given.items()}
        return Desired(objects=[Object(kind=self.name, key="system", fields=fields, at=("system", "cve_allowlist"))])

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        allowed = await harbor.send(configuration.allowlist())
        fields = {"items": sorted(each.cve_id for each in allowed.items), "expires_at": allowed.expires_at or None}
        return [Object(kind=self.name, key="system", id="system", fields=fields)]

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            if data := allowlist_data(one.fields):
                draft.put(("system", "cve_allowlist"), data, one)

    async def update(self, site: Site, edit: Edit) -> None:
        items = [AllowedCve(cve_id=each) for each in edit.value("items")]
        await site.harbor.send(configuration.set_allowlist(Allowlist(items=items, expires_at=edit.value("expires_at"))))


_ALLOWED: Mapping[str, Callable[[Any], Any]] = {
    "items": lambda value: sorted(set(value or ())),
    "expires_at": lambda value: value,
}
