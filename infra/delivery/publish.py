"""Publish an environment's files: one commit on top of the branch, or none when nothing changed.

    published = publish(Remote(repository=url, branch="main"), Inputs(facts_json, overrides))

Each attempt fetches the branch, renders, checks ownership against the lock, commits on what it fetched, and pushes only
if the branch is still there. Whoever loses the race begins again on the new base; generated text is never merged.
"""

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TypeVar

from infra.delivery.git import Git, Remote, repository
from infra.delivery.inputs import Inputs, lock_path
from infra.delivery.lock import Changes, Lock, blob_id, compare
from infra.errors import ChartDowngrade, HumanEdit, Problem, PublishError, PushRaceLost, PushRefused

ATTEMPTS = 6
Progress = Callable[[str], None]
Result = TypeVar("Result")

#: What a server says to a push whose base has moved on (git-push(1), and receive-pack's own words).
_STALE = ("stale info", "fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref", "reference already exists", "incorrect old value")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a publish did.

    Attributes:
        commit: id of the branch's last commit afterwards.
        changed: paths that were written or removed, or would be in a dry run.
        created: a commit was made.
    """

    commit: str
    changed: tuple[str, ...]
    created: bool


class _RaceLost(Exception):
    """The branch moved between fetch and push."""


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
        PublishError: example facts.
        RemoteUnavailable, PushRefused, PushRaceLost, HumanEdit, ChartDowngrade: see `infra.errors`.
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
        return _retried(
            lambda: _attempt(git, inputs, take_over=take_over, dry_run=dry_run), remote=remote, progress=progress
        )


def withdraw(remote: Remote, *, gitops_path: str, environment: str) -> str | None:
    """Remove an environment's files from the branch; gives the commit, or None if there was nothing.

    Raises:
        RemoteUnavailable, PushRefused, PushRaceLost, HumanEdit: see `infra.errors`.
    """

    def attempt() -> str | None:
        base = git.fetch()
        lock = _read_lock(git, base, path)
        if base is None or lock is None:
            return None
        changes = compare(lock.files, git.blobs(base, [*lock.files]), {})
        _refuse_edits(git, base, changes, {}, take_over=False)
        tree = _write_tree(git, base, {}, (*changes.remove, path))
        return _push(git, base, _commit(git, base, tree, f"Withdraw Harbor from {environment}", changes, lock))

    path = lock_path(gitops_path, environment)
    with repository(remote) as git:
        return _retried(attempt, remote=remote, progress=lambda _: None)


def present_files(remote: Remote, *, gitops_path: str, environment: str) -> dict[str, str]:
    """Give the environment's generated files as they are in the branch now: path → blob id.

    Raises:
        RemoteUnavailable, HumanEdit: see `infra.errors`.
    """
    with repository(remote) as git:
        base = git.fetch()
        lock = _read_lock(git, base, lock_path(gitops_path, environment))
        return git.blobs(base, [*lock.files]) if lock else {}


def _retried(attempt: Callable[[], Result], *, remote: Remote, progress: Progress) -> Result:
    import stamina  # noqa: PLC0415  # only a push that lost a race needs it

    stamina.instrumentation.set_on_retry_hooks(
        [lambda details: progress(f"the branch moved; attempt {details.retry_num + 1} of {ATTEMPTS}")]
    )
    try:
        for context in stamina.retry_context(
            on=_RaceLost, attempts=ATTEMPTS, wait_initial=0.1, wait_max=3, timeout=None
        ):
            with context:
                return attempt()
    except _RaceLost:
        pass
    raise PushRaceLost(
        Problem(
            where=f"{remote.repository} {remote.branch}",
            what=f"others pushed first, {ATTEMPTS} times in a row",
            fix="try again; a branch that never rests needs one of its own for Flux",
        )
    )


def _attempt(git: Git, inputs: Inputs, *, take_over: bool, dry_run: bool) -> Published:
    base = git.fetch()
    files = inputs.files()
    lock = _read_lock(git, base, inputs.lock_path)
    _refuse_downgrade(lock, inputs)
    wanted = {path: blob_id(text) for path, text in files.items()}
    owned = lock.files if lock else {}
    changes = compare(owned, git.blobs(base, sorted({*wanted, *owned})), wanted)
    _refuse_edits(git, base, changes, files, take_over=take_over)
    new_lock = Lock(
        environment=inputs.facts.environment,
        slipway=version("slipway"),
        chart=inputs.facts.chart_version,
        inputs=inputs.digest(),
        files=wanted,
    )
    # A lock alone (a new Slipway, the same files) is no reason for a commit.
    if base is not None and not changes.paths and lock and lock.files == wanted:
        return Published(commit=base, changed=(), created=False)
    if dry_run:
        return Published(commit=base or "", changed=changes.paths, created=False)
    texts = {path: files[path] for path in changes.write} | {inputs.lock_path: new_lock.to_json()}
    tree = _write_tree(git, base, texts, changes.remove)
    commit = _commit(git, base, tree, f"Deliver Harbor for {inputs.facts.environment}", changes, new_lock)
    return Published(commit=_push(git, base, commit), changed=changes.paths, created=True)


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


def _refuse_edits(git: Git, base: str | None, changes: Changes, files: Mapping[str, str], *, take_over: bool) -> None:
    """Stop where somebody else's content would be lost, and show it against ours."""
    if take_over or not changes.edited:
        return
    present = git.blobs(base, changes.edited)
    diffs = []
    for path in changes.edited:
        theirs = git.read_blob(present[path]).splitlines(keepends=True) if path in present else []
        ours = files.get(path, "").splitlines(keepends=True)
        diffs += difflib.unified_diff(theirs, ours, f"{path} (in the branch)", f"{path} (generated)")
    raise HumanEdit(
        *(
            Problem(where=path, what="is a generated file, and was edited by hand" if path in present else "is a generated file, and was removed by hand")
            for path in changes.edited
        ),
        detail="    move the change to stacks/<environment>/values/, or give it up with `slipway publish --take-over`\n"
        + "".join(line if line.endswith("\n") else f"{line}\n" for line in diffs),
    )  # fmt: skip


