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
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import yaml

from infra.cache_folder import cache_folder
from infra.errors import ChartUnavailable, Problem

if TYPE_CHECKING:
    from httpx2 import Client

CHART = "harbor"
#: Seconds until an answer begins or goes on, and until it is all there; and bytes that no index and no chart has.
WAIT, TOTAL, LARGEST = 20.0, 120.0, 50_000_000
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Progress = Callable[[str], None]


def chart_cache() -> Path:
    """Where charts are kept as ``harbor-<version>.tgz``: SLIPWAY_CHART_CACHE, or ``charts`` in the cache folder."""
    return Path(os.environ.get("SLIPWAY_CHART_CACHE") or cache_folder() / "charts")


def cached(version: str) -> Path:
    """Where the archive of a version is, or would be."""
    return chart_cache() / f"{CHART}-{version}.tgz"


def archive(version: str, repository: str, progress: Progress = lambda _: None) -> Path:
    """Give the archive of a chart version, fetching it if it is not there.

    Args:
        version: exact.
        repository: URL of the Helm repository.
        progress: told that something is fetched.

    Raises:
        ChartUnavailable: no answer, no such version, or not the bytes that the index promises.
    """
    path = cached(version)
    if path.exists():
        return path
    if not repository.startswith(("https://", "http://")):
        raise _unavailable(version, repository, "only an HTTP repository can be read from here")
    progress(f"fetching chart {CHART} {version} from {repository}")
    with _client(version, repository) as client:
        index = _read(client, f"{repository.rstrip('/')}/index.yaml", version, repository)
        url, digest = _entry(index, version, repository)
        content = _read(client, url, version, repository)
    got = hashlib.sha256(content).hexdigest()
    if got != digest:
        what = f"{url} is not what the index promises: sha256 {got} instead of {digest}"
        raise _unavailable(version, repository, what)
    _write(path, content)
    return path


@contextmanager
def _client(version: str, repository: str) -> Generator["Client"]:
    import httpx2  # noqa: PLC0415  # 150 ms that only a download needs

    try:
        with httpx2.Client(follow_redirects=True, timeout=WAIT) as client:
            yield client
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        said = str(error) or type(error).__name__
        raise _unavailable(version, repository, f"no answer: {said}") from None


def _read(client: "Client", url: str, version: str, repository: str) -> bytes:
    content, begun = bytearray(), time.monotonic()
    with client.stream("GET", url) as response:
        if response.status_code != 200:
            raise _unavailable(version, repository, f"{url} answers {response.status_code} {response.reason_phrase}")
        for part in response.iter_bytes():
            content += part
            if len(content) > LARGEST:
                raise _unavailable(version, repository, f"{url} is larger than {LARGEST // 1_000_000} MB: no chart is")
            if time.monotonic() - begun > TOTAL:
                raise _unavailable(version, repository, f"{url} was not complete after {TOTAL:.0f} seconds")
    return bytes(content)


def _entry(index: bytes, version: str, repository: str) -> tuple[str, str]:
    """Give URL and SHA-256 of a version's archive."""
    try:
        entries: Any = yaml.load(index, Loader=_LOADER)["entries"][CHART]  # noqa: S506  # both are safe loaders
        known: Mapping[str, Any] = {str(entry["version"]).removeprefix("v"): entry for entry in entries}
    except (yaml.YAMLError, LookupError, TypeError, AttributeError):
        raise _unavailable(version, repository, f"its index.yaml is no Helm index with a chart {CHART}") from None
    if version not in known:
        newest = ", ".join(list(known)[:5])
        raise _unavailable(version, repository, f"has no {CHART} {version}; the first of its index: {newest}")
    urls, digest = known[version].get("urls"), str(known[version].get("digest") or "").removeprefix("sha256:")
    if not urls or not digest:
        raise _unavailable(version, repository, f"its index names no URL or no digest for {CHART} {version}")
    return urljoin(f"{repository.rstrip('/')}/", str(urls[0])), digest


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


def _unavailable(version: str, repository: str, what: str) -> ChartUnavailable:
    return ChartUnavailable(
        Problem(
            where=f"chart {CHART} {version}",
            what=f"is not in {chart_cache()}, and {repository}: {what}",
            fix=f"on a machine that reaches it: helm pull {CHART} --repo {repository} --version {version}; "
            f"then put {CHART}-{version}.tgz into {chart_cache()}",
        )
    )
