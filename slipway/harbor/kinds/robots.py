"""Robots, of the system and of projects: one, or a pair of which one is in use (`rotation`).

Names are without the server's prefix. Harbor takes neither a secret nor `disable` when it makes one, so both follow. A
duration counts from creation, so one that was renewed has a longer one than the file says, and is as declared.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from infra.errors import InputRefused, Problem
from infra.yaml_file import Location
from slipway.harbor.client import HarborClient, Pages
from slipway.harbor.client.api import robots
from slipway.harbor.client.models import Robot
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import fields_of, in_projects, rules_of, unusual
from slipway.harbor.kinds.robot_bodies import Bodies, found_in, seen_bodies
from slipway.harbor.kinds.robot_rights import grants_of, rights_of, wide
from slipway.harbor.kinds.robot_writes import make, make_pair, put, put_pair
from slipway.harbor.robots.look import robot_prefix
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.robots import DEFAULT_DAYS, EVERYWHERE, ON_SYSTEM, GrantSpec, RobotSpec, RotationSpec

_DEFAULTS: Mapping[str, Any] = {"description": "", "duration": DEFAULT_DAYS, "disable": False}
STRATEGY, SECRET = "rotation.strategy", "secret"
#: What a file says of one besides its rights; the days always.
_WRITTEN: Mapping[str, Any] = {**_DEFAULTS, "duration": None}
_USUAL_DAYS = RotationSpec().before_days


class Robots(Kind):
    """Robots of the system; the key is the name."""

    name: ClassVar = "robot"
    fixed: ClassVar = frozenset({STRATEGY})
    required: ClassVar = frozenset({SECRET})

    def desired(self, spec: HarborSpec) -> Desired:
        declared = spec.robots
        objects = [
            self._wanted(each, each.permissions, at=("robots", number), **rules_of(each))
            for number, each in enumerate(declared or ())
        ]
        return Desired(objects=objects, lists={} if declared is None else {"": not declared})

    def _wanted(self, robot: RobotSpec, grants: Iterable[GrantSpec], *, parent: str = "", **more: Any) -> Object:  # noqa: ANN401
        rights, fields = rights_of(grants), fields_of(robot, _DEFAULTS)
        fields |= {"permissions": rights, STRATEGY: "blue_green" if robot.is_pair else "in_place"}
        if robot.has("duration") or robot.rotation:
            fields |= {"duration": robot.duration or DEFAULT_DAYS, "expired": False}
        place = robot.secret.of(parent, robot.name) if robot.secret else None
        return Object(
            kind=self.name,
            key=f"{parent}/{robot.name}" if parent else robot.name,
            parent=parent,
            fields=fields,
            seed={SECRET: place} if place else {},
            made={SECRET: str(place)} if place else {},
            needs=tuple(Ref("project", each) for each in rights if each not in {EVERYWHERE, ON_SYSTEM}),
            warning=wide(rights),
            **more,
        )

    # --- reading

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        prefix = await robot_prefix(harbor)
        rows = await harbor.all(robots.of_system())
        return self._seen(harbor, scope, rows, lambda name: name.removeprefix(prefix))

    def _seen(
        self, harbor: HarborClient, scope: Scope, rows: Iterable[Robot], short: Callable[[str], str], parent: str = ""
    ) -> list[Object]:
        rows = list(rows)
        named = [(f"{parent}/" if parent else "") + short(each.name) for each in rows]
        declared = {key: wanted for key in named if (wanted := scope.wanted.get(key))}
        singles = {key for key, wanted in declared.items() if wanted.fields[STRATEGY] == "in_place"}
        bodies = found_in(zip(named, rows, strict=True), singles=singles)
        return [
            Object(kind=self.name, parent=parent, **seen)
            for each in bodies
            if (seen := seen_bodies(each, scope.wanted.get(each.key), harbor))
        ]

    # --- exporting

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            if not one.guard and (data := self._declared(one, draft, ("robots",))):
                rights = one.fields.get("permissions", {})
                grants = [{"namespace": name, **grants_of(given)} for name, given in rights.items()]
                system = {"kind": "system"}
                grants = [(system if each["namespace"] == ON_SYSTEM else {}) | each for each in grants]
                draft.add(("robots",), data | {"permissions": grants}, one)

    def _declared(self, one: Object, draft: Draft, at: Location) -> dict[str, Any]:
        """Give all but the rights; nothing of one that the file cannot say."""
        fields, place = one.fields, draft.robot_secrets
        data: dict[str, Any] = {"name": one.key.rpartition("/")[2], **unusual(fields, _WRITTEN)}
        if fields.get("expired"):
            data.pop("duration", None)  # with it, an apply would revive the robot
        if place is not None:
            data["secret"] = (place if one.parent else place.of_system()).model_dump(exclude_none=True)
        if fields[STRATEGY] == "blue_green":
            if place is None:
                draft.leave(one, "a pair needs to know where its secrets are kept: --robot-secrets", at)
                return {}
            before = min(_USUAL_DAYS, max(1, fields.get("duration", DEFAULT_DAYS) // 3))
            data["rotation"] = {} if before == _USUAL_DAYS else {"before_days": before}
        return data

    # --- writing

    async def create(self, site: Site, wanted: Object) -> str:
        if wanted.fields[STRATEGY] == "blue_green":
            return await make_pair(site, wanted)
        return await make(site, wanted, self._find(site, wanted))

    async def update(self, site: Site, edit: Edit) -> str | None:
        if edit.wanted.fields[STRATEGY] == "blue_green":
            await put_pair(site, edit, await self._find(site, edit.wanted)())
            return None
        there = await self._find(site, edit.wanted)()
        robot = there.one if there else None
        if robot is not None and robot.permissions:
            await put(site, edit, robot)
            return None
        # Its projects were deleted and took its rights along: Harbor would not change it any more.
        if SECRET not in edit.wanted.seed:
            what = f"{edit.wanted.ref} has no rights left, and must be made again"
            raise InputRefused(Problem(where="Harbor", what=what, fix="name in `secret` where its new secret goes"))
        if robot is not None:
            await site.harbor.send(robots.delete(robot.id))
        return await make(site, edit.wanted, self._find(site, edit.wanted))

    async def delete(self, site: Site, present: Object) -> None:
        there = await self._find(site, present)()
        for robot in there.robots.values() if there else ():
            await site.harbor.send(robots.delete(robot.id))

    def _find(self, site: Site, one: Object) -> Callable[[], Any]:
        """Give what finds the bodies of one of them as they are now."""

        async def find() -> Bodies | None:
            prefix = "" if one.parent else await robot_prefix(site.harbor)
            rows = await site.harbor.all(self._list(site, one))
            named = [(self._key(one, each.name.removeprefix(prefix)), each) for each in rows]
            pair = one.fields[STRATEGY] == "blue_green"
            return next(
                (each for each in found_in(named, singles=set() if pair else {one.key}) if each.key == one.key), None
            )

        return find

    def _list(self, site: Site, one: Object) -> Pages[Robot]:
        return robots.of_system()

    def _key(self, one: Object, short: str) -> str:
        return short


class ProjectRobots(Robots):
    """Robots of projects; the key is PROJECT/NAME."""

    name: ClassVar = "project-robot"

    def desired(self, spec: HarborSpec) -> Desired:
        objects, lists = [], {}
        for project in spec.all_projects.values():
            if project.robots is None:
                continue
            lists[project.name] = not project.robots
            at = ("projects", project.name, "robots")
            objects += [
                self._wanted(each, each.grants(project.name), parent=project.name, at=at, **rules_of(each, project))
                for each in project.robots
            ]
        return Desired(objects=objects, lists=lists)

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        def seen(project: Object, rows: list[Robot]) -> list[Object]:
            return self._seen(harbor, scope, rows, _behind_plus, project.key)

        return await in_projects(harbor, scope, world, lambda project: robots.of_project(project.number), seen)

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            at = ("projects", one.parent, "robots")
            if not one.guard and (data := self._declared(one, draft, at)):
                rights = one.fields.get("permissions", {})
                given = grants_of(rights.get(one.parent, ()))
                draft.add(at, data | ({"permissions": given["access"]} if "access" in given else given), one)

    def _list(self, site: Site, one: Object) -> Pages[Robot]:
        return robots.of_project(site.world.number("project", one.parent))

    def _key(self, one: Object, short: str) -> str:
        return f"{one.parent}/{_behind_plus(short)}"


def _behind_plus(name: str) -> str:
    """Give the own name of a project's robot, whatever the prefix is."""
    return name.rpartition("+")[2]
