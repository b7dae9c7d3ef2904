"""The Git server in the cluster, and the way to it from this machine; or the user's own remote in its place."""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

from infra import tables
from infra.delivery.remote import Remote
from infra.errors import KindError, Problem
from slipway.kind.commands import Commands
from slipway.kind.place import Place
from slipway.kind.secrets import GIT_NAMESPACE, identity
from slipway.kind.serve import BRANCH
from slipway.rehearse.cluster.played import git_server as shared

#: As Flux reaches it.
URL = f"http://git.{GIT_NAMESPACE}.svc.cluster.local/gitops.git"
#: For a repository of the user's: opens it for Flux.
READ_TOKEN_VARIABLE = "SLIPWAY_GIT_READ_TOKEN"  # noqa: S105
_FORWARDED = re.compile(r"127\.0\.0\.1:(\d+) ")


def install(commands: Commands, place: Place) -> None:
    """Have the server run; its repository stays on its volume."""
    path = place.folder / "git-server.yaml"
    commands.write(path, manifest(place))
    _apply(commands, path)
    deployment = ("deployment/git", "--namespace", GIT_NAMESPACE, "--timeout", "10m")
    commands.run("kubectl", "rollout", "status", *deployment)


def manifest(place: Place) -> str:
    """Give the server's objects, its program among them."""
    program = {name: Path(path).read_text() for name, path in _PROGRAM.items()}
    digest = hashlib.sha256(json.dumps(program).encode()).hexdigest()[:12]
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "git-server", "namespace": GIT_NAMESPACE},
        "data": program,
    }
    image = tables.read("kind")["git_server_image"]
    return f"{place.document('git-server.yaml', image=image, digest=digest)}---\n{json.dumps(config)}\n"


_PROGRAM = {"serve.py": Path(__file__).with_name("serve.py"), "git_server.py": shared.__file__}


@contextlib.contextmanager
def reached(commands: Commands) -> Generator[Remote]:
    """Give the server's branch as this machine reaches it, for as long as the block runs."""
    token = identity(commands, "writer")
    forward = ("kubectl", "port-forward", "--namespace", GIT_NAMESPACE, "service/git", ":80")
    with commands.background(*forward) as said:
        found = _FORWARDED.search(said)
        if not found and not commands.is_dry:
            raise KindError(Problem(where=" ".join(forward), what=f"said {said.strip()!r} and no port"))
        url = f"http://127.0.0.1:{found[1] if found else 0}/gitops.git"
        with _no_proxy():
            yield Remote(repository=url, branch=BRANCH, token=token)


def own_remote(url: str, token: str | None) -> Remote:
    """Give the user's remote.

    Raises:
        KindError: no URL that both sides reach with a token.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        what = f"{url} is no HTTP(S) URL"
        fix = "give the https URL: Flux reads it with SLIPWAY_GIT_READ_TOKEN, slipway pushes with SLIPWAY_GIT_TOKEN"
        raise KindError(Problem(where="--remote", what=what, fix=fix))
    if parts.username or parts.password:
        fix = "give the token by SLIPWAY_GIT_TOKEN, for Flux by SLIPWAY_GIT_READ_TOKEN"
        raise KindError(Problem(where="--remote", what="the URL holds credentials", fix=fix))
    if parts.hostname in {"localhost", "127.0.0.1", "::1"}:
        what, fix = (
            f"{parts.hostname} in the cluster is not this machine",
            "give a name that pods reach, or no --remote",
        )
        raise KindError(Problem(where="--remote", what=what, fix=fix))
    return Remote(repository=url, branch=BRANCH, token=token)


@contextlib.contextmanager
def _no_proxy() -> Generator[None]:
    """Reach 127.0.0.1 directly, whatever proxy leads out of the building."""
    before = {name: os.environ.get(name) for name in ("no_proxy", "NO_PROXY")}
    try:
        for name, value in before.items():
            os.environ[name] = ",".join(filter(None, (value, "127.0.0.1")))
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _apply(commands: Commands, path: Path) -> None:
    commands.run("kubectl", "apply", "--server-side", "--field-manager", "slipway", "--filename", str(path))
