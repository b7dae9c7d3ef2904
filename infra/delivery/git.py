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
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar, NamedTuple

from infra.delivery.failures import limit_of, reason, refuse_limit
from infra.delivery.git_environment import MISSING_GIT, git_environment
from infra.errors import Problem, PublishError, RemoteUnavailable, ToolError

if TYPE_CHECKING:
    from infra.sections.delivery import GitOpsSettings

#: What git itself runs for one object that a partial clone lacks; here for many at once.
_FETCH_OBJECTS = (
    "-c", "fetch.negotiationAlgorithm=noop",
    "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", "--stdin", "origin",
)  # fmt: skip
_UNADVERTISED = "does not allow request for unadvertised object"
_URL_CREDENTIALS = re.compile(r"//[^/\s]+@")


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A branch of a repository, and how it is written to.

    Attributes:
        repository: URL.
        branch: short name, ``main``.
        token: None for what git itself finds (SSH agent, credential helpers).
        known_hosts: host keys of an SSH repository, and the only ones that count; empty for the user's own file.
        signing_key: SSH key that signs commits: path of the private one, or of the public one of a key in an agent.
        mode: ``direct``, ``pull-request`` or ``files``; see docs/delivery.md.
        api: base URL of the host's REST API, for pull requests; empty for the one that the repository's URL suggests.
        folder: where ``files`` writes.
    """

    repository: str
    branch: str
    token: str | None = field(default=None, repr=False)
    known_hosts: str = ""
    signing_key: str = ""
    mode: str = "direct"
    api: str = ""
    folder: str = ""

    @classmethod
    def of(cls, gitops: "GitOpsSettings", token: str | None, root: Path) -> "Remote":
        """Give what the settings say, opened by `token`; a relative folder begins at the project's `root`."""
        return cls(
            repository=gitops.repository,
            branch=gitops.branch,
            token=token,
            known_hosts=gitops.known_hosts,
            signing_key=gitops.signing_key,
            mode=gitops.mode,
            api=gitops.api,
            folder=str(root / gitops.folder) if gitops.folder else "",
        )

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
        PublishError: this machine has no space for it.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="slipway-git-", ignore_cleanup_errors=True) as folder:
            git = Git(Path(folder), remote)
            git.run("init", "--quiet", "--bare", "--template=", ".")
            git.run("remote", "add", "--", "origin", remote.repository)
            yield git
    except OSError as error:
        if limit := limit_of(error, tempfile.gettempdir()):
            raise limit from None
        raise


class Entry(NamedTuple):
    """What a commit holds at a path: ``blob`` (a file or a link), ``tree`` (a folder) or ``commit`` (a submodule)."""

    kind: str
    id: str


@dataclass(frozen=True)
class Answer:
    """What git said."""

    code: int
    content: bytes
    err: str

    @property
    def out(self) -> str:
        """What it wrote, as text."""
        return self.content.decode(errors="replace")


