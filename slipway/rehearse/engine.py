"""Drive the real `pulumi` command over a rehearsal's workspace and read its event log.

engine = Engine(pulumi, workspace, environment={…}, progress=print)
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.errors import Problem, RehearsalError
from slipway.rehearse.language_host import serving
from slipway.rehearse.workspace import Workspace
from slipway.tools.find import Found

#: Beyond the width of the graph: fewer make the simulated creation wait for slots.
PARALLEL = 32
_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 30
#: Operations that run the program, and those that read the state alone.
_WITH_PROGRAM = {"preview", "up"}

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A resource, or the program itself (no URN), that failed, with the reason."""

    urn: str
    message: str


@dataclass(kw_only=True)
class Outcome:
    """What one engine operation did.

    Attributes:
        operation: preview, up, refresh or destroy.
        seconds: wall clock.
        changes: operation on resources → how many, without those that stay the same.
        failures: empty when it succeeded.
        files: paths that differ in the commit; all of them where there was none.
    """

    operation: str
    seconds: float = 0.0
    changes: Mapping[str, int] = field(default_factory=dict)
    failures: Sequence[Failure] = ()
    files: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The `pulumi` command in one workspace."""

    pulumi: Found
    workspace: Workspace
    environment: Mapping[str, str]
    progress: Progress

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

    def run(self, operation: str) -> Outcome:
        """Run one operation; its failures are in the outcome.

        Raises:
            RehearsalError: the engine ended without saying why.
            KeyboardInterrupt: after the engine was stopped and gave its lock back.
        """
        started = time.monotonic()
        events = self.workspace.folder / f"{operation}.events"
        events.unlink(missing_ok=True)
        self.workspace.journal.unlink(missing_ok=True)
        arguments = [operation, "--stack", self.workspace.environment, "--event-log", str(events), "--non-interactive"]
        arguments += ["--parallel", str(PARALLEL)]
        if operation != "preview":
            arguments += ["--yes", "--skip-preview"]
        with contextlib.ExitStack() as stack:
            if operation in _WITH_PROGRAM:
                arguments += ["--client", stack.enter_context(serving(self.workspace.root))]
            code, said = self._follow(arguments, events, operation)
        outcome = _outcome(operation, _read(events))
        outcome.seconds = time.monotonic() - started
        if not code:
            # What the engine says while it shuts its plugins down is no failure of a resource.
            outcome.failures = ()
        if code and not outcome.failures:
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

    def _follow(self, arguments: Sequence[str], events: Path, operation: str) -> tuple[int, str]:
        """Run the engine to its end and tell the progress; Ctrl-C stops it gracefully first."""
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
                    self._tell(events, operation)
            except BaseException:
                _stop(process)
                raise
            reader.join(timeout=_PATIENCE_SECONDS)
        return process.returncode, "".join(said[-40:]).strip()

    def _tell(self, events: Path, operation: str) -> None:
        seen = list(_read(events))
        begun = [event["resourcePreEvent"]["metadata"] for event in seen if "resourcePreEvent" in event]
        done = sum("resOutputsEvent" in event for event in seen)
        if begun:
            self.progress(f"{operation}: {done} of {len(begun)} begun, {begun[-1]['urn'].rpartition('::')[2]}")


def _stop(process: subprocess.Popen[str]) -> None:
    """Interrupt the engine once, so that it writes its state and gives its lock back; then make sure."""
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_PATIENCE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _read(events: Path) -> Iterator[dict[str, Any]]:
    """Give the events written so far; the last line may be half written."""
    if not events.exists():
        return
    for line in events.read_text().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return


def _outcome(operation: str, events: Iterator[dict[str, Any]]) -> Outcome:
    outcome, failures, program_errors = Outcome(operation=operation), {}, []
    for event in events:
        if diagnostic := event.get("diagnosticEvent"):
            if diagnostic["severity"] == "error":
                _collect(diagnostic, failures, program_errors)
        elif summary := event.get("summaryEvent"):
            changes = summary.get("resourceChanges") or {}
            outcome.changes = {name: count for name, count in changes.items() if name != "same"}
        elif pre := event.get("resourcePreEvent"):
            outcome.files = _files(pre["metadata"]) or outcome.files
    outcome.failures = [Failure(urn=urn, message=message) for urn, message in failures.items()] + program_errors
    return outcome


def _collect(diagnostic: Mapping[str, Any], failures: dict[str, str], program_errors: list[Failure]) -> None:
    """Sort an error message to its resource; the stack's own summary line says nothing new."""
    urn, message = diagnostic.get("urn", ""), diagnostic["message"].strip()
    if not urn or "pulumi:pulumi:Stack" in urn:
        if message and message != "update failed":
            program_errors.append(Failure(urn="", message=message))
    else:
        failures.setdefault(urn, message)


def _files(metadata: Mapping[str, Any]) -> list[str]:
    if not metadata["urn"].split("::")[2].endswith("slipway:Commit"):
        return []
    before, after = (((metadata.get(state) or {}).get("inputs") or {}).get("files") or {} for state in ("old", "new"))
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
