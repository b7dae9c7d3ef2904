"""Make a robot that works, or go one step of a rotation; killed anywhere, the next run finishes it.

    issued = await issue(harbor, wanted, store)
    issued = await rotate(harbor, wanted, store, rotation=Rotation(before=timedelta(days=30)))

The order: make the robot (marked as not handed out), store our secret as pending, set it in Harbor, prove it at the
registry's door, make it current, take the mark away. A robot as the sender may set no secret, so it stores the one
that Harbor chose, and ends the older robot by deleting it.
"""

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from infra.errors import AlreadyThere, LoginRefused, Problem
from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import robots
from slipway.harbor.client.models import Robot, RobotCreated
from slipway.harbor.robots.look import Known, Seen, find_robots, look, refuse_read_only
from slipway.harbor.robots.pair import Decision, Rotation, decide, ends
from slipway.harbor.robots.secret import new_secret
from slipway.harbor.robots.stores.store import Credential, Store
from slipway.harbor.robots.wanted import UNFINISHED, Slot, Wanted, description

_PROOFS = (0.0, 0.5, 1.0, 2.0)  # replicas of core share a cache that may lag

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Issued:
    """What there is now.

    Attributes:
        decision: what was done (or would be), and why.
        robot: full name of the robot in use; in a dry run that would make it, without the server's prefix.
        credential: of it; None in such a dry run.
        ends: when it stops to work.
        mended: its rights were others, and are now as wanted.
        finished: an interrupted run was brought to its end.
        older: full name of the robot that is still valid beside it.
    """

    decision: Decision
    robot: str
    credential: Credential | None
    ends: dt.datetime | None
    mended: bool = False
    finished: bool = False
    older: str = ""


def _silent(_: str) -> None: ...


async def issue(
    harbor: HarborClient,
    wanted: Wanted,
    store: Store,
    *,
    take_over: bool = False,
    dry_run: bool = False,
    tell: Tell = _silent,
    known: Known | None = None,
) -> Issued:
    """Give a robot that works: the one that is there, or a new one.

    Args:
        known: what need not be asked.

    Raises:
        NothingThere: a project that does not exist.
        AlreadyThere: both names are taken by robots that are not ours, or whose secrets are elsewhere.
        HarborError: Harbor said no.
        SecretStoreError: the secret cannot be kept.
    """
    seen = await _begin(harbor, wanted, store, known, dry_run=dry_run)
    decision = decide(seen.pair, now=seen.now, take_over=take_over)
    return await _do(harbor, wanted, store, seen, decision, dry_run=dry_run, tell=tell)


async def rotate(
    harbor: HarborClient,
    wanted: Wanted,
    store: Store,
    *,
    rotation: Rotation | None = None,
    take_over: bool = False,
    dry_run: bool = False,
    tell: Tell = _silent,
) -> Issued:
    """Go the next step of a rotation: a second robot; nothing while both are needed; the end of the older one.

    Raises:
        HarborError, SecretStoreError: as `issue`.
    """
    seen = await _begin(harbor, wanted, store, None, dry_run=dry_run)
    decision = decide(seen.pair, now=seen.now, rotation=rotation or Rotation(), take_over=take_over)
    return await _do(harbor, wanted, store, seen, decision, dry_run=dry_run, tell=tell)


async def _begin(harbor: HarborClient, wanted: Wanted, store: Store, known: Known | None, *, dry_run: bool) -> Seen:
    if not dry_run:
        if known is None:
            await refuse_read_only(harbor)
        await asyncio.to_thread(store.check)
    return await look(harbor, wanted, store, known)


async def _do(
    harbor: HarborClient, wanted: Wanted, store: Store, seen: Seen, decision: Decision, *, dry_run: bool, tell: Tell
) -> Issued:
    if decision.act == "refuse":
        fix = "name the place of its secret with --secret-to, choose another --name, or --take-over: the one that is "
        raise AlreadyThere(Problem(where="robot", what=decision.why, fix=f"{fix}there stops to work at once"))
    if dry_run:
        return _planned(wanted, seen, decision)
    if decision.act == "make":
        return await _made(harbor, wanted, store, seen, decision, tell)
    mended = await _mend(harbor, wanted, store, seen, tell)
    if decision.act == "rotate":
        return await _made(harbor, wanted, store, seen, decision, tell)
    if decision.act == "retire":
        tell(f"end {seen.pair.robots[decision.slot].name}")
        await _retire(harbor, seen, decision.slot)
    older = seen.pair.robots[decision.slot].name if decision.act == "wait" else ""
    return Issued(
        decision=decision,
        robot=seen.pair.robot.name,
        credential=seen.credential,
        ends=ends(seen.pair.robot),
        mended=mended,
        finished=seen.promote,
        older=older,
    )


