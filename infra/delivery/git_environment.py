"""The environment that our git runs in: the user's way to remotes and their name, and nothing else of theirs."""

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from infra.errors import Problem, ToolError

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
)
_CONFIG_SECONDS = 30
#: Answers git's question from the environment, so that the token is on no command line and in no file.
_HELPER = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$SLIPWAY_GIT_USERNAME" "$SLIPWAY_GIT_TOKEN"; }; f'
)
#: The name that goes with the token, unless SLIPWAY_GIT_USERNAME says otherwise: GitHub's for an App; others take any.
_USERNAME = "x-access-token"


def git_environment(folder: Path, repository: str, token: str | None) -> dict[str, str]:
    """Give git's whole environment.

    Args:
        folder: the bare repository, which also holds the index.
        repository: URL that the token is for; no other host gets it, wherever a redirect leads.
        token: None for what git itself finds.

    Raises:
        ToolError: there is no git.
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
    return {
        **kept,
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
