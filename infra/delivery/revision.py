"""One new revision of the branch: a tree on its base, a commit with our trailers, a push that may lose the race.

with Writer(git) as writer:
    writer.add("path/in/it", "text")
    tree = writer.tree(base, {"path/in/it": blob_id("text")}, remove=["stale"])
"""

import json
import os
import subprocess
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import IO

from infra.delivery.failures import is_too_large, refuse_limit, way_on
from infra.delivery.git import Git, end
from infra.delivery.lock import blob_id
from infra.errors import Problem, PublishError, PushRefused, ToolError

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
#: Where the new tree is kept until it has a commit of its own.
_DRAFT = "refs/slipway/draft"
_AUTHORS = {"NAME": ("user.name", "Slipway"), "EMAIL": ("user.email", "slipway@localhost")}
#: Who commits where nobody is configured.
FALLBACK = f"{_AUTHORS['NAME'][1]} <{_AUTHORS['EMAIL'][1]}>"
#: Files that a push of a large fleet moves in a second at the very least; beyond that it hangs.
_FILES_A_SECOND = 50


class RaceLost(Exception):
    """The branch moved between fetch and push."""


class Writer:
    """New files and trees of one commit, all through one `git fast-import`: 10,000 files in a second or two.

    Texts are sent as they come, while others are still rendered, and a text that several files share is sent once.
    Nothing is started when nothing is added. The blobs of the base, which a partial clone lacks, are never asked for.
    """

    def __init__(self, git: Git, stored: set[str] | None = None) -> None:
        """Begin; `stored` holds the blobs of earlier writers of the same repository, and gets those of this one."""
        self._git = git
        self._stored = set() if stored is None else stored
        self._sent: set[str] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._words: IO[bytes] | None = None

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what is still running; without `tree`, what was added is forgotten."""
        if self._process:
            end(self._process)
        if self._words:
            self._words.close()

    def holds(self, blob: str) -> bool:
        """Tell whether this content was sent already."""
        return blob in self._sent or blob in self._stored

    def add(self, path: str, text: str) -> None:  # noqa: ARG002  # a `Store`; blobs have no path
        """Take a text."""
        content = text.encode()
        blob = blob_id(content)
        if not self.holds(blob):
            self._sent.add(blob)
            self._send(b"blob\ndata %d\n" % len(content), content, b"\n")

    def tree(self, base: str | None, write: Mapping[str, str], remove: Collection[str]) -> str:
        """Write the tree of `base` with some files changed; gives its id.

        Args:
            base: None for no files at all.
            write: path → blob id, each of an added text.
            remove: paths.
        """
        start = f"from {base}\n" if base else ""
        self._send(f"commit {_DRAFT}\ncommitter x <x> 0 +0000\ndata 0\n{start}".encode())
        lines = [f"D {_quoted(path)}\n" for path in remove]
        lines += [f"M 100644 {blob} {_quoted(path)}\n" for path, blob in write.items()]
        self._send("".join(lines).encode(), b"done\n")
        self._finish()
        self._stored |= self._sent
        return self._git.run("rev-parse", f"{_DRAFT}^{{tree}}").strip()

    def _send(self, *parts: bytes) -> None:
        stdin = self._started()
        try:
            for part in parts:
                stdin.write(part)
        except BrokenPipeError:
            self._finish()

    def _started(self) -> IO[bytes]:
        if self._process is None:
            self._words = (self._git.folder / "fast-import-says").open("w+b")
            # Depth 0: the blobs are new, and deltas between them cost more than they save.
            self._process = self._git.start(
                "fast-import", "--quiet", "--force", "--done", "--depth=0",
                stdout=subprocess.DEVNULL, stderr=self._words,
            )  # fmt: skip
        if self._process.stdin is None:  # it has a pipe: Git.start gives every command one
            raise self._git.failed("fast-import", "no pipe")
        return self._process.stdin

    def _finish(self) -> None:
        if self._process is None or self._words is None:
            return
        try:
            self._process.communicate(timeout=self._git.local_seconds)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            end(self._process)
        code = self._process.returncode
        if code:
            self._words.seek(0)
            words = self._words.read().decode(errors="replace")
            refuse_limit(code, words, str(self._git.folder.parent))
            raise self._git.failed("fast-import", words)


def _quoted(path: str) -> str:
    """Write a path as fast-import reads it; its C quotes are JSON's where a path needs any."""
    return json.dumps(path, ensure_ascii=False) if path.startswith('"') or "\n" in path or "\\" in path else path


