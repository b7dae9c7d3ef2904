"""The ledger as a file: for one machine, or kept in Git by whoever runs it.

store = FileLedger(Path("stacks/prod/harbor.ledger.json"), instance="prod")
"""

import contextlib
import fcntl
import os
import re
import tempfile
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.errors import LedgerError, LedgerMoved, Problem
from slipway.harbor.ledger.ledger import Ledger
from slipway.harbor.ledger.store import read_text

#: Where the serial stands: in the head, before any object.
_SERIAL = re.compile(r'\A\{\s*"format": \d+,\s*"instance": "[^"\\]*",\s*"serial": (\d+),')
_HEAD = 1024


@dataclass(frozen=True)
class FileLedger:
    """One file; replaced whole, so that a kill leaves the old one or the new one."""

    path: Path
    instance: str

    def __str__(self) -> str:
        return str(self.path)

    def load(self) -> Ledger:
        """Read it; there is none before the first apply.

        Raises:
            LedgerError: it cannot be read, is no ledger, or another instance's.
        """
        try:
            text = self.path.read_text()
        except FileNotFoundError:
            return Ledger(instance=self.instance)
        except OSError as error:
            raise LedgerError(Problem(where=str(self), what=f"cannot be read: {error.strerror}")) from error
        return read_text(text, instance=self.instance, where=str(self))

    def save(self, ledger: Ledger) -> None:
        """Write it, if nobody else did since it was read.

        Raises:
            LedgerMoved: somebody did.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if (serial := self._serial()) != ledger.serial:
                what = f"somebody else wrote it meanwhile (serial {serial}, read at {ledger.serial})"
                raise LedgerMoved(Problem(where=str(self), what=what, fix="wait for the other run, then run it again"))
            ledger.serial += 1
            self._replace(ledger.to_text())

    def _serial(self) -> int:
        """Give the serial of what is there; the whole is only read where its head is not as we write it."""
        try:
            with self.path.open() as file:
                found = _SERIAL.match(file.read(_HEAD))
        except (OSError, UnicodeDecodeError):
            found = None
        return int(found[1]) if found else self.load().serial

    def _replace(self, parts: Iterable[str]) -> None:
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "w") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        with (self.path.parent / f".{self.path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
