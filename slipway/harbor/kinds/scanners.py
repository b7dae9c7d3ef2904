"""Scanners, and which is the default. Harbor asks the address when one is registered: 500 if nobody answers.

A change without `auth` clears the credential, so one is always sent whole. The first one becomes the default.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from infra.errors import NotAllowedNow, Problem
from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import scanners
from slipway.harbor.client.models import Scanner, ScannerReq
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import fields_of, rules_of, unusual
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.scanners import BUILT_IN, ScannerSpec

_DEFAULTS: Mapping[str, Any] = {
    "url": "",
    "description": "",
    "auth": "",
    "skip_cert_verify": False,
    "use_internal_addr": False,
    "disabled": False,
}
#: Harbor says no more than 500 to it.
_IS_DEFAULT = "it is the default scanner, which is never disabled: name another default_scanner and apply that first"
_SECRET = "access_credential"  # noqa: S105  # the field's name


class Scanners(Kind):
    """Scanners; the key is the name, the id a uuid. Two first ones at the same time both become Harbor's default."""

    name: ClassVar = "scanner"
    one_by_one: ClassVar = True

    def desired(self, spec: HarborSpec) -> Desired:
        declared = spec.system.scanners if spec.system else None
        objects = [self._wanted(each, number) for number, each in enumerate(declared or ())]
        default = spec.system.default_scanner if spec.system else None
        # Harbor makes the first one the default: so it is the right one at once.
        objects.sort(key=lambda one: one.key != default)
        return Desired(objects=objects, lists={} if declared is None else {"": not declared})

    def _wanted(self, scanner: ScannerSpec, number: int) -> Object:
        return Object(
            kind=self.name,
            key=scanner.name,
            fields=fields_of(scanner, _DEFAULTS) | {"url": scanner.url.rstrip("/")},
            secrets={_SECRET: scanner.access_credential} if scanner.access_credential else {},
            at=("system", "scanners", number),
            **rules_of(scanner),
        )

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        return [self._seen(each) for each in await harbor.all(scanners.every())]

    def _seen(self, scanner: Scanner) -> Object:
        return Object(
            kind=self.name,
            key=scanner.name,
            fields={
                "url": scanner.url.rstrip("/"),
                "description": scanner.description,
                "auth": scanner.auth,
                "skip_cert_verify": scanner.skip_certVerify,
                "use_internal_addr": scanner.use_internal_addr,
                "disabled": scanner.disabled,
            },
            id=scanner.uuid,
            guard="built in" if scanner.name == BUILT_IN else "",
            locked={"disabled": _IS_DEFAULT} if scanner.is_default and not scanner.disabled else {},
        )

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            if not one.guard:
                data = {"name": one.key, **unusual(one.fields, _DEFAULTS)}
                if one.fields.get("auth"):
                    data[_SECRET] = draft.secret(one, _SECRET, f"SCANNER {one.key}")
                draft.add(("system", "scanners"), data, one)

    async def create(self, site: Site, wanted: Object) -> str:
        async def find() -> Created | None:
            there = await site.harbor.all(scanners.every())
            return next((Created(each.uuid) for each in there if each.name == wanted.key), None)

        request = scanners.create(_request(site, wanted, {**_DEFAULTS, **wanted.fields}))
        return (await site.harbor.create(request, find)).id

    async def update(self, site: Site, edit: Edit) -> None:
        fields = {name: edit.value(name) for name in _DEFAULTS}
        await site.harbor.send(scanners.update(edit.present.id, _request(site, edit.wanted, fields)))

    async def delete(self, site: Site, present: Object) -> None:
        there = await site.harbor.all(scanners.every())
        others = [each.name for each in there if each.uuid != present.id]
        if others and any(each.is_default for each in there if each.uuid == present.id):
            # Harbor would delete it, have no default any more, and answer 412 to whatever scans.
            what = f"{present.key} is the default scanner, and without one nothing is scanned"
            fix = f"name another by default_scanner: {', '.join(others)}"
            raise NotAllowedNow(Problem(where=str(present.ref), what=what, fix=fix))
        await site.harbor.send(scanners.delete(present.id))


def _request(site: Site, wanted: Object, fields: Mapping[str, Any]) -> ScannerReq:
    return ScannerReq(
        name=wanted.key,
        url=fields["url"],
        description=fields["description"],
        auth=fields["auth"],
        access_credential=site.secret(wanted, _SECRET),
        skip_certVerify=fields["skip_cert_verify"],
        use_internal_addr=fields["use_internal_addr"],
        disabled=fields["disabled"],
    )


class DefaultScanner(Kind):
    """Which scanner the projects use that choose none."""

    name: ClassVar = "default-scanner"
    singleton: ClassVar = True

    def desired(self, spec: HarborSpec) -> Desired:
        if spec.system is None or not spec.system.default_scanner:
            return Desired(objects=[])
        wanted = Object(
            kind=self.name,
            key="system",
            fields={"name": spec.system.default_scanner},
            needs=(Ref("scanner", spec.system.default_scanner),),
            at=("system", "default_scanner"),
        )
        return Desired(objects=[wanted])

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        there = await harbor.all(scanners.every())
        # Several, which differ from any one that is declared, where two people made the first at the same time.
        names = sorted(each.name for each in there if each.is_default)
        return [Object(kind=self.name, key="system", id="system", fields={"name": ", ".join(names) or None})]

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        others = any(not each.guard for each in draft.world.of("scanner"))
        for one in present:
            if others and one.fields.get("name"):  # where there is one scanner, it is the default
                draft.set(("system", "default_scanner"), one.fields["name"], one)

    async def update(self, site: Site, edit: Edit) -> None:
        await site.harbor.send(scanners.make_default(site.world.id("scanner", edit.wanted.fields["name"])))
