"""What a robot is to be: a name, rights by project, days to live; and how Harbor calls its two bodies.

wanted = Wanted(name="ci", rights={"payments": PRESETS["ci"]})
wanted.short("a")                          # payments+ci-a, before which Harbor puts the server's prefix
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from infra.errors import Problem, SettingsError
from slipway.harbor.client.models import Access, Permission, Robot, RobotCreate

Slot = Literal["a", "b"]
SLOTS: tuple[Slot, Slot] = ("a", "b")

MARK = "[managed-by:slipway]"
#: Of a robot whose secret nobody has yet: one that an interrupted run left may be deleted.
UNFINISHED = "[not handed out]"
#: The pair with which the jobs in the cluster look after Harbor (`slipway.harbor.robots.runner`).
RUNNER = "slipway-runner"
_DESCRIPTION = "Made by slipway; its secret is rotated with the robot of the other letter"

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_LONGEST = 255
_FORM = "small letters, digits, and between them single dots, dashes and underscores"
MOST_DAYS = 3650


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A pair of robots, of which one is in use.

    Attributes:
        name: without Harbor's prefix, the project and the letter.
        rights: what it may do, by project. One project: its own robot; several: one of the system.
        days: that a robot lives.
        registry: host and port that it opens, written beside its secret.
        of_system: a robot of the system also if its rights are in one project; then `*` stands for all projects, and
            `/` for the system itself.
    """

    name: str
    rights: Mapping[str, Sequence[Access]]
    days: int = 90
    registry: str = ""
    of_system: bool = False

    def __post_init__(self) -> None:
        """Refuse what Harbor would.

        Raises:
            SettingsError: with every name that it refuses.
        """
        problems = [_bad_name("project", name) for name in self.rights if not self._is_place(name)]
        longest = max((len(self.short(slot)) for slot in SLOTS), default=0)
        if not _good(self.name):
            problems.append(_bad_name("robot name", self.name))
        elif longest > _LONGEST:
            fix = "choose a shorter name"
            problems.append(Problem(where="robot name", what=f"{self.short('a')!r} has {longest} characters", fix=fix))
        if not 1 <= self.days <= MOST_DAYS:
            fix = f"1 to {MOST_DAYS}; a robot without an end is never made"
            problems.append(Problem(where="days", what=f"{self.days} is no time for a robot to live", fix=fix))
        if not self.rights:
            problems.append(Problem(where="project", what="no project is named", fix="name at least one"))
        if problems:
            raise SettingsError(*problems)

    @property
    def level(self) -> Literal["project", "system"]:
        """Whose robot it is."""
        return "project" if len(self.rights) == 1 and not self.of_system else "system"

    def _is_place(self, name: str) -> bool:
        return _good(name) or (self.of_system and name in {"*", "/"})

    def short(self, slot: Slot) -> str:
        """Give the name as Harbor shows it, without the server's prefix."""
        project = f"{next(iter(self.rights))}+" if self.level == "project" else ""
        return f"{project}{self.name}-{slot}"

    def slot_of(self, name: str, prefix: str) -> Slot | None:
        """Give which of the two a name is; None for another robot's.

        Args:
            name: as Harbor shows it. A project's robots are told apart by what is behind the +, so that a changed
                prefix does not matter.
            prefix: the server's, which nothing sets apart in the name of a system's robot.
        """
        mine = name.rpartition("+")[2] if self.level == "project" else name
        before = "" if self.level == "project" else prefix
        return next((slot for slot in SLOTS if mine == f"{before}{self.name}-{slot}"), None)

    def permissions(self) -> list[Permission]:
        """Give the rights as Harbor takes them."""
        return [
            Permission(kind="system" if project == "/" else "project", namespace=project, access=list(access))
            for project, access in self.rights.items()
        ]

    def request(self, slot: Slot, *, finished: bool) -> RobotCreate:
        """Give what makes one of the two."""
        return RobotCreate(
            name=f"{self.name}-{slot}",
            level=self.level,
            duration=self.days,
            description=description(finished=finished),
            permissions=self.permissions(),
        )

    def fits(self, robot: Robot) -> bool:
        """Tell whether a robot has these rights and no other; Harbor gives them in any order."""
        return _flat(robot.permissions) == _flat(self.permissions())


def description(*, finished: bool) -> str:
    """Give what a robot of ours says of itself."""
    return " ".join((_DESCRIPTION, MARK, *(() if finished else (UNFINISHED,))))


def _flat(permissions: Sequence[Permission]) -> set[tuple[str, str, str, str]]:
    return {
        (each.kind, each.namespace, access.resource, access.action)
        for each in permissions
        for access in each.access
        if access.effect != "deny"
    }


def _good(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and len(name) <= _LONGEST


def _bad_name(what: str, name: str) -> Problem:
    near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST]
    hint = f"; {near!r} would do" if near and near != name else ""
    return Problem(where=what, what=f"Harbor takes no {name[:80]!r}", fix=f"{_FORM}{hint}")
