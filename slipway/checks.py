"""What `slipway verify` and `slipway doctor` have in common about their checks: how a user names some of them.

refuse_unknown(CHECKS, {"--only": ["git.psuh"]}, groups=GROUPS, guide="docs/doctor.md")
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Protocol

from infra.errors import Problem, SettingsError


class Named(Protocol):
    """A check as far as its name goes."""

    @property
    def id(self) -> str:
        """Group and name."""

    @property
    def group(self) -> str:
        """The first part of its id."""


def refuse_unknown(
    checks: Iterable[Named], given: Mapping[str, Sequence[str]], *, groups: Sequence[str], guide: str
) -> None:
    """Refuse names that are no check and no group, all at once.

    Args:
        checks: all there are.
        given: option → names that it was given.
        groups: in the order in which they are told.
        guide: the page that lists the checks.

    Raises:
        SettingsError: with the nearest name of each, where one is near.
    """
    known = sorted({name for check in checks for name in (check.id, check.group)})
    problems = []
    for option, name in ((option, name) for option, names in given.items() for name in names if name not in known):
        near = get_close_matches(name, known, n=1)
        fix = f"did you mean {near[0]}?" if near else f"groups: {', '.join(groups)}; checks: {guide}"
        problems.append(Problem(where=option, what=f"{name!r} is no check and no group", fix=fix))
    if problems:
        raise SettingsError(*problems)
