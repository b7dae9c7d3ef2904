"""What the simulated Secrets Manager holds, on disk, for whoever plays a reader of it."""

import fcntl
import hashlib
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105  # a type token
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"


@dataclass(frozen=True)
class SecretsManager:
    """One account's secrets in a file that only its owner reads: id → name and current value."""

    path: Path

    def by_name(self) -> dict[str, str]:
        """Give name → current value of those that have one."""
        return {
            entry["name"]: entry["value"] for entry in self._read().values() if "value" in entry and "name" in entry
        }

    def created(self, token: str, identifier: str, inputs: dict[str, Any]) -> None:
        """Take note of a secret or of a version of one; any other type is none of ours."""
        if token in {SECRET, VERSION}:
            with self._changing() as entries:
                secret, values = _written(token, identifier, inputs)
                entries.setdefault(secret, {}).update(values)

    def kept_by_rds(self, arn: str) -> None:
        """Hold the secret of a database's master user, which RDS makes by itself; readers name it by its ARN."""
        with self._changing() as entries:
            made_up = {"username": "slipway", "password": hashlib.sha256(arn.encode()).hexdigest()[:32]}
            entries.setdefault(arn, {"name": arn, "value": json.dumps(made_up)})

    def read(self, token: str, identifier: str, inputs: dict[str, Any]) -> None:
        """Take note of what the state knows, where this file was lost; what is here is newer."""
        if token in {SECRET, VERSION}:
            with self._changing() as entries:
                secret, values = _written(token, identifier, inputs)
                entries[secret] = values | entries.get(secret, {})

    def deleted(self, token: str, identifier: str) -> None:
        """Forget a secret."""
        if token == SECRET:
            with self._changing() as entries:
                entries.pop(identifier, None)

    def rotate(self, name: str, value: str) -> None:
        """Give a secret another value, as a rotation or a person would."""
        with self._changing() as entries:
            next(entry for entry in entries.values() if entry["name"] == name)["value"] = value

    @contextmanager
    def _changing(self) -> Generator[dict[str, dict[str, str]]]:
        handle = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            entries = self._read()
            yield entries
            scratch = self.path.with_suffix(".new")
            scratch.touch(mode=0o600)
            scratch.write_text(json.dumps(entries))
            scratch.replace(self.path)
        finally:
            os.close(handle)

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            return json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}


def _written(token: str, identifier: str, inputs: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Give a secret's id and what is known of it."""
    if token == SECRET:
        return identifier, {"name": inputs["name"]}
    return inputs["secretId"], {"value": inputs["secretString"]}
