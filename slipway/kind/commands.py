"""The one runner of other people's programs: docker, kind, kubectl, helm. `DryRun` shows what would run.

    commands = Commands(Path("kubeconfig"))
    commands.run("kind", "create", "cluster", "--name", "slipway")

No secret is ever among the arguments: Secrets go through stdin, and are named in what is shown.
"""

import collections
import contextlib
import io
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.errors import KindError, Problem

_TELL_SECONDS = 2.0
#: Where to get each program.
_HOMES = {
    "docker": "install Docker Engine or Docker Desktop: https://docs.docker.com/get-docker/",
    "kind": "install kind: https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
    "kubectl": "install kubectl: https://kubernetes.io/docs/tasks/tools/",
    "helm": "install Helm 4: https://helm.sh/docs/intro/install/; or leave --direct out",
}


@dataclass(frozen=True)
class Answer:
    """What a program said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Commands:
    """Runs programs, with KUBECONFIG set to the cluster's own file: the user's is never read or written.

    Attributes:
        kubeconfig: of the cluster.
        tell: told every two seconds which command runs.
    """

    kubeconfig: Path
    tell: Callable[[str], None] = lambda _: None
    is_dry: bool = field(default=False, init=False)

    def attempt(self, *command: str, stdin: str = "", fresh: str = "") -> Answer:
        """Run a command and give its answer, whatever it is.

        Args:
            command: program and arguments.
            stdin: what it reads.
            fresh: what it says on a machine where nothing was made yet; only a dry run needs to know.

        Raises:
            KindError: there is no such program.
        """
        del fresh
        with self._told_of(" ".join(command[:3])):
            try:
                done = subprocess.run(
                    command, input=stdin, capture_output=True, text=True, check=False, env=self.environment
                )
            except FileNotFoundError:
                raise missing(command[0]) from None
        return Answer(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def _told_of(self, name: str) -> Generator[None]:
        """Say that a command lives, for as long as the block runs.

        From a thread: `communicate` with a timeout does not go on writing what a process reads when it is called again.
        """
        started, is_over = time.monotonic(), threading.Event()

        def say() -> None:
            while not is_over.wait(_TELL_SECONDS):
                self.tell(f"{name}, {time.monotonic() - started:.0f} s")

        teller = threading.Thread(target=say, daemon=True)
        teller.start()
        try:
            yield
        finally:
            is_over.set()
            teller.join()

    def ask(self, *command: str, fresh: str = "") -> str:
        """Run a command that only reads, and give what it wrote.

        Raises:
            KindError: it failed, or there is no such program.
        """
        answer = self.attempt(*command, fresh=fresh)
        if answer.code:
            raise failed(command, answer)
        return answer.out

    def run(self, *command: str, stdin: str = "", what: str = "") -> None:
        """Run a command that changes something.

        Args:
            command: program and arguments.
            stdin: what it reads.
            what: what that is, for a person.

        Raises:
            KindError: it failed, or there is no such program.
        """
        del what
        answer = self.attempt(*command, stdin=stdin)
        if answer.code:
            raise failed(command, answer)

    def write(self, path: Path, text: str) -> None:
        """Write a file that a command will read."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(text)

    def inside(self, text: str) -> None:
        """Say what is done without another program; a real run just does it."""

    @contextlib.contextmanager
    def background(self, *command: str) -> Generator[str]:
        """Run a command for as long as the block runs; gives its first line.

        Raises:
            KindError: it ended before it said anything, or there is no such program.
        """
        try:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment
            )
        except FileNotFoundError:
            raise missing(command[0]) from None
        with process:
            try:
                said = process.stdout or io.StringIO()
                first = said.readline()
                if not first:
                    raise failed(command, Answer(process.wait(), "", ""))
                # It tells each connection: unread, that fills the pipe and stops it.
                threading.Thread(target=lambda: collections.deque(said, maxlen=0), daemon=True).start()
                yield first
            finally:
                process.terminate()
                process.wait()

    @property
    def environment(self) -> Mapping[str, str]:
        """The programs' environment."""
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig)}


@dataclass(frozen=True)
class DryRun(Commands):
    """Shows each command and runs none.

    Attributes:
        show: told each line.
    """

    show: Callable[[str], None] = lambda _: None
    is_dry: bool = field(default=True, init=False)

    def attempt(self, *command: str, stdin: str = "", fresh: str = "") -> Answer:
        """Show a command; the answer is that of a machine where nothing was made yet."""
        del stdin
        self.show(shown(command))
        return Answer(0, fresh, "")

    def run(self, *command: str, stdin: str = "", what: str = "") -> None:
        """Show a command, and what goes into it."""
        del stdin
        self.show(shown(command) + (f"  # stdin: {what}" if what else ""))

    def write(self, path: Path, text: str) -> None:
        """Write nothing."""

    def inside(self, text: str) -> None:
        """Show it as a comment."""
        self.show(f"# slipway {text}")

    @contextlib.contextmanager
    def background(self, *command: str) -> Generator[str]:
        """Show a command that would run beside the next ones."""
        self.show(f"{shown(command)} &")
        yield ""


def shown(command: tuple[str, ...]) -> str:
    """Give a command as a person would type it, with the home folder as ``~``."""
    home = str(Path.home())
    # A quoted ~ is a folder of that name, so what begins at home is not quoted further than it must be.
    return " ".join(
        f"~{shlex.quote(part[len(home) :])}" if part.startswith(f"{home}/")
        else shlex.quote(part).replace(f"={home}/", "=~/") for part in command
    )  # fmt: skip


def missing(program: str) -> KindError:
    """Give the error for a program that is not there."""
    return KindError(missing_problem(program))


def missing_problem(program: str) -> Problem:
    """Say that a program is not there, and where it is to be had."""
    return Problem(where="PATH", what=f"{program} is not on it", fix=_HOMES.get(program, f"install {program}"))


def failed(command: tuple[str, ...], answer: Answer) -> KindError:
    """Give the error for a command that failed, with its own last words."""
    said = "\n".join((answer.err.strip() or answer.out.strip()).splitlines()[-12:])
    problem = Problem(
        where=shown(command), what=f"ended with {answer.code}", fix="its own words are below; then run slipway again"
    )
    return KindError(problem, detail=said)