def write_tree(git: Git, base: str | None, texts: Mapping[str, str], remove: Collection[str]) -> str:
    """Write the tree of `base` with some files changed; gives its id."""
    with Writer(git) as writer:
        for path, text in texts.items():
            writer.add(path, text)
        return writer.tree(base, {path: blob_id(text) for path, text in texts.items()}, remove)


def commit_tree(git: Git, base: str | None, tree: str, message: str) -> str:
    """Make the commit, the branch's first one if there is no base, signed where there is a key; gives its id.

    Raises:
        PublishError: the key does not sign.
    """
    parents = ["-p", base] if base else []
    key = git.remote.signing_key
    if not key:
        return git.run("commit-tree", *parents, tree, stdin=message, env=identity(git)).strip()
    path = os.path.expanduser(key)  # noqa: PTH111  # what is no path stays as it is for git
    if not os.path.isfile(path):  # noqa: PTH113
        raise _unsigned(key, "no such file")
    arguments = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={path}", "commit-tree", f"-S{path}", *parents, tree)
    answer = git.attempt(*arguments, stdin=message, env=identity(git), seconds=git.local_seconds)
    if answer.code:
        if "ssh-keygen" in answer.err and ("cannot run" in answer.err or "not found" in answer.err):
            missing = Problem(what="ssh-keygen is not on PATH, so no commit is signed", fix="install openssh-client")
            raise ToolError(missing)
        raise _unsigned(key, "does not sign", answer.err.strip())
    return answer.out.strip()


def _unsigned(key: str, what: str, detail: str = "") -> PublishError:
    return PublishError(
        Problem(
            where="gitops.signingKey",
            what=f"{key}: {what}; nothing was pushed",
            fix="name a private SSH key without passphrase, or the public key of one that your SSH agent holds",
        ),
        detail=detail,
    )


def identity(git: Git) -> dict[str, str]:
    """Name author and committer: as the caller's environment does, else as their git configuration, else Slipway."""
    names = {}
    for kind, (key, fallback) in _AUTHORS.items():
        configured = git.attempt("config", key).out.strip() or fallback
        for variable in (f"GIT_AUTHOR_{kind}", f"GIT_COMMITTER_{kind}"):
            names[variable] = os.environ.get(variable) or configured
    return names


def push(git: Git, base: str | None, commit: str, *, ref: str = "", files: int = 0) -> str:
    """Push if the branch is still `base` (None: still absent), never otherwise; gives the commit.

    On the branch that Flux reads the commit's parent is `base`, so what the lease lets through is a fast-forward.

    Args:
        git: the scratch repository.
        base: where the branch was when it was fetched.
        commit: the new one; empty to remove the branch.
        ref: the branch's full name, if it is another one than the remote's.
        files: how many it holds that are new: a large push may take longer.

    Raises:
        RaceLost: the branch moved, be it to the very commit that we made as well.
        PushRefused: the server answered no.
        RemoteUnavailable: no answer, or no right to push at all.
    """
    ref = ref or git.remote.ref
    answer = git.attempt(
        "push", "--porcelain", f"--force-with-lease={ref}:{base or ''}", "origin", f"{commit}:{ref}",
        seconds=git.network_seconds + files // _FILES_A_SECOND,
    )  # fmt: skip
    # Porcelain: one line for each ref, `!<tab><from>:<to><tab>[remote rejected] (reason)` for a refusal, `=` for a ref
    # that is there already: in the same second, somebody with the same inputs made the same commit.
    verdict = next((line.rpartition("\t")[2] for line in answer.out.splitlines() if line.startswith("!")), "")
    if any(words in verdict for words in _STALE) or any(line.startswith("=") for line in answer.out.splitlines()):
        raise RaceLost
    if not verdict and answer.code and is_too_large(answer.err):
        verdict = "too large"
    if verdict:
        raise PushRefused(
            Problem(
                where=f"{git.remote.shown} {ref.removeprefix('refs/heads/')}",
                what=f"refuses the push: {git.remote.redact(verdict)}",
                fix=way_on(f"{verdict}\n{answer.err}"),
            ),
            detail=git.remote.redact(answer.err),
        )
    if answer.code:
        raise git.unavailable(answer.err)
    return commit
