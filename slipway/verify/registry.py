"""The registry's side, as the OCI distribution specification has it: uploads, blobs, manifests, tags, referrers.

    registry = Registry(web, repository="slipway-verify-1a2b/app", name="robot$…", secret=secret)
    manifest = await registry.manifest("v1")

Each request goes over a connection of its own (web.py), so that the parts of an upload meet several replicas.
"""

import hashlib
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from slipway.harbor.client.request import Raw
from slipway.harbor.client.session import basic
from slipway.verify.check import Failed
from slipway.verify.content import INDEX, MANIFEST, PIECE, digest_of
from slipway.verify.scene import Blob
from slipway.verify.sending import RegistryRefused, read
from slipway.verify.uploads import Uploads
from slipway.verify.web import Web

_REDIRECTS = {301, 302, 303, 307, 308}


class Registry(Uploads):
    """One repository, seen by one sender.

    Attributes:
        redirected: hosts that content came from besides the registry's.
    """

    def __init__(
        self, web: Web, *, repository: str, name: str = "", secret: str = "", also: tuple[str, ...] = ()
    ) -> None:
        super().__init__(web, repository=repository, name=name, secret=secret, also=also)
        self.redirected: set[str] = set()

    def beside(self, repository: str) -> "Registry":
        """Give another repository, which may take layers from this one."""
        return Registry(self.web, repository=repository, name=self._name, secret=self._secret, also=(self.repository,))

    # --- blobs

    async def has(self, digest: str) -> bool:
        """Tell whether a blob is there, by HEAD; a store that redirects says so by that."""
        raw = await self.send("HEAD", self.path(f"blobs/{digest}"), "look for the blob", {200, 307, 302, 404})
        return raw.status != 404

    async def pull(self, digest: str, *, first: int = 0, last: int | None = None) -> tuple[str, int]:
        """Pull a blob, or bytes of it, redirects followed; gives checksum and size of what came.

        Args:
            digest: of the blob.
            first, last: bytes to ask for, both included; None for the whole.
        """
        await self.refresh()
        headers = self.headers() | ({} if last is None else {"Range": f"bytes={first}-{last}"})
        place, wanted = self.path(f"blobs/{digest}"), 200 if last is None else 206
        for _ in range(5):
            async with self.web.ask("GET", place, headers=headers) as response:
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
        there = urljoin(place if "://" in place else f"{self.web.url}{place}", location)
        self.redirected.add(self._host(there))
        if urlsplit(self.web.url).scheme == "https" and urlsplit(there).scheme != "https":
            raise Failed(f"pull the blob: redirected to {there.partition('?')[0]} in clear text")
        kept = {name: value for name, value in headers.items() if name != "Authorization"}
        same = urlsplit(there).netloc == urlsplit(self.web.url).netloc
        return there, dict(headers) if same else kept

    def _host(self, place: str) -> str:
        return urlsplit(place).netloc or urlsplit(self.web.url).netloc

    # --- manifests

    async def put(self, reference: str, content: bytes, kind: str = MANIFEST) -> Blob:
        """Push a manifest under a tag or its digest."""
        digest = digest_of(content)
        raw = await self.send(
            "PUT",
            self.path(f"manifests/{reference}"),
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
        return (await self.send("GET", self.path(f"manifests/{reference}"), f"pull {reference}", {200}, headers)).body

    async def head(self, reference: str) -> str | None:
        """Give a manifest's digest by HEAD; None where there is no such manifest."""
        headers = {"Accept": f"{MANIFEST}, {INDEX}"}
        place = self.path(f"manifests/{reference}")
        raw = await self.send("HEAD", place, f"look for {reference}", {200, 404}, headers)
        return None if raw.status == 404 else raw.headers.get("docker-content-digest", "")

    async def tags(self, query: str = "") -> list[str]:
        """List the tags, or a page of them."""
        raw = await self.send("GET", self.path(f"tags/list{query}"), "list the tags", {200})
        return list(read(raw, "list the tags").get("tags") or ())

    async def referrers(self, digest: str) -> list[str]:
        """List the digests of what refers to a manifest."""
        raw = await self.send("GET", self.path(f"referrers/{digest}"), "list the referrers", {200})
        return [str(one["digest"]) for one in read(raw, "list the referrers").get("manifests") or ()]

    async def catalog(self) -> list[str]:
        """List all repositories; Harbor lets only administrators, by Basic auth."""
        headers = {"Authorization": basic(self._name, self._secret)}
        raw = await self.web.get("/v2/_catalog?n=10000", headers=headers)
        if raw.status != 200:
            raise RegistryRefused("list the catalog", raw)
        return list(read(raw, "list the catalog").get("repositories") or ())
