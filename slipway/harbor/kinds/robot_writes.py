"""Make and change robots: secrets are stored before Harbor has them, and proven before they are current.

number = await make(site, wanted, find)
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import SecretStr

from slipway.harbor.client.api import robots
from slipway.harbor.client.models import Robot, RobotCreate, RobotCreated
from slipway.harbor.kinds.base import Edit, Object, Site
from slipway.harbor.kinds.robot_bodies import PAIR, Bodies
from slipway.harbor.kinds.robot_rights import accesses, permissions
from slipway.harbor.robots.issue import issue
from slipway.harbor.robots.look import Known
from slipway.harbor.robots.pair import is_over
from slipway.harbor.robots.places import store_of
from slipway.harbor.robots.single import duration_for, hand_out, now_of, registry_of
from slipway.harbor.robots.stores.store import Store
from slipway.harbor.robots.wanted import Wanted
from slipway.harbor.spec.robots import DEFAULT_DAYS

Find = Callable[[], Awaitable[Bodies | None]]


# --- one


async def make(site: Site, wanted: Object, find: Find) -> str:
    """Make a robot, and keep its secret; gives its id."""
    store = store_of(wanted.seed["secret"], site.folder)
    await asyncio.to_thread(store.check)
    fields = wanted.fields
    request = robots.create(
        RobotCreate(
            name=wanted.key.rpartition("/")[2],
            level="project" if wanted.parent else "system",
            duration=fields.get("duration", DEFAULT_DAYS),
            description=fields.get("description", ""),
            permissions=permissions(fields["permissions"]),
        )
    )

    async def there() -> RobotCreated | None:
        found = await find()
        robot = found.one if found else None
        return RobotCreated(id=robot.id, name=robot.name, secret=SecretStr("")) if robot else None

    made = await site.harbor.create(request, there)
    if site.harbor.is_robot and not made.secret.get_secret_value():
        # The lost answer had the secret, and a robot may set no other.
        await site.harbor.send(robots.delete(made.id))
        made = await site.harbor.send(request)
    secret = made.secret if site.harbor.is_robot else None
    await hand_out(site.harbor, made.id, made.name, store, secret=secret, anew=secret is not None)
    if fields.get("disable"):
        robot = await site.harbor.send(robots.get(made.id))
        await site.harbor.send(robots.update(robot.model_copy(update={"disable": True})))
    return str(made.id)


async def put(site: Site, edit: Edit, robot: Robot) -> None:
    """Change a robot as a whole, and give it the secret that an interrupted run could not."""
    changed = robot.model_copy(update=_changes(site, edit, robot))
    late = changed.disable and not robot.disable  # a disabled one could prove nothing
    if "secret" in edit.fields and late:
        await _hand_out(site, edit, robot)
    if edit.fields - {"secret"}:
        await site.harbor.send(robots.update(changed))
    if "secret" in edit.fields and not changed.disable:
        await _hand_out(site, edit, robot)


async def _hand_out(site: Site, edit: Edit, robot: Robot) -> None:
    store = store_of(edit.wanted.seed["secret"], site.folder)
    await hand_out(site.harbor, robot.id, robot.name, store)


def _changes(site: Site, edit: Edit, robot: Robot) -> dict[str, Any]:
    changes: dict[str, Any] = {name: edit.value(name) for name in ("description", "disable") if name in edit.fields}
    if "permissions" in edit.fields:
        changes["permissions"] = permissions(edit.value("permissions"))
    if edit.fields & {"duration", "expired"}:
        days = edit.wanted.fields.get("duration", DEFAULT_DAYS)
        changes["duration"] = duration_for(robot.creation_time, days, now_of(site.harbor))
    return changes


# --- two


def pair_of(site_registry: str, wanted: Object) -> Wanted:
    """Give what slipway.harbor.robots calls a pair."""
    return Wanted(
        name=wanted.key.rpartition("/")[2],
        rights={namespace: accesses(rights) for namespace, rights in wanted.fields["permissions"].items()},
        days=wanted.fields["duration"],
        registry=site_registry,
        of_system=not wanted.parent,
    )


async def make_pair(site: Site, wanted: Object) -> str:
    """Make the first of a pair, or finish what an interrupted run began."""
    project = site.world.number("project", wanted.parent) if wanted.parent else None
    known = Known(now=now_of(site.harbor), project=project)  # an apply does not begin where Harbor is read-only
    await issue(site.harbor, pair_of(registry_of(site.harbor), wanted), _store(site, wanted), known=known)
    return PAIR


async def put_pair(site: Site, edit: Edit, there: Bodies | None) -> None:
    """Bring all that are valid of a pair to what is declared; make one where none is."""
    if there is None or edit.fields & {"secret", "expired"}:
        await make_pair(site, edit.wanted)
    if there is None:
        return
    now = now_of(site.harbor)
    for robot in there.robots.values():
        changes = _changes(site, edit, robot)
        if changes and not is_over(robot, now):
            await site.harbor.send(robots.update(robot.model_copy(update=changes)))


def _store(site: Site, wanted: Object) -> Store:
    return store_of(wanted.seed["secret"], site.folder)
