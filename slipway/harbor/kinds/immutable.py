"""Immutable tag rules: the list of a project is one thing, since its rules have no names.

So a rule that somebody changed is changed back, and one that somebody added is taken away. Harbor makes every rule
enabled, and one change of it either switches or edits: never both in one request.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import immutable
from slipway.harbor.client.models import Rule
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import in_projects, unusual
from slipway.harbor.kinds.patterns import USUAL, of_rule, selectors
from slipway.harbor.spec import HarborSpec


class ImmutableRules(Kind):
    """The immutable tag rules of a project; the key is its name."""

    name: ClassVar = "immutable-tags"

    def desired(self, spec: HarborSpec) -> Desired:
        objects, lists = [], {}
        for project in spec.all_projects.values():
            if not project.has("immutable_tag_rules"):
                continue
            lists[project.name] = False  # an empty list is an object as well
            rules = [each.patterns() for each in project.immutable_tag_rules or ()]
            objects.append(
                Object(
                    kind=self.name,
                    key=project.name,
                    fields={"rules": _sorted(rules)},
                    parent=project.name,
                    needs=(Ref("project", project.name),),
                    at=("projects", project.name, "immutable_tag_rules"),
                    adopt=project.adopt or "",
                )
            )
        return Desired(objects=objects, lists=lists)

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        return await in_projects(harbor, scope, world, lambda project: immutable.of(project.number), self._seen)

    def _seen(self, project: Object, rows: Iterable[Rule]) -> list[Object]:
        rules = _sorted([_read(each) for each in rows])
        # Where there are none, none of somebody else's is taken over.
        return [
            Object(
                kind=self.name,
                key=project.key,
                fields={"rules": rules},
                parent=project.key,
                id=project.id,
                free=not rules,
            )
        ]

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            rules, at = one.fields.get("rules"), ("projects", one.key, "immutable_tag_rules")
            if not rules:
                continue
            if any("rule" in each for each in rules):
                draft.leave(one, "a rule of it is none that the file can say", at)
            elif len({json.dumps(each | {"disabled": False}) for each in rules}) < len(rules):
                draft.leave(one, "two rules are for one pattern; delete one of them", at)
            else:
                draft.set(at, [unusual(each, USUAL) or {"tag_matching": "**"} for each in rules], one)

    async def create(self, site: Site, wanted: Object) -> str:
        number = site.world.number("project", wanted.parent)
        for each in wanted.fields["rules"]:
            await _make(site, number, each)
        return str(number)

    async def update(self, site: Site, edit: Edit) -> None:
        number = site.world.number("project", edit.wanted.parent)
        there, missing = await site.harbor.all(immutable.of(number)), []
        for wanted in edit.wanted.fields["rules"]:
            if (same := _same(there, wanted)) is None:
                missing.append(wanted)
                continue
            there.remove(same)
            await _switch(site, number, same, wanted)
        for wanted in missing:
            if not there:
                await _make(site, number, wanted)
                continue
            old = there.pop()  # one that nobody wants becomes one that is missing: in between nothing is unguarded
            changed = _rule(wanted, old.id, disabled=bool(old.disabled))
            await site.harbor.send(immutable.update(number, changed))
            await _switch(site, number, changed, wanted)
        for left in there:
            await site.harbor.send(immutable.delete(number, left.id or 0))


async def _make(site: Site, project: int, wanted: Mapping[str, Any]) -> None:
    async def find() -> Created | None:
        same = _same(await site.harbor.all(immutable.of(project)), wanted)
        return Created(str(same.id)) if same else None

    made = await site.harbor.create(immutable.create(project, _rule(wanted)), find)
    await _switch(site, project, _rule(wanted, made.number, disabled=False), wanted)


async def _switch(site: Site, project: int, there: Rule, wanted: Mapping[str, Any]) -> None:
    if bool(there.disabled) != wanted["disabled"]:
        switched = there.model_copy(update={"disabled": wanted["disabled"]})
        await site.harbor.send(immutable.update(project, switched))


def _same(there: Iterable[Rule], wanted: Mapping[str, Any]) -> Rule | None:
    """Give the rule of the same patterns; the one that need not be switched, if there are two."""
    alike = [each for each in there if _read(each) | {"disabled": wanted["disabled"]} == wanted]
    return min(alike, key=lambda each: bool(each.disabled) != wanted["disabled"], default=None)


def _rule(wanted: Mapping[str, Any], number: int | None = None, *, disabled: bool | None = None) -> Rule:
    repositories, tags = selectors(wanted)
    return Rule(
        id=number,
        disabled=disabled,
        action="immutable",
        template="immutable_template",
        tag_selectors=[tags],
        scope_selectors={"repository": [repositories]},
    )


def _read(rule: Rule) -> dict[str, Any]:
    return of_rule(rule) or {"rule": rule.model_dump(exclude={"id"}, exclude_none=True)}


def _sorted(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rules, key=lambda rule: json.dumps(rule, sort_keys=True))
