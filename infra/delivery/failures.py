"""What git's words mean: the remote's fault, a refusal, or a limit of this machine; each with the next step. Pure."""

import errno
import re
import signal

from infra.errors import Problem, PublishError

#: Sign in git's words → fact and next step; the first that fits.
_FAILURES = (
    (
        r"remote host identification has changed",
        "shows another SSH host key than the pinned one: somebody may be in between",
        "ask whoever runs the server whether its key changed, and only then correct gitops.knownHosts or known_hosts",
    ),
    (
        r"host key verification failed",
        "its SSH host key is not a known one",
        "check the key with whoever runs the server, then put it into gitops.knownHosts, or without that setting into "
        "~/.ssh/known_hosts",
    ),
    (
        r"authentication failed|could not read (username|password)|permission denied|error: 40[13]|prompts disabled",
        "refuses our credentials",
        "give SLIPWAY_GIT_TOKEN, the secret setting gitToken, an SSH key or a credential helper that may push",
    ),
    (
        r"not found|does not appear to be a git repository|does not exist|error: 404",
        "there is no such repository, or we may not see it",
        "check gitops.repository and that the token may read it",
    ),
    (
        r"error: (429|5\d\d)",
        "has a fault of its own, or is asked too often",
        "try again in a few minutes; the host's status page says more",
    ),
    (
        r"could not resolve|failed to connect|connection|no answer within|unable to access|hung up|disconnect",
        "cannot be reached",
        "check the address and the network, then try again",
    ),
)
_UNKNOWN = ("git could not use it", "git's own words are below")

#: Sign in a refusal → what to do; the first that fits. The words of GitHub, GitLab, Gitea, Bitbucket, Azure and git.
_REFUSALS = (
    (
        r"exceeds (the )?maximum allowed|(file|pack|push).{0,40}(size|large)|too large|GH001|HTTP 413|http.{0,20} 413",
        "it is larger than the host takes: publish fewer environments at once, or have the limit raised",
    ),
    (
        r"verified signature|must be signed|signature",
        "the branch takes signed commits only: set gitops.signingKey to an SSH key that the host knows",
    ),
    (
        r"protected|GH006|GH013|not allowed to push|TF402455|pull request|merge request|deny updating",
        "the branch takes no direct pushes: set gitops.mode to pull-request, let this identity push to it, "
        "or set gitops.branch to one that it may push to",
    ),
)
_REFUSED = (
    "let this identity push to the branch, set gitops.mode to pull-request, "
    "or set gitops.branch to one that it may push to"
)
_TOO_LARGE = re.compile(r"exceeds maximum allowed size|HTTP 413|error: 413|pack.{0,20}too large", re.IGNORECASE)


def reason(words: str) -> tuple[str, str]:
    """Give fact and next step for what git said about a remote that it could not use."""
    known = ((what, fix) for sign, what, fix in _FAILURES if re.search(sign, words, re.IGNORECASE))
    return next(known, _UNKNOWN)


def way_on(words: str) -> str:
    """Give the next step after a push that was refused with these words."""
    return next((fix for sign, fix in _REFUSALS if re.search(sign, words, re.IGNORECASE)), _REFUSED)


def is_too_large(words: str) -> bool:
    """Tell whether the server broke off because of the push's size: it then answers for no ref."""
    return bool(_TOO_LARGE.search(words))


def refuse_limit(code: int, words: str, folder: str) -> None:
    """Stop where this machine, not the remote, is at its end.

    Args:
        code: git's exit code; negative for the signal that ended it.
        words: what it wrote to stderr.
        folder: where it was writing.

    Raises:
        PublishError: no space, or a limit on the size of files.
    """
    ours = "\n".join(line for line in words.splitlines() if not line.startswith("remote:"))
    if "No space left on device" in ours or "Disk quota exceeded" in ours:
        raise PublishError(_no_space(folder))
    if code == -signal.SIGXFSZ or "File too large" in ours:
        raise PublishError(_no_larger(folder))


def limit_of(error: OSError, folder: str) -> PublishError | None:
    """Give the error for a limit of this machine that we met ourselves; None where it is something else."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return PublishError(_no_space(str(error.filename or folder)))
    return PublishError(_no_larger(str(error.filename or folder))) if error.errno == errno.EFBIG else None


def _no_space(folder: str) -> Problem:
    return Problem(
        where=folder,
        what="no space left for git's scratch repository; nothing was pushed",
        fix="free some, or name another folder with TMPDIR",
    )


def _no_larger(folder: str) -> Problem:
    return Problem(
        where=folder,
        what="git may not write files as large as this commit needs; nothing was pushed",
        fix="raise the limit: ulimit -f unlimited",
    )