def _write_tree(git: Git, base: str | None, texts: Mapping[str, str], remove: tuple[str, ...]) -> str:
    """Write the tree of `base` with some files changed. `--missing-ok` keeps git from fetching every other blob."""
    if base:
        git.run("read-tree", base)
    entries = [f"0 {'0' * 40}\t{path}" for path in remove]
    for path, text in texts.items():
        entries.append(f"100644 {git.run('hash-object', '-w', '--stdin', stdin=text).strip()}\t{path}")
    git.run("update-index", "--add", "--index-info", stdin="".join(f"{entry}\n" for entry in entries))
    return git.run("write-tree", "--missing-ok").strip()


def _commit(git: Git, base: str | None, tree: str, subject: str, changes: Changes, lock: Lock) -> str:
    removed = set(changes.remove)
    listing = "\n".join(f"{'remove' if path in removed else 'write'} {path}" for path in changes.paths)
    message = (
        f"{subject}\n\nChart {lock.chart}.\n\n{listing}\n\n"
        f"Slipway-Version: {lock.slipway}\nSlipway-Environment: {lock.environment}\nSlipway-Input-Digest: {lock.inputs}\n"
    )
    parents = ["-p", base] if base else []
    return git.run("commit-tree", *parents, tree, stdin=message, env=_identity(git)).strip()


def _identity(git: Git) -> dict[str, str]:
    """Give the author's and committer's name: the user's own from git or the environment, else ours."""
    names = {}
    for key, fallback in (("name", "Slipway"), ("email", "slipway@localhost")):
        configured = git.attempt("config", f"user.{key}").out.strip()
        for role in ("AUTHOR", "COMMITTER"):
            variable = f"GIT_{role}_{key.upper()}"
            names[variable] = os.environ.get(variable) or configured or fallback
    return names


def _push(git: Git, base: str | None, commit: str) -> str:
    """Push if the branch is still `base` (None: still absent), never otherwise; gives the commit.

    Raises:
        _RaceLost: the branch moved.
        PushRefused: the server answered no.
        RemoteUnavailable: no answer.
    """
    ref = git.remote.ref
    answer = git.attempt("push", "--porcelain", f"--force-with-lease={ref}:{base or ''}", "origin", f"{commit}:{ref}")
    verdict = next((line for line in answer.out.splitlines() if line.startswith("!")), "")
    if not answer.code and not verdict:
        return commit
    if any(words in verdict for words in _STALE):
        raise _RaceLost
    if not verdict:
        raise git.failure(answer.err)
    raise PushRefused(
        Problem(
            where=f"{git.redact(git.remote.repository)} {git.remote.branch}",
            what=f"refuses the push: {git.redact(verdict.rpartition('[')[2].replace(']', ''))}",
            fix="let this identity push to the branch, or set gitops.branch to one that it may push to",
        ),
        detail=git.redact(answer.err),
    )
