"""The registry's side, as the OCI distribution specification has it: uploads in pieces, manifests, tags, referrers.

    registry = Registry(web, repository="slipway-verify-1a2b/app", name="robot$…", secret=secret)
    digest = await registry.upload(layer, parts=4)

Each request goes over a connection of its own (web.py), so that the parts of an upload meet several replicas.
"""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from slipway.harbor.client.request import Raw
from slipway.harbor.client.session import basic
from slipway.verify.check import Failed
from slipway.verify.content import INDEX, MANIFEST, PIECE, Layer, digest_of
from slipway.verify.scene import Blob
from slipway.verify.web import Body, Web

_REDIRECTS = {301, 302, 303, 307, 308}
_FIXES = {
    401: "the token is not taken: core's replicas have different token keys, or the sender lost its rights",
    403: "Harbor's message names the rule; of a quota: raise storage_per_project, or give --blob-size less",
    404: "another replica does not see what one has just taken: registry pods must share one storage",
    413: 'a proxy limits the size of a body: of nginx proxy-body-size "0"',
    416: "parts of an upload meet replicas that do not see each other's: registry pods must share one storage",
    429: "a proxy or firewall limits the rate: raise the limit for /v2/",
    500: "kubectl -n harbor logs deploy/harbor-registry -c registry: storage is full, slow, or refuses writes",
    502: "the registry behind core does not answer: kubectl -n harbor get pods; its log has the reason",
    503: "the load balancer has no healthy target, or the registry restarts: slipway status",
    504: "the load balancer gave up: idle timeout to 900 s, or storage is too slow",
}


class RegistryRefused(Failed):
    """An answer of the registry that is no success."""

    def __init__(self, what: str, raw: Raw) -> None:
        self.status = raw.status
        self.code, message = _words(raw)
        said = f" {self.code}" if self.code else ""
        super().__init__(f"{what}: {raw.status}{said}{f': {message}' if message else ''}", _FIXES.get(raw.status, ""))


@dataclass
class _Upload:
    """An upload on its way.

    Attributes:
        place: where it goes on.
        least: bytes that a part must have.
    """

    place: str
    least: int


