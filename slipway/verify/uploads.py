"""Uploads as the OCI distribution specification has them: in one piece, in parts over several connections, by mount.

blob, parts = await registry.upload(layer, parts=4)
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from slipway.harbor.client.request import Raw
from slipway.verify.check import Failed
from slipway.verify.content import Layer, digest_of
from slipway.verify.held import SECONDS, held, settle
from slipway.verify.scene import Blob
from slipway.verify.sending import FIXES, Sender


@dataclass
class _Upload:
    """An upload on its way.

    Attributes:
        place: where it goes on.
        least: bytes that a part must have.
    """

    place: str
    least: int


class Uploads(Sender):
    """What a repository takes. An upload that breaks is given up, so that nothing of it is left."""

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
        started = await self._begun("blobs/uploads/", "begin the upload", {202})
        upload = _Upload(started.headers.get("location", ""), int(started.headers.get("oci-chunk-min-length") or 0))
        try:
            upload.place = self.place_after(started)
            yield upload
        except (Failed, asyncio.CancelledError):
            await self._give_up(upload.place)
            raise

    async def _begun(self, rest: str, what: str, good: set[int]) -> Raw:
        """Begin an upload; an interrupt that comes before its place is known waits for it, and gives it up."""
        late: list[Raw] = []
        try:
            return await held(self.send("POST", self.path(rest), what, good), late.append)
        except asyncio.CancelledError:
            for raw in late:
                if raw.status == 202:
                    await self._give_up(raw.headers.get("location", ""))
            raise

    async def _part(self, upload: _Upload, number: int, span: tuple[int, int], pieces: AsyncIterator[bytes]) -> None:
        start, end = span
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(end - start),
            "Content-Range": f"{start}-{end - 1}",
        }
        what = f"part {number}, bytes {start} to {end - 1}"
        raw = await self.send("PATCH", upload.place, what, {202}, headers=headers, data=pieces)
        upload.place = self.place_after(raw)
        self._check_range(raw, end, what)
        # An upload that broke here could go on: another replica may answer.
        asked = f"ask how far the upload is after part {number}"
        self._check_range(await self.send("GET", upload.place, asked, {204}), end, asked)

    def _check_range(self, raw: Raw, end: int, what: str) -> None:
        given = raw.headers.get("range", "").removeprefix("bytes=")
        if given != f"0-{end - 1}":
            raise Failed(f"{what}: the registry says that it has {given or 'nothing'}", FIXES[416])

    async def mount(self, digest: str, source: str) -> bool:
        """Take a blob from another repository; False where the registry wants it to be sent again."""
        query = urlencode({"mount": digest, "from": source})
        raw = await self._begun(f"blobs/uploads/?{query}", "mount the blob", {201, 202})
        if raw.status == 202:
            await self._give_up(self.place_after(raw))
        return raw.status == 201

    async def _finish(self, upload: _Upload, digest: str, content: bytes = b"") -> None:
        joint = "&" if urlsplit(upload.place).query else "?"
        raw = await self.send(
            "PUT",
            f"{upload.place}{joint}{urlencode({'digest': digest})}",
            "end the upload",
            {201},
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(len(content))},
            data=content,
        )
        if (given := raw.headers.get("docker-content-digest", digest)) != digest:
            raise Failed(f"end the upload: the registry has {given}, {digest} was sent")

    async def _give_up(self, place: str) -> None:
        """Give an upload up, whatever interrupts."""
        await settle(asyncio.ensure_future(self._forget(place)), SECONDS)

    async def _forget(self, place: str) -> None:
        """Take an upload back; a registry purges forgotten ones by itself too."""
        ours = urlsplit(place)._replace(scheme="", netloc="").geturl()  # whichever scheme and host it named
        if not ours:
            return
        with contextlib.suppress(Failed, TimeoutError):
            async with asyncio.timeout(SECONDS):
                await self.web.get(ours, method="DELETE", headers=self.headers())


async def _summed(pieces: Iterable[bytes], checksum: "hashlib._Hash") -> AsyncIterator[bytes]:
    for piece in pieces:
        checksum.update(piece)
        yield piece
