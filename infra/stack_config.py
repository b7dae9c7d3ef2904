"""Read `Settings` from the two places they stand in: a stack file, or `pulumi.Config` inside the program.

    settings = from_stack_file(Path("stacks/Pulumi.prod.yaml"))      # the command
    settings = from_pulumi_config(environment="prod")                # the program

Both report every problem at once, each with its key and, for a file, its line.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from infra import tables
from infra.errors import Problem, SettingsError
from infra.layers import (
    PREFIX,
    PROJECT,
    STACKS,
    Layer,
    chosen,
    did_you_mean,
    layers_of,
    shared_layers,
)
from infra.layers import name as environment_of
from infra.layers import place as place_in
from infra.layers import values as values_of
from infra.settings import Settings
from infra.yaml_file import Location
from values.merge import merged

__all__ = [
    "PROJECT",
    "STACKS",
    "check",
    "environments",
    "from_pulumi_config",
    "from_stack_file",
    "stack_file",
    "whole_stack_file",
]

_URL_CREDENTIALS = re.compile(r"//[^/@\s\"]+@")


def stack_file(root: Path, environment: str) -> Path:
    """Where the stack file of an environment stands."""
    return root / STACKS / f"Pulumi.{environment}.yaml"


def environments(root: Path) -> tuple[str, ...]:
    """Names of the environments that have a stack file, sorted."""
    return tuple(sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in (root / STACKS).glob("Pulumi.*.yaml")))


def from_stack_file(path: Path) -> Settings:
    """Read the settings of one environment from its stack file and what it shares with others (`infra.layers`).

    Raises:
        SettingsError: no such file, not YAML, or settings that are not usable; all problems at once.
    """
    layers, problems = layers_of(path)

    def place(location: Location) -> str:
        return str(path) if location in {(), ("environment",)} else place_in(layers, location)

    return check(environment_of(path), values_of(layers), place, problems)


def from_pulumi_config(environment: str, stacks: Path = Path(STACKS)) -> Settings:
    """Read the settings of the running program's stack from `pulumi.Config` and from what stacks share.

    Args:
        environment: the stack's name.
        stacks: folder of the shared files; Pulumi runs the program in the project's folder.

    Raises:
        SettingsError: settings that are not usable; all problems at once.
    """
    layers, problems = pulumi_layers(environment, stacks)
    return check(environment, values_of(layers), lambda location: place_in(layers, location), problems)


def pulumi_layers(environment: str, stacks: Path) -> tuple[list[Layer], list[Problem]]:
    """Give the layers of the running program's stack, lowest first, and what is wrong with the shared files.

    Raises:
        SettingsError: a shared file is no YAML mapping.
    """
    from pulumi.runtime.config import CONFIG, get_config_env  # noqa: PLC0415  # the command reads stack files without it

    given = {
        # Structured values arrive as JSON text.
        key.removeprefix(PREFIX): json.loads(text) if str(text)[:1] in {"[", "{"} else text
        for key, text in {**get_config_env(), **CONFIG.get()}.items()
        if key.startswith(PREFIX)
    }
    own = Layer(name=f"{STACKS}/Pulumi.{environment}.yaml", values=dict(chosen(given)))
    below, problems = shared_layers(stacks, given.get("group", ""), own.place(("group",)))
    return [*below, own], problems


def whole_stack_file(path: Path) -> dict[str, Any]:
    """Give a stack file's document with what it shares with others written out in it.

    For whoever hands the configuration to a program that runs in another folder.

    Raises:
        SettingsError: see `from_stack_file`.
    """
    document = tables.parse_yaml(path.read_text()) or {}
    group = (document.get("config") or {}).get(f"{PREFIX}group", "")
    shared, problems = shared_layers(path.parent, group, f"{path} {PREFIX}group")
    if problems:
        raise SettingsError(*problems)
    below = {f"{PREFIX}{key}": value for key, value in values_of(shared).items()}
    own = {
        key: value
        for key, value in (document.get("config") or {}).items()
        if key != f"{PREFIX}group" and (key not in below or value not in ("", [], {}))
    }
    return {**document, "config": merged(below, own)}


def check(
    environment: str, values: Mapping[str, Any], place: Callable[[Location], str], problems: Sequence[Problem] = ()
) -> Settings:
    """Build the settings and report whatever is wrong with them.

    Args:
        environment: its name.
        values: settings as they stand in a stack file, nested, camelCase.
        place: names the place of a setting for the report.
        problems: found before, reported together with the rest.

    Raises:
        SettingsError: all problems at once.
    """
    try:
        settings = Settings.parse(environment, values)
    except ValidationError as error:
        found = [_problem(details, place) for details in error.errors(include_url=False)]
        raise SettingsError(*problems, *found) from None
    if problems:
        raise SettingsError(*problems)
    return settings


_TYPE_NAMES = {
    "string_type": "a string (quote it in YAML)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def _problem(details: ErrorDetails, place: Callable[[Location], str]) -> Problem:
    """Turn one pydantic error into fact, value, place and next step."""
    kind, location, value = details["type"], _as_written(details["loc"]), details["input"]
    shown = _URL_CREDENTIALS.sub("//***@", json.dumps(value, default=str))
    name = str(location[-1]) if location else ""
    where = place(location)
    if kind == "missing":
        return Problem(where=where, what=f"{name} is missing", fix=meaning(location))
    if kind == "extra_forbidden":
        known = [
            field.alias or key for key, field in _model_at(location[:-1]).model_fields.items() if key != "environment"
        ]
        return Problem(
            where=where, what=f"unknown setting {name!r}{did_you_mean(name, known)}", fix=f"known: {', '.join(known)}"
        )
    if kind == "value_error":
        refused = details["ctx"]["error"]
        subject = f"{shown} " if isinstance(value, str) else ""
        return Problem(where=where, what=f"{subject}{refused.fact}", fix=refused.fix)
    if isinstance(value, SecretStr):
        fix = f"pulumi config set {PROJECT}:{'.'.join(map(str, location))} VALUE"
        return Problem(where=where, what="is encrypted, and is no secret", fix=fix)
    if kind == "string_pattern_mismatch":
        what = f"{shown} does not have the form of {_form(name)}"
    elif kind in _TYPE_NAMES:
        what = f"must be {_TYPE_NAMES[kind]}, got {shown}"
    else:
        what = f"{details['msg'][0].lower()}{details['msg'][1:]}, got {shown}"
    return Problem(where=where, what=what, fix=meaning(location))


def _form(name: str) -> str:
    return {
        "region": "an AWS region, like eu-central-1",
        "environment": "an environment name: 2 to 20 lower-case letters, digits and dashes, a letter first",
    }.get(name, name)


def _model_at(location: Location) -> type[BaseModel]:
    """Give the model that holds the key at `location`."""
    model: type[BaseModel] = Settings
    for part in location:
        field = next((item for key, item in model.model_fields.items() if part in (key, item.alias)), None)
        if field is None:
            break
        candidates = [field.annotation, *get_args(field.annotation)]
        model = next((item for item in candidates if isinstance(item, type) and issubclass(item, BaseModel)), model)
    return model


def _as_written(location: Location) -> Location:
    """Give a location in the stack file's names: pydantic uses Python's where it refuses a default."""
    return tuple(to_camel(part) if isinstance(part, str) and "_" in part else part for part in location)


def meaning(location: Location) -> str:
    """Give the description of the setting at `location`, if it is one."""
    if not location:
        return ""
    model = _model_at(location[:-1])
    field = next((item for key, item in model.model_fields.items() if location[-1] in (key, item.alias)), None)
    description = (field.description or "") if field else ""
    return re.sub(r"\s+", " ", description)
