"""Preheat instances. A change replaces all of one, so it is sent whole; Harbor shows no credential.

Harbor makes an instance the default without taking the mark from the one that had it; only a change does that, so one
follows. The answer to a creation has the name, not the id.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import SecretStr

from infra.errors import AlreadyThere, FeatureMissing, InputRefused, Problem
from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import preheat
from slipway.harbor.client.models import PreheatInstance
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import fields_of, rules_of, unusual
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.preheat import PreheatInstanceSpec

_DEFAULTS: Mapping[str, Any] = {
    "vendor": "",
    "endpoint": "",
    "description": "",
    "auth_mode": "NONE",
    "enabled": True,
    "default": False,
    "insecure": False,
}
_SECRET = "access_credential"  # noqa: S105  # the field's name
#: Before it, a change without the credential lost it.
_KEEPS_CREDENTIALS = (2, 15, 1)
#: What `default` is where an interrupted creation left the mark at two.
_SHARED = "it is, and another one too"


class PreheatInstances(Kind):
    """Instances; the key is the name. One at a time, since each may take the mark of the default from another."""

    name: ClassVar = "preheat-instance"
    one_by_one: ClassVar = True
    fixed: ClassVar = frozenset({"vendor"})

    def desired(self, spec: HarborSpec) -> Desired:
        declared = spec.preheat_instances
        objects = [self._wanted(each, number) for number, each in enumerate(declared or ())]
        return Desired(objects=objects, lists={} if declared is None else {"": not declared})

    def _wanted(self, instance: PreheatInstanceSpec, number: int) -> Object:
        return Object(
            kind=self.name,
            key=instance.name,
            fields=fields_of(instance, _DEFAULTS) | {"endpoint": instance.endpoint.rstrip("/")},
            secrets={_SECRET: instance.access_credential} if instance.access_credential else {},
            at=("preheat_instances", number),
            **rules_of(instance),
        )

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        rows = await harbor.all(preheat.instances())
        shared = sum(each.default for each in rows) > 1
        return [self._seen(each, shared=shared) for each in rows]

    def _seen(self, instance: PreheatInstance, *, shared: bool) -> Object:
        fields = {name: getattr(instance, name) for name in _DEFAULTS}
        fields |= {"endpoint": instance.endpoint.rstrip("/"), "auth_mode": instance.auth_mode or "NONE"}
        if instance.default and shared:
            fields["default"] = _SHARED
        return Object(kind=self.name, key=instance.name, fields=fields, id=str(instance.id))

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            data = {"name": one.key, **unusual(one.fields, _DEFAULTS)}
            if "auth_mode" in data:
                data[_SECRET] = draft.secret(one, _SECRET, f"PREHEAT {one.key}")
            draft.add(("preheat_instances",), data, one)

    async def create(self, site: Site, wanted: Object) -> str:
        taken = [each.key for each in site.world.of(self.name) if each.fields["endpoint"] == wanted.fields["endpoint"]]
        if taken:  # Harbor only says 500
            what = f"{wanted.key} has the endpoint of preheat instance {taken[0]}, and Harbor takes each once"
            raise AlreadyThere(Problem(where=str(wanted.ref), what=what, fix="declare that one, or delete it"))
        body = _instance(site, wanted, {**_DEFAULTS, **wanted.fields}, None)

        async def find() -> Created | None:
            there = await site.harbor.all(preheat.instances())
            return next((Created(each.name) for each in there if each.name == wanted.key), None)

        await site.harbor.create(preheat.create_instance(body), find)
        number = (await site.harbor.send(preheat.instance(wanted.key))).id
        if body.default:
            await site.harbor.send(preheat.update_instance(body.model_copy(update={"id": number})))
        return str(number)

    async def update(self, site: Site, edit: Edit) -> None:
        fields = {name: edit.value(name) for name in _DEFAULTS}
        if "default" not in edit.wanted.fields:  # another one may have become the default since all were read
            fields["default"] = (await site.harbor.send(preheat.instance(edit.wanted.key))).default
        body = _instance(site, edit.wanted, fields, edit.present.number)
        if body.auth_mode != "NONE" and body.auth_info is None and site.harbor.version < _KEEPS_CREDENTIALS:
            what = f"{edit.wanted.key} has a credential that this Harbor would forget with any change"
            fix = "name auth_mode and access_credential too, or use Harbor 2.15.1"
            raise FeatureMissing(Problem(where=str(edit.wanted.ref), what=what, fix=fix))
        await site.harbor.send(preheat.update_instance(body))

    async def delete(self, site: Site, present: Object) -> None:
        await site.harbor.send(preheat.delete_instance(present.key))


def _instance(site: Site, wanted: Object, fields: Mapping[str, Any], number: int | None) -> PreheatInstance:
    given: dict[str, Any] = {name: fields[name] for name in _DEFAULTS} | {"default": bool(fields["default"])}
    return PreheatInstance(id=number, name=wanted.key, auth_info=_auth(wanted, site.secret(wanted, _SECRET)), **given)


def _auth(wanted: Object, credential: SecretStr | None) -> dict[str, SecretStr] | None:
    """Give a credential as Harbor keeps it: the user or the header is the key, whatever that is called elsewhere."""
    if credential is None:
        return None
    mode = wanted.fields["auth_mode"]
    if mode == "OAUTH":
        return {"token": credential}
    name, colon, value = credential.get_secret_value().partition(":")
    if not colon or not name or not value:
        form = "user:password" if mode == "BASIC" else "Header-Name:value"
        what = f"the access_credential of {wanted.key} is not of the form {form}, which auth_mode {mode} wants"
        raise InputRefused(Problem(where=str(wanted.ref), what=what, fix="correct the secret"))
    return {name: SecretStr(value.strip() if mode == "CUSTOM" else value)}
