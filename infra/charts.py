"""The chart's archive: from the cache, else from its Helm repository, held against the digest in the index.

    path = archive("1.19.1", "https://helm.goharbor.io", progress=print)

The cache is ``charts`` in the cache folder, or SLIPWAY_CHART_CACHE; what stands there as ``harbor-<version>.tgz`` is
taken for that version whatever the repository, so that a machine without a network can be given it by hand.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin

import yaml

from infra.cache_folder import cache_folder
from infra.errors import ChartUnavailable, Problem

if TYPE_CHECKING:
    from httpx2 import Client

HARBOR = "harbor"
#: Seconds until an answer begins or goes on, and until it is all there; and bytes that no index and no chart has.
WAIT, TOTAL, LARGEST = 20.0, 120.0, 50_000_000
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Progress = Callable[[str], None]


def chart_cache() -> Path:
    """Where charts are kept as ``harbor-<version>.tgz``: SLIPWAY_CHART_CACHE, or ``charts`` in the cache folder."""
    return Path(os.environ.get("SLIPWAY_CHART_CACHE") or cache_folder() / "charts")


def cached(version: str, chart: str = HARBOR) -> Path:
    """Where the archive of a version is, or would be."""
    return chart_cache() / f"{chart}-{version}.tgz"


def cached_or_refuse(version: str, repository: str, chart: str = HARBOR) -> Path:
    """Give the archive if it is in the cache.

    Raises:
        ChartUnavailable: it is not.
    """
    path = cached(version, chart)
    if not path.exists():
        raise _unavailable(_Wanted(chart, version, repository), "")
    return path


def archive(version: str, repository: str, progress: Progress = lambda _: None, chart: str = HARBOR) -> Path:
    """Give the archive of a chart version, fetching it if it is not there.

    Args:
        version: exact.
        repository: URL of the Helm repository.
        progress: told that something is fetched.
        chart: its name.

    Raises:
        ChartUnavailable: no answer, no such version, or not the bytes that the index promises.
    """
    path, wanted = cached(version, chart), _Wanted(chart, version, repository.rstrip("/"))
    if path.exists():
        return path
    if not repository.startswith(("https://", "http://")):
        raise _unavailable(wanted, "only an HTTP repository can be read from here")
    progress(f"fetching chart {chart} {version} from {repository}")
    with _client(wanted) as client:
        url, digest = _entry(_read(client, f"{wanted.repository}/index.yaml", wanted), wanted)
        content = _read(client, url, wanted)
    got = hashlib.sha256(content).hexdigest()
    if got != digest:
        raise _unavailable(wanted, f"{url} is not what the index promises: sha256 {got} instead of {digest}")
    _write(path, content)
    return path


class _Wanted(NamedTuple):
    """What is looked for, as messages name it."""

    chart: str
    version: str
    repository: str


@contextmanager
def _client(wanted: _Wanted) -> Generator["Client"]:
    import httpx2  # noqa: PLC0415  # 150 ms that only a download needs

    try:
        with httpx2.Client(follow_redirects=True, timeout=WAIT) as client:
            yield client
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        said = str(error) or type(error).__name__
        raise _unavailable(wanted, f"no answer: {said}") from None


def _read(client: "Client", url: str, wanted: _Wanted) -> bytes:
    content, begun = bytearray(), time.monotonic()
    with client.stream("GET", url) as response:
        if response.status_code != 200:
            raise _unavailable(wanted, f"{url} answers {response.status_code} {response.reason_phrase}")
        for part in response.iter_bytes():
            content += part
            if len(content) > LARGEST:
                raise _unavailable(wanted, f"{url} is larger than {LARGEST // 1_000_000} MB: no chart is")
            if time.monotonic() - begun > TOTAL:
                raise _unavailable(wanted, f"{url} was not complete after {TOTAL:.0f} seconds")
    return bytes(content)


def _entry(index: bytes, wanted: _Wanted) -> tuple[str, str]:
    """Give URL and SHA-256 of a version's archive."""
    try:
        entries: Any = yaml.load(index, Loader=_LOADER)["entries"][wanted.chart]  # noqa: S506  # both are safe loaders
        known: Mapping[str, Any] = {str(entry["version"]).removeprefix("v"): entry for entry in entries}
    except (yaml.YAMLError, LookupError, TypeError, AttributeError):
        raise _unavailable(wanted, f"its index.yaml is no Helm index with a chart {wanted.chart}") from None
    if wanted.version not in known:
        newest = ", ".join(list(known)[:5])
        raise _unavailable(wanted, f"has no {wanted.chart} {wanted.version}; the first of its index: {newest}")
    urls, digest = (
        known[wanted.version].get("urls"),
        str(known[wanted.version].get("digest") or "").removeprefix("sha256:"),
    )
    if not urls or not digest:
        raise _unavailable(wanted, f"its index names no URL or no digest for {wanted.chart} {wanted.version}")
    return urljoin(f"{wanted.repository}/", str(urls[0])), digest


def _write(path: Path, content: bytes) -> None:
    """Write the file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        try:
            file.write(content)
            file.close()
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _unavailable(wanted: _Wanted, what: str) -> ChartUnavailable:
    chart, version, repository = wanted
    return ChartUnavailable(
        Problem(
            where=f"chart {chart} {version}",
            what=f"is not in {chart_cache()}" + (f", and {repository}: {what}" if what else ""),
            fix=f"on a machine that reaches it: helm pull {chart} --repo {repository} --version {version}; "
            f"then put {chart}-{version}.tgz into {chart_cache()}",
        )
    )
