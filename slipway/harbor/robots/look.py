"""See what there is: the two robots in Harbor, and which of them the stored secret opens. Changes nothing.

seen = await look(harbor, wanted, store)
"""

import asyncio
import datetime as dt
from dataclasses import dataclass, replace

from infra.errors import LoginRefused, NothingThere, Problem, ReadOnlyMode, RightMissing, SecretStoreError
from infra.layers import did_you_mean
from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import configuration, projects, robots, system
from slipway.harbor.client.models import Project, Robot
from slipway.harbor.robots.pair import Pair, is_over
from slipway.harbor.robots.stores.store import Credential, Store
from slipway.harbor.robots.wanted import RUNNER, SLOTS, Slot, Wanted

_USUAL_PREFIX = "robot$"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was found.

    Attributes:
        pair: both robots.
        credential: of the live one.
        promote: it is still pending: the run that made it was interrupted after Harbor had taken it.
        now: Harbor's own time.
    """

    pair: Pair
    credential: Credential | None = None
    promote: bool = False
    now: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the caller asked Harbor already, so that it is not asked once for each robot.

    Attributes:
        now: Harbor's time. That it is not read-only is known as well.
        project: number of the project whose robot it is; None for one of the system.
    """

    now: dt.datetime
    project: int | None


async def look(harbor: HarborClient, wanted: Wanted, store: Store, known: Known | None = None) -> Seen:
    """Read both robots and try the stored secrets.

    Raises:
        NothingThere: a project that does not exist.
        HarborError: it could not be read.
    """
    now = known.now if known else await _now(harbor)
    found = await find_robots(harbor, wanted, known.project if known else None)
    kept = await asyncio.to_thread(lambda: ((store.current(), False), (store.pending(), True)))
    for credential, promote in kept:
        if credential is None:
            continue
        slot = next((slot for slot, robot in found.items() if robot.name == credential.username), None)
        if slot is None:
            await _refuse_anothers(harbor, wanted, store, credential)
        if slot is None or is_over(found[slot], now):
            continue
        if await harbor.accepts(credential.username, credential.password.get_secret_value()):
            pair = Pair(robots=found, live=slot, fits=wanted.fits(found[slot]))
            return Seen(pair=pair, credential=credential, promote=promote, now=now)
    return Seen(pair=Pair(robots=found), now=now)


async def _refuse_anothers(harbor: HarborClient, wanted: Wanted, store: Store, credential: Credential) -> None:
    """Refuse a place that another robot's secret is in; one of ours may just be gone."""
    prefix = await robot_prefix(harbor)
    if credential.username not in {f"{prefix}{wanted.short(slot)}" for slot in SLOTS}:
        what = f"holds the secret of {credential.username}, and would lose it"
        fix = "choose another --name, or another place (--secret-to)"
        raise SecretStoreError(Problem(where=store.name, what=what, fix=fix))


async def find_projects(harbor: HarborClient, names: tuple[str, ...]) -> list[Project]:
    """Give the projects of these names, in their order.

    Raises:
        NothingThere: names all that do not exist, each with the nearest that does.
    """
    found = {project.name: project for project in await harbor.all(projects.named(names))}
    if missing := [name for name in names if name not in found]:
        known = [project.name for project in await harbor.all(projects.every())]
        fix = "make the project first, or correct the name; Harbor shows only what the sender may see"
        raise NothingThere(
            *(
                Problem(where="project", what=f"there is no {name!r}{did_you_mean(name, known)}", fix=fix)
                for name in missing
            )
        )
    return [found[name] for name in names]


async def refuse_read_only(harbor: HarborClient) -> None:
    """Refuse to begin where Harbor takes no changes.

    Raises:
        ReadOnlyMode: it says so.
    """
    if (await harbor.send(system.info())).read_only:
        fix = "end read-only mode (a setting of Harbor), then run it again; nothing was changed"
        raise ReadOnlyMode(Problem(where="Harbor", what="it is read-only: no robot can be made or changed", fix=fix))


async def _now(harbor: HarborClient) -> dt.datetime:
    said = (await harbor.send(system.info())).current_time
    return dt.datetime.fromisoformat(said) if said else dt.datetime.now(dt.UTC)


async def find_robots(harbor: HarborClient, wanted: Wanted, project: int | None = None) -> dict[Slot, Robot]:
    """Give those of the two that exist.

    Args:
        project: number of the project whose they are, where it is known.

    Raises:
        NothingThere: the project does not exist.
        RightMissing: the sender may not see robots.
    """
    prefix = ""
    try:
        if wanted.level == "project":
            if project is None:
                project = (await find_projects(harbor, tuple(wanted.rights)))[0].project_id
            listed = await harbor.all(robots.of_project(project))
        else:
            prefix, listed = await robot_prefix(harbor), await harbor.all(robots.of_system())
    except RightMissing as error:
        problems = (replace(problem, fix=_who_may(wanted)) for problem in error.problems)
        raise RightMissing(*problems, status=error.status, code=error.code) from error
    return {slot: robot for robot in listed if (slot := wanted.slot_of(robot.name, prefix)) is not None}


def _who_may(wanted: Wanted) -> str:
    if wanted.level == "system":
        return "robots for several projects are the system administrator's to make"
    return (
        "log in as an administrator of the project or of Harbor, or as a robot with robot: create, list, read, delete"
    )


def prefix_in(name: str) -> str:
    """Give the server's prefix from the full name of the robot that the jobs in the cluster use; else the usual one."""
    own = next((own for slot in SLOTS if name.endswith(own := f"{RUNNER}-{slot}")), "")
    return name.removesuffix(own) if own else _USUAL_PREFIX


async def robot_prefix(harbor: HarborClient) -> str:
    """Read what Harbor puts before the names of robots; only an administrator may."""
    try:
        settings = await harbor.send(configuration.get())
    except (RightMissing, LoginRefused):
        return prefix_in(harbor.name) if harbor.is_robot else _USUAL_PREFIX
    setting = settings.get("robot_name_prefix")
    return str(setting.value) if setting and setting.value is not None else _USUAL_PREFIX
