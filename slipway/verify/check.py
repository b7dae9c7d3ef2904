"""What a check is, what can come of it, and which of them a run takes.

    Check(id="outside.health", proves="…", reading="…", fix="…", do=health, needs=("outside.reach",))

`do` gives the evidence of a check that passed, and raises `Failed`, `Skipped` or `Undecided` otherwise.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from infra.errors import Problem, SettingsError
from slipway.checks import refuse_unknown

if TYPE_CHECKING:
    from slipway.verify.scene import Scene

State = Literal["passed", "failed", "skipped", "undecided"]
#: In the order in which they are shown.
GROUPS = ("cluster", "certificate", "outside", "round-trip")
_CLEAN = ".clean"


class Failed(Exception):
    """What the check proves is not so; `fix` takes the place of the check's own advice."""

    def __init__(self, says: str, fix: str = "") -> None:
        super().__init__(says)
        self.says, self.fix = says, fix


class Undecided(Failed):
    """There was no way to tell: no right to look, or an answer that never came."""


class Skipped(Exception):
    """It does not apply here; the words say why."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing to know about a registry.

    Attributes:
        id: group and name, as `--only` and `--skip` take it.
        proves: what is so when it passes.
        reading: what a failure means.
        fix: what to do then.
        do: looks, and gives the evidence.
        needs: checks that must have passed.
        after: checks that must be over, whatever came of them.
        writes: it changes something in the registry, and takes it back.
        asked: it runs only where it was asked for by name or by an option.
        seconds: the longest that it may take; None for the run's usual limit.
    """

    id: str
    proves: str
    reading: str
    fix: str
    do: "Callable[[Scene], Awaitable[str]]"
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    writes: bool = False
    asked: bool = False
    seconds: float | None = None

    @property
    def group(self) -> str:
        """The first part of its id."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a check.

    Attributes:
        says: the evidence, or the reason.
        fix: what to do; empty where nothing is to be done.
    """

    check: Check
    state: State
    says: str = ""
    fix: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The checks of a run.

    Attributes:
        run: those that run.
        left_out: those that do not, and why.
    """

    run: Sequence[Check]
    left_out: Sequence[Outcome]


def select(
    checks: Sequence[Check],
    *,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    read_only: bool = False,
    asked: Sequence[str] = (),
) -> Selection:
    """Choose checks by id or group; what a chosen one needs comes with it.

    Args:
        checks: all.
        only, skip: ids and groups.
        read_only: none that writes.
        asked: ids of those that an option asks for.

    Raises:
        SettingsError: a name that is none of theirs, or the removal left out.
    """
    refuse_unknown(checks, {"--only": only, "--skip": skip}, groups=GROUPS, guide="docs/verify.md")
    by_id = {check.id: check for check in checks}
    wanted = [check for check in checks if _is_named(check, only)] if only else list(checks)
    named = {check.id for check in checks if check.id in {*only, *asked}}
    chosen = _with_needs(by_id, [check for check in wanted if not check.asked or check.id in named])
    run, left_out = [], []
    for check in (one for one in checks if one.id in chosen):
        if _is_named(check, skip):
            left_out.append(Outcome(check=check, state="skipped", says="left out with --skip"))
        elif read_only and check.writes:
            left_out.append(Outcome(check=check, state="skipped", says="it writes, and --read-only was given"))
        else:
            run.append(check)
    if any(check.writes for check in run) and (without := [one for one in skip if one.endswith(_CLEAN)]):
        fix = "it runs whenever something is made; --skip round-trip makes nothing"
        what = f"{without[0]!r} cannot be left out: that leaves a project behind"
        raise SettingsError(Problem(where="--skip", what=what, fix=fix))
    return Selection(run=run, left_out=left_out)


def _is_named(check: Check, names: Sequence[str]) -> bool:
    return check.id in names or check.group in names


def _with_needs(by_id: dict[str, Check], wanted: Iterable[Check]) -> set[str]:
    found, waiting = set(), list(wanted)
    while waiting:
        check = waiting.pop()
        if check.id not in found:
            found.add(check.id)
            waiting += [by_id[one] for one in check.needs]
    # Whoever makes something in the registry also takes it back.
    if any(by_id[one].writes for one in found):
        found |= {one for one, check in by_id.items() if one.endswith(_CLEAN)}
    return found
