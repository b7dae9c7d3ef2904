"""What a proof has done so far, on disk after every step: the next run goes on from it, and the report is made of it.

record = open_record(root, "dev", "aws")        # None: nothing was begun, or it came to its end
record.save()
"""

import contextlib
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from infra.errors import Problem, ProofError

On = Literal["aws", "kind", "rehearsal"]
Result = Literal["running", "passed", "failed", "interrupted", "stopped", "left out"]
Status = Literal["playing", "tearing down", "over"]

#: The longest name that an environment may have.
_LONGEST = 20
_FILE = "record.json"


@dataclass(frozen=True, kw_only=True)
class Played:
    """A step that was begun.

    Attributes:
        name: of the step.
        command: as a person types it; empty where there is none.
        began: in UTC.
        seconds: it took.
        result: how it ended; ``stopped`` is by the spending limit, ``running`` has not ended or was killed.
        code: exit code of the command; None where there is none.
        says: its outcome in a line.
        tail: of its log, where it did not pass.
        log: name of its file in the proof's folder.
    """

    name: str
    command: str
    began: str
    seconds: float
    result: Result
    code: int | None = None
    says: str = ""
    tail: list[str] = field(default_factory=list)
    log: str = ""


@dataclass(kw_only=True)
class Record:
    """One proof.

    Attributes:
        folder: everything of it.
        environment, on: what is proved, and where.
        name: of its own stack, cluster or rehearsal.
        begun: in UTC.
        charts: Harbor's chart before and after the upgrade.
        hourly: US dollars an hour that were stated.
        limit: US dollars that were agreed to; None where nothing costs.
        billed_since: when the first step began that makes something; empty before.
        port: of this machine; kind alone.
        status: how far it is.
        ended: in UTC.
        runs: how often it was taken up.
        steps: what was begun, in order; a step that was played again is there twice.
        remains: what is still there, and commands that end it.
    """

    folder: Path
    environment: str
    on: On
    name: str
    begun: str
    charts: tuple[str, str]
    hourly: float = 0.0
    limit: float | None = None
    billed_since: str = ""
    port: int = 0
    status: Status = "playing"
    ended: str = ""
    runs: int = 1
    steps: list[Played] = field(default_factory=list)
    remains: list[str] = field(default_factory=list)

    def passed(self, name: str) -> bool:
        """Tell whether a step need not be played again."""
        return any(step.name == name and step.result in {"passed", "left out"} for step in self.steps)

    def begun_with(self, name: str) -> bool:
        """Tell whether a step was begun at all."""
        return any(step.name == name for step in self.steps)

    def save(self) -> None:
        """Write it, whole or not at all; nobody else may read it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        value = {**asdict(self), "folder": ""}
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=f".{_FILE}.")
        with os.fdopen(handle, "w") as file:
            json.dump(value, file, indent=2)
        Path(temporary).replace(self.folder / _FILE)


def now() -> str:
    """Give the time as reports have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def proofs_folder(root: Path) -> Path:
    """Where the proofs of a project are."""
    return root / ".slipway" / "prove"


def own_name(environment: str, on: On) -> str:
    """Give the name of a stack of its own: never that of an environment of the user's.

    On AWS each proof has another one: Secrets Manager keeps a deleted secret's name for thirty days.
    """
    suffix = f"-{secrets.token_hex(2)}" if on == "aws" else ""
    return f"prove-{environment}"[: _LONGEST - len(suffix)].rstrip("-") + suffix


def open_record(root: Path, environment: str, on: On) -> Record | None:
    """Give the proof that is not over yet.

    Raises:
        ProofError: a record cannot be read.
    """
    for path in sorted(proofs_folder(root).glob(f"*/{_FILE}")):
        record = _read(path)
        if (record.environment, record.on) == (environment, on) and record.status != "over":
            return record
    return None


def _read(path: Path) -> Record:
    try:
        value: dict[str, Any] = json.loads(path.read_text())
        steps = [Played(**step) for step in value.pop("steps")]
        value |= {"folder": path.parent, "charts": tuple(value["charts"]), "steps": steps}
        return Record(**value)
    except (ValueError, TypeError, KeyError, UnicodeDecodeError) as error:
        fix = "it says what a proof made: look into it, end that by hand, and remove its folder"
        raise ProofError(Problem(where=str(path), what=f"is no record of a proof: {error}", fix=fix)) from None


@contextlib.contextmanager
def held(root: Path, environment: str, on: On) -> Generator[None]:
    """Keep other processes from the same proof while the block runs.

    Raises:
        ProofError: one is at it.
    """
    folder = proofs_folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".lock-{on}-{environment}").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            what = f"{environment} is being proved on {on} by another process"
            raise ProofError(Problem(where=str(folder), what=what, fix="wait for it")) from None
        yield
