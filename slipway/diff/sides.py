"""One side of a comparison: an environment's files, and every object that Flux makes of them.

    before = side(files, charts=lambda release: archive(release.version, release.repository))
    changes_between(before, after)

What Helm makes is rendered here, with the chart that the side's own files name; Secrets are placeholders.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.errors import ChartUnavailable
from slipway.diff.objects import Item, ObjectChange, compare
from slipway.diff.post_render import post_rendered
from values.changes import component_of
from values.helm import ChartError, objects_by_template, packed, rendered
from values.releases import Release, applied, releases

HARBOR = "harbor"

Charts = Callable[[Release], Path]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side.

    Attributes:
        files: path → text.
        plain: the objects that Flux applies as they stand in Git.
        made: release → the objects that Helm makes of it; None where they could not be made.
        notes: release → what could not be made, and what to do about it.
    """

    files: Mapping[str, str]
    plain: Sequence[Item]
    made: Mapping[str, Sequence[Item] | None]
    notes: Mapping[str, str]


def sides(before: Mapping[str, str], after: Mapping[str, str], charts: Charts) -> tuple[Side, Side]:
    """Give both sides of a comparison, without the releases that are the same on both.

    Raises:
        ChartError: a chart does not render with the values of `after`; those of `before` give a note.
    """
    told = [
        {one.name: (one, _chart_in_git(one, files), _kubernetes(files)) for one in releases(files)}
        for files in (before, after)
    ]
    differ = {name for one in told for name in one if told[0].get(name) != told[1].get(name)}
    return side(before, charts, only=differ, lenient=True), side(after, charts, only=differ)


def side(
    files: Mapping[str, str], charts: Charts, *, only: Collection[str] | None = None, lenient: bool = False
) -> Side:
    """Give the objects that Flux makes of an environment's files.

    Args:
        files: path → text.
        charts: gives the archive of a release's chart, unless that is in Git.
        only: releases to make; None for all.
        lenient: a chart that does not render is a note, not an error.

    Raises:
        ChartError: a chart does not render with the values.
    """
    plain = [Item(component=component_of(path), object=one) for path, found in applied(files).items() for one in found]
    made: dict[str, Sequence[Item] | None] = {}
    notes: dict[str, str] = {}
    for release in releases(files):
        if only is not None and release.name not in only:
            continue
        try:
            made[release.name] = _made(release, files, charts, notes)
        except ChartError as error:
            if not lenient:
                raise
            made[release.name] = None
            notes[release.name] = f"{release.name}: what is there now does not render: {error}"
    return Side(files=files, plain=plain, made=made, notes=notes)


def changes_between(before: Side, after: Side) -> list[ObjectChange]:
    """Give every object that differs; a release that one side could not make is left out of both."""
    unknown = {name for one in (before, after) for name, items in one.made.items() if items is None}
    everything = (
        [*one.plain, *(item for name, items in one.made.items() if name not in unknown for item in items or ())]
        for one in (before, after)
    )
    return compare(*everything)


def _made(release: Release, files: Mapping[str, str], charts: Charts, notes: dict[str, str]) -> Sequence[Item] | None:
    chart = _chart(release, files, charts, notes)
    if chart is None:
        return None
    texts = rendered(
        chart, release.values, release=release.name, namespace=release.namespace, kubernetes_version=_kubernetes(files)
    )
    made = objects_by_template(texts)
    patched, note = post_rendered(texts, release)
    if note:
        notes[release.name] = note
    # Patches keep kind and name, so these lead back to the template.
    components = {_identity(item): _component(release, path) for path, found in made.items() for item in found}
    items = patched if patched is not None else [item for found in made.values() for item in found]
    return [Item(component=components.get(_identity(item), release.name), object=item) for item in items]


def _chart(release: Release, files: Mapping[str, str], charts: Charts, notes: dict[str, str]) -> Path | bytes | None:
    if not release.repository:
        if chart := _chart_in_git(release, files):
            return chart
        notes[release.name] = f"{release.name}: its chart {release.chart} is not among the files"
        return None
    try:
        return charts(release)
    except ChartUnavailable as error:
        whose = "Harbor's objects are" if release.chart == HARBOR else f"the objects of {release.name} are"
        notes[release.name] = f"{whose} left out; their values and what Flux applies are compared. {error}"
    return None


def _chart_in_git(release: Release, files: Mapping[str, str]) -> bytes:
    """Give a chart that is among the files, packed; nothing if it is not."""
    folder = release.chart.removeprefix("./")
    there = not release.repository and f"{folder}/Chart.yaml" in files
    return packed(files, folder) if there else b""


def _component(release: Release, template: str) -> str:
    """Harbor's templates are in a folder for each component."""
    folder = template.rpartition("/templates/")[2].split("/")
    return folder[0] if release.chart == HARBOR and len(folder) > 1 else release.name.removeprefix("harbor-")


def _identity(item: Mapping[str, Any]) -> tuple[str, str]:
    return (str(item.get("kind")), str((item.get("metadata") or {}).get("name")))


def _kubernetes(files: Mapping[str, str]) -> str:
    """Give the cluster's version from the facts beside the files; empty where they tell none."""
    for path, text in files.items():
        if path.endswith("/facts.json"):
            try:
                return str(json.loads(text)["aws"]["kubernetesVersion"])
            except (ValueError, KeyError, TypeError):
                return ""
    return ""
