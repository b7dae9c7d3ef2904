"""Replication rules. A change replaces all of one; what counts for deletions is `deletion`.

Harbor leaves out what is false, and reads no speed as 0 and no count as -1.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import replication
from slipway.harbor.client.models import (
    Cron,
    Registry,
    RegistryId,
    ReplicationFilter,
    ReplicationPolicy,
    ReplicationTrigger,
)
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import fields_of, rules_of, unusual
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.replication import FilterSpec, ReplicationSpec

#: What the portal proposes, and what null means.
_DEFAULTS: Mapping[str, Any] = {
    "description": "",
    "dest_namespace": "",
    "dest_namespace_replace_count": -1,
    "deletion": False,
    "override": True,
    "enabled": True,
    "speed": 0,
    "copy_by_chunk": False,
    "single_active_replication": False,
}
_MANUAL: Mapping[str, Any] = {"trigger.type": "manual", "trigger.cron": ""}
_SIDES = ("src_registry", "dest_registry")
_FILTER: Mapping[str, Any] = {"type": "", "value": None, "decoration": "matches"}


class Replication(Kind):
    """Replication rules; the key is the name."""

    name: ClassVar = "replication"
    named_by: ClassVar = frozenset({"registry"})

    def desired(self, spec: HarborSpec) -> Desired:
        declared = spec.replication_policies
        objects = [self._wanted(each, number) for number, each in enumerate(declared or ())]
        return Desired(objects=objects, lists={} if declared is None else {"": not declared})

    def _wanted(self, rule: ReplicationSpec, number: int) -> Object:
        fields = fields_of(rule, _DEFAULTS) | {side: getattr(rule, side) for side in _SIDES}
        if "speed" in fields:
            fields["speed"] = max(fields["speed"], 0)
        if rule.has("trigger"):
            fields |= _MANUAL
        if rule.trigger is not None:
            settings = rule.trigger.trigger_settings
            fields |= {"trigger.type": rule.trigger.type, "trigger.cron": settings.cron if settings else ""}
        if rule.has("filters"):
            fields["filters"] = _sorted([_plain(each) for each in rule.filters or ()])
        return Object(
            kind=self.name,
            key=rule.name,
            fields=fields,
            seed={"run": rule.execute_on_changed},
            needs=tuple(Ref("registry", name) for side in _SIDES if (name := getattr(rule, side))),
            at=("replication_policies", number),
            **rules_of(rule),
        )

    # --- reading

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        rules = await harbor.all(replication.every())
        registries = {each.id: each.key for each in world.of("registry")}
        return [self._seen(each, registries) for each in rules]

    def _seen(self, rule: ReplicationPolicy, registries: Mapping[str, str]) -> Object:
        fields: dict[str, Any] = {
            name: default if (value := getattr(rule, name)) is None else value for name, default in _DEFAULTS.items()
        }
        fields["speed"] = max(fields["speed"], 0)
        # The models say false where Harbor says nothing, and so does Harbor.
        cron = rule.trigger.trigger_settings.cron if rule.trigger.trigger_settings else ""
        fields |= {"trigger.type": rule.trigger.type, "trigger.cron": cron or ""}
        fields |= {side: _other(getattr(rule, side), registries) for side in _SIDES}
        fields["filters"] = _sorted([_read(each) for each in rule.filters])
        return Object(kind=self.name, key=rule.name, fields=fields, id=str(rule.id))

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            data = {"name": one.key, **unusual(one.fields, {**dict.fromkeys(_SIDES), **_DEFAULTS})}
            if (kind := one.fields.get("trigger.type", "manual")) != "manual":
                cron = one.fields.get("trigger.cron")
                data["trigger"] = {"type": kind} | ({"trigger_settings": {"cron": cron}} if cron else {})
            if one.fields.get("filters"):
                data["filters"] = [unusual(each, _FILTER) for each in one.fields["filters"]]
            draft.add(("replication_policies",), data, one)

    # --- writing

    async def create(self, site: Site, wanted: Object) -> str:
        policy = _policy(site, wanted.key, {**_DEFAULTS, **_MANUAL, "filters": [], **wanted.fields})

        async def find() -> Created | None:
            there = await site.harbor.all(replication.every())
            return next((Created(str(each.id)) for each in there if each.name == wanted.key), None)

        made = await site.harbor.create(replication.create(policy), find)
        await _run(site, wanted, made.number)
        return made.id

    async def update(self, site: Site, edit: Edit) -> None:
        fields = {name: edit.value(name) for name in (*_DEFAULTS, *_MANUAL, *_SIDES, "filters")}
        policy = _policy(site, edit.wanted.key, fields)
        await site.harbor.send(replication.update(edit.present.number, policy))
        await _run(site, edit.wanted, edit.present.number)

    async def delete(self, site: Site, present: Object) -> None:
        await site.harbor.send(replication.delete(present.number))


async def _run(site: Site, wanted: Object, number: int) -> None:
    """Run it once, if the file says so. One that sleeps cannot run."""
    if wanted.seed["run"] and wanted.fields.get("enabled", True):
        await site.harbor.send(replication.start(number))


def _other(registry: Registry | RegistryId | None, registries: Mapping[str, str]) -> str | None:
    """Give the name of a side; None for Harbor itself."""
    if registry is None or not registry.id:
        return None
    name = registry.name if isinstance(registry, Registry) else ""
    return registries.get(str(registry.id)) or name or f"#{registry.id}"


def _policy(site: Site, name: str, fields: Mapping[str, Any]) -> ReplicationPolicy:
    plain = {key: fields[key] for key in _DEFAULTS}
    if not plain["single_active_replication"]:
        del plain["single_active_replication"]  # an older Harbor does not know it
    cron = fields["trigger.cron"]
    return ReplicationPolicy(
        name=name,
        **plain,
        **{side: RegistryId(id=site.world.number("registry", fields[side])) for side in _SIDES if fields[side]},
        trigger=ReplicationTrigger(type=fields["trigger.type"], trigger_settings=Cron(cron=cron) if cron else None),
        filters=[ReplicationFilter(**each) for each in fields["filters"]],
    )


# --- filters


def _plain(given: FilterSpec) -> dict[str, Any]:
    value = sorted(given.value) if isinstance(given.value, list) else given.value
    return _whole(given.type, value, given.decoration)


def _read(given: ReplicationFilter) -> dict[str, Any]:
    value = sorted(map(str, given.value)) if isinstance(given.value, list) else given.value
    return _whole(given.type, value, given.decoration)


def _whole(kind: str, value: Any, decoration: str | None) -> dict[str, Any]:  # noqa: ANN401  # a text or a list
    whole = {"type": kind, "value": value}
    return whole | ({"decoration": decoration or "matches"} if kind in {"tag", "label"} else {})


def _sorted(filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(filters, key=lambda each: (each["type"], str(each["value"]), each.get("decoration", "")))
