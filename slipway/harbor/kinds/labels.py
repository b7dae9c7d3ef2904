"""Labels, of the system and of projects. A change replaces all of a label, so it is sent whole."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import labels
from slipway.harbor.client.models import Label
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import fields_of, in_projects, rules_of, unusual
from slipway.harbor.spec import HarborSpec

_DEFAULTS = {"color": "#FFFFFF", "description": ""}


class Labels(Kind):
    """The system's labels; the key is the name."""

    name: ClassVar = "label"

    def desired(self, spec: HarborSpec) -> Desired:
        return Desired(
            objects=[
                Object(
                    kind=self.name,
                    key=label.name,
                    fields=fields_of(label, _DEFAULTS),
                    at=("labels", number),
                    **rules_of(label),
                )
                for number, label in enumerate(spec.labels or ())
            ],
            lists={} if spec.labels is None else {"": not spec.labels},
        )

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        return [self._seen(label) for label in await harbor.all(labels.of_system())]

    def _seen(self, label: Label, project: str = "") -> Object:
        key = f"{project}/{label.name}" if project else label.name
        fields = {"color": label.color, "description": label.description}
        return Object(kind=self.name, key=key, fields=fields, parent=project, id=str(label.id))

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            name = one.key.partition("/")[2] if one.parent else one.key
            at = ("projects", one.parent, "labels") if one.parent else ("labels",)
            draft.add(at, {"name": name, **unusual(one.fields, _DEFAULTS)}, one)

    async def create(self, site: Site, wanted: Object) -> str:
        label = self._label(site, wanted, wanted.fields)
        pages = labels.of_project(label.project_id) if label.project_id else labels.of_system()

        async def find() -> Created | None:
            there = await site.harbor.all(pages)
            return next((Created(str(each.id)) for each in there if each.name == label.name), None)

        return (await site.harbor.create(labels.create(label), find)).id

    async def update(self, site: Site, edit: Edit) -> None:
        fields = {name: edit.value(name) for name in _DEFAULTS}
        await site.harbor.send(labels.update(edit.present.number, self._label(site, edit.wanted, fields)))

    async def delete(self, site: Site, present: Object) -> None:
        await site.harbor.send(labels.delete(present.number))

    def _label(self, site: Site, wanted: Object, fields: Mapping[str, Any]) -> Label:
        given = _DEFAULTS | dict(fields)
        if not wanted.parent:
            return Label(name=wanted.key, scope="g", **given)
        number = site.world.number("project", wanted.parent)
        return Label(name=wanted.key.partition("/")[2], scope="p", project_id=number, **given)


class ProjectLabels(Labels):
    """Labels of projects; the key is PROJECT/NAME."""

    name: ClassVar = "project-label"

    def desired(self, spec: HarborSpec) -> Desired:
        objects, lists = [], {}
        for project in spec.all_projects.values():
            if project.labels is None:
                continue
            lists[project.name] = not project.labels
            objects += [
                Object(
                    kind=self.name,
                    key=f"{project.name}/{label.name}",
                    fields=fields_of(label, _DEFAULTS),
                    parent=project.name,
                    needs=(Ref("project", project.name),),
                    at=("projects", project.name, "labels"),
                    **rules_of(label, project),
                )
                for label in project.labels
            ]
        return Desired(objects=objects, lists=lists)

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        return await in_projects(harbor, scope, world, lambda p: labels.of_project(p.number), self._seen_in)

    def _seen_in(self, project: Object, rows: Iterable[Label]) -> list[Object]:
        return [self._seen(label, project.key) for label in rows]
