"""Retention policies: one for a project, found by the `retention_id` in its metadata and nowhere else.

That key is never written: Harbor would cut the link, and the old policy would go on running, unseen. Harbor checks next
to nothing of a policy, so the models do, and it is read back. For a cache Harbor makes one by itself, which the file's
replaces.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from infra.errors import InputRefused
from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import projects, retentions
from slipway.harbor.client.models import Project, RetentionPolicy, Rule, Selector, Trigger
from slipway.harbor.client.models import Scope as PolicyScope
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import all_good, unusual
from slipway.harbor.kinds.patterns import USUAL, of_rule, selectors
from slipway.harbor.kinds.projects import forget_metadata, projects_of
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.projects import ProjectSpec
from slipway.harbor.spec.times import WORDS, as_cron, as_word

#: Our name of a criterion → Harbor's.
TEMPLATES = {
    "most_recently_pushed": "latestPushedK",
    "most_recently_pulled": "latestPulledN",
    "n_days_since_last_push": "nDaysSinceLastPush",
    "n_days_since_last_pull": "nDaysSinceLastPull",
    "always_retain": "always",
}
_CRITERIA = {template: name for name, template in TEMPLATES.items()}
#: What a rule is where a file says nothing.
_WRITTEN = {**dict.fromkeys(TEMPLATES), **USUAL, "untagged_artifacts": True}
#: What Harbor gives every cache.
_OF_CACHES = {"schedule": WORDS["Daily"], "n_days_since_last_pull": 7}


class Retention(Kind):
    """Retention policies; the key is the project's name."""

    name: ClassVar = "retention"

    def desired(self, spec: HarborSpec) -> Desired:
        objects, lists = [], {}
        for project in spec.all_projects.values():
            if project.has("retention_policy"):
                lists[project.name] = project.retention_policy is None
            if project.retention_policy is not None:
                objects.append(self._wanted(project))
        return Desired(objects=objects, lists=lists)

    def _wanted(self, project: ProjectSpec) -> Object:
        policy, fields = project.retention_policy, {}
        assert policy is not None  # noqa: S101  # for the type checker
        if policy.has("schedule"):
            fields["schedule"] = as_cron(policy.schedule)
        if policy.has("rules"):
            fields["rules"] = _sorted([each.plain() for each in policy.rules or ()])
        return Object(
            kind=self.name,
            key=project.name,
            fields=fields,
            parent=project.name,
            needs=(Ref("project", project.name),),
            at=("projects", project.name, "retention_policy"),
            adopt=project.adopt or "",
        )

    # --- reading

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        names = sorted(scope.parents)
        if scope.again:  # a policy may have come or gone since the projects were read
            known = {each.name: _policy_id(each) for each in await projects_of(harbor, names)}
        else:
            known = {name: found.links.get(self.name, "") for name in names if (found := world.get("project", name))}
        held = [(name, number) for name, number in known.items() if number]
        policies = all_good(await harbor.each(retentions.get(int(number)) for _, number in held))
        return [self._seen(name, policy, number) for (name, number), policy in zip(held, policies, strict=True)]

    def _seen(self, name: str, policy: RetentionPolicy, number: str) -> Object:
        rules = [_read(each) for each in policy.rules]
        fields = {"schedule": policy.trigger.settings.get("cron") or "", "rules": _sorted(rules)}
        free = fields["schedule"] == _OF_CACHES["schedule"] and [
            each.get("n_days_since_last_pull") for each in rules
        ] == [_OF_CACHES["n_days_since_last_pull"]]
        return Object(kind=self.name, key=name, fields=fields, parent=name, id=number, free=free)

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            data: dict[str, Any] = {}
            if "schedule" in one.fields:
                data["schedule"] = as_word(one.fields["schedule"])
            if any("template" in each for each in one.fields.get("rules", ())):
                at = ("projects", one.key, "retention_policy")
                draft.leave(one, "a rule of it is none that the file can say", at)
                continue
            if "rules" in one.fields:
                data["rules"] = [unusual(each, _WRITTEN) for each in one.fields["rules"]]
            draft.put(("projects", one.key, "retention_policy"), data, one)

    # --- writing

    async def create(self, site: Site, wanted: Object) -> str:
        project = site.world.number("project", wanted.parent)
        policy = _policy(project, wanted.fields)

        async def find() -> Created | None:
            number = _policy_id(await site.harbor.send(projects.get(project)))
            return Created(number) if number else None

        try:
            return (await site.harbor.create(retentions.create(policy), find)).id
        except InputRefused:
            made = site.world.get("project", wanted.parent)
            if made is None or not made.fields.get("registry") or (found := await find()) is None:
                raise
        # A cache was just made, and its policy with it.
        number = found.number
        await site.harbor.send(retentions.update(number, policy.model_copy(update={"id": number})))
        return found.id

    async def update(self, site: Site, edit: Edit) -> None:
        fields = {name: edit.value(name) for name in ("schedule", "rules")}
        policy = _policy(site.world.number("project", edit.wanted.parent), fields)
        number = edit.present.number
        await site.harbor.send(retentions.update(number, policy.model_copy(update={"id": number})))

    async def delete(self, site: Site, present: Object) -> None:
        await site.harbor.send(retentions.delete(present.number))
        await forget_metadata(site, present.key)


def _policy_id(project: Project) -> str:
    return project.metadata.retention_id or ""


# --- rules


def _sorted(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the rules in one order: any of them keeps, so theirs has no meaning."""
    return sorted(rules, key=lambda rule: json.dumps(rule, sort_keys=True))


def _policy(project: int, fields: Mapping[str, Any]) -> RetentionPolicy:
    return RetentionPolicy(
        rules=[_rule(each) for each in fields.get("rules") or ()],
        trigger=Trigger(settings={"cron": fields.get("schedule") or ""}),
        scope=PolicyScope(ref=project),
    )


def _rule(rule: Mapping[str, Any]) -> Rule:
    if "template" in rule:  # one that we do not know, and that nobody asked us to change
        return Rule.model_validate(rule)
    name = next(name for name in TEMPLATES if name in rule)
    template = TEMPLATES[name]
    repositories, tags = selectors(rule)
    untagged = json.dumps({"untagged": rule["untagged_artifacts"]})
    return Rule(
        disabled=rule["disabled"],
        template=template,
        params={} if name == "always_retain" else {template: rule[name]},
        tag_selectors=[tags.model_copy(update={"extras": untagged})],
        scope_selectors={"repository": [repositories]},
    )


def _read(rule: Rule) -> dict[str, Any]:
    """Give a rule as the file writes it; one that it cannot write as Harbor does, which differs from any."""
    name, patterns = _CRITERIA.get(rule.template), of_rule(rule)
    count = (rule.params or {}).get(rule.template)
    value = True if name == "always_retain" else int(count) if isinstance(count, int | float) else None
    if name is None or patterns is None or value is None or rule.action != "retain":
        return rule.model_dump(exclude={"id", "priority"}, exclude_none=True)
    return {name: value, **patterns, "untagged_artifacts": _untagged(rule.tag_selectors[0])}


def _untagged(tags: Selector) -> bool:
    try:
        extras = json.loads(tags.extras or "{}")
    except ValueError:
        extras = {}
    return extras.get("untagged", True) is not False
