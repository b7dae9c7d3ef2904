"""Find the `pulumi` command, or build it once from its Go module (tools/pulumi) into the user's cache.

Looked for in this order: SLIPWAY_PULUMI, PATH, the cache. One that is too old is passed over and said.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from infra.errors import Problem, ToolError

#: First version with everything that the program's SDK asks of the engine.
OLDEST = (3, 250, 0)
MODULE = Path(__file__).parents[2] / "tools" / "pulumi"
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Pulumi:
    """A usable `pulumi`.

    Attributes:
        path: of the executable.
        version: without the v.
    """

    path: Path
    version: str


def cache_folder() -> Path:
    """Where built tools are kept: SLIPWAY_CACHE, or the user's cache folder."""
    return Path(os.environ.get("SLIPWAY_CACHE") or platformdirs.user_cache_path("slipway"))


def find_pulumi(progress: Progress, announce: Progress) -> Pulumi:
    """Give a `pulumi` that is new enough, building it if there is none.

    Args:
        progress: told how far a build is, every two seconds.
        announce: told what a person must know: that a build begins, that one on PATH is too old.

    Raises:
        ToolError: SLIPWAY_PULUMI is no usable pulumi; or there is none, and no Go to build it; or the build failed.
    """
    if given := os.environ.get("SLIPWAY_PULUMI"):
        found = _usable(Path(given))
        if isinstance(found, str):
            raise ToolError(
                Problem(where="SLIPWAY_PULUMI", what=found, fix=f"name a pulumi {_dotted(OLDEST)} or newer")
            )
        return found
    passed_over = ""
    for path in filter(None, (shutil.which("pulumi"), str(built_path()))):
        found = _usable(Path(path))
        if not isinstance(found, str):
            return found
        passed_over = passed_over or (found if Path(path).exists() else "")
    if passed_over:
        announce(f"{passed_over}; going on with one of our own")
    return _built(passed_over, progress, announce)


def built_version() -> str:
    """Give the version that tools/pulumi/go.mod pins."""
    text = (MODULE / "go.mod").read_text()
    found = re.search(r"^\s*github\.com/pulumi/pulumi/pkg/v3 v(\S+)", text, re.MULTILINE)
    if not found:
        raise ToolError(
            Problem(where=str(MODULE / "go.mod"), what="does not require pulumi", fix="restore it from Git")
        )
    return found[1]


def built_path() -> Path:
    """Where the built `pulumi` is, or will be."""
    return cache_folder() / "tools" / f"pulumi-v{built_version()}" / "pulumi"


def _usable(path: Path) -> Pulumi | str:
    """Give the pulumi at `path`, or why it cannot be used."""
    try:
        answer = subprocess.run(
            [str(path), "version"], capture_output=True, text=True, check=True, timeout=30,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return f"{path} does not run ({type(error).__name__})"
    version = re.match(r"v?(\d+)\.(\d+)\.(\d+)", answer.strip())
    if not version:
        return f"{path} does not tell its version, it says {answer.strip()[:80]!r}"
    if tuple(map(int, version.groups())) < OLDEST:
        return f"{path} is pulumi {version[0].lstrip('v')}, which is older than {_dotted(OLDEST)}"
    return Pulumi(path=path, version=version[0].lstrip("v"))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _built(passed_over: str, progress: Progress, announce: Progress) -> Pulumi:
    target = built_path()
    go = shutil.which("go")
    if go is None:
        raise ToolError(
            Problem(
                what=passed_over or "there is no pulumi on PATH, and no go to build it with",
                fix=f"install pulumi {_dotted(OLDEST)} or newer, or Go, and run this again",
            )
        )
    with _one_at_a_time(target.parent, announce):
        if not target.exists():  # another process may have built it while this one waited
            _build(go, target, progress, announce)
    return Pulumi(path=target, version=built_version())


@contextlib.contextmanager
def _one_at_a_time(folder: Path, announce: Progress) -> Generator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            announce("another process builds pulumi; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield  # closing the file gives the lock back, also when the process is killed


def _build(go: str, target: Path, progress: Progress, announce: Progress) -> None:
    """Build into a temporary name and move it into place, so that what is there is always whole."""
    version = built_version()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        output = Path(folder) / "pulumi"
        command = [
            go, "build", "-v", "-trimpath", "-tags", "osusergo",
            "-ldflags", f"-s -w -X {_VERSION_VARIABLE}=v{version}", "-o", str(output), PACKAGE,
        ]  # fmt: skip
        announce(f"building pulumi {version} once, about five minutes, into {target.parent}")
        with subprocess.Popen(
            command, cwd=MODULE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=_go_environment()
        ) as process:
            try:
                said = _followed(process, started, progress)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise ToolError(
                Problem(
                    where=str(MODULE), what=f"pulumi {version} did not build", fix="install pulumi, or see go's words"
                ),
                detail="\n".join(said[-20:]),
            )
        output.replace(target)
    announce(f"pulumi {version} is built, {time.monotonic() - started:.0f} s")


def _go_environment() -> dict[str, str]:
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": os.environ.get("GOTOOLCHAIN", "auto"),
    }


def _followed(process: subprocess.Popen[str], started: float, progress: Progress) -> list[str]:
    """Read go's words to the end, telling the progress every two seconds; gives the lines."""
    lines: list[str] = []
    told = time.monotonic()
    for line in process.stderr or ():
        lines.append(line.rstrip())
        if time.monotonic() - told >= 2:
            told = time.monotonic()
            progress(f"  {told - started:4.0f} s, {len(lines)} packages, {lines[-1]}")
    process.wait()
    return lines
