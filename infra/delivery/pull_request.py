"""Through a pull request: our own branch carries the commit, and a person merges it.

The branch is ``slipway/<environment>``, always one commit on the newest base. It is written over only as long as its
last commit is ours; an open pull request is used again, and closed when there is nothing left to change.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from infra.delivery.git import Git, Remote, repository
from infra.delivery.github import GitHub, PullRequest
from infra.delivery.inputs import folders
from infra.delivery.message import Message
from infra.delivery.order import Order, Published, Revision, revise
from infra.delivery.revision import FALLBACK, commit_tree, identity, push
from infra.errors import HumanEdit, Problem, RemoteUnavailable

PREFIX = "slipway/"
#: No environment's name: several share one branch.
_FLEET = "_fleet"


class Tip(NamedTuple):
    """The last commit of our branch."""

    id: str
    tree: str
    parents: str
    committer: str
    environments: frozenset[str]


def propose(git: Git, order: Order, host: GitHub) -> Published:
    """Bring our branch and its pull request to what is ordered.

    Raises:
        RemoteUnavailable: there is no branch to ask to be merged into.
        HumanEdit: somebody else committed to our branch, or what speaks against a publish.
        HostRefused, PushRefused: the host says no.
        RaceLost: our branch moved.
    """
    branch = own_branch(order.environments)
    base = git.fetch(also=branch)
    if base is None:
        raise RemoteUnavailable(
            Problem(
                where=git.remote.shown,
                what=f"is empty, so there is no {git.remote.branch} to ask a pull request for",
                fix="push a first commit, a README for instance",
            )
        )
    tip = _tip(git, branch)
    # Asked before anything is pushed: a token that the API does not take leaves the remote untouched.
    request = host.find(branch)
    revision = revise(git, base, order)
    if order.dry_run:
        changed = revision.changed if revision else ()
        return Published(commit=base, changed=changed, created=False, pull_request=request.url if request else "")
    stranger = tip and _stranger(git, tip)
    if revision is None:
        if not stranger:  # what somebody else left there is theirs to clear away
            _clean_up(git, host, branch, tip, request)
        return Published(commit=base, changed=(), created=False)
    if tip and stranger:
        raise _foreign(git, branch, tip)
    if tip and request:
        _refuse_forgotten(git, order, branch, tip, request)
    created = _pushed(git, base, branch, tip, revision)
    title, body = revision.message.subject, _body(revision.message)
    if request:
        host.update(request, title, body)
    else:
        request = host.open(branch, title, body)
    return Published(commit=base, changed=revision.changed, created=created, pull_request=request.url)


def own_branch(environments: Sequence[tuple[str, str]]) -> str:
    """Name our branch for environments, each with its folder of the repository."""
    if len(environments) > 1:
        return f"{PREFIX}{_FLEET}"
    ((name, path),) = environments
    return f"{PREFIX}{name}" + (f"--{re.sub(r'[^A-Za-z0-9]+', '-', path)}" if path else "")


def waiting(remote: Remote, gitops_path: str, environment: str) -> str:
    """Name the branch in which a change of this environment waits for its merge; empty where none does.

    Raises:
        RemoteUnavailable: the remote cannot be read.
        ToolError: there is no git.
    """
    with repository(remote) as git:
        for branch in (own_branch([(environment, gitops_path)]), f"{PREFIX}{_FLEET}"):
            base = git.fetch(also=branch)
            tip, ours = git.tip(branch), folders(gitops_path, environment)
            if tip and git.entries(tip, *ours) != git.entries(base, *ours):
                return branch
    return ""


def _tip(git: Git, branch: str) -> Tip | None:
    commit = git.tip(branch)
    if commit is None:
        return None
    # As it was written: to `git log`, the last commit of a shallow clone has no parents.
    head, _, message = git.run("cat-file", "commit", commit).partition("\n\n")
    fields = dict(reversed([line.split(" ", 1) for line in head.splitlines() if " " in line]))
    parents = " ".join(line.removeprefix("parent ") for line in head.splitlines() if line.startswith("parent "))
    committer = f"{fields['committer'].rpartition('>')[0]}>"
    environments = frozenset(re.findall(r"^Slipway-Environment: (.+)$", message, re.MULTILINE))
    return Tip(commit, fields["tree"], parents, committer, environments)


def _stranger(git: Git, tip: Tip) -> bool:
    names = identity(git)
    ours = {f"{names['GIT_COMMITTER_NAME']} <{names['GIT_COMMITTER_EMAIL']}>", FALLBACK}
    return tip.committer not in ours or not tip.environments


def _foreign(git: Git, branch: str, tip: Tip) -> HumanEdit:
    return HumanEdit(
        Problem(
            where=f"{git.remote.shown} {branch}",
            what=f"its last commit {tip.id[:12]} is by {tip.committer}, not by us, and would be lost",
            fix="merge or close its pull request and delete the branch; "
            "if it was another identity's publish, give both the same GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL",
        )
    )


def _refuse_forgotten(git: Git, order: Order, branch: str, tip: Tip, request: PullRequest) -> None:
    forgotten = sorted(tip.environments - {name for name, _ in order.environments})
    if forgotten:
        raise HumanEdit(
            Problem(
                where=f"{git.remote.shown} {branch}",
                what=f"{request.url} waits with changes of {', '.join(forgotten)}, which this publish leaves out",
                fix="merge or close it first, or publish these environments with the others",
            )
        )


def _clean_up(git: Git, host: GitHub, branch: str, tip: Tip | None, request: PullRequest | None) -> None:
    """Close what has nothing to say any more, and remove a branch that was merged or became empty."""
    if request:
        host.close(request)
    if tip:
        push(git, tip.id, "", ref=f"refs/heads/{branch}")


def _pushed(git: Git, base: str, branch: str, tip: Tip | None, revision: Revision) -> bool:
    """Push unless the branch says the very same already; tells whether it did."""
    if tip and (tip.tree, tip.parents) == (revision.tree, base):
        return False
    commit = commit_tree(git, base, revision.tree, str(revision.message))
    push(git, tip.id if tip else None, commit, ref=f"refs/heads/{branch}", files=len(revision.changed))
    return True


def _body(message: Message) -> str:
    trailers = "\n".join(f"{key}: {value}" for key, value in message.trailers if key != "Slipway-Environment")
    return "\n\n".join(
        filter(None, (*message.body, "Made by Slipway; the branch is written over at each publish.", trailers))
    )
