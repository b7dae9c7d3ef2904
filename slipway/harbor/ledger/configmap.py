"""The ledger in a ConfigMap: for what runs in the cluster. Packed, since a ConfigMap holds one mebibyte.

store = ConfigMapLedger(client, namespace="harbor", name="slipway-harbor-ledger", instance="prod")
"""

import base64
import contextlib
import gzip
from collections.abc import Generator
from http import HTTPStatus
from typing import TYPE_CHECKING

from infra.errors import LedgerError, LedgerMoved, Problem
from slipway.harbor.ledger.ledger import Ledger
from slipway.harbor.ledger.store import read_text

if TYPE_CHECKING:
    from lightkube import Client

_KEY = "ledger.json.gz"
_LABELS = {"app.kubernetes.io/managed-by": "slipway"}


class ConfigMapLedger:
    """One ConfigMap; its resourceVersion is the condition."""

    def __init__(self, client: "Client", *, namespace: str, name: str, instance: str) -> None:
        self._client, self._namespace, self._name, self._instance = client, namespace, name, instance
        self._version: str | None = None

    def __str__(self) -> str:
        return f"ConfigMap {self._namespace}/{self._name}"

    def load(self) -> Ledger:
        """Read it; there is none before the first apply.

        Raises:
            LedgerError: the cluster does not give it, it is no ledger, or another instance's.
        """
        from lightkube.resources.core_v1 import ConfigMap  # noqa: PLC0415  # only where there is a cluster

        self._version = None
        try:
            with self._told("read"):
                found = self._client.get(ConfigMap, self._name, namespace=self._namespace)
        except _Absent:
            return Ledger(instance=self._instance)
        self._version = found.metadata.resourceVersion if found.metadata else None
        try:
            text = gzip.decompress(base64.b64decode((found.binaryData or {}).get(_KEY, ""))).decode()
        except (ValueError, OSError, EOFError) as error:
            raise LedgerError(Problem(where=str(self), what=f"is no ledger: {error}")) from None
        return read_text(text, instance=self._instance, where=str(self))

    def save(self, ledger: Ledger) -> None:
        """Write it, if it is still the one that was read.

        Raises:
            LedgerMoved: it is not.
            LedgerError: the cluster does not take it.
        """
        from lightkube.models.meta_v1 import ObjectMeta  # noqa: PLC0415
        from lightkube.resources.core_v1 import ConfigMap  # noqa: PLC0415

        ledger.serial += 1
        packed = base64.b64encode(gzip.compress("".join(ledger.to_text()).encode(), mtime=0)).decode()
        metadata = ObjectMeta(name=self._name, namespace=self._namespace, labels=_LABELS, resourceVersion=self._version)
        wanted = ConfigMap(metadata=metadata, binaryData={_KEY: packed})
        try:
            with self._told("written"):
                written = self._client.replace(wanted) if self._version else self._client.create(wanted)
        except _Absent as error:
            if self._version is None:  # the namespace, then
                raise self._refused("written", str(error)) from None
            raise self._moved() from None
        self._version = written.metadata.resourceVersion if written.metadata else None

    @contextlib.contextmanager
    def _told(self, done: str) -> Generator[None]:
        import httpx2  # noqa: PLC0415
        from lightkube.core.exceptions import ApiError  # noqa: PLC0415

        try:
            yield
        except ApiError as error:
            code, message = error.status.code, error.status.message or str(error)
            if code == HTTPStatus.NOT_FOUND:
                raise _Absent(message) from None
            if code == HTTPStatus.CONFLICT:
                raise self._moved() from None
            raise self._refused(done, message) from error
        except httpx2.HTTPError as error:
            raise self._refused(done, str(error)) from error

    def _moved(self) -> LedgerMoved:
        what, fix = "somebody else wrote it meanwhile", "wait for the other run, then run it again"
        return LedgerMoved(Problem(where=str(self), what=what, fix=fix))

    def _refused(self, done: str, reason: str) -> LedgerError:
        fix = "the namespace must be there, and the credentials may get, create and update ConfigMaps in it"
        return LedgerError(Problem(where=str(self), what=f"cannot be {done}: {reason}", fix=fix))


class _Absent(Exception):  # not an error: an answer
    """There is no such ConfigMap, or no such namespace."""
