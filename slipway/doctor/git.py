"""The GitOps repository: can be read, takes our push, and Flux can read it too. Nothing is pushed.

`git push --dry-run` goes as far as the host's answer who may push; hooks and protected branches only speak at a real
push, so the host's API is asked for the second, where it is one that Slipway speaks (GitHub's).
"""

import re
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from infra.delivery.git import Git, repository
from infra.delivery.remote import Remote
from infra.errors import RemoteUnavailable
from slipway.doctor.check import Check, Failed, Skipped, Warned
from slipway.doctor.scene import ANSWER_SECONDS, Scene

_SCP = re.compile(r"^(?:[\w.-]+@)?(?P<host>[\w.-]+):")
_NO_TOKEN = "what Pulumi encrypted (gitToken) only Pulumi reads: give it as SLIPWAY_GIT_TOKEN"  # noqa: S105


def folder(scene: Scene) -> str:
    """With mode `files`: try the folder that is written to."""
    gitops = scene.settings.gitops
    if gitops.mode != "files":
        raise Skipped(f"gitops.mode {gitops.mode} writes to no folder")
    path = scene.root / gitops.folder
    there = next(one for one in (path, *path.parents) if one.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".slipway-doctor-"):
            return str(path)
    except OSError as error:
        raise Failed(f"{path} cannot be written to: {error.strerror}") from error


def host_key(scene: Scene) -> str:
    """Look whether an SSH host's key is known, and pinned for Flux as well."""
    _skip_files(scene)
    gitops = scene.settings.gitops
    address = _ssh_host(gitops.repository)
    if not address:
        raise Skipped("the repository is not an SSH one")
    if not gitops.known_hosts:
        own = Path.home() / ".ssh" / "known_hosts"
        known = f"this machine knows {address} by {own}" if _knows(own, address) else f"nothing here knows {address}"
        what = f"gitops.knownHosts is empty; {known}, and Flux refuses a host whose key it does not know"
        raise Failed(what, _pin(address))
    with tempfile.TemporaryDirectory(prefix="slipway-doctor-") as scratch:
        pinned = Path(scratch) / "known_hosts"
        pinned.write_text(gitops.known_hosts.rstrip("\n") + "\n")
        if not _knows(pinned, address):
            raise Failed(f"gitops.knownHosts has no usable key of {address}", _pin(address))
    return f"gitops.knownHosts has a key of {address}"


def read(scene: Scene) -> str:
    """List the branches, as the publisher would begin."""
    _skip_files(scene)
    remote = scene.remote
    with repository(remote) as git:
        branches = _branches(git)
    if not branches:
        return f"{remote.shown} is empty: the first publish makes {remote.branch}"
    if remote.branch not in branches:
        some = ", ".join(list(branches)[:8])
        raise Failed(
            f"{remote.shown} has no branch {remote.branch!r}", f"push it first, or set gitops.branch to one of: {some}"
        )
    return f"{remote.shown} {remote.branch} is at {branches[remote.branch][:12]}"


def push(scene: Scene) -> str:
    """Make a commit here, signed where they are, and go as far with its push as nothing changes."""
    from infra.delivery.pull_request import own_branch  # noqa: PLC0415
    from infra.delivery.revision import commit_tree  # noqa: PLC0415

    _skip_files(scene)
    remote, gitops = scene.remote, scene.settings.gitops
    with repository(remote) as git:
        base = _fetch(git)
        commit = commit_tree(git, base, git.run("mktree").strip(), "never pushed")
        ref = remote.ref
        if gitops.mode == "pull-request":
            # A branch that stays after a merge is no obstacle to a real publish, which knows what is there.
            ref = f"refs/heads/{own_branch([(scene.environment, gitops.path)])}"
        answer = git.attempt(
            "push", "--dry-run", "--porcelain", "--force", "origin", f"{commit}:{ref}", seconds=ANSWER_SECONDS
        )
        if answer.code:
            raise _told(git.unavailable(answer.err), remote)
    signed = ", with signed commits" if gitops.signing_key else ""
    return f"{ref.removeprefix('refs/heads/')} takes a push of ours{signed} (dry run: no hook was asked)"


def protected(scene: Scene) -> str:
    """Ask GitHub's API whether the branch is protected, as far as it tells us."""
    from infra.delivery.github import GitHub, address  # noqa: PLC0415

    _skip_files(scene)
    remote, mode = scene.remote, scene.settings.gitops.mode
    if not remote.api and (urlsplit(remote.repository).hostname or _ssh_host(remote.repository)) != "github.com":
        raise Skipped("the host tells this by no API that Slipway speaks (GitHub's); a real push would be told")
    api, owner, name = address(remote)
    if not remote.token:
        if mode == "pull-request":
            raise Failed(f"pull requests need a token for {api}", _NO_TOKEN)
        raise Skipped(f"{api} is only asked with a token: SLIPWAY_GIT_TOKEN")
    with GitHub(remote) as host:
        guarded = host.is_protected()
        if mode == "pull-request":
            host.find("slipway/doctor")  # whether the token may read pull requests
    if guarded and mode == "direct":
        fix = "set gitops.mode to pull-request, or let this identity push past the protection"
        raise Warned(f"{owner}/{name} protects {remote.branch}: a direct push may be refused", fix)
    if not guarded and mode == "pull-request":
        fix = "protect the branch, so that nobody goes past the review"
        raise Warned(f"{owner}/{name} does not protect {remote.branch}, which pull requests go into", fix)
    return f"{remote.branch} is {'protected' if guarded else 'not protected'}, which fits gitops.mode {mode}"


