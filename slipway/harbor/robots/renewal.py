"""Renew what the file declares with `rotation`: pairs one step at a time, single ones in place; all that is due.

renewed = await renew_all(harbor, await declared_robots(harbor, spec), folder=folder)
"""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from infra.errors import HarborError, Problem, SlipwayError
from slipway.harbor.client import HarborClient
from slipway.harbor.client.models import Robot
from slipway.harbor.kinds.robot_rights import accesses
from slipway.harbor.robots.declared import Declared
from slipway.harbor.robots.issue import Issued, rotate
from slipway.harbor.robots.look import refuse_read_only
from slipway.harbor.robots.pair import Rotation, ends
from slipway.harbor.robots.places import store_of
from slipway.harbor.robots.single import duration_for, now_of, registry_of, renew
from slipway.harbor.robots.wanted import Wanted

#: As of a pair (`slipway.harbor.robots.pair.Act`); renew: a single one got another secret and longer to live.
Act = Literal["make", "keep", "rotate", "wait", "retire", "refuse", "renew", "failed"]


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """What became of one robot.

    Attributes:
        robot: full name of the one in use now.
        older: full name of one that is still valid beside it, and until when.
    """

    key: str
    act: Act
    why: str = ""
    robot: str = ""
    ends: dt.datetime | None = None
    older: str = ""
    until: dt.datetime | None = None
    problems: Sequence[Problem] = ()

    def as_data(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        problems = [{"where": each.where, "what": each.what, "fix": each.fix} for each in self.problems]
        return {
            "key": self.key,
            "act": self.act,
            "why": self.why,
            "robot": self.robot,
            "ends": _written(self.ends),
            "older": self.older,
            "olderUntil": _written(self.until),
        } | ({"problems": problems} if problems else {})


def _written(time: dt.datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None


async def renew_all(
    harbor: HarborClient, robots: Sequence[Declared], *, folder: Path, now: bool = False, dry_run: bool = False
) -> list[Renewed]:
    """Renew those that are due; what fails is noted, and all others are done.

    Args:
        now: also those that have long to live yet.

    Raises:
        ReadOnlyMode: Harbor takes no changes.
        HarborError: it is away.
    """
    if not dry_run:
        await refuse_read_only(harbor)

    async def one(declared: Declared) -> Renewed:
        try:
            if declared.spec and declared.spec.is_pair:
                return await _pair(harbor, declared, folder, now=now, dry_run=dry_run)
            return await _single(harbor, declared, folder, now=now, dry_run=dry_run)
        except SlipwayError as error:
            return Renewed(key=declared.key, act="failed", problems=error.problems)

    results = await harbor.each(lambda each=each: one(each) for each in robots)
    return [
        Renewed(key=each.key, act="failed", problems=result.problems) if isinstance(result, HarborError) else result
        for each, result in zip(robots, results, strict=True)
    ]


async def _pair(harbor: HarborClient, declared: Declared, folder: Path, *, now: bool, dry_run: bool) -> Renewed:
    spec = declared.spec
    assert spec is not None  # noqa: S101  # for the type checker
    assert spec.rotation is not None  # noqa: S101
    assert declared.place is not None  # noqa: S101
    rotation = Rotation(
        overlap=dt.timedelta(days=spec.rotation.overlap_days),
        before=None if now else dt.timedelta(days=spec.rotation.before_days),
    )
    wanted = Wanted(
        name=spec.name,
        rights={namespace: accesses(rights) for namespace, rights in declared.rights.items()},
        days=declared.days,
        registry=registry_of(harbor),
        of_system=not declared.project,
    )
    issued = await rotate(harbor, wanted, store_of(declared.place, folder), rotation=rotation, dry_run=dry_run)
    return _told(declared.key, issued)


def _told(key: str, issued: Issued) -> Renewed:
    decision = issued.decision
    return Renewed(
        key=key,
        act=decision.act,
        why=decision.why,
        robot=issued.robot,
        ends=issued.ends,
        older=issued.older,
        until=decision.until,
    )


async def _single(harbor: HarborClient, declared: Declared, folder: Path, *, now: bool, dry_run: bool) -> Renewed:
    robot = declared.robots.get("")
    assert declared.spec is not None  # noqa: S101  # for the type checker
    assert declared.spec.rotation is not None  # noqa: S101
    assert declared.place is not None  # noqa: S101
    if robot is None:
        problem = Problem(where=declared.key, what="there is no such robot", fix="make it: slipway harbor apply")
        return Renewed(key=declared.key, act="failed", problems=(problem,))
    store, time, end = store_of(declared.place, folder), now_of(harbor), ends(robot)
    left = end - time if end else None
    due = now or left is None or left <= dt.timedelta(days=declared.spec.rotation.before_days)
    if not due:
        pending = await asyncio.to_thread(store.pending)
        due = pending is not None and pending.username == robot.name  # an interrupted renewal
    if not due:
        why = f"it lives until {end:%Y-%m-%d}: a renewal is not due yet"
        return Renewed(key=declared.key, act="keep", why=why, robot=robot.name, ends=end)
    if not dry_run:
        await renew(harbor, robot, days=declared.days, store=store)
    why = f"{left.days if left else 'no'} days were left; its old secret stops to work at once"
    return Renewed(key=declared.key, act="renew", why=why, robot=robot.name, ends=_end(time, declared, robot))


def _end(now: dt.datetime, declared: Declared, robot: Robot) -> dt.datetime | None:
    made = dt.datetime.fromisoformat(robot.creation_time) if robot.creation_time else now
    return made + dt.timedelta(days=duration_for(robot.creation_time, declared.days, now))
