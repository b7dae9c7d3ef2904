"""Webhooks of projects. A change replaces all of one, its secret headers too, so it is sent whole.

Harbor reads secrets back in clear: they are compared, so that a changed one is seen, and never shown.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import webhooks
from slipway.harbor.client.models import Webhook, WebhookTarget
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import fields_of, in_projects, rules_of, unusual
from slipway.harbor.spec import HarborSpec, SecretRef
from slipway.harbor.spec.projects import ProjectSpec
from slipway.harbor.spec.webhooks import ADDRESS, LONGEST_ADDRESS, TargetSpec, WebhookSpec

_DEFAULTS: Mapping[str, Any] = {"enabled": True, "description": ""}
#: In the place of an address that is a secret.
_HIDDEN = "(secret)"


class Webhooks(Kind):
    """Webhooks; the key is PROJECT/NAME."""

    name: ClassVar = "webhook"

    def desired(self, spec: HarborSpec) -> Desired:
        objects, lists = [], {}
        for project in spec.all_projects.values():
            if project.webhooks is None:
                continue
            lists[project.name] = not project.webhooks
            objects += [self._wanted(project, each) for each in project.webhooks]
        return Desired(objects=objects, lists=lists)

    def _wanted(self, project: ProjectSpec, webhook: WebhookSpec) -> Object:
        secrets: dict[str, SecretRef] = {}
        for number, target in enumerate(webhook.targets):
            if isinstance(target.address, SecretRef):
                secrets[_address(number)] = target.address
            if target.auth_header:
                secrets[_header(number)] = target.auth_header
        targets = [_plain(each) for each in webhook.targets]
        events = sorted(set(webhook.event_types))
        return Object(
            kind=self.name,
            key=f"{project.name}/{webhook.name}",
            fields=fields_of(webhook, _DEFAULTS) | {"event_types": events, "targets": targets},
            secrets=secrets,
            parent=project.name,
            needs=(Ref("project", project.name),),
            at=("projects", project.name, "webhooks"),
            **rules_of(webhook, project),
        )

    # --- reading

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        def seen(project: Object, rows: Iterable[Webhook]) -> list[Object]:
            return [self._seen(project, each, scope) for each in rows]

        return await in_projects(harbor, scope, world, lambda project: webhooks.of(project.number), seen)

    def _seen(self, project: Object, webhook: Webhook, scope: Scope) -> Object:
        key = f"{project.key}/{webhook.name}"
        hidden = scope.wanted[key].secrets if key in scope.wanted else {}
        targets, shown = [], {}
        for number, target in enumerate(webhook.targets):
            secret = _is_secret(target) if scope.everything else _address(number) in hidden
            targets.append(_read(target, hidden=secret))
            if secret:
                shown[_address(number)] = SecretStr(target.address)
            if target.auth_header:
                shown[_header(number)] = target.auth_header
        return Object(
            kind=self.name,
            key=key,
            fields={
                "enabled": webhook.enabled,
                "description": webhook.description,
                "event_types": sorted(webhook.event_types),
                "targets": targets,
            },
            parent=project.key,
            id=str(webhook.id),
            shown=shown,
        )

    # --- exporting

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            fields, name = one.fields, one.key.partition("/")[2]
            targets = [self._target(one, number, draft) for number in range(len(fields.get("targets", ())))]
            data = {"name": name, **unusual(fields, _DEFAULTS), "event_types": fields.get("event_types", [])}
            draft.add(("projects", one.parent, "webhooks"), data | {"targets": targets}, one)

    def _target(self, one: Object, number: int, draft: Draft) -> dict[str, Any]:
        target = one.fields["targets"][number]
        words = f"WEBHOOK {one.key}" + (f" {number + 1}" if number else "")
        data = unusual(target, {"type": "http", "address": _HIDDEN, "payload_format": "Default"})
        if "address" not in data:
            data["address"] = draft.secret(one, _address(number), f"{words} ADDRESS")
        if target["auth_header"]:
            data["auth_header"] = draft.secret(one, _header(number), f"{words} HEADER")
        return data | unusual(target, {"skip_cert_verify": False})

    # --- writing

    async def create(self, site: Site, wanted: Object) -> str:
        number = site.world.number("project", wanted.parent)
        webhook = _webhook(site, wanted, {**_DEFAULTS, **wanted.fields})

        async def find() -> Created | None:
            there = await site.harbor.all(webhooks.of(number))
            return next((Created(str(each.id)) for each in there if each.name == webhook.name), None)

        return (await site.harbor.create(webhooks.create(number, webhook), find)).id

    async def update(self, site: Site, edit: Edit) -> None:
        fields = {name: edit.value(name) for name in (*_DEFAULTS, "event_types", "targets")}
        number = site.world.number("project", edit.wanted.parent)
        webhook = _webhook(site, edit.wanted, fields)
        await site.harbor.send(webhooks.update(number, edit.present.number, webhook))

    async def delete(self, site: Site, present: Object) -> None:
        await site.harbor.send(webhooks.delete(site.world.number("project", present.parent), present.number))


# --- targets


def _address(number: int) -> str:
    return f"targets.{number}.address"


def _header(number: int) -> str:
    return f"targets.{number}.auth_header"


#: A part of a path that nobody would choose as a word: long, of letters and digits.
_TOKEN = re.compile(r"(?=[^/]*[0-9])(?=[^/]*[A-Za-z])[^/]{16,}|[A-Za-z0-9]{24,}")


def _is_secret(target: WebhookTarget) -> bool:
    """Tell whether an address is to be named and not written: of a chat, or with what may be a token in it."""
    if target.type != "http" or len(target.address) > LONGEST_ADDRESS or not re.match(ADDRESS, target.address):
        return True
    try:
        parts = urlsplit(target.address)
    except ValueError:
        return True
    if "@" in parts.netloc or parts.query or parts.fragment:
        return True
    return any(_TOKEN.search(piece) for piece in parts.path.split("/"))


def _plain(target: TargetSpec) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "type": target.type,
        "address": _HIDDEN if isinstance(target.address, SecretRef) else target.address,
        "auth_header": target.auth_header is not None,
        "skip_cert_verify": target.skip_cert_verify,
    }
    return plain | ({"payload_format": target.payload_format or "Default"} if target.type == "http" else {})


def _read(target: WebhookTarget, *, hidden: bool) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "type": target.type,
        "address": _HIDDEN if hidden else target.address,
        "auth_header": bool(target.auth_header and target.auth_header.get_secret_value()),
        "skip_cert_verify": bool(target.skip_cert_verify),
    }
    return plain | ({"payload_format": target.payload_format or "Default"} if target.type == "http" else {})


def _webhook(site: Site, wanted: Object, fields: Mapping[str, Any]) -> Webhook:
    targets = []
    for number, target in enumerate(fields["targets"]):
        secret = site.secret(wanted, _address(number))
        targets.append(
            WebhookTarget(
                type=target["type"],
                address=secret.get_secret_value() if secret else target["address"],
                auth_header=site.secret(wanted, _header(number)),
                skip_cert_verify=target["skip_cert_verify"],
                payload_format=target.get("payload_format"),
            )
        )
    return Webhook(
        name=wanted.key.partition("/")[2],
        description=fields["description"],
        enabled=fields["enabled"],
        event_types=fields["event_types"],
        targets=targets,
    )
