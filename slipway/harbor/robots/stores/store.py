"""What every place for secrets can do, and what is put there.

store.stage(credential)      # kept, and nobody's yet
store.promote()              # it was proven: it is the one to use
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from infra.errors import Problem, SecretStoreError


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A robot's name, its secret, and the registry that it opens. Its repr shows no secret."""

    username: str
    password: SecretStr
    registry: str = ""

    def to_json(self) -> str:
        """Give the text that is stored: what our pull secrets and snippets read."""
        content = {"username": self.username, "password": self.password.get_secret_value(), "registry": self.registry}
        return json.dumps(content)

    def docker_config(self) -> str:
        """Give what docker reads, and a Secret of type kubernetes.io/dockerconfigjson holds."""
        from base64 import b64encode  # noqa: PLC0415

        secret = self.password.get_secret_value()
        auth = b64encode(f"{self.username}:{secret}".encode()).decode()
        return json.dumps({"auths": {self.registry: {"username": self.username, "password": secret, "auth": auth}}})

    @classmethod
    def from_json(cls, text: str, *, where: str) -> "Credential":
        """Read what `to_json` wrote.

        Raises:
            SecretStoreError: it is something else, and stays untouched.
        """
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        if not isinstance(content, Mapping) or not {"username", "password"} <= content.keys():
            fix = "name another place, or take that away first"
            raise SecretStoreError(Problem(where=where, what="holds something that is no robot's secret", fix=fix))
        return cls(
            username=str(content["username"]),
            password=SecretStr(str(content["password"])),
            registry=str(content.get("registry", "")),
        )


class Store(Protocol):
    """A place for one secret."""

    @property
    def name(self) -> str:
        """What errors and reports call it."""

    def current(self) -> Credential | None:
        """Give the one in use."""

    def pending(self) -> Credential | None:
        """Give the one that an interrupted run left."""

    def stage(self, credential: Credential) -> None:
        """Keep one that is not proven yet, beside the one in use."""

    def promote(self) -> None:
        """Make the pending one the one in use."""

    def check(self) -> None:
        """Refuse to begin where it could not be written at the end."""
