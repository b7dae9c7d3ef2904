"""What there is of a pair of robots, and what follows from it; pure, so that a dry run says what a run would do.

    decide(pair, now=now, rotation=Rotation())    # Decision(act="rotate", slot="b", …)

At most two robots are valid at a time. The one in use is the one whose secret the store has and Harbor takes. A
rotation makes the other one anew (only so does its life count from today), and ends the older one when everybody has
had the time to take the new secret.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from slipway.harbor.client.models import Robot
from slipway.harbor.robots.wanted import MARK, SLOTS, UNFINISHED, Slot

#: make: there is none that works. keep: there is one. rotate: make the other one. wait: both are valid for now.
#: retire: end the older one. refuse: neither place is ours to take.
Act = Literal["make", "keep", "rotate", "wait", "retire", "refuse"]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Both robots, and which one is in use.

    Attributes:
        robots: those that exist.
        live: the one whose secret the store has and Harbor takes; None if there is none.
        fits: whether the live one has the rights that are wanted.
    """

    robots: Mapping[Slot, Robot] = field(default_factory=dict)
    live: Slot | None = None
    fits: bool = True

    @property
    def robot(self) -> Robot:
        """The one in use; there must be one."""
        assert self.live is not None  # noqa: S101  # for the type checker
        return self.robots[self.live]

    @property
    def other(self) -> Slot:
        """The place that the next robot goes to."""
        if self.live is not None:
            return SLOTS[1 - SLOTS.index(self.live)]
        return next((slot for slot in SLOTS if slot not in self.robots), SLOTS[0])


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """How to rotate.

    Attributes:
        overlap: how long both are valid at least: long enough for External Secrets, which looks once an hour, and for
            a pipeline that holds the old secret in its memory.
        before: begin only if the robot in use ends within this time; for a job that runs each day.
        lagging: gives the namespaces that have not taken the secret of the robot of a name; while there are any, the
            older one is not ended.
    """

    overlap: dt.timedelta = dt.timedelta(hours=24)
    before: dt.timedelta | None = None
    lagging: Callable[[str], Sequence[str]] | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What to do, with which of the two, and why.

    Attributes:
        until: when the older one may be ended.
    """

    act: Act
    slot: Slot
    why: str
    until: dt.datetime | None = None


def decide(pair: Pair, *, now: dt.datetime, rotation: Rotation | None = None, take_over: bool = False) -> Decision:
    """Give the next thing to do.

    Args:
        pair: what there is.
        now: the time.
        rotation: a new secret is wanted, not only one that works.
        take_over: a robot that somebody else made, or whose secret is elsewhere, may be replaced.
    """
    if pair.live is None:
        return _without_one(pair, now, take_over=take_over)
    if rotation is None:
        return Decision(act="keep", slot=pair.live, why="its secret is stored, and Harbor takes it")
    older = pair.robots.get(pair.other)
    if older is not None and not is_free(older, now):
        return _with_two(pair, older, now, rotation, take_over=take_over)
    end = ends(pair.robot)
    if rotation.before is not None and (end is None or end - now > rotation.before):
        until = f"until {end:%Y-%m-%d}" if end else "for ever"
        return Decision(act="keep", slot=pair.live, why=f"it lives {until}: a rotation is not due yet")
    return Decision(act="rotate", slot=pair.other, why="a second robot takes over; the older stays valid for now")


def _without_one(pair: Pair, now: dt.datetime, *, take_over: bool) -> Decision:
    for slot in SLOTS:
        robot = pair.robots.get(slot)
        if robot is not None and MARK in robot.description and UNFINISHED in robot.description:
            return Decision(act="make", slot=slot, why=f"{robot.name} was left by an interrupted run")
    for slot in SLOTS:
        if slot not in pair.robots:
            return Decision(act="make", slot=slot, why="no robot has a stored secret that Harbor takes")
    for slot in SLOTS:
        if is_free(pair.robots[slot], now):
            return Decision(act="make", slot=slot, why=f"{pair.robots[slot].name} is over and makes room")
    if take_over:
        return Decision(act="make", slot=SLOTS[0], why=f"{pair.robots[SLOTS[0]].name} is replaced, as you asked")
    names = " and ".join(pair.robots[slot].name for slot in SLOTS)
    return Decision(act="refuse", slot=SLOTS[0], why=f"{names} are there, and their secrets are not")


def _with_two(pair: Pair, other: Robot, now: dt.datetime, rotation: Rotation, *, take_over: bool) -> Decision:
    """Both are valid: the other one is the older of a rotation, or belongs to somebody whom we do not know."""
    ours = MARK in other.description and since(other) <= since(pair.robot)
    if not ours and not take_over:
        why = f"{other.name} is valid too, and newer than the one in use, or made by somebody else"
        return Decision(act="refuse", slot=pair.other, why=why)
    until = since(pair.robot) + rotation.overlap
    if now < until:
        why = f"{other.name} stays valid until everybody has the new secret"
        return Decision(act="wait", slot=pair.other, why=why, until=until)
    if rotation.lagging and (late := rotation.lagging(pair.robot.name)):
        why = f"{', '.join(late)} still {'has' if len(late) == 1 else 'have'} the older secret"
        return Decision(act="wait", slot=pair.other, why=why)
    return Decision(act="retire", slot=pair.other, why=f"{other.name} was followed {_ago(now - since(pair.robot))} ago")


def is_free(robot: Robot, now: dt.datetime) -> bool:
    """Tell whether nobody can miss a robot of ours: never handed out, disabled, or at its end."""
    if MARK not in robot.description:
        return False
    return UNFINISHED in robot.description or is_over(robot, now)


def is_over(robot: Robot, now: dt.datetime) -> bool:
    """Tell whether a robot opens nothing: disabled, or at its end."""
    end = ends(robot)
    return robot.disable or (end is not None and end <= now)


def since(robot: Robot) -> dt.datetime:
    """Give when a robot was made, which for ours is when it came into use, to a minute."""
    text = robot.creation_time or "1970-01-01T00:00:00Z"
    return dt.datetime.fromisoformat(text)


def ends(robot: Robot) -> dt.datetime | None:
    """Give when a robot ends; None for never."""
    return dt.datetime.fromtimestamp(robot.expires_at, dt.UTC) if robot.expires_at > 0 else None


def _ago(time: dt.timedelta) -> str:
    hours = int(time.total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
