"""Publish environments' files: one commit on top of the branch, or none when nothing changed.

    published = publish(Remote(repository=url, branch="main"), Inputs(facts_json, overrides))
    published = publish_all(remote, [Inputs(one), Inputs(another)])

Each attempt fetches the branch, checks ownership against the locks, commits on what it fetched, and pushes only if the
branch is still there. Whoever loses the race begins again on the new base; generated text is never merged. The same
goes to a pull request or a folder where the remote says so.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from infra.delivery.folder import write_folder
from infra.delivery.git import Git, Remote, repository
from infra.delivery.ground import BranchGround, FolderGround, Ground
from infra.delivery.inputs import Inputs, folders, lock_path
from infra.delivery.lock import Lock
from infra.delivery.order import Order, Progress, Published, patient, revise
from infra.delivery.plan import Plan, Rendering, Store, planned, withdrawal
from infra.delivery.revision import RaceLost, commit_tree, push
from infra.errors import Problem, PublishError, PushRaceLost

__all__ = ["Published", "present_files", "publish", "publish_all", "withdraw"]

#: Whoever loses a race loses it to somebody's success, so eight environments at once need eight attempts at most.
ATTEMPTS = 10

Result = TypeVar("Result")


def publish(
    remote: Remote,
    inputs: Inputs,
    *,
    take_over: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
) -> Published:
    """Bring the branch to what `inputs` render to; see `publish_all`."""
    return publish_all(remote, [inputs], take_over=take_over, dry_run=dry_run, progress=progress)


def publish_all(
    remote: Remote,
    inputs: Sequence[Inputs],
    *,
    take_over: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
) -> Published:
    """Bring the branch to what all of `inputs` render to, in one commit: all of it, or nothing where one is refused.

    Args:
        remote: the branch, and how it is written to.
        inputs: facts and overrides of each environment.
        take_over: overwrite what somebody edited by hand.
        dry_run: say what would change and push nothing.
        progress: told about races that were lost, and how far it is when it takes long.

    Raises:
        PublishError: example facts, an environment given twice, or git failed.
        RemoteUnavailable, PushRefused, PushRaceLost, HostRefused: what the remote did; see `infra.errors`.
        HumanEdit, ChartDowngrade, WouldUninstall: what speaks against it.
        ToolError: there is no git.
        ValuesError: the values do not fit the chart.
    """
    _refuse_unpublishable(inputs)
    renderings = [Rendering(one) for one in inputs]
    tell = patient(progress)

    def plan(ground: Ground, store: Store) -> list[Plan]:
        return planned(ground, renderings, store, take_over=take_over, tell=tell)

    return _carry_out(
        remote,
        Order(
            environments=[(one.name, one.facts.gitops_path) for one in inputs],
            folders=[folder for one in inputs for folder in one.folders],
            plan=plan,
            dry_run=dry_run,
            progress=progress,
        ),
    )


def withdraw(remote: Remote, *, gitops_path: str, environment: str) -> str | None:
    """Remove an environment's files from the branch; gives the branch's commit, or None if there was nothing.

    Raises:
        RemoteUnavailable, PushRefused, PushRaceLost, HostRefused, HumanEdit: see `infra.errors`.
        ToolError: there is no git.
    """

    def plan(ground: Ground, _store: Store) -> list[Plan]:
        one = withdrawal(ground, gitops_path, environment)
        return [one] if one else []

    order = Order(environments=[(environment, gitops_path)], folders=folders(gitops_path, environment), plan=plan)
    published = _carry_out(remote, order)
    return published.commit if published.created else None


def present_files(remote: Remote, *, gitops_path: str, environment: str) -> dict[str, str]:
    """Give the environment's generated files as they are in the branch now: path → blob id.

    Raises:
        RemoteUnavailable, HumanEdit: see `infra.errors`.
        ToolError: there is no git.
    """
    ours, path = folders(gitops_path, environment), lock_path(gitops_path, environment)

    def owned(ground: Ground) -> dict[str, str]:
        text = ground.read([path]).get(path)
        lock = Lock.from_json(text, path) if text is not None else None
        return {name: ground.files[name] for name in lock.files if name in ground.files} if lock else {}

    if remote.mode == "files":
        return owned(FolderGround(Path(remote.folder), ours))
    with repository(remote) as git:
        return owned(BranchGround(git, git.fetch(), ours))


def _refuse_unpublishable(inputs: Sequence[Inputs]) -> None:
    """Stop before anything is asked where the inputs alone are reason enough.

    Raises:
        PublishError: with everything that is wrong with them.
    """
    problems = [
        Problem(
            where=f"environment {one.name}",
            what="these are example facts, made up to render without a cloud",
            fix="publish facts of a real environment: pulumi stack output facts",
        )
        for one in inputs
        if one.facts.example
    ]
    for path, count in Counter(one.lock_path for one in inputs).items():
        if count > 1:
            problems.append(Problem(where=path, what=f"is published {count} times at once", fix="give it once"))
    if problems:
        raise PublishError(*problems)


def _carry_out(remote: Remote, order: Order) -> Published:
    if remote.mode == "files":
        return write_folder(Path(remote.folder), order)
    with repository(remote) as git:
        if remote.mode == "pull-request":
            from infra.delivery.github import GitHub  # noqa: PLC0415  # HTTP is for those who need it
            from infra.delivery.pull_request import propose  # noqa: PLC0415

            with GitHub(remote) as host:
                return _retried(lambda: propose(git, order, host), remote, order.progress)
        return _retried(lambda: _attempt(git, order), remote, order.progress)


def _attempt(git: Git, order: Order) -> Published:
    base = git.fetch()
    revision = revise(git, base, order)
    if revision is None or order.dry_run:
        return Published(commit=base or "", changed=revision.changed if revision else (), created=False)
    commit = commit_tree(git, base, revision.tree, str(revision.message))
    pushed = push(git, base, commit, files=len(revision.changed))
    return Published(commit=pushed, changed=revision.changed, created=True)


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
