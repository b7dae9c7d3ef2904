"""Make or rotate the robot of some projects in the registry; a proxy cache is pulled from only.

obtained = obtain(connection, asked, store, rotation=None)
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from infra.errors import HarborError, Problem, SettingsError
from slipway.harbor.client import Connection, HarborClient, connect
from slipway.harbor.client.api import registries
from slipway.harbor.client.models import Project
from slipway.harbor.robots import PRESETS, Issued, Rotation, Store, Wanted, issue, rotate
from slipway.harbor.robots.look import find_projects
from slipway.login_kit.kit import Cache, as_object


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the user asks for.

    Attributes:
        projects: names, each once.
        preset: the rights, a key of PRESETS.
        name, days: of the robot; without a name, the preset's, or the project's for one that pulls.
        take_over: replace robots that are not ours.
    """

    projects: tuple[str, ...]
    preset: str
    name: str = ""
    days: int = 90
    take_over: bool = False

    def __post_init__(self) -> None:
        """Find a name: a pull secret is known by it in the whole cluster, so the project is in it."""
        if not self.name and self.projects:
            object.__setattr__(self, "name", as_object(self.projects[0]) if self.preset == "pull" else self.preset)

    def wanted(self, url: str, *, caches: frozenset[str] = frozenset()) -> Wanted:
        """Give the robot.

        Raises:
            SettingsError: Harbor would refuse a name.
        """
        rights = {name: PRESETS["pull" if name in caches else self.preset] for name in self.projects}
        return Wanted(name=self.name, rights=rights, days=self.days, registry=urlsplit(url).netloc)


@dataclass(frozen=True, kw_only=True)
class Obtained:
    """The robot, and what the registry says of its projects.

    Attributes:
        caches: those of the projects that are proxy caches.
        push: whether the robot may push somewhere.
    """

    issued: Issued
    caches: tuple[Cache, ...]
    push: bool


def obtain(
    connection: Connection,
    asked: Asked,
    store: Store,
    *,
    rotation: Rotation | None = None,
    dry_run: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Obtained:
    """Log in, and bring the robot to what is asked.

    Raises:
        HarborError, SecretStoreError: see `slipway.harbor.robots.issue`.
        SettingsError: the names, or a push to nothing but proxy caches.
    """

    async def do() -> Obtained:
        asked.wanted(connection.url)  # names first: they need no registry
        async with connect(connection) as harbor:
            caches = await _caches(harbor, await find_projects(harbor, asked.projects))
            names = frozenset(cache.name for cache in caches)
            _refuse_push(asked, names)
            wanted, over = asked.wanted(connection.url, caches=names), asked.take_over
            issued = await (
                rotate(harbor, wanted, store, rotation=rotation, take_over=over, dry_run=dry_run, tell=tell)
                if rotation
                else issue(harbor, wanted, store, take_over=over, dry_run=dry_run, tell=tell)
            )
            return Obtained(issued=issued, caches=caches, push=asked.preset != "pull")

    return asyncio.run(do())


def _refuse_push(asked: Asked, caches: frozenset[str]) -> None:
    if asked.preset != "pull" and caches.issuperset(asked.projects):
        what = f"{', '.join(asked.projects)}: nobody can push to a proxy cache"
        raise SettingsError(Problem(where="--preset", what=what, fix="give --preset pull, or name a project beside it"))


async def _caches(harbor: HarborClient, projects: list[Project]) -> tuple[Cache, ...]:
    return tuple([await _cache(harbor, project) for project in projects if project.registry_id])


async def _cache(harbor: HarborClient, project: Project) -> Cache:
    try:
        registry = await harbor.send(registries.get(project.registry_id))
    except HarborError:  # only administrators see registries, and the snippets do without
        return Cache(name=project.name, upstream="https://REGISTRY")
    return Cache(name=project.name, upstream=registry.url)