class Registry:
    """One repository, seen by one sender.

    Attributes:
        repository: its whole name.
        redirected: hosts that content came from besides the registry's.
    """

    def __init__(
        self, web: Web, *, repository: str, name: str = "", secret: str = "", also: tuple[str, ...] = ()
    ) -> None:
        self._web, self.repository, self._name, self._secret = web, repository, name, secret
        self._scopes = (f"repository:{repository}:pull,push,delete", *(f"repository:{one}:pull" for one in also))
        self._token = ""
        self.redirected: set[str] = set()

    def beside(self, repository: str) -> "Registry":
        """Give another repository, which may take layers from this one."""
        return Registry(self._web, repository=repository, name=self._name, secret=self._secret, also=(self.repository,))

    # --- blobs

    async def upload(self, layer: Layer, *, parts: int) -> tuple[Blob, int]:
        """Push a layer in parts, each over a new connection; gives what was pushed and the number of parts."""
        checksum, number = hashlib.sha256(), 0
        async with self._upload() as upload:
            step = max(-(-layer.size // parts), upload.least)
            for start in range(0, layer.size, step):
                number += 1
                pieces = _summed(layer.pieces(start, min(start + step, layer.size)), checksum)
                await self._part(upload, number, (start, min(start + step, layer.size)), pieces)
            digest = f"sha256:{checksum.hexdigest()}"
            await self._finish(upload, digest)
        return Blob(digest, layer.size), number

    async def push(self, content: bytes) -> Blob:
        """Push something small in one piece."""
        digest = digest_of(content)
        async with self._upload() as upload:
            await self._finish(upload, digest, content)
        return Blob(digest, len(content))

    @contextlib.asynccontextmanager
    async def _upload(self) -> AsyncGenerator[_Upload]:
        """Begin an upload; one that breaks is given up, so that nothing of it is left."""
        started = await self._send("POST", self._path("blobs/uploads/"), "begin the upload", {202})
        upload = _Upload(started.headers.get("location", ""), int(started.headers.get("oci-chunk-min-length") or 0))
        try:
            upload.place = self._next(started)
            yield upload
        except (Failed, asyncio.CancelledError):
            await self._forget(upload.place)
            raise

    async def _part(self, upload: _Upload, number: int, span: tuple[int, int], pieces: AsyncIterator[bytes]) -> None:
        start, end = span
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(end - start),
            "Content-Range": f"{start}-{end - 1}",
        }
        what = f"part {number}, bytes {start} to {end - 1}"
        raw = await self._send("PATCH", upload.place, what, {202}, headers=headers, data=pieces)
        upload.place = self._next(raw)
        self._check_range(raw, end, what)
        # An upload that broke here could go on: another replica may answer.
        asked = f"ask how far the upload is after part {number}"
        self._check_range(await self._send("GET", upload.place, asked, {204}), end, asked)

    def _check_range(self, raw: Raw, end: int, what: str) -> None:
        given = raw.headers.get("range", "").removeprefix("bytes=")
        if given != f"0-{end - 1}":
            raise Failed(f"{what}: the registry says that it has {given or 'nothing'}", _FIXES[416])

    async def mount(self, digest: str, source: str) -> bool:
        """Take a blob from another repository; False where the registry wants it to be sent again."""
        query = urlencode({"mount": digest, "from": source})
        raw = await self._send("POST", self._path(f"blobs/uploads/?{query}"), "mount the blob", {201, 202})
        if raw.status == 202:
            await self._forget(self._next(raw))
        return raw.status == 201

    async def _finish(self, upload: _Upload, digest: str, content: bytes = b"") -> None:
        joint = "&" if urlsplit(upload.place).query else "?"
        raw = await self._send(
            "PUT",
            f"{upload.place}{joint}{urlencode({'digest': digest})}",
            "end the upload",
            {201},
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(len(content))},
            data=content,
        )
        if (given := raw.headers.get("docker-content-digest", digest)) != digest:
            raise Failed(f"end the upload: the registry has {given}, {digest} was sent")

    async def _forget(self, place: str) -> None:
        """Give an upload up; a registry purges forgotten ones by itself too."""
        ours = urlsplit(place)._replace(scheme="", netloc="").geturl()  # whichever scheme and host it named
        if not ours:
            return
        with contextlib.suppress(Failed, TimeoutError):
            async with asyncio.timeout(5):
                await self._web.get(ours, method="DELETE", headers=self._headers())

    async def has(self, digest: str) -> int | None:
        """Give a blob's size by HEAD; None where it is not there."""
        raw = await self._send("HEAD", self._path(f"blobs/{digest}"), "look for the blob", {200, 307, 302, 404})
        return None if raw.status == 404 else int(raw.headers.get("content-length") or 0)

    async def pull(self, digest: str, *, first: int = 0, last: int | None = None) -> tuple[str, int]:
        """Pull a blob, or bytes of it, redirects followed; gives checksum and size of what came.

        Args:
            digest: of the blob.
            first, last: bytes to ask for, both included; None for the whole.
        """
        headers = self._headers() | ({} if last is None else {"Range": f"bytes={first}-{last}"})
        place, wanted = self._path(f"blobs/{digest}"), 200 if last is None else 206
        for _ in range(5):
            async with self._web.ask("GET", place, headers=headers) as response:
                if response.status in _REDIRECTS and "Location" in response.headers:
                    place, headers = self._elsewhere(place, response.headers["Location"], headers)
                    continue
                if response.status != wanted:
                    body = await response.content.read(2000)
                    raise RegistryRefused(f"pull the blob from {self._host(place)}", Raw(response.status, {}, body))
                checksum, size = hashlib.sha256(), 0
                async for piece in response.content.iter_chunked(PIECE):
                    checksum.update(piece)
                    size += len(piece)
                return f"sha256:{checksum.hexdigest()}", size
        raise Failed("pull the blob: redirected five times", "the store's endpoint redirects in a circle")

    def _elsewhere(self, place: str, location: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Give where a redirect leads, and what to send there: never the token to another host."""
        there = urljoin(place if "://" in place else f"{self._web.url}{place}", location)
        self.redirected.add(self._host(there))
        if urlsplit(self._web.url).scheme == "https" and urlsplit(there).scheme != "https":
            raise Failed(f"pull the blob: redirected to {there.partition('?')[0]} in clear text")
        kept = {name: value for name, value in headers.items() if name != "Authorization"}
        same = urlsplit(there).netloc == urlsplit(self._web.url).netloc
        return there, dict(headers) if same else kept

    def _host(self, place: str) -> str:
        return urlsplit(place).netloc or urlsplit(self._web.url).netloc

    # --- manifests

    async def put(self, reference: str, content: bytes, kind: str = MANIFEST) -> Blob:
        """Push a manifest under a tag or its digest."""
        digest = digest_of(content)
        raw = await self._send(
            "PUT",
            self._path(f"manifests/{reference}"),
            f"push the manifest as {reference}",
            {201},
            headers={"Content-Type": kind},
            data=content,
        )
        if (given := raw.headers.get("docker-content-digest", digest)) != digest:
            raise Failed(f"push the manifest: the registry has {given}, {digest} was sent")
        return Blob(digest, len(content))

    async def manifest(self, reference: str) -> bytes:
        """Pull a manifest."""
        headers = {"Accept": f"{MANIFEST}, {INDEX}"}
        return (await self._send("GET", self._path(f"manifests/{reference}"), f"pull {reference}", {200}, headers)).body

    async def head(self, reference: str) -> str | None:
        """Give a manifest's digest by HEAD; None where there is no such manifest."""
        headers = {"Accept": f"{MANIFEST}, {INDEX}"}
        place = self._path(f"manifests/{reference}")
        raw = await self._send("HEAD", place, f"look for {reference}", {200, 404}, headers)
        return None if raw.status == 404 else raw.headers.get("docker-content-digest", "")

    async def tags(self, query: str = "") -> list[str]:
        """List the tags, or a page of them."""
        raw = await self._send("GET", self._path(f"tags/list{query}"), "list the tags", {200})
        return list(_read(raw, "list the tags").get("tags") or ())

    async def referrers(self, digest: str) -> list[str]:
        """List the digests of what refers to a manifest."""
        raw = await self._send("GET", self._path(f"referrers/{digest}"), "list the referrers", {200})
        return [str(one["digest"]) for one in _read(raw, "list the referrers").get("manifests") or ()]

    async def catalog(self) -> list[str]:
        """List all repositories; Harbor lets only administrators, by Basic auth."""
        headers = {"Authorization": basic(self._name, self._secret)}
        raw = await self._web.get("/v2/_catalog?n=10000", headers=headers)
        if raw.status != 200:
            raise RegistryRefused("list the catalog", raw)
        return list(_read(raw, "list the catalog").get("repositories") or ())

    # --- sending

    def _path(self, rest: str) -> str:
        return f"/v2/{self.repository}/{rest}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _next(self, raw: Raw) -> str:
        location = raw.headers.get("location", "")
        if not location:
            raise Failed("the registry gives no place to upload to", "a proxy drops the header Location")
        there = urlsplit(urljoin(self._web.url, location))
        ours = urlsplit(self._web.url)
        if (there.scheme, there.netloc) != (ours.scheme, ours.netloc):
            fix = "externalURL or a proxy's X-Forwarded-Proto is wrong: see outside.realm"
            raise Failed(f"the registry sends uploads to {there.scheme}://{there.netloc}", fix)
        return there.geturl()

    async def _send(
        self,
        method: str,
        place: str,
        what: str,
        good: set[int],
        headers: Mapping[str, str] | None = None,
        *,
        data: Body = None,
    ) -> Raw:
        if self._name and not self._token:
            await self.log_in()
        raw = await self._web.get(place, method=method, headers={**self._headers(), **(headers or {})}, data=data)
        if raw.status not in good:
            raise RegistryRefused(what, raw)
        return raw

    async def log_in(self) -> None:
        """Get a token, as docker does."""
        query = urlencode([("service", "harbor-registry"), *(("scope", scope) for scope in self._scopes)])
        headers = {"Authorization": basic(self._name, self._secret)}
        raw = await self._web.get(f"/service/token?{query}", headers=headers)
        if raw.status != 200:
            raise RegistryRefused("get a token", raw)
        self._token = str(_read(raw, "get a token").get("token") or "")


async def _summed(pieces: Iterable[bytes], checksum: "hashlib._Hash") -> AsyncIterator[bytes]:
    for piece in pieces:
        checksum.update(piece)
        yield piece


def _read(raw: Raw, what: str) -> dict[str, Any]:
    try:
        answer = json.loads(raw.body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Failed(f"{what}: the answer is not what a registry gives")
    return answer


def _words(raw: Raw) -> tuple[str, str]:
    try:
        first = json.loads(raw.body)["errors"][0]
        return str(first.get("code", "")), str(first.get("message", ""))[:300]
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", ""
