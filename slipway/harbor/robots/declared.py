"""The robots that harbor.yaml declares, and those that are beside them: found in Harbor with few requests.

for robot in await declared_robots(harbor, spec): …      # robot.key, robot.bodies
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import robots
from slipway.harbor.client.models import Project, Robot
from slipway.harbor.kinds.parts import all_good
from slipway.harbor.kinds.projects import projects_of
from slipway.harbor.kinds.robot_bodies import Bodies, found_in
from slipway.harbor.kinds.robot_rights import rights_of
from slipway.harbor.robots.look import robot_prefix
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.robots import DEFAULT_DAYS, GrantSpec, PlaceSpec, RobotSpec


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A robot by its key, and what of it is in Harbor.

    Attributes:
        key: ``payments/ci``, or the name of one of the system.
        project: empty for the system.
        spec: what the file says; None of one that is only in Harbor.
        robots: letter → robot of a pair; the single one has no letter.
    """

    key: str
    project: str = ""
    spec: RobotSpec | None = None
    grants: Sequence[GrantSpec] = ()
    robots: Mapping[str, Robot] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """So long it lives, from when it is made or renewed."""
        return (self.spec.duration if self.spec else None) or DEFAULT_DAYS

    @property
    def place(self) -> PlaceSpec | None:
        """Where its secret is kept."""
        spec = self.spec
        return spec.secret.of(self.project, spec.name) if spec and spec.secret else None

    @property
    def rights(self) -> dict[str, list[str]]:
        """What it may do, by namespace."""
        return rights_of(self.grants)


async def declared_robots(harbor: HarborClient, spec: HarborSpec) -> list[Declared]:
    """Read the robots of every list that the file declares.

    Raises:
        HarborError: one could not be read.
    """
    wanted = {each.key: each for each in _wanted(spec)}
    async with harbor.proven():
        found = dict(await _of_system(harbor, wanted)) if spec.robots is not None else {}
        names = sorted(name for name, project in spec.all_projects.items() if project.robots is not None)
        projects = await projects_of(harbor, names)
        lists = await harbor.each(lambda each=each: _of_project(harbor, each, wanted) for each in projects)
    for rows in all_good(lists):
        found |= dict(rows)
    return [
        Declared(
            key=key,
            project=(own.project if own else key.rpartition("/")[0]),
            spec=own.spec if own else None,
            grants=own.grants if own else (),
            robots=found.get(key, {}),
        )
        for key in sorted(wanted.keys() | found.keys())
        for own in (wanted.get(key),)
    ]


def _wanted(spec: HarborSpec) -> Iterator[Declared]:
    for robot in spec.robots or ():
        yield Declared(key=robot.name, spec=robot, grants=robot.permissions)
    for name, project in spec.all_projects.items():
        for each in project.robots or ():
            yield Declared(key=f"{name}/{each.name}", project=name, spec=each, grants=tuple(each.grants(name)))


Found = list[tuple[str, Mapping[str, Robot]]]


async def _of_system(harbor: HarborClient, wanted: Mapping[str, Declared]) -> Found:
    prefix = await robot_prefix(harbor)
    return _found([(each.name.removeprefix(prefix), each) for each in await harbor.all(robots.of_system())], wanted)


async def _of_project(harbor: HarborClient, project: Project, wanted: Mapping[str, Declared]) -> Found:
    rows = await harbor.all(robots.of_project(project.project_id))
    return _found([(f"{project.name}/{each.name.rpartition('+')[2]}", each) for each in rows], wanted)


def _found(named: list[tuple[str, Robot]], wanted: Mapping[str, Declared]) -> Found:
    singles = {key for key, each in wanted.items() if each.spec and not each.spec.is_pair}
    return [(bodies.key, bodies.robots) for bodies in found_in(named, singles=singles) if _fits(bodies, wanted)]


def _fits(bodies: Bodies, wanted: Mapping[str, Declared]) -> bool:
    """Leave out one of another strategy than declared: the plan says what stands in the way."""
    own = wanted.get(bodies.key)
    return own is None or own.spec is None or own.spec.is_pair == (bodies.one is None)
