"""Build a program from its Go module into the cache: once, whole or not at all, with progress."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

from infra.errors import Problem, ToolError
from slipway.tools.table import Tool

Progress = Callable[[str], None]
_PROGRESS_SECONDS = 2
_SHOWN_LINES = 20


def build(tool: Tool, *, progress: Progress, announce: Progress) -> None:
    """Build a program if it is not in the cache yet; another process that builds it is waited for.

    Args:
        tool: what to build.
        progress: told how far it is, every two seconds.
        announce: told that it begins and that it is done.

    Raises:
        ToolError: there is no Go, or the build failed; nothing is left of it.
    """
    go = shutil.which("go")
    if go is None:
        raise ToolError(Problem(what=f"there is no go to build {tool.name} with", fix="install Go and run this again"))
    with _one_at_a_time(tool, announce):
        if not tool.is_built:  # another process may have built it while this one waited
            _build(go, tool, progress, announce)


def digest(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_file(tool: Tool) -> Path:
    """Where the digest of a built program stands."""
    return tool.built.with_name(f"{tool.name}.sha256")


@contextlib.contextmanager
def _one_at_a_time(tool: Tool, announce: Progress) -> Generator[None]:
    tool.built.parent.mkdir(parents=True, exist_ok=True)
    with (tool.built.parent / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            announce(f"another process builds {tool.module}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield  # closing the file gives the lock back, also when the process is killed


def _build(go: str, tool: Tool, progress: Progress, announce: Progress) -> None:
    """Build into a temporary name and move it into place, so that what is there is always whole."""
    version, folder = tool.pinned, tool.built.parent
    started = time.monotonic()
    announce(f"building {tool.name} {version} once, a few minutes, into {folder}")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        output = Path(scratch) / tool.name
        said, code = _run([go, "build", "-v", *_flags(tool), "-o", str(output), tool.package], tool, started, progress)
        if code:
            fix = f"install {tool.name}, or see go's words below"
            raise ToolError(
                Problem(where=str(tool.folder), what=f"{tool.name} {version} did not build", fix=fix),
                detail="\n".join(said[-_SHOWN_LINES:]),
            )
        if tool.files:
            _copy_files(go, tool, Path(scratch) / "files")
        digest_file(tool).write_text(f"{digest(output)}\n")
        output.replace(tool.built)
    announce(f"{tool.name} {version} is built, {time.monotonic() - started:.0f} s")


def _copy_files(go: str, tool: Tool, scratch: Path) -> None:
    """Take the program's files out of its module, which `go clean -modcache` would take away.

    Raises:
        ToolError: the module does not have them.
    """
    where = [go, "list", "-m", "-f", "{{.Dir}}", tool.requires]
    listed = subprocess.run(where, cwd=tool.folder, capture_output=True, text=True, check=False)
    scratch.mkdir()
    for pattern in tool.files:
        found = list(Path(listed.stdout.strip() or os.devnull).glob(pattern))
        if not found:
            what = f"{tool.requires} has no {pattern}"
            raise ToolError(
                Problem(where=str(tool.folder), what=what, fix="correct tables/tools.yaml"), detail=listed.stderr
            )
        for path in found:
            shutil.copyfile(path, scratch / path.name)
    shutil.rmtree(tool.files_folder, ignore_errors=True)
    scratch.replace(tool.files_folder)


def _flags(tool: Tool) -> list[str]:
    words = {"version": tool.pinned, "bare": tool.pinned.lstrip("v")}
    stamps = [f"-X {variable}={value.format(**words)}" for variable, value in tool.stamp.items()]
    tags = ["-tags", tool.tags] if tool.tags else []
    return ["-trimpath", *tags, "-ldflags", " ".join(["-s -w", *stamps])]


def _run(command: list[str], tool: Tool, started: float, progress: Progress) -> tuple[list[str], int]:
    """Run go to its end, telling the progress; gives its words and its exit code."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
    lines: list[str] = []
    told = time.monotonic()
    with subprocess.Popen(
        command, cwd=tool.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            for line in process.stderr or ():
                lines.append(line.rstrip())
                if time.monotonic() - told >= _PROGRESS_SECONDS:
                    told = time.monotonic()
                    progress(f"{tool.name}: {told - started:.0f} s, {len(lines)} packages, {lines[-1]}")
        except BaseException:
            process.kill()
            raise
    return lines, process.returncode
