"""What changed between versions of the official chart (charts/harbor/changes), and which ways between them are safe.

steps("1.18.3", "1.19.2")          # 1.18.3 → 1.19.1, 1.19.1 → 1.19.2
refusals("1.19.1", "1.18.3")       # goes back: migrations only go forward
fate("notary.enabled", "1.19.1")   # removed in 1.13.0: Harbor 2.9 has no Notary; …
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from values.errors import Refused
from values.facts import SUPPORTED_CHART_VERSIONS

FOLDER = Path(__file__).parents[1] / "charts" / "harbor" / "changes"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
HOW_TO_ADD = "to add one: charts/harbor/README.md"


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Something that acts otherwise, though no key says so.

    Attributes:
        id: short name.
        what: the fact.
        do: what a person must do; empty for nothing.
        when: dotted key (``*`` for any one part) → values that it concerns: ``any`` for every value, None for unset;
            empty: it concerns everybody.
        source: URL.
    """

    id: str
    what: str
    do: str
    when: Mapping[str, Sequence[Any]]
    source: str

    def concerns(self, values: Mapping[str, Any]) -> bool:
        """Tell whether it concerns an environment with these values."""
        return all(_holds(values, key.split("."), accepted) for key, accepted in self.when.items())


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What the upgrade does to the database.

    Attributes:
        before, after: versions in the table schema_migrations.
        what: in words.
        expect: how long it takes.
        source: URL.
    """

    before: int
    after: int
    what: str
    expect: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """The differences between two neighbouring supported versions.

    Attributes:
        before, after: chart versions.
        renamed: dotted key → its new name.
        removed: dotted key → why.
        added: dotted keys, the highest that is new.
        retyped: dotted key → type before and after.
        defaults: dotted key → value before and after.
        behaviour, schema: see there.
        source: URL.
    """

    before: str
    after: str
    renamed: Mapping[str, str]
    removed: Mapping[str, str]
    added: Sequence[str]
    retyped: Mapping[str, tuple[str, str]]
    defaults: Mapping[str, tuple[Any, Any]]
    behaviour: Sequence[Behaviour]
    schema: Schema
    source: str


def ordered(version: str) -> tuple[int, ...]:
    """Give a version as numbers that compare.

    Raises:
        Refused: it is no exact version.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise Refused(f"{version!r} is no exact chart version", f"give one of {', '.join(SUPPORTED_CHART_VERSIONS)}")
    return tuple(map(int, version.split(".")))


def refusals(before: str, after: str) -> tuple[Refused, ...]:
    """Give every reason not to go from one version to another; empty if it is a safe way.

    Raises:
        Refused: one of them is no exact version.
    """
    old, new = ordered(before), ordered(after)
    found = []
    for version in dict.fromkeys((before, after)):
        if version not in SUPPORTED_CHART_VERSIONS:
            known = f"known: {', '.join(SUPPORTED_CHART_VERSIONS)}; {HOW_TO_ADD}"
            found.append(Refused(f"there is no contract for chart {version}", known))
    if new < old:
        fix = "go forward, or restore: docs/upgrading-harbor.md"
        found.append(Refused(f"{before} → {after} goes back, and Harbor's migrations only go forward", fix))
    elif new[0] != old[0] or new[1] - old[1] > 1:
        # Harbor itself supports two minors at once (RELEASES.md); each chart's own changes are held one at a time here.
        between = f"{old[0]}.{old[1] + 1}" if new[0] == old[0] else f"the last {old[0]}.x"
        fix = f"go to chart {between} first, wait until it is delivered, then go on"
        found.append(Refused(f"{before} → {after} skips a minor version", fix))
    return tuple(found)


def steps(before: str, after: str) -> tuple[Step, ...]:
    """Give the differences on the way between two supported versions, neighbour by neighbour, oldest first."""
    way = sorted(SUPPORTED_CHART_VERSIONS, key=ordered)
    return tuple(step(*pair) for pair in pairwise(way[way.index(before) : way.index(after) + 1]))


@cache
def step(before: str, after: str) -> Step:
    """Read the differences between two neighbours.

    Raises:
        FileNotFoundError: they are none.
    """
    document = _read(f"{before}-{after}")
    schema = document["schema"]
    return Step(
        before=before,
        after=after,
        renamed=document["renamed"],
        removed=document["removed"],
        added=tuple(document["added"]),
        retyped={key: (change["from"], change["to"]) for key, change in document["retyped"].items()},
        defaults={key: (change["from"], change["to"]) for key, change in document["defaults"].items()},
        behaviour=tuple(map(_behaviour, document["behaviour"])),
        schema=Schema(
            before=schema["from"],
            after=schema["to"],
            what=schema["what"],
            expect=schema["expect"],
            source=schema["source"],
        ),
        source=document["source"],
    )


def _behaviour(entry: Mapping[str, Any]) -> Behaviour:
    return Behaviour(
        id=entry["id"], what=entry["what"], do=entry["do"], when=entry.get("when", {}), source=entry["source"]
    )


def fate(key: str, version: str) -> str:
    """Say what became of a dotted key that a chart version does not know; empty where nobody knows."""
    for name, story in _stories(version):
        if key == name or key.startswith(f"{name}."):
            return story.format(below=key[len(name) :])
    return ""


def _stories(version: str) -> Iterator[tuple[str, str]]:
    """Give dotted key → what became of it up to a version, or will; ``{below}`` is what stands below the key."""
    older = _read("older")
    for key, change in older["renamed"].items():
        yield key, f"renamed to {change['to']}{{below}} in chart {change['in']}"
    for key, change in older["removed"].items():
        yield key, f"removed in chart {change['in']}: {change['why']}"
    for one in steps(*_ends()):
        if ordered(one.after) <= ordered(version):
            yield from ((key, f"renamed to {new}{{below}} in chart {one.after}") for key, new in one.renamed.items())
            yield from ((key, f"removed in chart {one.after}: {why}") for key, why in one.removed.items())
        else:
            yield from ((key, f"new in chart {one.after}") for key in one.added)


def _ends() -> tuple[str, str]:
    way = sorted(SUPPORTED_CHART_VERSIONS, key=ordered)
    return way[0], way[-1]


@cache
def _read(name: str) -> Mapping[str, Any]:
    return yaml.load((FOLDER / f"{name}.yaml").read_text(), Loader=_LOADER)  # noqa: S506  # both are safe loaders


def _holds(values: Mapping[str, Any], key: Sequence[str], accepted: Sequence[Any]) -> bool:
    found = list(_at(values, key))
    if not found:
        return None in accepted
    return "any" in accepted or any(value in accepted for value in found)


def _at(node: Any, key: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401  # any YAML value
    """Give what stands at a key; nothing for unset, null and empty, which Helm's templates do not tell apart."""
    if not key:
        if node not in (None, "", [], {}):
            yield node
    elif isinstance(node, Mapping):
        for name in node if key[0] == "*" else [key[0]]:
            yield from _at(node.get(name), key[1:])
