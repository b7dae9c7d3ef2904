"""Connect, read all there is, and make a file of it.

exported = run_export(environment, projects=["payments"], robot_secrets=None, tell=tell)
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection
from typing import Any

from infra.errors import NothingThere, Problem
from infra.layers import did_you_mean
from slipway.harbor.client import HarborClient, connect
from slipway.harbor.environment import Environment
from slipway.harbor.export.compact import compact
from slipway.harbor.export.exported import Exported
from slipway.harbor.export.make import make
from slipway.harbor.kinds.base import World
from slipway.harbor.plan.read import read_everything
from slipway.harbor.spec.robots import PlaceSpec

#: Told every two seconds, with the requests so far.
Tell = Callable[[int], None]
_EVERY_SECONDS = 2.0


def run_export(
    environment: Environment, *, projects: Collection[str], robot_secrets: PlaceSpec | None, tell: Tell
) -> Exported:
    """Read and write; change nothing.

    Args:
        projects: only these and what is in them; all there is where none is named.
        robot_secrets: where secrets of robots are to be kept.

    Raises:
        HarborError: it cannot be read, or a project is not there.
    """
    return asyncio.run(_export(environment, projects, robot_secrets, tell))


async def _export(
    environment: Environment, projects: Collection[str], robot_secrets: PlaceSpec | None, tell: Tell
) -> Exported:
    connection = environment.connection()
    async with connect(connection) as harbor:
        async with _telling(harbor, tell):
            world = await read_everything(harbor, projects)
        counts = Counter(each.kind for each in world)
        _refuse_strange(projects, world, connection.url)
        draft = make(world, robot_secrets=robot_secrets, only=projects)
        # Of some projects the file is a part of another, which has its own policy and defaults.
        data = draft.data if projects else _policy(environment) | compact(draft.data, draft.incomplete)
        return Exported(
            data=data,
            variables=draft.variables,
            left=draft.left,
            unread=sorted(world.unread),
            sender=connection.name if harbor.is_robot else "",
            counts=counts,
            requests=harbor.sent,
            version=harbor.info.harbor_version or "",
        )


def _policy(environment: Environment) -> dict[str, Any]:
    policy = {"policy": {"adopt": "matching", "prune": "owned"}}
    return policy if environment.has_domain else {"connection": {"url": environment.url}} | policy


def _refuse_strange(projects: Collection[str], world: World, url: str) -> None:
    there = {each.key for each in world.of("project")}
    problems = [
        Problem(where=url, what=f"there is no project {name}{did_you_mean(name, there)}", fix="check the name")
        for name in projects
        if name not in there
    ]
    if problems:
        raise NothingThere(*problems)


@contextlib.asynccontextmanager
async def _telling(harbor: HarborClient, tell: Tell) -> AsyncGenerator[None]:
    async def tick() -> None:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            tell(harbor.sent)

    ticking = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticking.cancel()
