"""Where settings stand: the stack file, its group's file and what all stacks share, each over the ones before it.

    layers, problems = layers_of(Path("stacks/Pulumi.prod.yaml"))
    values(layers)["network"]["nat"]            # "single"
    place(layers, ("network", "nat"))           # "stacks/defaults.yaml:4 network.nat"

Below them lie the profile's defaults and the model's own (`slipway explain` shows all). Mappings are put together key
by key; a list or a single value replaces the one below. Nothing here knows what a setting means.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from infra.errors import Problem, SettingsError
from infra.yaml_file import Document, Location, parsed
from values.merge import merged

PROJECT = "slipway"
STACKS = "stacks"
PREFIX = f"{PROJECT}:"
#: Settings that stand encrypted in the stack file, and in no other way.
SECRETS = ("gitToken", "gitReadToken", "gitReadKey")
#: What every stack shares, and the folder of what some share.
SHARED = "defaults.yaml"
GROUPS = "groups"

#: What Pulumi itself writes into a stack file beside `config`.
_PULUMI_KEYS = {"config", "encryptionsalt", "encryptedkey", "secretsprovider", "environment"}
_GROUP = re.compile(r"^[a-z0-9][a-z0-9-]{0,38}$")


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """The settings of one file, nested, in camelCase, without Pulumi's prefix.

    Attributes:
        name: the file, as a person of the project calls it.
        values: its settings; what is encrypted is a `SecretStr`.
        document: the file; None for what Pulumi handed over.
    """

    name: str
    values: Mapping[str, Any]
    document: Document | None = None

    def has(self, location: Location) -> bool:
        """Tell whether this file sets what is at `location`, or something in it."""
        return at(self.values, location) is not MISSING

    def place(self, location: Location) -> str:
        """Name file, line and key of a setting."""
        if self.document is None:
            return f"{self.name} {PREFIX}{'.'.join(map(str, location))}" if location else f"{self.name} {PROJECT}"
        if self.name.endswith(f"/{SHARED}") or f"/{GROUPS}/" in self.name:
            return self.document.place(location)
        return self.document.place(("config", f"{PREFIX}{location[0]}", *location[1:]))


#: Nothing is there; None may be a value.
MISSING: Any = object()


def at(values: Any, location: Location) -> Any:  # noqa: ANN401  # any YAML value
    """Give what is at `location`, or `MISSING`."""
    for part in location:
        known = range(len(values)) if isinstance(values, list) else values if isinstance(values, Mapping) else ()
        if part not in known:
            return MISSING
        values = values[part]
    return values


def values(layers: Sequence[Layer]) -> dict[str, Any]:
    """Put the layers together, lowest first."""
    return reduce(merged, [layer.values for layer in layers], {})


def place(layers: Sequence[Layer], location: Location) -> str:
    """Name file, line and key of what is effective at `location`; of what holds it, where it is missing itself."""
    for end in range(len(location), 0, -1):
        for layer in reversed(layers):
            if layer.has(location[:end]):
                return layer.place(location)
    return layers[-1].place(location)


def layers_of(path: Path) -> tuple[list[Layer], list[Problem]]:
    """Read the layers of a stack file, lowest first, and what is wrong with the files as such.

    Raises:
        SettingsError: one of the files is not there, or no YAML mapping.
    """
    document = _read(path)
    if not isinstance(document.data, dict):
        raise SettingsError(
            Problem(where=str(path), what=f"must be a mapping with the key config, got {document.data!r}")
        )
    problems = list(_strange_keys(document))
    config = document.data.get("config") or {}
    if not isinstance(config, dict):
        raise SettingsError(
            *problems, Problem(where=document.place(("config",)), what=f"config must be a mapping, got {config!r}")
        )
    ours = {str(key).removeprefix(PREFIX): value for key, value in config.items() if str(key).startswith(PREFIX)}
    problems += _misplaced(document, config, ours)
    own = Layer(
        name=f"{STACKS}/{path.name}", values={key: _reveal(value) for key, value in chosen(ours)}, document=document
    )
    below, found = shared_layers(path.parent, ours.get("group", ""), own.place(("group",)) if "group" in ours else "")
    return [*below, own], [*found, *problems]


def shared_layers(stacks: Path, group: Any, asked: str) -> tuple[list[Layer], list[Problem]]:  # noqa: ANN401
    """Read what the stacks in a folder share, and what those of a group do.

    Args:
        stacks: the folder.
        group: as the stack file names it; empty for none.
        asked: the place that names it.
    """
    layers, problems = [], []
    wanted = [stacks / SHARED]
    if group and not (isinstance(group, str) and _GROUP.match(group)):
        what = f"{group!r} is no name of a group"
        problems.append(Problem(where=asked, what=what, fix="lower-case letters, digits and dashes"))
    elif group:
        wanted.append(stacks / GROUPS / f"{group}.yaml")
        if not wanted[-1].exists():
            known = sorted(path.stem for path in (stacks / GROUPS).glob("*.yaml"))
            what = f"there is no {STACKS}/{GROUPS}/{group}.yaml{did_you_mean(group, known)}"
            fix = f"groups here: {', '.join(known)}" if known else f"make the file, or remove {PREFIX}group"
            problems.append(Problem(where=asked, what=what, fix=fix))
    for path in wanted:
        if path.exists():
            layer, found = _shared(path, path.read_bytes())
            layers.append(layer)
            problems += found
    return layers, problems


def chosen(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Leave out what is empty: Pulumi.yaml declares each setting with an empty default, which is nobody's choice."""
    return ((key, value) for key, value in settings.items() if value not in ("", [], {}))


