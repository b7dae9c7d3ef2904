"""git's command line, in a bare repository of its own: no work tree, no hooks, no configuration but what a push needs.

    with repository(remote) as git:
        base = git.fetch()
        text = git.read_blob(git.blobs(base, ["path/in/it"])["path/in/it"])

The command line and not a library, because credential helpers, SSH set-up and URL rewriting are what makes a push work
on a user's machine, and no library has them all.
"""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from infra.delivery.git_environment import MISSING_GIT, git_environment
from infra.errors import Problem, PublishError, RemoteUnavailable, ToolError

_URL_CREDENTIALS = re.compile(r"//[^/\s]+@")


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A branch of a repository, and the token that opens it.

    Attributes:
        repository: URL.
        branch: short name, ``main``.
        token: None for what git itself finds (SSH agent, credential helpers).
    """

    repository: str
    branch: str
    token: str | None = field(default=None, repr=False)

    @property
    def ref(self) -> str:
        """The branch's full name."""
        return f"refs/heads/{self.branch}"

    @property
    def shown(self) -> str:
        """The repository as messages name it."""
        return self.redact(self.repository)

    def redact(self, text: str) -> str:
        """Take every credential out of a message."""
        text = _URL_CREDENTIALS.sub("//***@", text.strip())
        return text.replace(self.token, "***") if self.token else text


@contextlib.contextmanager
def repository(remote: Remote) -> Generator["Git"]:
    """Make an empty bare repository whose origin is `remote`, and remove it at the end, whatever happens.

    Raises:
        ToolError: there is no git.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-git-") as folder:
        git = Git(Path(folder), remote)
        git.run("init", "--quiet", "--bare", "--template=", ".")
        git.run("remote", "add", "--", "origin", remote.repository)
        yield git


@dataclass(frozen=True)
class Answer:
    """What git said."""

    code: int
    out: str
    err: str


class Git:
    """One scratch repository. Its index is its own file, so nothing of the user's is ever touched."""

    #: How long a command may take: one that asks the remote, and one that does not.
    network_seconds: ClassVar[int] = 120
    local_seconds: ClassVar[int] = 60

    def __init__(self, folder: Path, remote: Remote) -> None:
        self.remote = remote
        self._folder = folder
        self._environment = git_environment(folder, remote.repository, remote.token)

    def run(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        """Run one git command that needs no remote and give what it wrote.

        Raises:
            PublishError: it failed; the message is git's own, without credentials.
        """
        answer = self.attempt(*arguments, stdin=stdin, env=env, seconds=self.local_seconds)
        if answer.code:
            raise PublishError(
                Problem(where=f"git {arguments[0]}", what="failed", fix="git's own words are below"),
                detail=self.remote.redact(answer.err),
            )
        return answer.out

    def attempt(
        self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None, seconds: int | None = None
    ) -> Answer:
        """Run one git command and give its answer, whatever it is; nothing of it is left running.

        Without `seconds` it may take as long as one that asks the remote.

        Raises:
            RemoteUnavailable: no answer in time.
            ToolError: there is no git.
        """
        seconds = seconds or self.network_seconds
        try:
            process = subprocess.Popen(
                ["git", *arguments],
                cwd=self._folder,
                env={**self._environment, **(env or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # its helpers (ssh, git-remote-https) end with it and have no terminal
            )
        except FileNotFoundError:
            raise ToolError(MISSING_GIT) from None
        try:
            out, err = process.communicate(stdin.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            raise self.unavailable(f"git {arguments[0]}: no answer within {seconds} seconds") from None
        finally:
            if process.returncode is None:  # too late, or interrupted
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        return Answer(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))

    def fetch(self) -> str | None:
        """Fetch the branch's last commit without its blobs; give its id, or None if the repository is empty.

        Raises:
            RemoteUnavailable: it cannot be read, or has branches but not this one.
        """
        refspec = f"+{self.remote.ref}:refs/base"
        answer = self.attempt("fetch", "--quiet", "--no-tags", "--depth=1", "--filter=blob:none", "origin", refspec)
        if not answer.code:
            return self.run("rev-parse", "refs/base").strip()
        if "couldn't find remote ref" not in answer.err:
            raise self.unavailable(answer.err)
        branches = self._branches()
        if self.remote.branch in branches:  # somebody made it since
            return self.fetch()
        if branches:
            raise RemoteUnavailable(
                Problem(
                    where=self.remote.shown,
                    what=f"has no branch {self.remote.branch!r}",
                    fix=f"set gitops.branch to one of: {', '.join(branches)}; or push that branch first",
                )
            )
        return None

    def _branches(self) -> list[str]:
        answer = self.attempt("ls-remote", "--heads", "origin")
        if answer.code:
            raise self.unavailable(answer.err)
        return [line.partition("refs/heads/")[2] for line in answer.out.splitlines()]

    def blobs(self, commit: str | None, paths: Sequence[str]) -> dict[str, str]:
        """Give the blob ids of those of `paths` that the commit holds; reads trees only."""
        if commit is None or not paths:
            return {}
        listing = self.run("ls-tree", "-r", "-z", commit, "--", *paths)
        rows = (entry.partition("\t") for entry in listing.split("\0") if entry)
        return {path: meta.split()[2] for meta, _, path in rows}

    def read_blob(self, blob: str) -> str:
        """Give a blob's text, fetching it if it is not there yet.

        Raises:
            RemoteUnavailable: the remote does not hand it out.
        """
        answer = self.attempt("cat-file", "blob", blob)
        if answer.code:
            raise self.unavailable(answer.err)
        return answer.out

    def unavailable(self, said: str) -> RemoteUnavailable:
        """Give the error for what git said about the remote; credentials never show."""
        words = self.remote.redact(said)
        what, fix = next((known for sign, *known in _FAILURES if re.search(sign, words, re.IGNORECASE)), _UNKNOWN)
        return RemoteUnavailable(Problem(where=self.remote.shown, what=what, fix=fix), detail=words)


#: Sign in git's words → fact and next step; the first that fits.
_FAILURES = (
    (
        r"host key verification failed",
        "its SSH host key is not a known one",
        "check the key with whoever runs the server, then add it to ~/.ssh/known_hosts",
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
        r"could not resolve|failed to connect|connection|no answer within|unable to access",
        "cannot be reached",
        "check the address and the network, then try again",
    ),
)
_UNKNOWN = ("git could not use it", "git's own words are below")
