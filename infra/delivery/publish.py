"""Publish an environment's files: one commit on top of the branch, or none when nothing changed.

    published = publish(Remote(repository=url, branch="main"), Inputs(facts_json, overrides))

Each attempt fetches the branch, checks ownership against the lock, renders, commits on what it fetched, and pushes only
if the branch is still there. Whoever loses the race begins again on the new base; generated text is never merged.
"""

import difflib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from infra.delivery.git import Git, Remote, repository
from infra.delivery.inputs import Inputs, lock_path
from infra.delivery.lock import Changes, Lock, blob_id, compare
from infra.delivery.revision import RaceLost, commit_tree, push, write_tree
from infra.errors import ChartDowngrade, HumanEdit, Problem, PublishError, PushRaceLost

#: Whoever loses a race loses it to somebody's success, so eight environments at once need eight attempts at most.
ATTEMPTS = 10
ROOT = Path(__file__).parents[2]

Progress = Callable[[str], None]
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a publish did.

    Attributes:
        commit: id of the branch's last commit afterwards; empty if there is none (a dry run on an empty repository).
        changed: paths that were written or removed, or would be in a dry run.
        created: a commit was made.
    """

    commit: str
    changed: tuple[str, ...]
    created: bool


def publish(
    remote: Remote,
    inputs: Inputs,
    *,
    take_over: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
) -> Published:
    """Bring the branch to what `inputs` render to.

    Args:
        remote: the branch.
        inputs: facts and overrides; rendered anew at every attempt.
        take_over: overwrite what somebody edited by hand.
        dry_run: say what would change and push nothing.
        progress: told about races that were lost.

    Raises:
        PublishError: example facts, or git failed.
        RemoteUnavailable, PushRefused, PushRaceLost, HumanEdit, ChartDowngrade: see `infra.errors`.
        ToolError: there is no git.
        ValuesError: the values do not fit the chart.
    """
    if inputs.facts.example:
        raise PublishError(
            Problem(
                where=f"environment {inputs.facts.environment}",
                what="these are example facts, made up to render without a cloud",
                fix="publish facts of a real environment: pulumi stack output facts",
            )
        )
    with repository(remote) as git:
        return _retried(lambda: _attempt(git, inputs, take_over=take_over, dry_run=dry_run), remote, progress)


def withdraw(remote: Remote, *, gitops_path: str, environment: str) -> str | None:
    """Remove an environment's files from the branch; gives the commit, or None if there was nothing.

    Raises:
        RemoteUnavailable, PushRefused, PushRaceLost, HumanEdit: see `infra.errors`.
        ToolError: there is no git.
    """
    path = lock_path(gitops_path, environment)

    def attempt() -> str | None:
        base = git.fetch()
        lock = _read_lock(git, base, path)
        if lock is None:
            return None
        changes = compare(lock.files, git.blobs(base, [*lock.files]), {})
        _refuse_edits(git, base, changes, {}, environment)
        tree = write_tree(git, base, {}, (*changes.remove, path))
        commit = commit_tree(git, base, tree, f"Withdraw Harbor from {environment}", changes=changes, lock=lock)
        return push(git, base, commit)

    with repository(remote) as git:
        return _retried(attempt, remote, lambda _: None)


def present_files(remote: Remote, *, gitops_path: str, environment: str) -> dict[str, str]:
    """Give the environment's generated files as they are in the branch now: path → blob id.

    Raises:
        RemoteUnavailable, HumanEdit: see `infra.errors`.
        ToolError: there is no git.
    """
    with repository(remote) as git:
        base = git.fetch()
        lock = _read_lock(git, base, lock_path(gitops_path, environment))
        return git.blobs(base, [*lock.files]) if lock else {}


def _retried(attempt: Callable[[], Result], remote: Remote, progress: Progress) -> Result:
    import stamina  # noqa: PLC0415  # 50 ms that only a publish needs

    def once() -> Result:
        try:
            return attempt()
        except RaceLost:
            progress(f"{remote.shown} {remote.branch} moved under us; again on its new state")
            raise

    stamina.instrumentation.set_on_retry_hooks(())  # they would log to stderr; `progress` tells it
    again = stamina.RetryingCaller(attempts=ATTEMPTS, timeout=None, wait_initial=0.1, wait_max=3, wait_jitter=0.5)
    try:
        return again(RaceLost, once)
    except RaceLost:
        raise PushRaceLost(
            Problem(
                where=f"{remote.shown} {remote.branch}",
                what=f"others pushed first, {ATTEMPTS} times in a row",
                fix="try again; a branch that never rests needs one of its own for Flux",
            )
        ) from None


def _attempt(git: Git, inputs: Inputs, *, take_over: bool, dry_run: bool) -> Published:
    environment = inputs.facts.environment
    base = git.fetch()
    lock = _read_lock(git, base, inputs.lock_path)
    _refuse_downgrade(lock, inputs)
    files = inputs.files()
    wanted = {path: blob_id(text) for path, text in files.items()}
    owned = lock.files if lock else {}
    changes = compare(owned, git.blobs(base, sorted({*wanted, *owned})), wanted)
    if not take_over:
        _refuse_edits(git, base, changes, files, environment)
    # A lock alone (a new Slipway, the same files) is no reason for a commit.
    if dry_run or (not changes.paths and owned == wanted):
        return Published(commit=base or "", changed=changes.paths, created=False)
    new_lock = Lock(
        environment=environment,
        slipway=_version(),
        chart=inputs.facts.chart_version,
        inputs=inputs.digest(),
        files=wanted,
    )
    texts = {path: files[path] for path in changes.write} | {inputs.lock_path: new_lock.to_json()}
    tree = write_tree(git, base, texts, changes.remove)
    commit = commit_tree(git, base, tree, f"Deliver Harbor for {environment}", changes=changes, lock=new_lock)
    return Published(commit=push(git, base, commit), changed=changes.paths, created=True)


def _read_lock(git: Git, base: str | None, path: str) -> Lock | None:
    blob = git.blobs(base, [path]).get(path)
    return Lock.from_json(git.read_blob(blob), path) if blob else None


def _refuse_downgrade(lock: Lock | None, inputs: Inputs) -> None:
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


def _refuse_edits(git: Git, base: str | None, changes: Changes, files: Mapping[str, str], environment: str) -> None:
    """Stop where somebody else's content would be lost, and show it against ours."""
    if not changes.edited:
        return
    present = git.blobs(base, changes.edited)
    theirs = {path: git.read_blob(blob) for path, blob in present.items()}
    problems = [
        Problem(where=path, what=f"is a generated file, and was {'edited' if path in theirs else 'removed'} by hand")
        for path in changes.edited
    ]
    fix = (
        f"    move the change to stacks/{environment}/values/, or give it up: "
        f"slipway publish {environment} --take-over\n"
    )
    shown = (line for path in changes.edited for line in _diff(path, theirs.get(path, ""), files.get(path, "")))
    raise HumanEdit(*problems, detail=fix + "".join(shown))


def _diff(path: str, theirs: str, ours: str) -> Iterator[str]:
    names = (f"{path} (in the branch)", f"{path} (generated)")
    for line in difflib.unified_diff(theirs.splitlines(keepends=True), ours.splitlines(keepends=True), *names):
        yield line if line.endswith("\n") else f"{line}\n"


@cache
def _version() -> str:
    """Give Slipway's version from the project file: `pulumi up` runs without the command being installed."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
