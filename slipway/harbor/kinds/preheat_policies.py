"""Preheat policies of projects. A change replaces all of one, so it is sent whole; the ids are in the lists alone.

Filters, trigger and what Dragonfly alone knows are JSON in texts, of which Harbor checks next to nothing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import preheat
from slipway.harbor.client.models import PreheatPolicy
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import fields_of, in_projects, rules_of, unusual
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.preheat import PreheatPolicySpec
from slipway.harbor.spec.projects import ProjectSpec

_PLAIN: Mapping[str, Any] = {"description": "", "enabled": True}
_MANUAL: Mapping[str, Any] = {"trigger.type": "manual", "trigger.cron": ""}
_EVERYTHING = [{"type": "repository", "value": "**"}, {"type": "tag", "value": "**"}]
_EXTRA: Mapping[str, Any] = {"extra_attrs.scope": "", "extra_attrs.cluster_ids": []}


class PreheatPolicies(Kind):
    """Preheat policies; the key is PROJECT/NAME."""

    name: ClassVar = "preheat-policy"
    named_by: ClassVar = frozenset({"preheat-instance"})

    def desired(self, spec: HarborSpec) -> Desired:
        objects, lists = [], {}
        for project in spec.all_projects.values():
            if project.preheat_policies is None:
                continue
            lists[project.name] = not project.preheat_policies
            objects += [self._wanted(project, each) for each in project.preheat_policies]
        return Desired(objects=objects, lists=lists)

    def _wanted(self, project: ProjectSpec, policy: PreheatPolicySpec) -> Object:
        fields = fields_of(policy, _PLAIN) | {"instance": policy.instance}
        if policy.has("trigger"):
            fields |= _MANUAL
        if policy.trigger is not None:
            setting = policy.trigger.trigger_setting
            fields |= {"trigger.type": policy.trigger.type, "trigger.cron": setting.cron if setting else ""}
        if policy.has("filters"):
            fields["filters"] = _sorted([{"type": each.type, "value": each.value} for each in policy.filters or ()])
        if policy.has("extra_attrs"):
            given = dict(policy.extra_attrs.given()) if policy.extra_attrs else dict.fromkeys(("scope", "cluster_ids"))
            fields |= {f"extra_attrs.{name}": value or _EXTRA[f"extra_attrs.{name}"] for name, value in given.items()}
        return Object(
            kind=self.name,
            key=f"{project.name}/{policy.name}",
            fields=fields,
            parent=project.name,
            needs=(Ref("project", project.name), Ref("preheat-instance", policy.instance)),
            at=("projects", project.name, "preheat_policies"),
            **rules_of(policy, project),
        )

    # --- reading

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        instances = {each.id: each.key for each in world.of("preheat-instance")}

        def seen(project: Object, rows: Iterable[PreheatPolicy]) -> list[Object]:
            return [self._seen(project, each, instances) for each in rows]

        return await in_projects(harbor, scope, world, lambda project: preheat.policies(project.key), seen)

    def _seen(self, project: Object, policy: PreheatPolicy, instances: Mapping[str, str]) -> Object:
        trigger, extra = _parsed(policy.trigger, {}), _parsed(policy.extra_attrs, {})
        return Object(
            kind=self.name,
            key=f"{project.key}/{policy.name}",
            fields={
                "description": policy.description,
                "enabled": policy.enabled,
                "instance": policy.provider_name or instances.get(str(policy.provider_id)) or f"#{policy.provider_id}",
                "trigger.type": trigger.get("type") or "manual",
                "trigger.cron": (trigger.get("trigger_setting") or {}).get("cron") or "",
                "filters": _sorted([_filter(each) for each in _parsed(policy.filters, [])]),
                "extra_attrs.scope": extra.get("scope") or "",
                "extra_attrs.cluster_ids": extra.get("cluster_ids") or [],
            },
            parent=project.key,
            id=str(policy.id),
        )

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            fields, at = one.fields, ("projects", one.parent, "preheat_policies")
            if draft.world.get("preheat-instance", fields.get("instance", "")) is None:
                draft.leave(one, "its preheat instance is gone, or may not be read", at)
                continue
            data = {"name": one.key.partition("/")[2], "instance": fields["instance"], **unusual(fields, _PLAIN)}
            if (kind := fields.get("trigger.type", "manual")) != "manual":
                cron = fields.get("trigger.cron")
                data["trigger"] = {"type": kind} | ({"trigger_setting": {"cron": cron}} if cron else {})
            data |= unusual(fields, {"filters": _EVERYTHING})
            if extra := unusual(fields, _EXTRA):
                data["extra_attrs"] = {name.partition(".")[2]: value for name, value in extra.items()}
            draft.add(at, data, one)

    # --- writing

    async def create(self, site: Site, wanted: Object) -> str:
        fields = {**_PLAIN, **_MANUAL, **_EXTRA, "filters": _EVERYTHING, **wanted.fields}
        body = _policy(site, wanted, fields, None)

        async def find() -> Created | None:
            there = await site.harbor.all(preheat.policies(wanted.parent))
            return next((Created(str(each.id)) for each in there if each.name == body.name), None)

        made = await site.harbor.create(preheat.create_policy(wanted.parent, body), find)
        return (await find() or made).id

    async def update(self, site: Site, edit: Edit) -> None:
        fields = {name: edit.value(name) for name in (*_PLAIN, *_MANUAL, *_EXTRA, "filters", "instance")}
        body = _policy(site, edit.wanted, fields, edit.present.number)
        await site.harbor.send(preheat.update_policy(edit.wanted.parent, body))

    async def delete(self, site: Site, present: Object) -> None:
        await site.harbor.send(preheat.delete_policy(present.parent, present.key.partition("/")[2]))


def _policy(site: Site, wanted: Object, fields: Mapping[str, Any], number: int | None) -> PreheatPolicy:
    cron = fields["trigger.cron"]
    trigger = {"type": fields["trigger.type"], "trigger_setting": {"cron": cron} if cron else {}}
    filters = [
        each | ({"value": ",".join(each["value"])} if isinstance(each["value"], list) else {})
        for each in fields["filters"]
    ]
    extra = {name.partition(".")[2]: fields[name] for name in _EXTRA if fields[name]}
    return PreheatPolicy(
        id=number,
        name=wanted.key.partition("/")[2],
        project_id=site.world.number("project", wanted.parent),
        provider_id=site.world.number("preheat-instance", fields["instance"]),
        filters=json.dumps(filters),
        trigger=json.dumps(trigger),
        extra_attrs=json.dumps(extra),
        **{name: fields[name] for name in _PLAIN},
    )


def _parsed(text: str | None, otherwise: Any) -> Any:  # noqa: ANN401  # whatever the JSON is
    """Give what the text says; what makes no sense is nothing, and differs from what is wanted."""
    try:
        found = json.loads(text or "null")
    except ValueError:
        return otherwise
    return found if isinstance(found, type(otherwise)) else otherwise


def _filter(given: Mapping[str, Any]) -> dict[str, Any]:
    kind, value = given.get("type"), given.get("value")
    return {"type": kind, "value": str(value).split(",") if kind == "label" else value}


def _sorted(filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give filters in one order, and the names of a label filter too."""
    plain = [each | ({"value": sorted(each["value"])} if each["type"] == "label" else {}) for each in filters]
    return sorted(plain, key=lambda each: str(each["type"]))
