"""Read `Settings` from the two places they stand in: a stack file, or `pulumi.Config` inside the program.

    settings = from_stack_file(Path("stacks/Pulumi.prod.yaml"))      # the command
    settings = from_pulumi_config(environment="prod")                # the program

Both report every problem at once, each with its key and, for a file, its line.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from infra import tables
from infra.errors import Problem, SettingsError
from infra.settings import Settings

PROJECT = "slipway"
STACKS = "stacks"
#: Settings that stand encrypted in the stack file, and in no other way.
SECRETS = ("gitToken", "gitReadToken", "gitReadKey")

Location = tuple[str | int, ...]

_URL_CREDENTIALS = re.compile(r"//[^/@\s\"]+@")
#: What Pulumi itself writes into a stack file beside `config`.
_PULUMI_KEYS = {"config", "encryptionsalt", "encryptedkey", "secretsprovider", "environment"}


def stack_file(root: Path, environment: str) -> Path:
    """Where the stack file of an environment stands."""
    return root / STACKS / f"Pulumi.{environment}.yaml"


def environments(root: Path) -> tuple[str, ...]:
    """Names of the environments that have a stack file, sorted."""
    return tuple(sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in (root / STACKS).glob("Pulumi.*.yaml")))


def from_stack_file(path: Path) -> Settings:
    """Read the settings of one environment from its stack file.

    Raises:
        SettingsError: no such file, not YAML, or settings that are not usable; all problems at once.
    """
    environment = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    document, lines = _load(path)
    problems = [
        Problem(
            where=_place(path, lines, (str(key),)),
            what=f"unknown key {key!r}{_did_you_mean(str(key), _PULUMI_KEYS)}",
            fix=f"settings stand below config:, as {PROJECT}:<name>",
        )
        for key in document
        if key not in _PULUMI_KEYS
    ]
    config = document.get("config") or {}
    if not isinstance(config, dict):
        raise SettingsError(
            *problems, Problem(where=_place(path, lines, ("config",)), what=f"config must be a mapping, got {config!r}")
        )
    prefix = f"{PROJECT}:"
    problems += [
        Problem(
            where=_place(path, lines, ("config", str(key))),
            what=f"{key!r} is no configuration key",
            fix=f"Pulumi wants <package>:<name>; did you mean {prefix}{key}?",
        )
        for key in config
        if ":" not in str(key)
    ]
    ours = {key: value for key, value in config.items() if str(key).startswith(prefix)}
    values = {key.removeprefix(prefix): _reveal(value) for key, value in ours.items()}

    problems += [
        Problem(
            where=_place(path, lines, ("config", f"{prefix}{key}")),
            what="is a secret in plain text",
            fix=f"take it out of the file and of Git's history, then: pulumi config set --secret {prefix}{key}",
        )
        for key in SECRETS
        if isinstance(values.get(key), str)
    ]
    if "environment" in values:
        problems.append(
            Problem(
                where=_place(path, lines, ("config", f"{prefix}environment")),
                what="the environment is no setting",
                fix=f"remove the key: the file's name says that it is {environment}",
            )
        )

    def place(location: Location) -> str:
        if location in {(), ("environment",)}:
            return str(path)
        return _place(path, lines, ("config", f"{prefix}{location[0]}", *location[1:]))

    return check(environment, values, place, problems)


def from_pulumi_config(environment: str) -> Settings:
    """Read the settings of the running program's stack from `pulumi.Config`.

    Raises:
        SettingsError: settings that are not usable; all problems at once.
    """
    from pulumi.runtime.config import CONFIG, get_config_env  # noqa: PLC0415  # the command reads stack files without it

    prefix = f"{PROJECT}:"
    values = {
        key.removeprefix(prefix): json.loads(text) if str(text)[0] in "[{" else text
        for key, text in {**get_config_env(), **CONFIG.get()}.items()
        # Structured values arrive as JSON text; an empty one is a default of Pulumi.yaml, not a choice.
        if key.startswith(prefix) and text not in {"", "[]", "{}"}
    }

    def place(location: Location) -> str:
        return f"{STACKS}/Pulumi.{environment}.yaml {_dotted(location)}"

    return check(environment, values, place)


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


def _load(path: Path) -> tuple[dict[str, Any], dict[Location, int]]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(Problem(where=str(path), what=f"is not UTF-8 text ({error.reason})")) from None
    except FileNotFoundError:
        found = environments(path.parent.parent)
        known = f"environments here: {', '.join(found)}" if found else "there is no stack file here yet"
        raise SettingsError(
            Problem(where=str(path), what="no such stack file", fix=f"{known}; `slipway init` makes a new one")
        ) from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = tables.parse_yaml(text) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SettingsError(
            Problem(where=where, what=f"is not YAML: {getattr(error, 'problem', error)}", fix="correct the syntax")
        ) from None
    if not isinstance(document, dict):
        raise SettingsError(Problem(where=str(path), what=f"must be a mapping with the key config, got {document!r}"))
    lines: dict[Location, int] = {}
    _collect_lines(node, (), lines)
    return document, lines


def _collect_lines(node: yaml.Node | None, at: Location, lines: dict[Location, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines[(*at, key.value)] = key.start_mark.line + 1
            _collect_lines(value, (*at, key.value), lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*at, index)] = value.start_mark.line + 1
            _collect_lines(value, (*at, index), lines)


def _reveal(value: Any) -> Any:  # noqa: ANN401  # any YAML value
    """Stand in for ``secure:`` values: present, but readable only by Pulumi."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return SecretStr(f"encrypted by Pulumi: {value['secure']}")
        return {key: _reveal(item) for key, item in value.items()}
    return value


def _place(path: Path, lines: Mapping[Location, int], location: Location) -> str:
    """Name file, line and key; the line of the nearest parent where the key itself is missing."""
    line = next((lines[location[:end]] for end in range(len(location), 0, -1) if location[:end] in lines), None)
    key = ".".join(map(str, location[1:] or location))
    return f"{path}:{line} {key}" if line else f"{path} {key}"


def _dotted(location: Location) -> str:
    return f"{PROJECT}:" + ".".join(map(str, location)) if location else PROJECT


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
        return Problem(where=where, what=f"{name} is missing", fix=_meaning(location))
    if kind == "extra_forbidden":
        known = [
            field.alias or key for key, field in _model_at(location[:-1]).model_fields.items() if key != "environment"
        ]
        return Problem(
            where=where, what=f"unknown setting {name!r}{_did_you_mean(name, known)}", fix=f"known: {', '.join(known)}"
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
    return Problem(where=where, what=what, fix=_meaning(location))


def _form(name: str) -> str:
    return {
        "region": "an AWS region, like eu-central-1",
        "environment": "an environment name: 2 to 20 lower-case letters, digits and dashes, a letter first",
    }.get(name, name)


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


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


def _meaning(location: Location) -> str:
    """Give the description of the setting at `location`, if it is one."""
    if not location:
        return ""
    model = _model_at(location[:-1])
    field = next((item for key, item in model.model_fields.items() if location[-1] in (key, item.alias)), None)
    description = (field.description or "") if field else ""
    return re.sub(r"\s+", " ", description)
