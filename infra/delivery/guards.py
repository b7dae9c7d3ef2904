"""What a publish refuses, each with what would happen and the way on: edits, downgrades, renames, things in the way."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from infra.delivery.ground import Ground, Neighbour
from infra.delivery.inputs import Inputs, folders
from infra.delivery.lock import Changes, Lock
from infra.errors import ChartDowngrade, HumanEdit, Problem, PublishError, WouldUninstall
from values.errors import ValuesError

if TYPE_CHECKING:
    from infra.delivery.plan import Plan

Failure: TypeAlias = PublishError | ValuesError

#: What an environment's Git holds of Harbor → the folder that only then is there.
_CONTENT = {"values": "/release/", "manifests": "/manifests/"}
#: Of so many edited files at most the difference is shown.
SHOWN_EDITS = 20


def refuse_downgrade(lock: Lock | None, inputs: Inputs) -> None:
    """Stop before an older chart than the one that the branch delivers.

    Raises:
        ChartDowngrade: it is older.
    """

    def ordered(chart: str) -> tuple[int, ...]:
        return tuple(int(part) for part in chart.split("."))

    if lock and ordered(lock.chart) > ordered(inputs.facts.chart_version):
        raise ChartDowngrade(
            Problem(
                where=inputs.lock_path,
                what=f"the branch delivers chart {lock.chart}, this would go back to {inputs.facts.chart_version}",
                fix=f"Harbor's migrations only go forward: set chartVersion to {lock.chart} or newer",
            )
        )


def refuse_moved(lock: Lock | None, inputs: Inputs) -> None:
    """Stop at a lock that stands here and speaks of another place: its folder was renamed by hand.

    Raises:
        WouldUninstall: it does.
    """
    ours = tuple(f"{folder}/" for folder in inputs.folders)
    if lock is None or (lock.environment == inputs.name and all(path.startswith(ours) for path in lock.files)):
        return
    elsewhere = next((path for path in lock.files if not path.startswith(ours)), inputs.lock_path)
    raise WouldUninstall(
        Problem(
            where=inputs.lock_path,
            what=f"is the lock of environment {lock.environment} with files like {elsewhere}: the folder was renamed "
            "by hand, and Flux, which still follows the old name, finds nothing there any more",
            fix="move the folders back; an environment keeps its name and its gitops.path for life",
        )
    )


def refuse_renamed(lock: Lock | None, new: Lock, path: str) -> None:
    """Stop before another name or namespace of the Helm release.

    Raises:
        WouldUninstall: it is another one.
    """
    if lock and lock.release and new.release and lock.release != new.release:
        raise WouldUninstall(
            Problem(
                where=path,
                what=f"the branch delivers the release {lock.release}, this would be {new.release}: Flux uninstalls "
                "the old one first, and the registry is gone until the new one has made everything again",
                fix=f"keep {lock.release}; to move a registry, build another environment and copy",
            )
        )


def refuse_other_content(lock: Lock | None, new: Lock, path: str) -> None:
    """Stop before values in place of manifests, or the other way round.

    Raises:
        WouldUninstall: Flux would take away what it applied before, or Helm would find objects that are not its own.
    """

    def content(one: Lock) -> str:
        return next((kind for kind, sign in _CONTENT.items() if any(sign in file for file in one.files)), "")

    if lock and content(lock) and content(new) and content(lock) != content(new):
        raise WouldUninstall(
            Problem(
                where=path,
                what=f"the branch delivers {content(lock)}, this would be {content(new)}: Flux takes away what is no "
                "longer in Git, which is Harbor, before the other way has made it again",
                fix=f"keep gitops.content: {content(lock)}; to change it, build another environment and copy",
            )
        )


def obstacles(ground: Ground, plans: Sequence["Plan"]) -> Iterator[HumanEdit]:
    """Find what is no file and stands where a new one would be; git would replace it without a word."""
    new = [path for plan in plans for path in plan.changes.write if path not in ground.files]
    for path, what in sorted(ground.obstacles(new).items()) if new else ():
        yield HumanEdit(
            Problem(
                where=path,
                what=f"is {what}, where a generated file or its folder has to be",
                fix="move it away, or set gitops.path to a folder of its own",
            )
        )


def twins(ground: Ground, plans: Sequence["Plan"], old: Mapping[str, Lock | None]) -> Iterator[WouldUninstall]:
    """Find a registry that another folder delivers already: a renamed environment, or a copied stack file.

    Only a new environment, or a new host name, is worth reading the neighbours for.
    """
    by_host: dict[str, Neighbour] = {}
    fresh = []
    for plan in plans:
        host, home = plan.lock.host, plan.folders[1]
        known = old.get(plan.lock_path)
        if known is None or known.host != host:
            fresh.append(plan)
        else:
            by_host[host] = Neighbour(home, plan.environment, host)
    if not fresh:
        return
    published = {plan.folders[1] for plan in plans}
    by_host = {one.host: one for one in ground.neighbours() if one.home not in published and one.host} | by_host
    for plan in fresh:
        home = plan.folders[1]
        twin = by_host.setdefault(plan.lock.host, Neighbour(home, plan.environment, plan.lock.host))
        if twin.home != home:
            yield _twin(plan, twin)


def _twin(plan: "Plan", twin: Neighbour) -> WouldUninstall:
    name = plan.environment
    if twin.environment == name:
        renamed = f"gitops.path of {name} was changed: its Flux goes on with the old folder, and nothing new arrives"
        fix = f"set gitops.path back so that it is {twin.home} again"
    else:
        renamed = (
            f"{twin.environment} was renamed to {name}: AWS's resources are named after the environment, so this is "
            f"a second registry. {twin.environment}'s Flux goes on with the old folder, and both claim one host name"
        )
        fix = f"keep the name {twin.environment}, or give {name} a domain of its own"
    return WouldUninstall(
        Problem(
            where=plan.folders[1],
            what=f"{plan.lock.host} is delivered by {twin.home} already. Perhaps {renamed}",
            fix=f"{fix}; if the old one is really gone, remove its folders from the branch first: "
            f"{' and '.join(folders(_root(twin.home), twin.environment))}",
        )
    )


def _root(home: str) -> str:
    return home.rpartition("apps/harbor/")[0].rstrip("/")


def edits(
    ground: Ground, environment: str, changes: Changes, ours: Mapping[str, str], theirs: Mapping[str, str]
) -> HumanEdit:
    """Give the error for somebody else's content that would be lost, shown against ours."""
    problems = [
        Problem(where=path, what=f"is a generated file, and was {done} by hand")
        for path in changes.edited
        for done in ("edited" if path in ground.files else "removed",)
    ]
    fix = (
        f"    move the change to stacks/{environment}/values/, or give it up: "
        f"slipway publish {environment} --take-over\n"
    )
    read = (path for path in changes.edited if path in theirs or (ours and path not in ground.files))
    shown = (line for path in read for line in _diff(path, theirs.get(path, ""), ours.get(path, "")))
    return HumanEdit(*problems, detail=fix + "".join(shown))


