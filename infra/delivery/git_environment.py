"""The environment that our git runs in: the user's way to remotes and their name, and nothing else of theirs."""

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from infra.errors import Problem, PublishError, ToolError

MISSING_GIT = Problem(what="git is not on PATH", fix="install git 2.32 or newer")

#: What the user's own configuration adds; everything else (hooks, aliases, signing, filters) stays out.
_CARRIED_SETTINGS = re.compile(r"(credential|http|url|ssh)\.|core\.sshcommand$|user\.(name|email)$", re.IGNORECASE)
#: And of git's variables, those that say how to reach a remote or who asks for its password.
_CARRIED_VARIABLES = re.compile(r"GIT_(SSH|SSL|HTTP|PROXY)|GIT_ASKPASS$")
#: Hooks and housekeeping are for repositories that live longer; ext:: runs any program that a URL names.
_OURS = (
    ("core.hooksPath", os.devnull),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.ext.allow", "never"),
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "30"),
    # Generated texts of a few kilobytes that are sent once: looking for deltas costs more than it saves.
    ("pack.window", "0"),
    ("pack.compression", "1"),
    ("core.compression", "1"),
    ("fastimport.unpackLimit", "1"),
)
#: Names the private SSH key that pushes, and the only one that is tried.
SSH_KEY_VARIABLE = "SLIPWAY_GIT_SSH_KEY"
_CONFIG_SECONDS = 30
#: Answers git's question from the environment, so that the token is on no command line and in no file.
_HELPER = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$SLIPWAY_GIT_USERNAME" "$SLIPWAY_GIT_TOKEN"; }; f'
)
#: The name that goes with the token, unless SLIPWAY_GIT_USERNAME says otherwise: GitHub's for an App; others take any.
_USERNAME = "x-access-token"


def git_environment(folder: Path, repository: str, token: str | None, known_hosts: str = "") -> dict[str, str]:
    """Give git's whole environment.

    Args:
        folder: the bare repository, which also holds the index.
        repository: URL that the token is for; no other host gets it, wherever a redirect leads.
        token: None for what git itself finds.
        known_hosts: the only SSH host keys that count; empty for the user's own file.

    Raises:
        ToolError: there is no git.
        PublishError: the SSH key that was named is not there.
    """
    settings = [*_carried_settings(), *_OURS]
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith("GIT_") or _CARRIED_VARIABLES.match(key)
    }
    url = urlsplit(repository)
    if token and url.scheme in {"http", "https"}:
        helper = f"credential.{url.scheme}://{url.netloc.rpartition('@')[2]}.helper"
        settings += [(helper, ""), (helper, _HELPER)]  # the empty value forgets the user's own helpers
        kept = {"SLIPWAY_GIT_USERNAME": _USERNAME, **kept, "SLIPWAY_GIT_TOKEN": token}
    pinned = _pinned_ssh(folder, known_hosts, {key.lower(): value for key, value in settings})
    return {
        **kept,
        **({"GIT_SSH_COMMAND": pinned} if pinned else {}),
        "LC_ALL": "C",  # its messages are read
        "GIT_DIR": str(folder),
        "GIT_INDEX_FILE": str(folder / "slipway-index"),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": str(len(settings)),
        **{f"GIT_CONFIG_KEY_{at}": key for at, (key, _) in enumerate(settings)},
        **{f"GIT_CONFIG_VALUE_{at}": value for at, (_, value) in enumerate(settings)},
    }


def _carried_settings() -> list[tuple[str, str]]:
    """Read the user's own configuration, system-wide and global, as git itself reads it."""
    outside = {
        key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key.startswith("GIT_CONFIG")
    }
    try:
        listing = subprocess.run(
            ["git", "config", "--list", "--null", "--includes"],
            cwd="/",
            env=outside,
            capture_output=True,
            text=True,
            check=False,
            timeout=_CONFIG_SECONDS,
        )
    except FileNotFoundError:
        raise ToolError(MISSING_GIT) from None
    entries = (entry.partition("\n") for entry in listing.stdout.split("\0") if entry)
    return [(key, value) for key, _, value in entries if _CARRIED_SETTINGS.match(key)]


def _pinned_ssh(folder: Path, known_hosts: str, settings: Mapping[str, str]) -> str:
    """Give the SSH command that takes the pinned host keys and the named key only; empty where nothing is pinned.

    The user's own command stays, with our options first: ssh takes the first value of each.
    """
    key = os.environ.get(SSH_KEY_VARIABLE, "")
    if key and not Path(key).expanduser().is_file():
        problem = Problem(where=SSH_KEY_VARIABLE, what=f"{key}: no such file", fix="give the path of a private SSH key")
        raise PublishError(problem)
    options = ["-i", str(Path(key).expanduser()), "-o", "IdentitiesOnly=yes"] if key else []
    if known_hosts:
        pinned = folder / "known_hosts"
        pinned.write_text(known_hosts.rstrip("\n") + "\n")
        options += ["-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={pinned}"]
        options += ["-o", f"GlobalKnownHostsFile={os.devnull}", "-o", "UpdateHostKeys=no"]
    if not options:
        return ""
    program = os.environ.get("GIT_SSH")
    own = os.environ.get("GIT_SSH_COMMAND") or settings.get("core.sshcommand") or (shlex.quote(program or "ssh"))
    first, *rest = shlex.split(own)
    return shlex.join([first, *options, *rest])