def flux(scene: Scene) -> str:
    """Look whether Flux will read the repository: with a credential of the settings, or as anybody."""
    settings = scene.settings
    url = settings.gitops.repository
    if settings.git_read_token or settings.git_read_key:
        kind = "gitReadToken" if settings.git_read_token else "gitReadKey"
        return f"{kind} is set; only Pulumi reads it, so it was not tried"
    if url.startswith("file:"):
        raise Skipped("a cluster reads no file of this machine")
    if not url.startswith("http"):
        fix = "make a read-only deploy key: pulumi config set --secret slipway:gitReadKey --stack ENV"
        raise Failed("gitReadKey is not set, and an SSH repository is open to nobody", fix)
    import httpx2  # noqa: PLC0415

    try:
        with httpx2.Client(timeout=ANSWER_SECONDS, follow_redirects=True) as client:
            answer = client.get(f"{url.rstrip('/')}/info/refs", params={"service": "git-upload-pack"})
    except httpx2.HTTPError as error:
        raise Warned(f"{url} gives no answer: {error or type(error).__name__}", "look at the network") from error
    if answer.status_code == 200:
        return "the repository is public: Flux needs no credential"
    fix = (
        f"make a token that may only read: pulumi config set --secret slipway:gitReadToken --stack {scene.environment}"
    )
    raise Failed(f"gitReadToken is not set, and {url} answers {answer.status_code} to who has no token", fix)


def _skip_files(scene: Scene) -> None:
    if scene.settings.gitops.mode == "files":
        raise Skipped("gitops.mode files pushes nothing: git.folder has looked at its folder")


def _branches(git: Git) -> dict[str, str]:
    answer = git.attempt("ls-remote", "--heads", "origin", seconds=ANSWER_SECONDS)
    if answer.code:
        raise _told(git.unavailable(answer.err), git.remote)
    rows = (line.partition("\trefs/heads/") for line in answer.out.splitlines())
    return {branch: commit for commit, _, branch in rows}


def _fetch(git: Git) -> str | None:
    """Fetch the branch's last commit and nothing of its content; None where the repository is empty."""
    answer = git.attempt(
        "fetch", "--quiet", "--no-tags", "--depth=1", "--filter=tree:0", "origin", f"+{git.remote.ref}:refs/base",
        seconds=ANSWER_SECONDS,
    )  # fmt: skip
    if answer.code and "couldn't find remote ref" in answer.err:
        return None
    if answer.code:
        raise _told(git.unavailable(answer.err), git.remote)
    return git.run("rev-parse", "refs/base").strip()


def _told(error: RemoteUnavailable, remote: Remote) -> Failed:
    """Give what git said and the fix; without a token also where one comes from."""
    (problem,) = error.problems
    said = next((line for line in reversed(error.detail.splitlines()) if line.strip()), "")
    fix = problem.fix
    if not remote.token and "credentials" in problem.what:
        fix = f"{fix}\n{_NO_TOKEN}"
    return Failed(f"{problem.where} {problem.what}" + (f"\n{said}" if said else ""), fix)


def _ssh_host(url: str) -> str:
    """Give an SSH repository's host as known_hosts names it; empty for another one."""
    if url.startswith("ssh://"):
        parts = urlsplit(url)
        return f"[{parts.hostname}]:{parts.port}" if parts.port not in {None, 22} else parts.hostname or ""
    found = _SCP.match(url) if "://" not in url else None
    return found["host"] if found else ""


def _knows(path: Path, address: str) -> bool:
    """Ask ssh-keygen, which reads hashed names too."""
    if not path.is_file():
        return False
    try:
        asked = subprocess.run(
            ["ssh-keygen", "-F", address, "-f", str(path)], capture_output=True, check=False, timeout=ANSWER_SECONDS
        )
    except FileNotFoundError:
        raise Skipped("there is no ssh-keygen to look with") from None
    return asked.returncode == 0 and bool(asked.stdout.strip())


def _pin(address: str) -> str:
    host, _, port = address.strip("[").partition("]:")
    scan = f"ssh-keyscan{f' -p {port}' if port else ''} {host}"
    return f"{scan} > keys; compare with what its owner publishes, then set gitops.knownHosts to it"


_NEEDS = ("stack.settings", "machine.git")
CHECKS = (
    Check(
        id="git.folder",
        shows="with gitops.mode files: the folder takes files",
        fix="make it yours, or set gitops.folder to another one",
        do=folder,
        needs=("stack.settings",),
    ),
    Check(
        id="git.host-key",
        shows="an SSH repository's host key is pinned in gitops.knownHosts",
        fix="set gitops.knownHosts",
        do=host_key,
        needs=("stack.settings",),
    ),
    Check(
        id="git.read",
        shows="the repository answers, lets us read, and has the branch",
        fix="check gitops.repository, the token and the network",
        do=read,
        needs=_NEEDS,
    ),
    Check(
        id="git.push",
        shows="this identity may push (a dry run), with signed commits where gitops.signingKey is set",
        fix="give SLIPWAY_GIT_TOKEN, an SSH key or a credential helper that may push",
        do=push,
        needs=("git.read",),
    ),
    Check(
        id="git.protected",
        shows="the branch's protection fits gitops.mode, as far as the host's API tells",
        fix="set gitops.mode to pull-request, or correct gitops.api and the token",
        do=protected,
        needs=("stack.settings",),
        seconds=40,
    ),
    Check(
        id="git.flux",
        shows="Flux has a credential to read the repository with, or needs none",
        fix="pulumi config set --secret slipway:gitReadToken --stack ENV",
        do=flux,
        needs=("stack.settings",),
    ),
)
