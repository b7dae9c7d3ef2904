"""This machine: programs and packages in usable versions, folders that can be written to, a port, the clock.

helm and kubectl are not among them: Slipway renders and asks with libraries.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from infra.cache_folder import cache_folder
from slipway.doctor.check import Check, Failed, Skipped, Warned
from slipway.doctor.scene import ANSWER_SECONDS, Scene

#: The oldest git whose options the publisher uses, and the oldest Python that runs this.
OLDEST_GIT, OLDEST_PYTHON = (2, 32), (3, 11)
#: Free space below which a run may not come to its end: plugins take a gigabyte, a rehearsal's tools four.
LEAST_BYTES = 2 * 2**30
PROVIDERS = ("aws", "kubernetes", "random", "tls")
_LOCK = "requirements/run.txt"
_INSTALL = f"pip install --require-hashes -r {_LOCK}"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)( *;)?", re.MULTILINE)


def python(_scene: Scene) -> str:
    """Look at the Python that runs this."""
    running = sys.version_info[:3]
    shown = f"Python {'.'.join(map(str, running))} at {sys.prefix}"
    if running < OLDEST_PYTHON:
        raise Failed(f"{shown} is older than {'.'.join(map(str, OLDEST_PYTHON))}")
    if sys.prefix == sys.base_prefix:
        fix = "python3 -m venv .venv, then work from there: `pulumi up` looks for it under that name"
        raise Warned(f"{shown} is no virtual environment", fix)
    return shown


def packages(scene: Scene) -> str:
    """Hold what is installed against the lock file."""
    lock = scene.root / _LOCK
    if not lock.is_file():
        raise Failed(f"there is no {lock}", "restore it from Git")
    pinned, wrong = _PINNED.findall(lock.read_text()), []
    for name, version, elsewhere in pinned:
        try:
            there = metadata.version(name)
        except metadata.PackageNotFoundError:
            if elsewhere:  # locked for another system or Python
                continue
            there = "missing"
        if there != version:
            wrong.append(f"{name} {there}, locked is {version}")
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise Warned(f"not what is locked: {'; '.join(wrong[:5])}{more}")
    return f"all {len(pinned)} packages are as {_LOCK} locks them"


def pulumi(_scene: Scene) -> str:
    """Look for the Pulumi that `pulumi up` would be; a rehearsal's own is not on PATH."""
    from slipway.tools.find import usable  # noqa: PLC0415
    from slipway.tools.table import tools  # noqa: PLC0415

    tool = tools()["pulumi"]
    path = shutil.which("pulumi")
    if path is None:
        if tool.is_built:
            fix = f"put it on PATH: export PATH=$PATH:{tool.built.parent}"
            raise Warned("not on PATH; rehearsals have one of their own, `pulumi up` has none", fix)
        raise Failed("pulumi is not on PATH", f"install Pulumi {tool.pinned.lstrip('v')}")
    found = usable(tool, Path(path))
    if isinstance(found, str):
        raise Failed(found, f"install Pulumi {tool.oldest} or newer; tested with {tool.pinned.lstrip('v')}")
    return f"Pulumi {found.version} at {path}, the program's SDK is {metadata.version('pulumi')}"


