"""git's command line, in a bare repository of its own: no work tree, no hooks, no configuration but what a push needs.

    with repository(remote) as git:
        base = git.fetch()
        text = git.read_blob(base, "path/in/it")

The command line and not a library, because credential helpers, SSH set-up and URL rewriting are what makes a push work
on a user's machine, and no library has them all.
"""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from infra.errors import Problem, RemoteUnavailable, ToolError

#: What the user's own git configuration adds; everything else (hooks, aliases, signing, filters) stays out.
_CARRIED = re.compile(r"^(credential|http|url|ssh)\.|^core\.sshcommand$|^user\.(name|email)$", re.IGNORECASE)
_URL_CREDENTIALS = re.compile(r"//[^/@\s]+@")
_NETWORK_SECONDS = 120
_LOCAL_SECONDS = 60
#: Reads the token from the environment when git asks for it, so that it is on no command line and in no file.
_TOKEN_HELPER = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$SLIPWAY_GIT_USERNAME" "$SLIPWAY_GIT_TOKEN"; }; f'
)
#: GitHub wants this name for an App's token; the others take any name.
_TOKEN_USERNAME = "x-access-token"  # noqa: S105


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A branch of a repository, and the token that opens it.

    Attributes:
        repository: URL without credentials.
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


@contextlib.contextmanager
def repository(remote: Remote) -> Iterator["Git"]:
    """Make an empty bare repository whose origin is `remote`, and remove it at the end, whatever happens.

    Raises:
        ToolError: there is no git.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-git-") as folder:
        git = Git(Path(folder), remote)
        git.run("init", "--quiet", "--bare", ".")
        git.run("remote", "add", "origin", remote.repository)
        yield git


@dataclass(frozen=True)
class Answer:
    """What git said."""

    code: int
    out: str
    err: str


class Git:
    """One scratch repository. Its index is its own file, so nothing of the user's is ever touched."""

    def __init__(self, folder: Path, remote: Remote) -> None:
        self.remote = remote
        self._folder = folder
        self._environment = _environment(folder, remote)

    def run(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        """Run one local git command and give what it wrote.

        Raises:
            RemoteUnavailable: it failed; the message is git's own, without credentials.
        """
        answer = self.attempt(*arguments, stdin=stdin, env=env, seconds=_LOCAL_SECONDS)
        if answer.code:
            raise self.failure(answer.err)
        return answer.out

    def attempt(
        self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None, seconds: int = _NETWORK_SECONDS
    ) -> Answer:
        """Run one git command and give its answer, whatever it is; nothing is left running after `seconds`.

        Raises:
            RemoteUnavailable: no answer in time.
            ToolError: there is no git.
        """
        try:
            process = subprocess.Popen(
                ["git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", *arguments],
                cwd=self._folder,
                env={**self._environment, **(env or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # git starts helpers (git-remote-https, ssh): they end together
            )
        except FileNotFoundError:
            raise ToolError(Problem(what="git is not on PATH", fix="install git 2.30 or newer")) from None
        try:
            out, err = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise self.failure(f"no answer within {seconds} seconds") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        return Answer(process.returncode, out, err)

    def fetch(self) -> str | None:
        """Fetch the branch's last commit without its blobs; give its id, or None if the repository is empty.

        Raises:
            RemoteUnavailable: it cannot be read, or has branches but not this one.
        """
        answer = self.attempt(
            "fetch",
            "--quiet",
            "--no-tags",
            "--depth=1",
            "--filter=blob:none",
            "origin",
            f"+{self.remote.ref}:refs/base",
        )
        if not answer.code:
            return self.run("rev-parse", "refs/base").strip()
        if "couldn't find remote ref" not in answer.err:
            raise self.failure(answer.err)
        if branches := self._branches():
            raise RemoteUnavailable(
                Problem(
                    where=self.remote.repository,
                    what=f"has no branch {self.remote.branch!r}",
                    fix=f"branches there: {', '.join(branches)}; set gitops.branch",
                )
            )
        return None

    def _branches(self) -> list[str]:
        answer = self.attempt("ls-remote", "--heads", "origin")
        if answer.code:
            raise self.failure(answer.err)
        return [line.partition("refs/heads/")[2] for line in answer.out.splitlines()]

    def blobs(self, commit: str | None, paths: Sequence[str]) -> dict[str, str]:
        """Give the blob ids of those of `paths` that the commit holds; reads trees only."""
        if commit is None or not paths:
            return {}
        listing = self.run("--literal-pathspecs", "ls-tree", "-r", "-z", commit, "--", *paths)
        rows = (entry.partition("\t") for entry in listing.split("\0") if entry)
        return {path: meta.split()[2] for meta, _, path in rows}

    def read_blob(self, blob: str) -> str:
        """Give a blob's text, fetching it if it is not there yet.

        Raises:
            RemoteUnavailable: the remote does not hand it out.
        """
        answer = self.attempt("cat-file", "blob", blob)
        if answer.code:
            raise self.failure(answer.err)
        return answer.out

    def failure(self, said: str) -> RemoteUnavailable:
        """Give the error for what git said about the remote; credentials never show."""
        words = self.redact(said)
        reason, fix = next(
            ((reason, fix) for pattern, reason, fix in _FAILURES if re.search(pattern, words, re.IGNORECASE)),
            ("git failed", "see git's own words below"),
        )
        return RemoteUnavailable(Problem(where=self.redact(self.remote.repository), what=reason, fix=fix), detail=words)

    def redact(self, text: str) -> str:
        """Take every credential out of a message."""
        shown = _URL_CREDENTIALS.sub("//***@", text.strip())
        return shown.replace(self.remote.token, "***") if self.remote.token else shown


_FAILURES = (
    (
        r"authentication failed|could not read username|permission denied|error: 40[13]|terminal prompts disabled",
        "refuses our credentials",
        "give SLIPWAY_GIT_TOKEN, the secret setting gitToken, or a git credential helper that may push",
    ),
    (r"not found|does not appear to be a git repository|does not exist|error: 404", "there is no such repository", "check gitops.repository"),
    (r"could not resolve|failed to connect|connection|no answer within|unable to access", "cannot be reached", "check the address and the network, then try again"),
)  # fmt: skip


def _environment(folder: Path, remote: Remote) -> dict[str, str]:
    """Give git's whole environment: the caller's without any GIT_ variable, the carried configuration, the token."""
    settings = [*_carried_configuration(), ("http.lowSpeedLimit", "1"), ("http.lowSpeedTime", "30")]
    more = {}
    if remote.token:
        url = urlsplit(remote.repository)
        host = f"{url.scheme}://{url.netloc}"
        # The empty value forgets the helpers before it; the host keeps the token from wherever a redirect leads.
        settings += [(f"credential.{host}.helper", ""), (f"credential.{host}.helper", _TOKEN_HELPER)]
        more = {"SLIPWAY_GIT_TOKEN": remote.token}
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key == "GIT_SSH_COMMAND"},
        "SLIPWAY_GIT_USERNAME": os.environ.get("SLIPWAY_GIT_USERNAME", _TOKEN_USERNAME),
        **more,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_DIR": str(folder),
        "GIT_INDEX_FILE": str(folder / "slipway-index"),
        "LC_ALL": "C",
        "GIT_CONFIG_COUNT": str(len(settings)),
        **{f"GIT_CONFIG_KEY_{at}": key for at, (key, _) in enumerate(settings)},
        **{f"GIT_CONFIG_VALUE_{at}": value for at, (_, value) in enumerate(settings)},
    }


def _carried_configuration() -> list[tuple[str, str]]:
    """Read what the user's own configuration says about reaching and signing in to remotes, and their name."""
    outside = {key: value for key, value in os.environ.items() if key not in {"GIT_DIR", "GIT_INDEX_FILE"}}
    try:
        listing = subprocess.run(
            ["git", "config", "--list", "--null", "--includes"],
            cwd="/", env=outside, capture_output=True, text=True, check=False, timeout=_LOCAL_SECONDS,
        )  # fmt: skip
    except FileNotFoundError:
        return []
    entries = (entry.partition("\n") for entry in listing.stdout.split("\0") if entry)
    return [(key, value) for key, _, value in entries if _CARRIED.match(key)]
