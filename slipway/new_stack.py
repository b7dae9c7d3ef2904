"""Make a stack file from answers: checked by the settings' own model, whole or not at all."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.errors import Problem, SettingsError
from infra.settings import Settings
from infra.stack_config import PROJECT, check, stack_file

#: Answers without which there is no environment, and the flag that gives each.
REQUIRED = {
    "environment": "ENV",
    "domain": "--domain",
    "region": "--region",
    "gitops.repository": "--repository",
}
FLAGS = {
    **REQUIRED,
    "profile": "--profile",
    "storage": "--storage",
    "zones": "--zone",
    "account": "--account",
    "gitops.branch": "--branch",
    "gitops.path": "--path",
    "cluster.adminRoleArns": "--admin-role",
    "cluster.publicAccessCidrs": "--public-cidr",
    "dns.existingZone": "--existing-zone",
    "dns.delegateFrom": "--delegate-from",
}
DEFAULT_PROVIDERS = {"pulumi:disable-default-providers": ["aws", "random", "tls", "kubernetes"]}


def missing(answers: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the required answers that are not there."""
    return tuple(key for key in REQUIRED if not answers.get(key))


def settings_from(answers: Mapping[str, Any]) -> Settings:
    """Check the answers, which are dotted setting names with their values.

    Raises:
        SettingsError: missing or unusable answers, all at once, each under its flag.
    """

    def flag(location: tuple[str | int, ...]) -> str:
        # A list's elements belong to the flag of the list.
        names = [".".join(map(str, location[:end])) for end in range(len(location), 0, -1)]
        return next((FLAGS[name] for name in names if name in FLAGS), names[0] if names else "")

    values = {"gitops": {}, **settings_to_write(answers)}
    return check(str(answers.get("environment", "")), values, flag)


def write(answers: Mapping[str, Any], *, root: Path, force: bool = False) -> Path:
    """Write the stack file of the answers below `root` and give its path.

    Raises:
        SettingsError: unusable answers, or the file exists and `force` is not given.
    """
    settings = settings_from(answers)
    path = stack_file(root, settings.environment)
    if path.exists() and not force:
        raise SettingsError(Problem(where=str(path), what="exists already", fix="edit it, or replace it with --force"))
    config = {f"{PROJECT}:{key}": value for key, value in settings_to_write(answers).items()}
    body = yaml.safe_dump({"config": {**config, **DEFAULT_PROVIDERS}}, sort_keys=False, allow_unicode=True)
    _replace(
        path,
        "# yaml-language-server: $schema=schema.json\n"
        f"# {settings.environment}: every key that is left out has the profile's default: docs/settings.md.\n{body}",
    )
    return path


def settings_to_write(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings as they stand in a stack file: nested, without the environment, which is the file's name."""
    return _nested({key: value for key, value in answers.items() if key != "environment" and value not in ("", [], ())})


def _nested(dotted: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in dotted.items():
        *sections, name = key.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return nested


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)
