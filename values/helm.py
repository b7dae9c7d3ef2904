"""Helm's own engine (the Helm SDK as a Python wheel): a chart's archive and values become manifests, with no cluster.

    texts = rendered(Path("harbor-1.19.1.tgz"), harbor_values(files), kubernetes_version="1.33")
    objects(texts["harbor/templates/core/core-dpl.yaml"])[0]["kind"]

`lookup` finds nothing here, as with `helm template`; Flux's finds what is in the cluster.
"""

import gzip
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from values.errors import Finding, ValuesError

if TYPE_CHECKING:
    from helm_python.chart import Chart


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """libyaml's loader where there is one; Kubernetes knows no dates, so neither does this."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

#: `<template>:<line>:<column>`, then `executing "…" at <variable>:`, then the reason. The last one is the innermost.
_FAILED = re.compile(r'(\S+):(\d+):\d+\n\s*executing "[^"]*" at <(.*)>:\n\s*(?!error calling include)(.*)')
#: `required` and `fail`, which speak for themselves; and a template that is none.
_SAID = re.compile(r"(?:execution|parse) error at \((\S+?):(\d+)(?::\d+)?\): (.*)", re.DOTALL)


class ChartError(ValuesError):
    """The chart could not be read, or does not render with these values.

    Attributes:
        template: path in the chart; empty where Helm names none.
        line: in the template; 0 where Helm names none.
        variable: what the template was reading, ``.Values.expose.ingress.controller``; may be empty.
    """

    def __init__(self, finding: Finding, *, template: str = "", line: int = 0, variable: str = "") -> None:
        super().__init__(finding)
        self.template, self.line, self.variable = template, line, variable


def rendered(
    archive: Path | bytes,
    values: Mapping[str, Any],
    *,
    release: str = "harbor",
    namespace: str = "harbor",
    kubernetes_version: str = "",
    api_versions: Sequence[str] = (),
) -> dict[str, str]:
    """Render a chart: template path → text, only templates that give something, in the order of their paths.

    Args:
        archive: the chart, packed: where it is, or itself (`packed`).
        values: what a HelmRelease would hand to it.
        release: name of the release.
        namespace: of the release.
        kubernetes_version: what `.Capabilities` tells; empty for Helm's own default.
        api_versions: what `.Capabilities` has beyond Kubernetes' own.

    Raises:
        ChartError: no readable chart, or a template that fails.
    """
    from helm_python import _native  # noqa: PLC0415  # 130 ms and 85 MB that few commands need
    from helm_python.errors import HelmError  # noqa: PLC0415

    options: dict[str, Any] = {"name": release, "namespace": namespace}
    if kubernetes_version:
        options["kube_version"] = f"v{kubernetes_version.removeprefix('v')}"
    if api_versions:
        options["api_versions"] = list(api_versions)
    chart = _loaded(archive)
    try:
        # The wheel's own `Chart.render` does not pass the versions on, though the library takes them.
        answer = _native.call_string("helm_render", chart._raw(), json.dumps(values), json.dumps(options))  # noqa: SLF001
    except HelmError as error:
        raise _explained(str(error), archive.name if isinstance(archive, Path) else "chart", values) from None
    texts: dict[str, str] = json.loads(answer)
    exponents = dict(_exponents(values))
    return {
        path: _with_plain_numbers(text, exponents)
        for path, text in sorted(texts.items())
        if path.endswith(".yaml") and text.strip()
    }


def objects(text: str) -> list[dict[str, Any]]:
    """Give the Kubernetes objects of a manifest.

    Raises:
        ChartError: the text is not YAML: a value that breaks the template around it.
    """
    try:
        # The chart 1.18.3 ends a line with a tab, which Go's parser takes and this one does not.
        documents = list(yaml.load_all(text.replace("\t\n", "\n"), Loader=Loader))  # a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        shown = text.splitlines()[line - 1].strip() if 0 < line <= len(text.splitlines()) else ""
        message = f"gives no YAML: {getattr(error, 'problem', error)}, at {shown!r}"
        finding = Finding(path=f"rendered line {line}", key="", message=message, suggestion="quote the value there")
        raise ChartError(finding, line=line) from None
    return [item for item in documents if isinstance(item, dict)]


def objects_by_template(texts: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Give the objects of everything that `rendered` gave; an error names the template."""
    found = {}
    for path, text in texts.items():
        try:
            found[path] = objects(text)
        except ChartError as error:
            (finding,) = error.findings
            named = Finding(
                path=f"{path}, {finding.path}", key="", message=finding.message, suggestion=finding.suggestion
            )
            raise ChartError(named, template=path, line=error.line) from None
    return found


