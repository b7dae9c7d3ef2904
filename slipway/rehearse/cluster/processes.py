"""The processes of one rehearsed cluster: started in the background, remembered on disk, ended for certain.

    processes = Processes(folder)
    processes.start("etcd", [path, …])
    processes.stop()

A process is known by its id and its start time, so that a number that the system gave to somebody else since is never
killed, and a run that was killed itself leaves nothing that the next one could not end.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil

from infra.errors import Problem, RehearsalError

_PATIENCE_SECONDS = 10
_SHOWN_LINES = 15


@dataclass(frozen=True)
class Processes:
    """What runs for one rehearsal.

    Attributes:
        folder: holds ``processes.json`` and a log for each.
    """

    folder: Path
    #: A handle that nobody holds would complain that its process still runs, which is the point of it.
    _handles: ClassVar[list[subprocess.Popen[bytes]]] = []

    @property
    def record(self) -> Path:
        """Name → id and start time of each process."""
        return self.folder / "processes.json"

    def log(self, name: str) -> Path:
        """What a process wrote."""
        return self.folder / "logs" / f"{name}.log"

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a process in a session of its own: Ctrl-C in the terminal is not for it."""
        self.log(name).parent.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(
                command,
                env={**os.environ, **(environment or {})},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._handles.append(process)
        self._write({**self._read(), name: (process.pid, psutil.Process(process.pid).create_time())})

    def alive(self, name: str) -> bool:
        """Tell whether a process that was started here still runs."""
        return name in self._read() and self._process(name) is not None

    def names(self) -> set[str]:
        """Give the names of those that still run."""
        return {name for name in self._read() if self.alive(name)}

    def refuse_dead(self) -> None:
        """Stand for all of them.

        Raises:
            RehearsalError: one has ended; its last words are the detail.
        """
        if dead := [name for name in self._read() if not self.alive(name)]:
            said = self.log(dead[0]).read_text(errors="replace").splitlines()[-_SHOWN_LINES:]
            raise RehearsalError(
                *(
                    Problem(
                        where=name,
                        what="has ended by itself",
                        fix=f"run it again, or begin anew with --fresh; its log is {self.log(name)}",
                    )
                    for name in dead
                ),
                detail="\n".join(said),
            )  # fmt: skip

    def stop(self, *names: str) -> None:
        """End the named processes, or all: in the reverse order of their start, gracefully first."""
        recorded = self._read()
        for name in reversed([*recorded]):
            if names and name not in names:
                continue
            if process := self._process(name):
                _end(process)
            recorded.pop(name)
            self._write(recorded)
        self._handles[:] = [handle for handle in self._handles if handle.poll() is None]

    def recorded(self) -> dict[str, tuple[int, float]]:
        """Give id and start time of each process, for `end_all` once the folder is gone."""
        return self._read()

    def resident_bytes(self) -> int:
        """Give the memory that all of them hold, shared pages counted for each."""
        found = [process for name in self._read() if (process := self._process(name))]
        return sum(process.memory_info().rss for process in found)

    def _process(self, name: str) -> psutil.Process | None:
        return _same(*self._read()[name])

    def _read(self) -> dict[str, tuple[int, float]]:
        try:
            return json.loads(self.record.read_text())
        except FileNotFoundError:
            return {}

    def _write(self, recorded: Mapping[str, tuple[int, float]]) -> None:
        scratch = self.record.with_suffix(".new")
        scratch.write_text(json.dumps(recorded))
        scratch.replace(self.record)


def end_all(recorded: Mapping[str, tuple[int, float]]) -> None:
    """End the processes that `Processes.recorded` gave, the latest first."""
    for pid, created in reversed([*recorded.values()]):
        if pid != os.getpid() and (process := _same(pid, created)):
            _end(process)


def _same(pid: int, created: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        # Two decimals are what /proc tells; a later process with this id began long after.
        same = abs(process.create_time() - created) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if same else None


def _end(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(_PATIENCE_SECONDS)


def python(module: str, *arguments: str) -> list[str]:
    """Give the command that runs one of our own modules."""
    return [sys.executable, "-m", module, *arguments]
