"""One new revision of the branch: a tree on its base, a commit with our trailers, a push that may lose the race."""

import os
from collections.abc import Collection, Mapping

from infra.delivery.git import Git
from infra.delivery.lock import Changes, Lock
from infra.errors import Problem, PushRefused

#: What git says to a push whose base has moved on: the client's own words, then those of receive-pack and of the hosts.
_STALE = (
    "stale info",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
    "reference already exists",
    "incorrect old value",
)
_NO_BLOB = "0" * 40
_AUTHORS = {"NAME": ("user.name", "Slipway"), "EMAIL": ("user.email", "slipway@localhost")}


class RaceLost(Exception):
    """The branch moved between fetch and push."""


def write_tree(git: Git, base: str | None, texts: Mapping[str, str], remove: Collection[str]) -> str:
    """Write the tree of `base` with some files changed; gives its id.

    `--missing-ok` keeps git from fetching every other blob of the repository to see that it is there.
    """
    git.run("read-tree", base or "--empty")
    entries = [f"0 {_NO_BLOB}\t{path}" for path in remove]
    for path, text in texts.items():
        entries.append(f"100644 {git.run('hash-object', '-w', '--stdin', stdin=text).strip()}\t{path}")
    git.run("update-index", "--add", "-z", "--index-info", stdin="".join(f"{entry}\0" for entry in entries))
    return git.run("write-tree", "--missing-ok").strip()


def commit_tree(git: Git, base: str | None, tree: str, subject: str, *, changes: Changes, lock: Lock) -> str:
    """Make the commit, the branch's first one if there is no base; gives its id."""
    removed = set(changes.remove)
    listing = "\n".join(f"{'remove' if path in removed else 'write'} {path}" for path in changes.paths)
    trailers = {
        "Slipway-Version": lock.slipway,
        "Slipway-Environment": lock.environment,
        "Slipway-Input-Digest": lock.inputs,
    }
    paragraphs = (
        subject,
        f"Chart {lock.chart}.",
        listing,
        "\n".join(f"{key}: {value}" for key, value in trailers.items()),
    )
    message = "\n\n".join(filter(None, paragraphs)) + "\n"
    parents = ["-p", base] if base else []
    return git.run("commit-tree", *parents, tree, stdin=message, env=_authors(git)).strip()


def _authors(git: Git) -> dict[str, str]:
    """Name author and committer: as the caller's environment does, else as their git configuration, else Slipway."""
    names = {}
    for kind, (key, fallback) in _AUTHORS.items():
        configured = git.attempt("config", key).out.strip() or fallback
        for variable in (f"GIT_AUTHOR_{kind}", f"GIT_COMMITTER_{kind}"):
            names[variable] = os.environ.get(variable) or configured
    return names


def push(git: Git, base: str | None, commit: str) -> str:
    """Push if the branch is still `base` (None: still absent), never otherwise; gives the commit.

    The commit's parent is `base`, so what the lease lets through is always a fast-forward.

    Raises:
        RaceLost: the branch moved, be it to the very commit that we made as well.
        PushRefused: the server answered no.
        RemoteUnavailable: no answer, or no right to push at all.
    """
    ref = git.remote.ref
    answer = git.attempt("push", "--porcelain", f"--force-with-lease={ref}:{base or ''}", "origin", f"{commit}:{ref}")
    # Porcelain: one line for each ref, `!<tab><from>:<to><tab>[remote rejected] (reason)` for a refusal, `=` for a ref
    # that is there already: in the same second, somebody with the same inputs made the same commit.
    verdict = next((line.rpartition("\t")[2] for line in answer.out.splitlines() if line.startswith("!")), "")
    if any(words in verdict for words in _STALE) or any(line.startswith("=") for line in answer.out.splitlines()):
        raise RaceLost
    if verdict:
        raise PushRefused(
            Problem(
                where=f"{git.remote.shown} {git.remote.branch}",
                what=f"refuses the push: {git.remote.redact(verdict)}",
                fix="let this identity push to the branch, or set gitops.branch to one that it may push to",
            ),
            detail=git.remote.redact(answer.err),
        )
    if answer.code:
        raise git.unavailable(answer.err)
    return commit
