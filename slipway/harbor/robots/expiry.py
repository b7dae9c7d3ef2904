"""When robots end: of each the days that are left, and what that means.

rows = report(await declared_robots(harbor, spec), now=now, within=30)
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from slipway.harbor.client.models import Robot
from slipway.harbor.robots.declared import Declared
from slipway.harbor.robots.pair import ends, is_over
from slipway.harbor.robots.wanted import UNFINISHED

#: missing: declared, and not in Harbor. over: ended or disabled, and no other of its pair lives. retired: followed by
#: the other of its pair. soon: it ends within the time that was asked for.
State = Literal["missing", "over", "soon", "lives", "for ever", "disabled", "retired", "unfinished"]
_BAD: tuple[State, ...] = ("missing", "over", "soon")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One robot, or one that is not there."""

    key: str
    robot: str
    state: State
    declared: bool
    ends: dt.datetime | None = None
    days: int | None = None
    secret: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be done."""
        return self.state not in _BAD

    def as_data(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "key": self.key,
            "robot": self.robot,
            "state": self.state,
            "declared": self.declared,
            "ends": self.ends.isoformat(timespec="seconds") if self.ends else None,
            "daysLeft": self.days,
            "secret": self.secret,
        }


def report(robots: Iterable[Declared], *, now: dt.datetime, within: int) -> list[Row]:
    """Give a row for each robot, the one that ends first at the top.

    Args:
        within: what ends in so many days ends soon.
    """
    rows = [row for each in robots for row in _rows(each, now, within)]
    far = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(rows, key=lambda row: (row.is_good, row.ends or far, row.key))


def _rows(declared: Declared, now: dt.datetime, within: int) -> Iterator[Row]:
    place = str(declared.place or "")
    if not declared.robots:
        yield Row(key=declared.key, robot="", state="missing", declared=True, secret=place)
    handed = [each for each in declared.robots.values() if UNFINISHED not in each.description]
    living = [each for each in handed if not is_over(each, now)]
    # Of a pair that is being rotated, the one that lives longest counts.
    newest = max(living, key=lambda each: ends(each) or dt.datetime.max.replace(tzinfo=dt.UTC), default=None)
    for robot in declared.robots.values():
        end = ends(robot)
        yield Row(
            key=declared.key,
            robot=robot.name,
            state=_state(robot, newest, now, within, alone="" in declared.robots),
            declared=declared.spec is not None,
            ends=end,
            days=(end - now).days if end else None,
            secret=place,
        )


def _state(robot: Robot, newest: Robot | None, now: dt.datetime, within: int, *, alone: bool) -> State:
    end = ends(robot)
    if UNFINISHED in robot.description:
        return "unfinished"
    if newest is not None and robot.id != newest.id:
        return "retired"
    if robot.disable:
        return "disabled" if alone else "over"
    if end is None:
        return "for ever"
    if end <= now:
        return "over"
    return "soon" if end - now <= dt.timedelta(days=within) else "lives"