def plugins(_scene: Scene) -> str:
    """Ask Pulumi for the provider plugins that the locked packages need."""
    if shutil.which("pulumi") is None:
        raise Skipped("there is no pulumi on PATH to ask")
    command = ["pulumi", "plugin", "ls", "--json"]
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=ANSWER_SECONDS, env=environment
        )
        there = {(one["name"], one.get("version", "")) for one in json.loads(asked.stdout)}
    except (OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
        raise Warned(f"`{' '.join(command)}` gives no list ({type(error).__name__})") from error
    wanted = {name: metadata.version(f"pulumi-{name}") for name in PROVIDERS}
    missing = {name: version for name, version in wanted.items() if (name, version) not in there}
    if missing:
        commands = "\n".join(f"pulumi plugin install resource {name} v{version}" for name, version in missing.items())
        told = ", ".join(f"{name} {version}" for name, version in missing.items())
        raise Warned(f"not there yet: {told}; the first `pulumi up` downloads them", commands)
    return ", ".join(f"{name} {version}" for name, version in wanted.items())


def git(_scene: Scene) -> str:
    """Ask git for its version."""
    path = shutil.which("git")
    if path is None:
        raise Failed("git is not on PATH")
    try:
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, check=True, timeout=ANSWER_SECONDS
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise Failed(f"{path} does not run ({type(error).__name__})") from error
    version = re.search(r"(\d+)\.(\d+)", said)
    if version is None:
        raise Warned(f"{path} does not tell its version, it says {said[:80]!r}")
    if tuple(map(int, version.groups())) < OLDEST_GIT:
        raise Failed(f"{path} is {said}, which is older than {'.'.join(map(str, OLDEST_GIT))}")
    return f"{said} at {path}"


def ssh(scene: Scene) -> str:
    """Look for what an SSH repository and signed commits need; nothing else does."""
    gitops = scene.settings.gitops
    wanted = []
    if gitops.mode != "files" and not gitops.repository.startswith(("http://", "https://", "file://")):
        wanted += ["ssh", "ssh-keygen"]
    if gitops.signing_key:
        wanted.append("ssh-keygen")
    if not wanted:
        raise Skipped("no SSH repository, and no signed commits")
    if missing := [name for name in dict.fromkeys(wanted) if shutil.which(name) is None]:
        raise Failed(f"{' and '.join(missing)} not on PATH")
    return ", ".join(dict.fromkeys(wanted))


def folders(scene: Scene) -> str:
    """Try to write where runs write, and look how much room there is."""
    places = {"project": scene.root, "cache": cache_folder(), "scratch": Path(tempfile.gettempdir())}
    refused, tight = [], []
    for name, folder in places.items():
        there = next(path for path in (folder, *folder.parents) if path.exists())
        try:
            with tempfile.NamedTemporaryFile(dir=there, prefix=".slipway-doctor-"):
                pass
        except OSError as error:
            refused.append(f"{name} folder {folder}: {error.strerror}")
            continue
        free = shutil.disk_usage(there).free
        if free < LEAST_BYTES:
            tight.append(f"{name} folder {folder}: {free / 2**30:.1f} GiB free")
    if refused:
        raise Failed("; ".join(refused))
    if tight:
        raise Warned("; ".join(tight), "free some; SLIPWAY_CACHE and TMPDIR name other places")
    return ", ".join(map(str, dict.fromkeys(places.values())))


def ports(_scene: Scene) -> str:
    """Listen on loopback and reach it, as rehearsals and their parts do."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                return "loopback takes connections"
    except OSError as error:
        raise Failed(f"127.0.0.1 takes no connections: {error.strerror or error}") from error


CHECKS = (
    Check(
        id="machine.python",
        shows="Python is new enough, in a virtual environment",
        fix="install Python 3.11 or newer, and make .venv with it",
        do=python,
        environment=False,
    ),
    Check(
        id="machine.packages",
        shows="the installed packages are those of the lock file",
        fix=_INSTALL,
        do=packages,
        environment=False,
    ),
    Check(
        id="machine.pulumi",
        shows="Pulumi is on PATH and new enough",
        fix="install Pulumi and put it on PATH",
        do=pulumi,
        environment=False,
        seconds=40,
    ),
    Check(
        id="machine.plugins",
        shows="Pulumi has the provider plugins that the locked packages need",
        fix="pulumi plugin ls shows what is wrong; `pulumi up` downloads what is missing",
        do=plugins,
        needs=("machine.pulumi",),
        environment=False,
    ),
    Check(
        id="machine.git",
        shows="git is on PATH and new enough",
        fix="install git 2.32 or newer",
        do=git,
        environment=False,
    ),
    Check(
        id="machine.ssh",
        shows="ssh and ssh-keygen are there, if the repository or gitops.signingKey needs them",
        fix="install openssh-client",
        do=ssh,
        needs=("stack.settings",),
    ),
    Check(
        id="machine.folders",
        shows="project, cache and scratch folder take files and have two GiB of room",
        fix="make it yours: chown or chmod; SLIPWAY_CACHE and TMPDIR name other places",
        do=folders,
        environment=False,
    ),
    Check(
        id="machine.ports",
        shows="loopback takes connections, which rehearsals talk over",
        fix="a firewall or sandbox is in the way: allow connections to 127.0.0.1",
        do=ports,
        environment=False,
    ),
)
