"""What a declared robot is in Harbor: one robot, or the two of a pair; and how that compares with the file.

for bodies in found_in([("ci-a", robot), ("ci-b", other)], singles=set()): …      # one, with two robots
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.harbor.client import HarborClient
from slipway.harbor.client.models import Robot
from slipway.harbor.kinds.base import Object
from slipway.harbor.kinds.robot_rights import rights_there
from slipway.harbor.robots.pair import ends, is_over
from slipway.harbor.robots.single import age, now_of
from slipway.harbor.robots.wanted import MARK, RUNNER, SLOTS, UNFINISHED

#: The id of a pair, whose robots come and go.
PAIR = "pair"


@dataclass(frozen=True, kw_only=True)
class Bodies:
    """The robots behind a key.

    Attributes:
        robots: letter → robot of a pair; the single one has no letter.
    """

    key: str
    robots: Mapping[str, Robot]

    @property
    def one(self) -> Robot | None:
        """The single one; None of a pair."""
        return self.robots.get("")


def found_in(named: Iterable[tuple[str, Robot]], *, singles: Collection[str]) -> list[Bodies]:
    """Put pairs together: of ours by their mark, with an -a or a -b at the end of the name.

    Args:
        named: key of each, as if it were a single one.
        singles: keys that are declared as single ones, whatever they end in.
    """
    found: dict[str, dict[str, Robot]] = {}
    alone = []
    for key, robot in named:
        base, _, slot = key.rpartition("-")
        if base and slot in SLOTS and MARK in robot.description and key not in singles:
            found.setdefault(base, {})[slot] = robot
        else:
            alone.append(Bodies(key=key, robots={"": robot}))
    taken = {each.key for each in alone if each.key in singles}
    pairs = [Bodies(key=key, robots=robots) for key, robots in found.items() if key not in taken]
    hidden = {each.key for each in pairs}
    return [*(each for each in alone if each.key in singles or each.key not in hidden), *pairs]


def seen_bodies(bodies: Bodies, wanted: Object | None, harbor: HarborClient) -> dict[str, Any] | None:
    """Give what an Object says of them; None for a pair that nobody was ever given the secret of."""
    days = wanted.fields.get("duration") if wanted else None
    now = now_of(harbor)
    if (one := bodies.one) is not None:
        end = ends(one)
        fields = {
            "description": one.description,
            "duration": _duration(one, days, harbor),
            "disable": one.disable,
            "permissions": rights_there(one.permissions),
            "expired": end is not None and end <= now,
            "rotation.strategy": "in_place",
        }
        guard = "" if one.editable else "not editable: made by Harbor itself"
        return {"key": bodies.key, "id": str(one.id), "fields": fields, "guard": guard}
    handed = [each for each in bodies.robots.values() if UNFINISHED not in each.description]
    if not handed:
        return None
    valid = [each for each in handed if not is_over(each, now)]
    shown = valid or handed
    # The one that is not as declared is the one to show.
    rights, durations = ([_of(each) for each in shown] for _of in (_rights, lambda each: _duration(each, days, harbor)))
    fields = {
        "duration": next((each for each in durations if each != days), durations[0]),
        "permissions": next((each for each in rights if wanted and each != wanted.fields["permissions"]), rights[0]),
        "expired": not valid,
        "rotation.strategy": "blue_green",
    }
    guard = "the jobs in the cluster log in with it: slipway harbor install-runner" if bodies.key == RUNNER else ""
    return {"key": bodies.key, "id": PAIR, "fields": fields, "guard": guard}


def _rights(robot: Robot) -> dict[str, list[str]]:
    return rights_there(robot.permissions)


def _duration(robot: Robot, days: int | None, harbor: HarborClient) -> int | None:
    """Give the duration as the file would say it: Harbor's counts from the creation of one that was renewed since."""
    if days and days > 0 and robot.duration and robot.duration > 0:
        longest = days + age(robot.creation_time, now_of(harbor))
        return days if days <= robot.duration <= longest else robot.duration
    return robot.duration