def _diff(path: str, theirs: str, ours: str) -> Iterator[str]:
    names = (f"{path} (in the branch)", f"{path} (generated)")
    for line in difflib.unified_diff(theirs.splitlines(keepends=True), ours.splitlines(keepends=True), *names):
        yield line if line.endswith("\n") else f"{line}\n"


def raise_all(failures: Sequence[Failure]) -> None:
    """Raise what was found, in one error that holds all of it.

    Raises:
        PublishError, ValuesError: of the one kind that all are, else a `PublishError`.
    """
    if not failures:
        return
    first = failures[0]
    if len(failures) == 1:
        raise first
    if all(isinstance(one, ValuesError) for one in failures):
        raise ValuesError(*(finding for one in failures if isinstance(one, ValuesError) for finding in one.findings))
    alike = isinstance(first, PublishError) and len({type(one) for one in failures}) == 1
    kind = type(first) if alike else PublishError
    details = [one.detail for one in failures if isinstance(one, PublishError) and one.detail]
    raise kind(*(problem for one in failures for problem in _problems(one)), detail="\n".join(details))


def _problems(failure: Failure) -> Sequence[Problem]:
    if isinstance(failure, PublishError):
        return failure.problems
    return [
        Problem(where=f"{finding.path} {finding.key}".strip(), what=finding.message, fix=finding.suggestion)
        for finding in failure.findings
    ]