def _read(path: Path) -> Document:
    try:
        return parsed(path, path.read_bytes())
    except FileNotFoundError:
        found = ", ".join(sorted(name(file) for file in path.parent.glob("Pulumi.*.yaml")))
        known = f"environments here: {found}" if found else "there is no stack file here yet"
        raise SettingsError(
            Problem(where=str(path), what="no such stack file", fix=f"{known}; `slipway init` makes a new one")
        ) from None


def name(path: Path) -> str:
    """Give the environment of a stack file."""
    return path.name.removeprefix("Pulumi.").removesuffix(".yaml")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Give ``; did you mean 'x'?`` for the known name that is nearest, if one is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


# A thousand stacks share one file: parsed once for as long as it does not change.
@lru_cache(maxsize=256)
def _shared(path: Path, content: bytes) -> tuple[Layer, tuple[Problem, ...]]:
    document = parsed(path, content)
    if not isinstance(document.data, dict):
        raise SettingsError(Problem(where=str(path), what=f"must be a mapping of settings, got {document.data!r}"))
    problems = tuple(_not_to_share(document))
    refused = {"config", "environment", "group", *SECRETS}
    kept = {
        str(key): value
        for key, value in chosen(document.data)
        if key not in refused and ":" not in str(key) and not any(_encrypted(value))
    }
    named = f"{STACKS}/{GROUPS}/{path.name}" if path.parent.name == GROUPS else f"{STACKS}/{path.name}"
    return Layer(name=named, values=kept, document=document), problems


def _not_to_share(document: Document) -> Iterator[Problem]:
    for key, value in document.data.items():
        key, where = str(key), document.place((key,))  # noqa: PLW2901  # YAML's keys may be numbers
        setting = key.removeprefix(PREFIX)
        if any(_encrypted(value)):
            fix = f"only that stack's file can hold it: pulumi config set --secret {PREFIX}{setting} --stack ENV"
            yield Problem(where=where, what="is encrypted, with the key of one stack", fix=fix)
        elif setting in SECRETS:
            fix = (
                f"take it out of the file and of Git's history, then: pulumi config set --secret {PREFIX}{setting}"
                " --stack ENV"
            )
            yield Problem(where=where, what="is a secret in plain text", fix=fix)
        elif key in {"environment", "group"}:
            owner = "the file's name says it" if key == "environment" else "the stack files name their group"
            yield Problem(where=where, what=f"the {key} is nothing to share", fix=f"remove the key: {owner}")
        elif key == "config" or ":" in key:
            fix = f"write {setting} instead" if key.startswith(PREFIX) else "write network: {…}, for example"
            what = f"{key!r} is no setting: here they stand without config: and without {PREFIX}"
            yield Problem(where=where, what=what, fix=fix)


def _encrypted(value: Any) -> Iterator[bool]:  # noqa: ANN401  # any YAML value
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            yield True
        for item in value.values():
            yield from _encrypted(item)


def _strange_keys(document: Document) -> Iterator[Problem]:
    for key in document.data:
        if key not in _PULUMI_KEYS:
            yield Problem(
                where=document.place((str(key),)),
                what=f"unknown key {key!r}{did_you_mean(str(key), _PULUMI_KEYS)}",
                fix=f"settings stand below config:, as {PREFIX}<name>",
            )


def _misplaced(document: Document, config: Mapping[Any, Any], ours: Mapping[str, Any]) -> Iterator[Problem]:
    for key in config:
        if ":" not in str(key):
            yield Problem(
                where=document.place(("config", str(key))),
                what=f"{key!r} is no configuration key",
                fix=f"Pulumi wants <package>:<name>; did you mean {PREFIX}{key}?",
            )
    for key in SECRETS:
        if isinstance(ours.get(key), str):
            yield Problem(
                where=document.place(("config", f"{PREFIX}{key}")),
                what="is a secret in plain text",
                fix=f"take it out of the file and of Git's history, then: pulumi config set --secret {PREFIX}{key}",
            )
    if "environment" in ours:
        yield Problem(
            where=document.place(("config", f"{PREFIX}environment")),
            what="the environment is no setting",
            fix=f"remove the key: the file's name says that it is {name(document.path)}",
        )


def _reveal(value: Any) -> Any:  # noqa: ANN401  # any YAML value
    """Stand in for ``secure:`` values: present, but readable only by Pulumi."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return SecretStr(f"encrypted by Pulumi: {value['secure']}")
        return {key: _reveal(item) for key, item in value.items()}
    return value
