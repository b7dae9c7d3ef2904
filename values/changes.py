"""What differs between two sets of an environment's files, value by value: for a commit message, a diff, a review.

    found = changes(files_in_the_branch, files_now)
    found[0]  # Change(component="core", key="core.replicas", before="2", after="3")
    summary(found)

Pure, and only files whose text differs are parsed.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import yaml

from values.helm import Loader

#: `summary` is for people: no more lines and no longer ones than these.
LINES = 40
WIDTH = 100
HIDDEN = "(hidden: it looks like a secret)"

_BELOW = re.compile(r"(?:^|/)apps/harbor/[^/]+/(.+)$")
_SECRET_KEY = re.compile(r"(?i)(password|passwd|secret|token|htpasswd|credential|private_?key|access_?key|csrf)")
#: Keys that hold the name of a Secret, or where it is kept, not what is in it.
_NAMES_A_SECRET = re.compile(
    r"(?i)(existing\w*secret\w*|secret\w*(name|ref|prefix)|\w*secrets|key_?secret|kind)$|secretstore|externalsecret"
)
_SECRET_VALUE = re.compile(
    r"-----BEGIN |://[^/\s:@]*:[^/\s@]+@|\bAKIA[A-Z0-9]{16}\b|\$2[aby]\$"
    r"|(?=[A-Za-z0-9+/]*[a-z])(?=[A-Za-z0-9+/]*[A-Z])(?=[A-Za-z0-9+/]*\d)[A-Za-z0-9+/]{24,}"
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One value that differs.

    Attributes:
        component: ``core``, ``override-mail``, ``prerequisites``, ``flux``…
        key: dotted; of an object that is no values document, ``Kind/name`` stands before it.
        before: as JSON text; None where there was nothing.
        after: as JSON text; None where there is nothing any more.
    """

    component: str
    key: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        """Give ``key: before → after`` in full, but nothing that looks like a secret."""
        before, after = (hidden(self.key, text) for text in (self.before, self.after))
        if before is None:
            return f"+ {self.key}: {after}"
        return f"- {self.key}: {before}" if after is None else f"  {self.key}: {before} → {after}"


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Compare two sets of files of one environment, path → text; lock files take no part."""
    found = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        component = component_of(path)
        if old == new or not component:
            continue
        values_before, values_after = _flat(path, old), _flat(path, new)
        for key in [*values_before, *(key for key in values_after if key not in values_before)]:
            one, other = values_before.get(key), values_after.get(key)
            if one != other:
                found.append(Change(component=component, key=key, before=one, after=other))
    return tuple(sorted(_without_moves(found), key=lambda one: one.component))


def component_of(path: str) -> str:
    """Name the part of an environment that a file belongs to; empty for files that are only ours (the lock)."""
    below = _BELOW.search(path)
    if not below:
        return "flux"
    folder, _, name = below[1].rpartition("/")
    if name.startswith("."):
        return ""
    if folder in {"release/values", "manifests"}:
        return name.removesuffix(".yaml")
    top = folder.partition("/")[0]
    return {"": "facts", "release": "flux"}.get(top, top)


def summary(found: Sequence[Change], *, lines: int = LINES, width: int = WIDTH) -> str:
    """Give the changes as a short plain list, grouped by component; empty if there are none."""
    listed: list[str] = []
    for component, group in groupby(found, key=lambda one: one.component):
        listed.append(component)
        listed += [f"  {_short(str(change), width - 2)}" for change in group]
    if len(listed) <= lines:
        return "\n".join(listed)
    shown = listed[: lines - 1]
    if not shown[-1].startswith(" "):  # a heading with nothing below it
        shown.pop()
    told = sum(line.startswith(" ") for line in shown)
    return "\n".join([*shown, f"and {len(found) - told} more"])


def hidden(key: str, text: str | None) -> str | None:
    """Give the text of a value, or that it is hidden: where its key or itself looks like a secret's."""
    if text is None or text in {'""', "null"}:
        return text
    last = key.rpartition(" ")[2].rpartition(".")[2]  # of an object, kind and name stand before the key
    by_key = _SECRET_KEY.search(last) and not _NAMES_A_SECRET.search(last) and text[0] in '"[{0123456789'
    return HIDDEN if by_key or _SECRET_VALUE.search(text) else text


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _without_moves(found: Sequence[Change]) -> Iterator[Change]:
    """Leave out what only moved from one document to another: the chart gets the same."""
    gone = {(one.key, one.before) for one in found if one.after is None}
    come = {(one.key, one.after) for one in found if one.before is None}
    moved = gone & come
    for one in found:
        if None in (one.before, one.after) and (one.key, one.before or one.after) in moved:
            continue
        yield one


def _flat(path: str, text: str | None) -> dict[str, str]:
    """Give dotted key → JSON text; a file that is no YAML (a chart's template) as one value."""
    if text is None:
        return {}
    if "/chart/" not in path:
        try:
            documents = [one for one in yaml.load_all(text, Loader=Loader) if one is not None]  # a safe loader
            return dict(_walked(path, documents))
        except yaml.YAMLError:
            pass
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    below = _BELOW.search(path)
    return {below[1] if below else path: json.dumps(f"{text.count(chr(10))} lines, {digest}")}


def _walked(path: str, documents: Sequence[Any]) -> Iterator[tuple[str, str]]:
    for document in documents:
        if isinstance(document, Mapping) and isinstance(document.get("metadata"), Mapping):
            name = f"{document.get('kind')}/{document['metadata'].get('name')} "
            yield from _leaves({key: value for key, value in document.items() if key != "kind"}, name)
        elif isinstance(document, Mapping) and "kind" in document:  # kustomize's own have no name
            yield from _leaves(document, f"{path.rpartition('/')[2]} ")
        else:
            yield from _leaves(document, "")


def _leaves(value: Any, prefix: str, key: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401  # any YAML value
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _leaves(item, prefix, f"{key}.{name}" if key else str(name))
    else:
        yield f"{prefix}{key}", json.dumps(value, ensure_ascii=False, default=str)
