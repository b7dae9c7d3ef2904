"""One command of a proof as a process of its own: heard, written down without secrets, stopped gently.

answer = play(Command(words=("slipway", "status", "prove-dev"), cwd=root), log, clean=…, tell=…, announce=…)
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from infra.errors import Problem, ProofError
from slipway.prove.redact import Clean

#: What "slipway" stands for: the program that runs now, whatever is on PATH.
SLIPWAY = (sys.executable, "-c", "from slipway.cli import main; main()")
TAIL_LINES = 40
_POLL_SECONDS = 0.1
#: What is stopped a second time gets so long to give its lock back.
_LAST_SECONDS = 10
_HOMES = {
    "pulumi": "install the Pulumi CLI, and log in to the backend",
    "aws": "install AWS CLI version 2: it gives the cluster's kubeconfig",
}


class Abandoned(KeyboardInterrupt):  # interrupted twice: nothing more is to be begun
    """A second Ctrl-C."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A program with its arguments.

    Attributes:
        words: as a person types them.
        cwd: where.
        more: variables beside the process's own; they may be secret and never show.
    """

    words: tuple[str, ...]
    cwd: Path
    more: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> str:
        """Give it as a person types it, with the home folder as ``~``."""
        home = f"{Path.home()}/"
        return " ".join(
            f"~/{shlex.quote(word[len(home) :])}" if word.startswith(home) else shlex.quote(word) for word in self.words
        )

    @property
    def environment(self) -> dict[str, str]:
        """The process's whole environment."""
        paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        ours = {"PYTHONPATH": os.pathsep.join(paths)} if self.words[0] == "slipway" else {}
        return {**os.environ, "NO_COLOR": "1", "PULUMI_SKIP_UPDATE_CHECK": "true", **ours, **self.more}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a command ended.

    Attributes:
        code: exit code.
        out: what it wrote to stdout, without secrets.
        tail: last lines of what it said to people.
    """

    code: int
    out: str
    tail: list[str]


def play(
    command: Command, log: Path, *, accounts: bool, tell: Callable[[str], None], announce: Callable[[str], None]
) -> Answer:
    """Run a command to its end.

    Args:
        command: to run.
        log: file for all that it says, after what is in it.
        accounts: leave ids of AWS accounts in.
        tell: told its last line.
        announce: told what a person must know.

    Raises:
        ProofError: there is no such program.
        KeyboardInterrupt: after the command has ended in its own way.
        Abandoned: it was interrupted twice; nothing of it runs any more.
    """
    program = SLIPWAY if command.words[0] == "slipway" else command.words[:1]
    environment = command.environment
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log.open("a") as file, _started([*program, *command.words[1:]], command.cwd, environment) as process:
        ears = _Ears(file=file, environment=environment, accounts=accounts, tell=tell)
        ears.write(f"$ {Clean(environment, accounts=accounts)(command.shown)}")
        # What a command of ours writes to stdout is JSON, for whoever reads the answer.
        is_data = command.words[0] == "slipway"
        readers = [ears.listen(process.stdout, kept=True, is_data=is_data), ears.listen(process.stderr)]
        try:
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_SECONDS)
        except KeyboardInterrupt:
            _stop(process, command, announce)
            raise
        finally:
            _end(process)
            for reader in readers:
                reader.join(_LAST_SECONDS)  # what the command left behind may hold its pipe open
    return Answer(code=process.returncode, out="\n".join(ears.out), tail=list(ears.tail))


@dataclass(kw_only=True)
class _Ears:
    """Hears both streams of a command: writes all down without secrets, and keeps what is asked for later."""

    file: IO[str]
    environment: Mapping[str, str]
    accounts: bool
    tell: Callable[[str], None]
    out: list[str] = field(default_factory=list)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def listen(self, stream: IO[str] | None, *, kept: bool = False, is_data: bool = False) -> threading.Thread:
        """Begin to hear a stream."""

        def hear() -> None:
            clean = Clean(self.environment, accounts=self.accounts)
            for said in stream or ():
                line = clean(said.rstrip("\n"))
                self.write(line)
                if kept:
                    self.out.append(line)
                if line.strip() and not is_data:
                    self.tail.append(line)
                    self.tell(line.strip())

        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        return thread

    def write(self, line: str) -> None:
        """Write a line down."""
        with self.lock:
            self.file.write(f"{line}\n")
            self.file.flush()


def _started(words: list[str], cwd: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            words, cwd=cwd, env=dict(environment), text=True, errors="replace", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,  # a terminal's Ctrl-C reaches us alone, and we tell it once
        )  # fmt: skip
    except FileNotFoundError:
        fix = _HOMES.get(words[0], f"install {words[0]}")
        raise ProofError(Problem(where="PATH", what=f"{words[0]} is not on it", fix=fix)) from None


def _stop(process: "subprocess.Popen[str]", command: Command, announce: Callable[[str], None]) -> None:
    """Interrupt a command and let it finish what it has begun; a half-made resource is one that nobody knows of.

    Raises:
        Abandoned: interrupted again.
    """
    try:
        announce(f"stopping: {command.words[0]} finishes what it has begun; Ctrl-C again leaves everything standing")
        _send(process, signal.SIGINT)
        process.wait()
    except KeyboardInterrupt:
        with contextlib.suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
            _send(process, signal.SIGINT)
            process.wait(_LAST_SECONDS)
        raise Abandoned from None


def _end(process: "subprocess.Popen[str]") -> None:
    """Make sure that it does not run."""
    if process.poll() is None:
        _send(process, signal.SIGKILL)
        process.wait()


def _send(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)  # as a terminal does: what it started hears it as well