def all_objects(texts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Give them as one list."""
    return [item for found in objects_by_template(texts).values() for item in found]


def packed(files: Mapping[str, str], folder: str) -> bytes:
    """Pack a chart whose files are in Git, below `folder`, as `rendered` takes it; the same bytes each time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:  # gzip by tarfile would write the time
        for path in sorted(path for path in files if path.startswith(f"{folder}/")):
            entry = tarfile.TarInfo(f"chart/{path.removeprefix(f'{folder}/')}")
            content = files[path].encode()
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), compresslevel=1, mtime=0)


def _loaded(archive: Path | bytes) -> "Chart":
    if isinstance(archive, bytes):
        return _opened(archive, 0, len(archive))
    try:
        status = archive.stat()
    except OSError as error:
        raise ChartError(
            Finding(path=str(archive), key="", message=f"no chart can be read there: {error.strerror}")
        ) from None
    return _opened(os.fspath(archive), status.st_mtime_ns, status.st_size)


# A chart is immutable and may be shared; loading it costs as much as rendering it.
@lru_cache(maxsize=8)
def _opened(archive: str | bytes, _changed: int, _size: int) -> "Chart":
    from helm_python.chart import Chart  # noqa: PLC0415
    from helm_python.errors import HelmError  # noqa: PLC0415

    try:
        return Chart.load_archive(archive) if isinstance(archive, bytes) else Chart.load(archive)
    except HelmError as error:
        named = "the chart in Git" if isinstance(archive, bytes) else archive
        hint = "" if isinstance(archive, bytes) else "it is broken: remove it, and it is fetched again"
        raise ChartError(Finding(path=named, key="", message=f"is not a chart: {error}", suggestion=hint)) from None


def _explained(said: str, archive: str, values: Mapping[str, Any]) -> ChartError:
    if failures := _FAILED.findall(said):
        template, line, variable, reason = failures[-1]
    elif found := _SAID.search(said):
        (template, line, reason), variable = found.groups(), ""
    else:
        return ChartError(Finding(path=archive, key="", message=f"does not render: {said}"))
    shown = variable.removeprefix("$").removeprefix(".Values.") if ".Values." in variable else variable
    return ChartError(
        Finding(
            path=f"{archive} {template}:{line}",
            key=shown,
            message=f"the template fails: {' '.join(reason.split())}",
            suggestion=_culprit(variable, values),
        ),
        template=template,
        line=int(line),
        variable=variable,
    )


def _culprit(variable: str, values: Mapping[str, Any]) -> str:
    """Say which of the values, above the one that the template reads, is no mapping."""
    _, found, key = variable.partition(".Values.")
    node: Any = values
    for depth, part in enumerate(key.split("."), start=1) if found else ():
        if not isinstance(node, Mapping) or part not in node:
            break
        node = node[part]
        if not isinstance(node, Mapping) and depth <= key.count("."):
            at = ".".join(key.split(".")[:depth])
            return f"the values hold {at}: {json.dumps(node, default=str)}; give it its keys, or leave it out"
    return "see this line of the chart for what it wants"


def _exponents(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  # any YAML value
    """Give how Go writes the large integers of the values, and how Flux' Helm does.

    Values reach this library as JSON numbers without Helm's own decoder, and a template that prints one from a million
    on writes 1.048576e+07.
    """
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _exponents(item)
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**6:
        sign, digits = ("-" if value < 0 else ""), str(abs(value))
        mantissa = digits.rstrip("0")
        fraction = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
        yield f"{sign}{mantissa[0]}{fraction}e+{len(digits) - 1:02d}", str(value)


def _with_plain_numbers(text: str, exponents: Mapping[str, str]) -> str:
    for exponent, plain in exponents.items():
        text = text.replace(exponent, plain)
    return text
