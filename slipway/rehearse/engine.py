"""Drive the real `pulumi` command over a rehearsal's workspace and read its event log.

engine = Engine(pulumi, workspace, environment={…}, progress=print, announce=print)
outcome = engine.run("up")
outcome.changes            # {"create": 150, …}
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infra.errors import Problem, RehearsalError
from slipway.rehearse.events import EventLog, Outcome
from slipway.rehearse.language_host import serving
from slipway.rehearse.timeline import PARALLEL
from slipway.rehearse.workspace import Workspace
from slipway.tools.find import Found

_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 30
_SHOWN_LINES = 40
#: Operations that run the program, and those that read the state alone.
_WITH_PROGRAM = {"preview", "up"}

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The `pulumi` command in one workspace.

    Attributes:
        pulumi, workspace: what runs, and where.
        environment: the engine's whole environment.
        progress: told several times a second how far an operation is.
        announce: told what a person must know: that it is being stopped.
    """

    pulumi: Found
    workspace: Workspace
    environment: Mapping[str, str]
    progress: Progress
    announce: Progress

    def select_stack(self) -> None:
        """Make the stack if it is not there, and take away a lock that a killed run left (nobody else can hold it)."""
        if not self.workspace.has_stack:
            self._call("stack", "init", self.workspace.environment)
        locks = self.workspace.folder / "state" / ".pulumi" / "locks"
        if any(path.is_file() for path in locks.rglob("*")):
            self._call("cancel", "--yes", "--stack", self.workspace.environment)

    def deployment(self) -> dict[str, Any]:
        """Give the state, as `pulumi stack export` has it."""
        exported = self._call("stack", "export", "--stack", self.workspace.environment)
        return json.loads(exported)["deployment"]

    def unprotect(self) -> None:
        """Take Pulumi's own protection from every resource."""
        self._call("state", "unprotect", "--all", "--yes", "--stack", self.workspace.environment)

    def run(self, operation: str, *more: str) -> Outcome:
        """Run one operation, with `more` of its options; its failures are in the outcome.

        Raises:
            RehearsalError: the engine ended without saying why.
            KeyboardInterrupt: after the engine was stopped and gave its lock back.
        """
        started = time.monotonic()
        log = EventLog(self.workspace.folder / f"{operation}.events")
        log.path.unlink(missing_ok=True)
        self.workspace.journal.unlink(missing_ok=True)
        arguments = [operation, *more, "--stack", self.workspace.environment, "--event-log", str(log.path)]
        arguments += ["--non-interactive", "--parallel", str(PARALLEL)]
        if operation != "preview":
            arguments += ["--yes", "--skip-preview"]
        with contextlib.ExitStack() as stack:
            if operation in _WITH_PROGRAM:
                arguments += ["--client", stack.enter_context(serving(self.workspace.root))]
            code, said = self._follow(arguments, log, operation)
        log.read()
        outcome = log.outcome(operation, time.monotonic() - started)
        if not code:
            # What the engine says while it shuts its plugins down is no failure of a resource.
            return replace(outcome, failures=())
        if not outcome.failures:
            raise RehearsalError(
                Problem(where=f"pulumi {operation}", what=f"ended with exit code {code}", fix="its own words:"),
                detail=said,
            )
        return outcome

    def _call(self, *arguments: str) -> str:
        """Run a short command."""
        done = subprocess.run(
            [str(self.pulumi.path), *arguments, "--non-interactive", "--color", "never"],
            cwd=self.workspace.project, env=dict(self.environment), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RehearsalError(
                Problem(
                    where=f"pulumi {' '.join(arguments[:2])}",
                    what=f"ended with exit code {done.returncode}",
                    fix="its own words are below; `--fresh` starts with an empty state",
                ),
                detail=done.stderr.strip(),
            )  # fmt: skip
        return done.stdout

    def _follow(self, arguments: Sequence[str], log: EventLog, operation: str) -> tuple[int, str]:
        """Run the engine to its end and tell the progress; Ctrl-C stops it gracefully, a second one at once."""
        with subprocess.Popen(
            [str(self.pulumi.path), *arguments, "--color", "never"],
            cwd=self.workspace.project, env=dict(self.environment), text=True, errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,  # a terminal's Ctrl-C reaches us alone, and we tell the engine once
        ) as process:  # fmt: skip
            said: list[str] = []
            reader = threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True)
            reader.start()
            try:
                while process.poll() is None:
                    time.sleep(_POLL_SECONDS)
                    log.read()
                    if text := log.progress():
                        self.progress(f"{operation}: {text}")
            except BaseException:
                _stop(process, self.announce)
                raise
            finally:
                reader.join(timeout=_PATIENCE_SECONDS)  # before its pipe is closed
        return process.returncode, "".join(said[-_SHOWN_LINES:]).strip()


def _stop(process: subprocess.Popen[str], announce: Progress) -> None:
    """Interrupt the engine once, so that it writes its state and gives its lock back; then make sure.

    Raises:
        KeyboardInterrupt: a second Ctrl-C; nothing of the engine runs any more. The next run takes its lock away.
    """
    try:
        process.send_signal(signal.SIGINT)
        announce("stopping: the engine writes its state; Ctrl-C again ends it at once")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_PATIENCE_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
