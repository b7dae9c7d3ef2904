"""Compare Kubernetes objects one by one: what comes, what goes, what changes, which pods roll, and what would fail.

    found = compare(items_before, items_after)
    [change.name for change in found if change.rolls]

Checksums and the labels of the chart's version change with everything, so they are told as a word, never as lines.
"""

import copy
import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from slipway.diff.immutable import immutable_changes, reinstalls, value_at
from values.yaml_text import written

Object = Mapping[str, Any]
What = Literal["added", "removed", "changed"]

#: In this order they are shown; what else there is comes after.
COMPONENTS = (
    "core", "portal", "registry", "jobservice", "trivy", "exporter", "nginx", "ingress", "database", "redis", "metrics",
    "flux", "infrastructure", "prerequisites", "support",
)  # fmt: skip
#: Kinds whose pods are replaced when their template changes.
_ROLLING = ("Deployment", "StatefulSet", "DaemonSet")
_VERSION_LABELS = ("helm.sh/chart", "app.kubernetes.io/version", "chart")
CONTEXT = 3


@dataclass(frozen=True, kw_only=True)
class Item:
    """One object and the component that it belongs to."""

    component: str
    object: Object

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same object in another rendering: kind, namespace, name."""
        metadata = self.object.get("metadata") or {}
        return (str(self.object.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name")))


@dataclass(frozen=True, kw_only=True)
class ObjectChange:
    """One object that differs.

    Attributes:
        component, kind, namespace, name: which.
        what: added, removed or changed.
        rolls: its pods are replaced.
        noise: checksums and version labels that changed, which are not in `lines`.
        immutable: fields that changed and may not: the API server refuses the update.
        reinstalls: fields whose change makes Flux uninstall the release first.
        lines: unified diff of the object as YAML, without the noise; empty if only that changed.
    """

    component: str
    kind: str
    namespace: str
    name: str
    what: What
    rolls: bool = False
    noise: tuple[str, ...] = ()
    immutable: tuple[str, ...] = ()
    reinstalls: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Applying it is refused."""
        return bool(self.immutable)


def compare(before: Iterable[Item], after: Iterable[Item]) -> list[ObjectChange]:
    """Give every object that differs, grouped by component."""
    old, new = ({item.key: item for item in items} for items in (before, after))
    changes = []
    for key in dict.fromkeys([*old, *new]):
        one, other = old.get(key), new.get(key)
        if one is None or other is None or one.object != other.object:
            changes.append(_change(one, other))
    return sorted(changes, key=lambda change: (place(change.component), change.kind, change.name))


def place(component: str) -> tuple[int, str]:
    """Give where a component stands among the others."""
    return (COMPONENTS.index(component) if component in COMPONENTS else len(COMPONENTS), component)


def _change(one: Item | None, other: Item | None) -> ObjectChange:
    item = other or one
    assert item  # noqa: S101  # one of them is there
    kind, namespace, name = item.key
    named: dict[str, Any] = {"component": item.component, "kind": kind, "namespace": namespace, "name": name}
    if one is None or other is None:
        what: What = "added" if one is None else "removed"
        lines = _lines(one.object if one else None, other.object if other else None)
        return ObjectChange(what=what, lines=lines, **named)
    quiet_before, noise_before = _without_noise(one.object)
    quiet_after, noise_after = _without_noise(other.object)
    noise = sorted(key for key in {*noise_before, *noise_after} if noise_before.get(key) != noise_after.get(key))
    return ObjectChange(
        what="changed",
        rolls=kind in _ROLLING and value_at(one.object, "spec.template") != value_at(other.object, "spec.template"),
        noise=tuple(dict.fromkeys(key.partition(" ")[2] for key in noise)),
        immutable=immutable_changes(one.object, other.object),
        reinstalls=reinstalls(one.object, other.object),
        lines=_lines(quiet_before, quiet_after),
        **named,
    )


def _without_noise(item: Object) -> tuple[Object, dict[str, str]]:
    """Give the object without checksums and version labels, and these: place and key → value."""
    quiet, noise = copy.deepcopy(dict(item)), {}
    for place, metadata in _metadata(quiet):
        for part in ("annotations", "labels"):
            held = metadata.get(part) or {}
            for key in [key for key in held if _is_noise(part, key)]:
                noise[f"{place} {key}"] = str(held.pop(key))
    return quiet, noise


def _metadata(item: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for place in ("metadata", "spec.template.metadata", "spec.jobTemplate.spec.template.metadata"):
        found = value_at(item, place)
        if isinstance(found, dict):
            yield place, found


def _is_noise(part: str, key: str) -> bool:
    return key.startswith("checksum/") if part == "annotations" else key in _VERSION_LABELS


def _lines(one: Object | None, other: Object | None) -> tuple[str, ...]:
    before, after = (_text(item).splitlines() if item else [] for item in (one, other))
    # The two heading lines name files, and there are none.
    return tuple(difflib.unified_diff(before, after, n=CONTEXT, lineterm=""))[2:]


def _text(item: Object) -> str:
    """Write an object so that its lines can be compared: sorted keys, text of several lines as such, secrets hidden."""
    return written([_hidden(_without_blanks(item))])


def _hidden(item: Object) -> Object:
    """Replace what a Secret holds by a digest: that it changes is seen, and what it is is not."""
    if item.get("kind") != "Secret":
        return item
    hidden = dict(item)
    for part in ("data", "stringData"):
        if isinstance(item.get(part), Mapping):
            hidden[part] = {
                key: f"(hidden, {hashlib.sha256(str(value).encode()).hexdigest()[:8]})"
                for key, value in item[part].items()
            }
    return hidden


def _without_blanks(value: Any) -> Any:  # noqa: ANN401  # any YAML value
    """Leave out blanks at the ends of lines and tabs: text with them could not be shown line by line."""
    if isinstance(value, Mapping):
        return {key: _without_blanks(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_blanks(item) for item in value]
    if isinstance(value, str) and "\n" in value:
        return "\n".join(line.rstrip() for line in value.split("\n")).replace("\t", "  ")
    return value
