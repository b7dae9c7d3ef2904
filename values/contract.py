"""Check values against the keys of the chart's version (charts/harbor/<version>.json), because Helm does not.

findings("core.yaml", "core: {replcas: 2}", "1.19.1")
# core.yaml core.replcas: the chart 1.19.1 has no such key; did you mean 'replicas'?
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from values import chart_history
from values.errors import Finding, ValuesError
from values.facts import SUPPORTED_CHART_VERSIONS

FOLDER = Path(__file__).parents[1] / "charts" / "harbor"
# libyaml parses ten times faster; a build of PyYAML without it still works.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "map": (dict,),
}

#: Maps of any keys, as Kubernetes takes them: their values are text.
_TEXT_MAPS = frozenset(
    {"annotations", "additionalLabels", "labels", "nodeSelector", "podAnnotations", "podLabels", "serviceAnnotations"}
)
#: Lists that Kubernetes takes objects in; the chart writes them down as they are.
_OBJECT_LISTS = frozenset(
    {
        "extraEnvVars",
        "extrInitContainers",
        "imagePullSecrets",
        "initContainers",
        "metricRelabelings",
        "parentRefs",
        "relabelings",
        "tolerations",
        "topologySpreadConstraints",
    }
)
_RESOURCES = ("requests", "limits", "claims")


@cache
def _document(version: str) -> Mapping[str, Any]:
    try:
        return json.loads((FOLDER / f"{version}.json").read_text())
    except FileNotFoundError:
        known = f"known: {', '.join(SUPPORTED_CHART_VERSIONS)}; {chart_history.HOW_TO_ADD}"
        message = f"there is no contract for chart {version}"
        raise ValuesError(Finding(path="chartVersion", key="", message=message, suggestion=known)) from None


def contract(version: str) -> Mapping[str, Any]:
    """Give the tree of keys of a chart version: key → type name, or the tree below it.

    Raises:
        ValuesError: the version is not supported.
    """
    return _document(version)["keys"]


def harbor_version(version: str) -> str:
    """Give the version of Harbor that a chart version installs."""
    return _document(version)["appVersion"]


def harbor(version: str) -> tuple[int, ...]:
    """Give the version of Harbor that a chart version installs, as numbers that compare."""
    return tuple(map(int, _document(version)["appVersion"].split(".")))


def has(version: str, key: str) -> bool:
    """Tell whether a chart version knows a dotted key."""
    node: Any = contract(version)
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return False
        node = node[part]
    return True


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How two trees of keys differ, by dotted key; of a new or a missing subtree, its root alone.

    Attributes:
        added, removed: keys.
        retyped: key → type before and after.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    retyped: Mapping[str, tuple[str, str]]


def difference(before: str, after: str) -> Difference:
    """Compare the contracts of two versions."""
    old, new = contract(before), contract(after)
    return Difference(
        added=tuple(_missing(new, old)), removed=tuple(_missing(old, new)), retyped=dict(_retyped(old, new))
    )


def _missing(keys: Mapping[str, Any], known: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Give what `keys` has and `known` has not."""
    for key, node in keys.items():
        if key not in known:
            yield f"{at}{key}"
        elif isinstance(node, Mapping) and isinstance(known[key], Mapping):
            yield from _missing(node, known[key], f"{at}{key}.")


def _retyped(old: Mapping[str, Any], new: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, tuple[str, str]]]:
    for key, node in old.items():
        other = new.get(key)
        if isinstance(node, Mapping) and isinstance(other, Mapping):
            yield from _retyped(node, other, f"{at}{key}.")
        elif other is not None and node != other:
            kinds = tuple("keys" if isinstance(kind, Mapping) else kind for kind in (node, other))
            yield f"{at}{key}", (kinds[0], kinds[1])


# Most documents are the same in many environments; the facts are in few of them.
@lru_cache(maxsize=512)
def findings(path: str, text: str, version: str) -> tuple[Finding, ...]:
    """Give everything in one values document that the chart does not take.

    Args:
        path: names the document in the findings.
        text: YAML.
        version: of the chart.
    """
    try:
        values = yaml.load(text, Loader=_LOADER)  # noqa: S506  # both are safe loaders
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        return (Finding(path=path, key="", message=f"is not YAML{line}: {getattr(error, 'problem', error)}"),)
    if not isinstance(values, dict):
        return (
            Finding(path=path, key="", message=f"must be a mapping of values, got {json.dumps(values, default=str)}"),
        )
    try:
        return tuple(_below(contract(version), values, (), path, version))
    except (RecursionError, ValueError):  # ValueError: from json, that writes what is mistyped
        return (Finding(path=path, key="", message="holds an alias that leads back to itself"),)


