"""What a check is, what can come of it, and which of them a run takes.

    Check(id="git.push", shows="the branch takes pushes of ours", fix="…", do=push, needs=("git.read",))

`do` gives the evidence of a check that is ok, and raises `Warned`, `Failed` or `Skipped` otherwise.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from infra.errors import Problem, SettingsError
from slipway.checks import refuse_unknown

if TYPE_CHECKING:
    from slipway.doctor.scene import Scene

State = Literal["ok", "warning", "failed", "skipped"]
#: In the order in which they are shown.
GROUPS = ("machine", "stack", "cloud", "git", "cluster", "registry")
#: Longest that a check may take where it has no limit of its own.
SECONDS = 20.0


class Warned(Exception):
    """It works, and something about it should be seen to; `fix` takes the place of the check's own."""

    def __init__(self, says: str, fix: str = "") -> None:
        super().__init__(says)
        self.says, self.fix = says, fix


class Failed(Warned):
    """What the check shows is not so."""


class Skipped(Exception):
    """It does not apply here, or cannot be known; the words say why."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing to know.

    Attributes:
        id: group and name, as `--only` takes it.
        shows: what is so when it is ok.
        fix: what to do otherwise, where the check itself knows nothing better.
        do: looks, and gives the evidence.
        needs: checks that must not have failed; the others wait for none.
        environment: it needs the settings of one.
        seconds: the longest that it may take.
    """

    id: str
    shows: str
    fix: str
    do: "Callable[[Scene], str]"
    needs: tuple[str, ...] = ()
    environment: bool = True
    seconds: float = SECONDS

    @property
    def group(self) -> str:
        """The first part of its id."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a check.

    Attributes:
        says: the evidence, or why not.
        fix: what to do; empty where nothing is to be done.
    """

    check: Check
    state: State
    says: str = ""
    fix: str = ""
    seconds: float = 0.0


def select(checks: Sequence[Check], *, only: Sequence[str] = (), environment: bool) -> list[Check]:
    """Choose checks by id or group, and what they need with them; all that is possible where nothing is named.

    Args:
        checks: all.
        only: ids and groups.
        environment: whether one was named: what needs its settings is left out otherwise.

    Raises:
        SettingsError: a name that is none of theirs, or one that needs an environment.
    """
    refuse_unknown(checks, {"--only": only}, groups=GROUPS, guide="docs/doctor.md")
    possible = {check.id: check for check in checks if environment or not check.environment}
    wanted = [check for check in possible.values() if not only or {check.id, check.group} & set(only)]
    if lacking := [name for name in only if not any(name in {check.id, check.group} for check in wanted)]:
        what = f"{', '.join(lacking)} cannot be looked at without an environment"
        raise SettingsError(Problem(where="--only", what=what, fix="slipway doctor ENV --only …"))
    chosen = _with_needs(possible, wanted)
    return [check for check in possible.values() if check.id in chosen]


def _with_needs(possible: dict[str, Check], wanted: Iterable[Check]) -> set[str]:
    found, waiting = set(), [check.id for check in wanted]
    while waiting:
        name = waiting.pop()
        if name in possible and name not in found:
            found.add(name)
            waiting += possible[name].needs
    return found