def _planned(wanted: Wanted, seen: Seen, decision: Decision) -> Issued:
    if decision.act in {"make", "rotate"}:
        end = seen.now + dt.timedelta(days=wanted.days)
        return Issued(decision=decision, robot=wanted.short(decision.slot), credential=None, ends=end)
    robot = seen.pair.robot
    return Issued(
        decision=decision,
        robot=robot.name,
        credential=seen.credential,
        ends=ends(robot),
        mended=not seen.pair.fits,
        older=seen.pair.robots[decision.slot].name if decision.act == "wait" else "",
    )


async def _made(
    harbor: HarborClient, wanted: Wanted, store: Store, seen: Seen, decision: Decision, tell: Tell
) -> Issued:
    """Make one of the two from nothing: what has its name was never handed out, is over, or is given up on purpose."""
    if (before := seen.pair.robots.get(decision.slot)) is not None:
        tell(f"delete {before.name}")
        await harbor.send(robots.delete(before.id))
    tell(f"make {wanted.short(decision.slot)}")
    made = await _create(harbor, wanted, decision.slot)
    secret = made.secret if harbor.is_robot else new_secret()
    credential = Credential(username=made.name, password=secret, registry=wanted.registry)
    tell(f"store its secret in {store.name}")
    await asyncio.to_thread(store.stage, credential)
    if not harbor.is_robot:
        await harbor.send(robots.refresh(made.id, secret))
    await prove(harbor, credential)
    await asyncio.to_thread(store.promote)
    if not harbor.is_robot:
        await _hand_out(harbor, wanted, decision.slot, made)
    older = seen.pair.robot.name if decision.act == "rotate" else ""
    end = dt.datetime.fromtimestamp(made.expires_at, dt.UTC) if made.expires_at > 0 else None
    return Issued(decision=decision, robot=made.name, credential=credential, ends=end, older=older)


async def _create(harbor: HarborClient, wanted: Wanted, slot: Slot) -> RobotCreated:
    """Make a robot, whatever happens to the answer. Where only its lost answer had the secret, it is made again."""
    request = robots.create(wanted.request(slot, finished=harbor.is_robot))

    async def find() -> RobotCreated | None:
        there = await find_robots(harbor, wanted)
        if (robot := there.get(slot)) is None:
            return None
        return RobotCreated(id=robot.id, name=robot.name, secret=SecretStr(""), expires_at=robot.expires_at)

    made = await harbor.create(request, find)
    if harbor.is_robot and not made.secret.get_secret_value():
        await harbor.send(robots.delete(made.id))
        made = await harbor.send(request)
    return made


async def prove(harbor: HarborClient, credential: Credential) -> None:
    """Make sure that the registry takes a secret; replicas of core may need a moment.

    Raises:
        LoginRefused: it does not.
    """
    for wait in _PROOFS:
        await asyncio.sleep(wait)
        if await harbor.accepts(credential.username, credential.password.get_secret_value()):
            return
    what = f"the registry does not take the new secret of {credential.username}; it was not handed out"
    raise LoginRefused(Problem(where="Harbor", what=what, fix="see whether core's replicas agree, then run it again"))


async def _hand_out(harbor: HarborClient, wanted: Wanted, slot: Slot, made: RobotCreated) -> None:
    """Take the mark away by which the next run would know that nobody has the secret."""
    request = wanted.request(slot, finished=True)
    robot = Robot(
        id=made.id,
        name=made.name,  # with the prefix
        level=request.level,
        description=request.description,
        duration=request.duration,
        permissions=request.permissions,
    )
    await harbor.send(robots.update(robot))


async def _mend(harbor: HarborClient, wanted: Wanted, store: Store, seen: Seen, tell: Tell) -> bool:
    """Bring the robot in use to what is wanted; gives whether its rights were others."""
    robot = seen.pair.robot
    if seen.promote:
        tell("finish what an interrupted run began")
        await asyncio.to_thread(store.promote)
    unfinished = UNFINISHED in robot.description
    if unfinished or not seen.pair.fits:
        tell(f"change {robot.name}")
        words = description(finished=True) if unfinished else robot.description
        changed = {"permissions": wanted.permissions(), "description": words}
        await harbor.send(robots.update(robot.model_copy(update=changed)))
    return not seen.pair.fits


async def _retire(harbor: HarborClient, seen: Seen, slot: Slot) -> None:
    older = seen.pair.robots[slot]
    if harbor.is_robot:
        await harbor.send(robots.delete(older.id))
    else:
        await harbor.send(robots.update(older.model_copy(update={"disable": True})))