class Git:
    """One scratch repository. Its index is its own file, so nothing of the user's is ever touched."""

    #: How long a command may take: one that asks the remote, and one that does not.
    network_seconds: ClassVar[int] = 120
    local_seconds: ClassVar[int] = 60

    def __init__(self, folder: Path, remote: Remote) -> None:
        self.remote = remote
        self.folder = folder
        self._texts: dict[str, str] = {}  # read already: a lost race costs only what is new
        self._environment = git_environment(folder, remote.repository, remote.token, remote.known_hosts)

    def run(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        """Run one git command that needs no remote and give what it wrote.

        Raises:
            PublishError: it failed; the message is git's own, without credentials.
        """
        answer = self.attempt(*arguments, stdin=stdin, env=env, seconds=self.local_seconds)
        if answer.code:
            raise self.failed(arguments[0], answer.err)
        return answer.out

    def failed(self, command: str, said: str) -> PublishError:
        """Give the error for a command that needs no remote and failed all the same."""
        problem = Problem(where=f"git {command}", what="failed", fix="git's own words are below")
        return PublishError(problem, detail=self.remote.redact(said))

    def attempt(
        self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None, seconds: int | None = None
    ) -> Answer:
        """Run one git command and give its answer, whatever it is; nothing of it is left running.

        Without `seconds` it may take as long as one that asks the remote.

        Raises:
            RemoteUnavailable: no answer in time.
            PublishError: no space, or no right to write as much, on this machine.
            ToolError: there is no git.
        """
        seconds = seconds or self.network_seconds
        process = self.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        try:
            out, err = process.communicate(stdin.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            raise self.unavailable(f"git {arguments[0]}: no answer within {seconds} seconds") from None
        finally:
            end(process)  # too late, or interrupted
        answer = Answer(process.returncode, out, err.decode(errors="replace"))
        if answer.code:
            refuse_limit(answer.code, answer.err, str(self.folder.parent))
        return answer

    def start(
        self, *arguments: str, stdout: int, stderr: int | IO[bytes], env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start one git command that reads from a pipe; whoever starts it ends it.

        Raises:
            ToolError: there is no git.
        """
        try:
            return subprocess.Popen(
                ["git", *arguments],
                cwd=self.folder,
                env={**self._environment, **(env or {})},
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,  # its helpers (ssh, git-remote-https) end with it and have no terminal
            )
        except FileNotFoundError:
            raise ToolError(MISSING_GIT) from None

    def fetch(self, also: str = "") -> str | None:
        """Fetch the branch's last commit without its blobs; give its id, or None if the repository is empty.

        Args:
            also: a branch that may or may not be there; `tip` gives its last commit.

        Raises:
            RemoteUnavailable: it cannot be read, or has branches but not this one.
        """
        refspecs = [f"+{self.remote.ref}:refs/base"]
        if also:
            # A pattern that matches nothing is no error, a name is.
            refspecs.append(f"+refs/heads/{also}*:refs/also/{also}*")
            self._forget(also)
        answer = self.attempt("fetch", "--quiet", "--no-tags", "--depth=1", "--filter=blob:none", "origin", *refspecs)
        if not answer.code:
            return self.run("rev-parse", "refs/base").strip()
        if "couldn't find remote ref" not in answer.err:
            raise self.unavailable(answer.err)
        branches = self._branches()
        if self.remote.branch in branches:  # somebody made it since
            return self.fetch(also)
        if branches:
            raise RemoteUnavailable(
                Problem(
                    where=self.remote.shown,
                    what=f"has no branch {self.remote.branch!r}",
                    fix=f"set gitops.branch to one of: {', '.join(branches)}; or push that branch first",
                )
            )
        return None

    def tip(self, also: str) -> str | None:
        """Give the last commit of the other branch that `fetch` looked for; None where there is none."""
        found = self.attempt("rev-parse", "--quiet", "--verify", f"refs/also/{also}", seconds=self.local_seconds)
        return found.out.strip() or None

    def _forget(self, also: str) -> None:
        self.run("update-ref", "-d", f"refs/also/{also}")

    def _branches(self) -> list[str]:
        answer = self.attempt("ls-remote", "--heads", "origin")
        if answer.code:
            raise self.unavailable(answer.err)
        return [line.partition("refs/heads/")[2] for line in answer.out.splitlines()]

    def entries(self, commit: str | None, *paths: str, options: Sequence[str] = ("-r", "-t")) -> dict[str, Entry]:
        """Give what the commit holds at and below `paths` (none: everywhere), folders too; reads trees only."""
        if commit is None:
            return {}
        listing = self.run("ls-tree", "-z", *options, commit, "--", *paths)
        rows = (entry.partition("\t") for entry in listing.split("\0") if entry)
        return {path: Entry(*meta.split()[1:3]) for meta, _, path in rows}

    def blobs(self, commit: str | None, paths: Sequence[str]) -> dict[str, str]:
        """Give the blob ids of those of `paths` that the commit holds; reads trees only."""
        if not paths:
            return {}
        found = self.entries(commit, *paths, options=["-r"])
        return {path: entry.id for path, entry in found.items() if entry.kind == "blob"}

    def read_blobs(self, blobs: Collection[str]) -> dict[str, str]:
        """Give blobs' texts, id → text; those that are not there yet come in one fetch, not one each.

        Raises:
            RemoteUnavailable: the remote does not hand them out.
        """
        new = [blob for blob in dict.fromkeys(blobs) if blob not in self._texts]
        wanted = "".join(f"{blob}\n" for blob in new)
        if len(new) > 1:
            self._hand_out(*_FETCH_OBJECTS, stdin=wanted)
        if new:
            self._texts |= _batch(self._hand_out("cat-file", "--batch", stdin=wanted).content)
        if absent := [blob for blob in blobs if blob not in self._texts]:
            raise self.unavailable(f"object {absent[0]} is missing")
        return {blob: self._texts[blob] for blob in blobs}

    def _hand_out(self, *arguments: str, stdin: str) -> Answer:
        """Run what fetches single objects; from a server that hands out none, everything is fetched once instead.

        git speaks its old protocol, in which servers refuse that by default, over SSH to a host that takes no
        GIT_PROTOCOL from its clients.
        """
        answer = self.attempt(*arguments, stdin=stdin)
        if _UNADVERTISED in answer.err:
            everything = ("fetch", "--quiet", "--no-tags", "--depth=1", "--refetch", "--no-filter", "origin")
            answer = self.attempt(*everything, self.remote.ref)
            if not answer.code:
                answer = self.attempt(*arguments, stdin=stdin)
        if answer.code:
            raise self.unavailable(answer.err)
        return answer

    def read_blob(self, blob: str) -> str:
        """Give a blob's text, fetching it if it is not there yet.

        Raises:
            RemoteUnavailable: the remote does not hand it out.
        """
        return self.read_blobs([blob])[blob]

    def unavailable(self, said: str) -> RemoteUnavailable:
        """Give the error for what git said about the remote; credentials never show."""
        words = self.remote.redact(said)
        what, fix = reason(words)
        return RemoteUnavailable(Problem(where=self.remote.shown, what=what, fix=fix), detail=words)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a command that is still running, with everything that it started."""
    if process.returncode is None and process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _batch(out: bytes) -> dict[str, str]:
    """Read the answer of ``git cat-file --batch``: a line of id, type and size, then so many bytes and a line feed."""
    texts, at = {}, 0
    while at < len(out):
        line = out.index(b"\n", at)
        blob, kind, *size = out[at:line].decode().split()
        at = line + 1
        if kind == "missing":
            continue
        at += int(size[0])
        texts[blob] = out[line + 1 : at].decode(errors="replace")
        at += 1
    return texts
