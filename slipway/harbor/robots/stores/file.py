"""A file that only its owner can read; what is not proven yet lies beside it.

FileStore(Path("payments-ci.json"))
"""

import contextlib
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

from infra.errors import Problem, SecretStoreError
from slipway.harbor.robots.stores.store import Credential

_MODE = 0o600


class FileStore:
    """One file (`slipway.harbor.robots.stores.store.Store`)."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._beside = self.path.with_name(f"{self.path.name}.pending")

    @property
    def name(self) -> str:
        """What it is."""
        return f"the file {self.path}"

    def current(self) -> Credential | None:
        """Give the one in use; see `Store`."""
        return _read(self.path)

    def pending(self) -> Credential | None:
        """Give the one that is not proven; see `Store`."""
        return _read(self._beside)

    def check(self) -> None:
        """Refuse a place that cannot be written, or that others could read; see `Store`."""
        folder = self.path.parent
        what = (
            "is a folder"
            if self.path.is_dir()
            else f"there is no folder {folder}"
            if not folder.is_dir()
            else "cannot be written to"
            if not os.access(folder, os.W_OK)
            else ""
        )
        if what:
            raise SecretStoreError(Problem(where=str(self.path), what=what, fix="name a file in a folder of yours"))

    def stage(self, credential: Credential) -> None:
        """Keep it beside; see `Store`."""
        with _told(self.path):
            file, scratch = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                os.fchmod(file, _MODE)
                with os.fdopen(file, "w") as stream:
                    stream.write(credential.to_json() + "\n")
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(scratch).replace(self._beside)
            except BaseException:
                Path(scratch).unlink(missing_ok=True)
                raise

    def promote(self) -> None:
        """Put it in the place of the one in use; see `Store`."""
        with _told(self.path):
            self._beside.replace(self.path)


def _read(path: Path) -> Credential | None:
    with _told(path):
        try:
            text = path.read_text()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            text = ""
    return Credential.from_json(text, where=str(path))


@contextlib.contextmanager
def _told(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        fix = "name a file that you can read and write"
        raise SecretStoreError(Problem(where=str(path), what=error.strerror or str(error), fix=fix)) from error
