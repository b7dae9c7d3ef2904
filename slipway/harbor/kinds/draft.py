"""A harbor.yaml in the making: what the kinds write into it of what is there, and whose each part of it is.

draft.add(("labels",), {"name": "approved"}, label)
draft.secret(registry, "credential.access_secret", "REGISTRY hub")     # {"secretRef": {"env": "HARBOR_SECRET_…"}}
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.yaml_file import Location
from slipway.harbor.kinds.base import Object, Ref, World
from slipway.harbor.spec.robots import PlaceSpec

#: What the variables begin with that are to be filled.
PREFIX = "HARBOR_SECRET"


@dataclass(kw_only=True)
class Draft:
    """What the file will say.

    Attributes:
        world: all that was read.
        robot_secrets: where secrets of robots are to be kept; None where nobody said so.
        data: of the file, as plain data.
        owners: location in it → what it was written for.
        variables: environment variable to be filled → what its value is for.
        left: what is not in it, and why.
        incomplete: project and list (`labels`, `members.users`) of which something is not in it.
    """

    world: World
    robot_secrets: PlaceSpec | None = None
    data: dict[str, Any] = field(default_factory=dict)
    owners: dict[Location, Ref] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    left: list[tuple[Ref, str]] = field(default_factory=list)
    incomplete: set[tuple[str, str]] = field(default_factory=set)
    _by_value: dict[str, str] = field(default_factory=dict, repr=False)

    def put(self, at: Location, value: Mapping[str, Any], present: Object) -> None:
        """Write a mapping at its place; nothing into a project that is not in the file."""
        if (above := self._above(at)) is not None:
            above[at[-1]] = dict(value)
            self.owners[at] = present.ref

    def set(self, at: Location, value: Any, present: Object) -> None:  # noqa: ANN401  # any value of a file
        """Write a single value or a whole list at its place."""
        if (above := self._above(at)) is not None:
            above[at[-1]] = value
            self.owners[at] = present.ref

    def add(self, at: Location, value: Mapping[str, Any], present: Object) -> None:
        """Write one more into the list at a place."""
        if (above := self._above(at)) is not None:
            there = above.setdefault(at[-1], [])
            self.owners[*at, len(there)] = present.ref
            there.append(dict(value))

    def leave(self, present: Object, why: str, at: Location = ()) -> None:
        """Note that something does not come into the file.

        Args:
            at: where it would stand, so that nobody takes its list for complete.
        """
        self.left.append((present.ref, why))
        self.miss(at)

    def miss(self, at: Location) -> None:
        """Note that something is missing at a place."""
        if at[:1] == ("projects",) and len(at) > 2:
            self.incomplete.add((str(at[1]), part_of(at)))

    def secret(self, present: Object, name: str, words: str) -> dict[str, Any]:
        """Give a reference in place of a secret; what Harbor shows to be the same value is the same variable.

        Args:
            words: what the variable is called by.
        """
        value = present.shown[name].get_secret_value() if name in present.shown else ""
        variable = self._by_value.get(value, "") if value else ""
        if not variable:
            variable = self._free(f"{PREFIX}_{words}")
            self.variables[variable] = f"{present.ref}: {name}"
            if value:
                self._by_value[value] = variable
        return {"secretRef": {"env": variable}}

    def _free(self, words: str) -> str:
        name = re.sub(r"[^A-Z0-9]+", "_", words.upper()).strip("_")
        number, free = 1, name
        while free in self.variables:
            number += 1
            free = f"{name}_{number}"
        return free

    def _above(self, at: Location) -> dict[Any, Any] | None:
        if at[0] == "projects" and len(at) > 2 and at[1] not in self.data.get("projects", {}):
            return None
        above: dict[Any, Any] = self.data
        for part in at[:-1]:
            above = above.setdefault(part, {})
        return above


def part_of(at: Location) -> str:
    """Give the part of a project that a location is in: ``members.users``."""
    return ".".join(each for each in at[2:] if isinstance(each, str))
