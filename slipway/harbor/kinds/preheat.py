"""Preheat instances, and the preheat policies of projects. A change replaces all of one, so it is sent whole.

Harbor shows no credential of an instance. It makes an instance the default without taking the mark from the one that
had it; only a change does that, so one follows. An instance's id, and a policy's, are in no answer but the lists.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import SecretStr

from infra.errors import AlreadyThere, FeatureMissing, InputRefused, Problem
from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import preheat
from slipway.harbor.client.models import PreheatInstance, PreheatPolicy
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import fields_of, in_projects, rules_of, unusual
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.preheat import PreheatInstanceSpec, PreheatPolicySpec
from slipway.harbor.spec.projects import ProjectSpec

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
    """Instances; the key is the name."""

    name: ClassVar = "preheat-instance"
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


# --- policies

_PLAIN: Mapping[str, Any] = {"description": "", "enabled": True}
_MANUAL: Mapping[str, Any] = {"trigger.type": "manual", "trigger.cron": ""}
_EVERYTHING = [{"type": "repository", "value": "**"}, {"type": "tag", "value": "**"}]
_EXTRA: Mapping[str, Any] = {"extra_attrs.scope": "", "extra_attrs.cluster_ids": []}


class PreheatPolicies(Kind):
    """Preheat policies; the key is PROJECT/NAME."""

    name: ClassVar = "preheat-policy"

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
