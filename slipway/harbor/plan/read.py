"""Read what is in Harbor, as much of it as the file and the ledger care for.

world = await read(harbor, wanted, ledger)
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from infra.errors import RightMissing
from slipway.harbor.client import HarborClient
from slipway.harbor.kinds.base import Kind, Object, Scope, World
from slipway.harbor.kinds.order import KINDS, ORDER
from slipway.harbor.ledger import Ledger
from slipway.harbor.plan.want import Wanted


async def read(harbor: HarborClient, wanted: Wanted, ledger: Ledger) -> World:
    """Read; stage by stage, since the parts of projects need the projects' ids.

    Raises:
        HarborError: anything could not be read; half a picture would delete the other half. But what a robot may not
            read is left out as a whole.
    """
    world = World()
    async with harbor.proven():
        for stage in ORDER:
            scopes = [(kind, scope) for kind in stage if (scope := wanted.scope(kind.name, ledger.owned(kind.name)))]
            for objects in await _together(harbor, scopes, world):
                world.put(*objects)
    return world


async def read_everything(harbor: HarborClient, projects: Collection[str] = ()) -> World:
    """Read all there is, declared or not.

    Args:
        projects: only these and what is in them; all where none is named.

    Raises:
        HarborError: as `read`.
    """
    world = World()
    async with harbor.proven():
        for stage in ORDER:
            parents = frozenset(each.key for each in world.of("project"))
            scope = Scope(keys=frozenset(projects), parents=parents, everything=True)
            for objects in await _together(harbor, [(kind, scope) for kind in stage], world):
                world.put(*objects)
    return world


async def _read_one(harbor: HarborClient, kind: Kind, scope: Scope, world: World) -> Sequence[Object]:
    if not world.unread.isdisjoint(kind.named_by | ({"project"} if scope.parents else set())):
        # Where no project may be read, that nothing is found in any is no reason to make it.
        world.unread.add(kind.name)
        return []
    try:
        return await kind.read(harbor, scope, world)
    except RightMissing:
        if not harbor.is_robot:
            raise
        # No robot can be given the right to see the configuration, and the rest is worth looking at.
        world.unread.add(kind.name)
        return []


async def read_again(harbor: HarborClient, objects: Collection[Object], wanted: Wanted, world: World) -> World:
    """Read these once more and little else: just before they are changed, and just after.

    Raises:
        HarborError: as `read`.
    """
    seen, kinds = World(), defaultdict(list)
    for each in objects:
        kinds[each.kind].append(each)
    scopes = [
        (KINDS[kind], _only(some, {each.key: own for each in some if (own := wanted.objects.get(each.ref))}))
        for kind, some in kinds.items()
    ]
    for found in await _together(harbor, scopes, world):
        seen.put(*found)
    return seen


def _only(some: Collection[Object], wanted: Mapping[str, Object]) -> Scope:
    keys, parents = {each.key for each in some}, {each.parent for each in some if each.parent}
    return Scope(keys=frozenset(keys), parents=frozenset(parents), wanted=wanted, again=True)


async def _together(
    harbor: HarborClient, scopes: Sequence[tuple[Kind, Scope]], world: World
) -> Sequence[Sequence[Object]]:
    reads = [_read_one(harbor, kind, scope, world) for kind, scope in scopes]
    results = await asyncio.gather(*reads, return_exceptions=True)
    found = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        found.append(result)
    return found
