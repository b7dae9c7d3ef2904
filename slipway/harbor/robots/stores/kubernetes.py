"""A Secret of type kubernetes.io/dockerconfigjson, which pods pull with at once; for clusters without AWS (kind).

What is not proven yet is a second Secret, NAME-pending. Both are made by server-side apply and carry our label.
"""

import base64
import contextlib
import json
from collections.abc import Generator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from infra.errors import Problem, SecretStoreError
from slipway.harbor.robots.stores.store import Credential

if TYPE_CHECKING:
    from lightkube import Client

_DOCKER, _KEY = "kubernetes.io/dockerconfigjson", ".dockerconfigjson"
_OWNER = "slipway-login-kit"
_LABELS = {"app.kubernetes.io/managed-by": "slipway"}


class KubernetesStore:
    """One Secret (`slipway.harbor.robots.stores.store.Store`)."""

    type = _DOCKER

    def __init__(self, client: "Client", namespace: str, secret: str) -> None:
        self._client, self._namespace, self._secret = client, namespace, secret

    @property
    def name(self) -> str:
        """What it is."""
        return f"the Secret {self._namespace}/{self._secret}"

    def current(self) -> Credential | None:
        """Give the one in use; see `Store`."""
        return self._read(self._secret)

    def pending(self) -> Credential | None:
        """Give the one that is not proven; see `Store`."""
        return self._read(f"{self._secret}-pending")

    def check(self) -> None:
        """Refuse a namespace that is not there, and a Secret that is somebody else's; see `Store`."""
        from lightkube.core.exceptions import ApiError  # noqa: PLC0415
        from lightkube.resources.core_v1 import Namespace  # noqa: PLC0415

        with self._told():
            try:
                self._client.get(Namespace, self._namespace)
            except ApiError as error:
                if error.status.code != HTTPStatus.FORBIDDEN:  # a team may have rights in it, and none to see it
                    raise
        self.current()

    def stage(self, credential: Credential) -> None:
        """Keep it in a Secret of its own; see `Store`."""
        self._apply(f"{self._secret}-pending", credential)

    def promote(self) -> None:
        """Bring it into the Secret that pods use; see `Store`."""
        from lightkube.resources.core_v1 import Secret  # noqa: PLC0415

        if (pending := self.pending()) is None:
            return
        self._apply(self._secret, pending)
        with self._told():
            self._client.delete(Secret, f"{self._secret}-pending", namespace=self._namespace)

    def _apply(self, name: str, credential: Credential) -> None:
        from lightkube.models.meta_v1 import ObjectMeta  # noqa: PLC0415
        from lightkube.resources.core_v1 import Secret  # noqa: PLC0415

        metadata = ObjectMeta(name=name, namespace=self._namespace, labels=_LABELS)
        data = {key: base64.b64encode(text.encode()).decode() for key, text in self._written(credential).items()}
        secret = Secret(apiVersion="v1", kind="Secret", metadata=metadata, type=self.type, data=data)
        with self._told():
            self._client.apply(secret, field_manager=_OWNER, force=True)

    def _read(self, name: str) -> Credential | None:
        from lightkube.resources.core_v1 import Secret  # noqa: PLC0415

        from infra.delivery.status.observe import is_absent  # noqa: PLC0415

        with self._told():
            try:
                found = self._client.get(Secret, name, namespace=self._namespace)
            except Exception as error:
                if is_absent(error):
                    return None
                raise
        labels = (found.metadata.labels if found.metadata else None) or {}
        if _LABELS.items() - labels.items() or found.type != self.type:
            fix = "choose another name, or delete that Secret first"
            raise SecretStoreError(Problem(where=self.name, what="is there, and Slipway did not make it", fix=fix))
        return self._read_from({key: base64.b64decode(text) for key, text in (found.data or {}).items()})

    def _written(self, credential: Credential) -> Mapping[str, str]:
        return {_KEY: credential.docker_config()}

    def _read_from(self, data: Mapping[str, bytes]) -> Credential:
        return credential_in(data.get(_KEY, b""), where=self.name)

    @contextlib.contextmanager
    def _told(self) -> Generator[None]:
        from lightkube.core.exceptions import ApiError  # noqa: PLC0415

        try:
            yield
        except ApiError as error:
            fix = "make the namespace, and take credentials that may get, create, patch and delete Secrets in it"
            raise SecretStoreError(Problem(where=self.name, what=error.status.message or "", fix=fix)) from error


class PlainSecretStore(KubernetesStore):
    """One Secret with `username`, `password` and `registry` as its keys, for what is no pull."""

    type = "Opaque"

    def _written(self, credential: Credential) -> Mapping[str, str]:
        return json.loads(credential.to_json())

    def _read_from(self, data: Mapping[str, bytes]) -> Credential:
        text = json.dumps({key: value.decode(errors="replace") for key, value in data.items()})
        return Credential.from_json(text, where=self.name)


def credential_in(text: bytes, *, where: str) -> Credential:
    """Read docker's own form, of the one registry in it.

    Raises:
        SecretStoreError: it is something else.
    """
    try:
        ((registry, login),) = json.loads(text)["auths"].items()
        content = {"username": login["username"], "password": login["password"], "registry": registry}
    except (ValueError, KeyError, TypeError, AttributeError):
        return Credential.from_json("", where=where)
    return Credential.from_json(json.dumps(content), where=where)
