"""What stands before a registry: a reverse proxy that does one thing wrong, or serves a certificate of the test's choice.

async with Front(harbor.url, drops=("Range",)) as url: …
"""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

_HOPS = {"transfer-encoding", "connection", "keep-alive", "content-length"}


@dataclass
class Front:
    """A proxy; use it as an async context manager, which gives its address.

    Attributes:
        upstream: where it passes requests on to; empty passes them on to wherever they say (a forward proxy).
        tls: a server's context, for https.
        drops, adds: of the request's headers; `hides` of the answer's, below a path.
        largest: bytes that a body may have, as nginx limits it.
        caches: answers GETs of manifests from memory, whoever asks.
        answers: path's end → (status, headers, body) in place of the upstream's.
        spoils: flips the first byte of answers to GETs of paths with this in them.
        keeps_host: whether it passes Host on.
    """

    upstream: str = ""
    tls: object = None
    drops: tuple = ()
    adds: dict = field(default_factory=dict)
    hides: tuple = ()
    hides_below: str = "/"
    largest: int = 1 << 40
    caches: bool = False
    answers: dict = field(default_factory=dict)
    spoils: str = ""
    keeps_host: bool = True
    asked: list = field(default_factory=list)

    async def __aenter__(self) -> str:
        self._cache = {}
        self._http = aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(force_close=True))
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.tls).start()
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_) -> None:
        await self._http.close()
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append((request.method, request.raw_path))
        for end, (status, headers, body) in self.answers.items():
            if request.path.endswith(end):
                return web.Response(status=status, headers=headers, body=body)
        if int(request.headers.get("Content-Length", 0)) > self.largest:
            async for _ in request.content.iter_any():
                pass
            return web.Response(status=413, text="<html>Request Entity Too Large</html>", content_type="text/html")
        if (request.method, request.path) in self._cache:
            return web.Response(**self._cache[request.method, request.path])
        return await self._passed_on(request)

    async def _passed_on(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name not in {*self.drops, "Connection"}}
        headers |= self.adds
        if not self.keeps_host:
            headers.pop("Host", None)
        rest = request.raw_path if self.upstream else urlsplit(request.raw_path)._replace(scheme="", netloc="").geturl()
        place = f"{self.upstream or self.anywhere}{rest}"
        data = request.content if request.body_exists else None
        async with self._http.request(
            request.method, place, headers=headers, data=data, allow_redirects=False
        ) as inner:
            hidden = set(self.hides) if request.path.startswith(self.hides_below) else set()
            given = [(n, v) for n, v in inner.headers.items() if n.lower() not in _HOPS and n not in hidden]
            if request.method == "HEAD" and "Content-Length" in inner.headers:
                given.append(("Content-Length", inner.headers["Content-Length"]))
            body = await inner.read()
            if body and self.spoils and self.spoils in request.path and request.method == "GET":
                body = bytes([body[0] ^ 1]) + body[1:]
            answer = {"status": inner.status, "headers": dict(given), "body": body or None}
            if self.caches and inner.status == 200 and "/manifests/" in request.path:
                self._cache[request.method, request.path] = answer
            response = web.Response(status=inner.status, body=body or None)
            for name, value in given:
                if name.lower() == "content-type":
                    response.headers[name] = value
                else:
                    response.headers.add(name, value)
            return response

    #: Where a forward proxy leads everybody.
    anywhere: str = ""


async def silent() -> tuple[asyncio.Server, str]:
    """Give a server that takes connections and never says anything."""

    async def nothing(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
