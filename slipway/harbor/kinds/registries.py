"""Registries elsewhere. Harbor asks the address whenever one is made or changed, so it must answer then."""

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import SecretStr

from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import registries
from slipway.harbor.client.models import Credential, Registry, RegistryUpdate
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import fields_of, rules_of, unusual
from slipway.harbor.spec import HarborSpec, SecretRef
from slipway.harbor.spec.registries import RegistrySpec

_DEFAULTS = {"type": "", "url": "", "description": "", "insecure": False, "ca_certificate": ""}
_KEY, _SECRET = "credential.access_key", "credential.access_secret"


class Registries(Kind):
    """Registries; the key is the name."""

    name: ClassVar = "registry"
    fixed: ClassVar = frozenset({"type"})

    def desired(self, spec: HarborSpec) -> Desired:
        objects = [self._wanted(each, number) for number, each in enumerate(spec.registries or ())]
        return Desired(objects=objects, lists={} if spec.registries is None else {"": not spec.registries})

    def _wanted(self, registry: RegistrySpec, number: int) -> Object:
        fields, secrets = fields_of(registry, _DEFAULTS), {}
        fields["url"] = normal_url(registry.url)
        if registry.ca_certificate:
            fields["ca_certificate"] = registry.ca_certificate.strip()
        given = dict(registry.credential.given()) if registry.credential else {}
        given |= {"access_key": ""} if registry.has("credential") and registry.credential is None else {}
        for name, value in given.items():
            if isinstance(value, SecretRef):
                secrets[f"credential.{name}"] = value
            elif name != "access_secret":
                fields[f"credential.{name}"] = value or ""
        return Object(
            kind=self.name,
            key=registry.name,
            fields=fields,
            secrets=secrets,
            at=("registries", number),
            **rules_of(registry),
        )

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        return [self._seen(each) for each in await harbor.all(registries.every())]

    def _seen(self, registry: Registry) -> Object:
        fields: dict[str, Any] = {name: getattr(registry, name) or default for name, default in _DEFAULTS.items()}
        fields["url"] = normal_url(registry.url)
        fields["ca_certificate"] = fields["ca_certificate"].strip()
        credential = registry.credential or Credential()
        fields |= {"credential.type": credential.type or "basic", _KEY: credential.access_key or ""}
        return Object(
            kind=self.name,
            key=registry.name,
            fields=fields,
            id=str(registry.id),
            warning="Harbor cannot reach it at the moment" if registry.status == "unhealthy" else "",
        )

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            fields = {name: one.fields[name] for name in ("type", "url") if name in one.fields}
            credential = unusual(one.fields, {"credential.type": "basic", _KEY: ""})
            credential = {name.partition(".")[2]: value for name, value in credential.items()}
            if one.fields.get(_KEY):
                credential["access_secret"] = draft.secret(one, _SECRET, f"REGISTRY {one.key}")
            data = {"name": one.key, **fields, **unusual(one.fields, _DEFAULTS)}
            draft.add(("registries",), data | ({"credential": credential} if credential else {}), one)

    async def create(self, site: Site, wanted: Object) -> str:
        fields = wanted.fields
        credential = Credential(
            type=fields.get("credential.type", "basic"),
            access_key=_plain(site, wanted, _KEY),
            access_secret=site.secret(wanted, _SECRET),
        )
        registry = Registry(
            name=wanted.key,
            **{name: fields[name] for name in _DEFAULTS if fields.get(name) not in {None, ""}},
            # Of ECR an empty one means the role of Harbor's pods, and without any Harbor's adapter falls over (500).
            credential=credential if credential.access_key or fields.get("type") == "aws-ecr" else None,
        )

        async def find() -> Created | None:
            there = await site.harbor.all(registries.every())
            return next((Created(str(each.id)) for each in there if each.name == wanted.key), None)

        return (await site.harbor.create(registries.create(registry), find)).id

    async def update(self, site: Site, edit: Edit) -> None:
        change: dict[str, Any] = {name: edit.value(name) for name in edit.fields if name in _DEFAULTS}
        if "credential.type" in edit.fields:
            change["credential_type"] = edit.value("credential.type")
        if _KEY in edit.fields:
            change["access_key"] = _plain(site, edit.wanted, _KEY)
        if _SECRET in edit.fields:
            change["access_secret"] = site.secret(edit.wanted, _SECRET)
        elif change.get("access_key") == "":
            change["access_secret"] = SecretStr("")  # a secret without its key is nobody's
        await site.harbor.send(registries.update(edit.present.number, RegistryUpdate(**change)))

    async def delete(self, site: Site, present: Object) -> None:
        await site.harbor.send(registries.delete(present.number))


def _plain(site: Site, wanted: Object, name: str) -> str | None:
    """Give a field that may be written or referred to."""
    secret = site.secret(wanted, name)
    return secret.get_secret_value() if secret else wanted.fields.get(name)


def normal_url(url: str) -> str:
    """Give an address as Harbor keeps it: trimmed, and http where nothing else is said."""
    trimmed = url.strip().rstrip("/")
    return trimmed if "://" in trimmed else f"http://{trimmed}"