def _below(
    known: Mapping[str, Any], values: Mapping[Any, Any], at: tuple[str, ...], path: str, version: str
) -> Iterator[Finding]:
    for key, value in values.items():
        here = (*at, str(key))
        if key not in known:
            yield _unknown(path, here, key, value, known, version)
        elif value is None:
            if isinstance(known[key], Mapping):
                message = "null deletes the whole section, and the chart's templates fail without it"
                hint = "set the keys in it that are meant, or leave it out"
                yield Finding(path=path, key=".".join(here), message=message, suggestion=hint)
            # else it deletes the chart's default
        elif isinstance(known[key], Mapping):
            if isinstance(value, dict):
                yield from _below(known[key], value, here, path, version)
            else:
                yield _mistyped(path, here, "a mapping", value)
        else:
            yield from _leaf(known[key], value, here, path)


def _unknown(
    path: str,
    at: tuple[str, ...],
    key: Any,  # noqa: ANN401  # any YAML key
    value: Any,  # noqa: ANN401
    known: Mapping[str, Any],
    version: str,
) -> Finding:
    """Say what became of a key, or what is like it."""
    # Of a subtree that is gone only its leaves may have a story: expose.ingress.harbor.annotations.
    named = [".".join(at), *(".".join((*at, str(below))) for below in (value if isinstance(value, dict) else ()))]
    fates = dict.fromkeys(filter(None, (chart_history.fate(name, version) for name in named)))
    story = f"; {'; '.join(fates)}" if fates else _did_you_mean(str(key), known)
    hint = f"known here: {', '.join(known)}" if len(known) <= 12 else "see charts/harbor"
    message = f"the chart {version} has no such key{story}"
    return Finding(path=path, key=".".join(at), message=message, suggestion="" if fates else hint)


def _leaf(kind: str, value: Any, at: tuple[str, ...], path: str) -> Iterator[Finding]:  # noqa: ANN401  # any YAML value
    if kind == "credential":
        if value != "":
            hint = "name its Secret instead: the keys beside it that begin with existingSecret or end with Name"
            message = "is a credential, which must not be in Git"
            yield Finding(path=path, key=".".join(at), message=message, suggestion=hint)
    elif not _fits(kind, value):
        yield _mistyped(path, at, kind.replace("|", " or "), value)
    elif inside := list(_inside(value, at, path)):
        yield from inside
    elif any("://:@" in text for text in _texts(value)):
        message, hint = "is a URL with an empty password", "take it from a Secret"
        yield Finding(path=path, key=".".join(at), message=message, suggestion=hint)


def _inside(value: Any, at: tuple[str, ...], path: str) -> Iterator[Finding]:  # noqa: ANN401
    """Judge what the chart hands on as it is, by the names that Kubernetes has for it."""
    if isinstance(value, list) and at[-1] in _OBJECT_LISTS:
        for number, item in enumerate(value):
            if not isinstance(item, dict):
                yield _mistyped(path, (*at, str(number)), "a mapping", item)
    elif isinstance(value, dict) and at[-1] in _TEXT_MAPS:
        for name, text in value.items():
            if text is not None and not isinstance(text, str):
                yield _mistyped(path, (*at, str(name)), "string", text)
    elif isinstance(value, dict) and at[-1] == "resources":
        for name in (str(name) for name in value if name not in _RESOURCES):
            message = f"is no part of a pod's resources{_did_you_mean(name, dict.fromkeys(_RESOURCES))}"
            hint = f"known here: {', '.join(_RESOURCES)}"
            yield Finding(path=path, key=".".join((*at, name)), message=message, suggestion=hint)


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _fits(kinds: str, value: Any) -> bool:  # noqa: ANN401  # any YAML value
    if kinds == "any":
        return True
    wanted = tuple(kind for name in kinds.split("|") for kind in _TYPES[name])
    # YAML's booleans are Python integers.
    return isinstance(value, wanted) and (not isinstance(value, bool) or bool in wanted)


def _mistyped(path: str, at: tuple[str, ...], wanted: str, value: Any) -> Finding:  # noqa: ANN401
    hint = "quote it" if wanted == "string" and isinstance(value, int | float | bool) else ""
    return Finding(
        path=path, key=".".join(at), message=f"must be {wanted}, got {json.dumps(value, default=str)}", suggestion=hint
    )


def _did_you_mean(key: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""
