"""The way to the distribution server behind: with a token of its own, in pieces, and its answers made Harbor's.

response = await through(harbor, request, "GET", "/v2/payments/app/blobs/sha256:…")
"""

import time

import aiohttp
from aiohttp import web

from tests.harbor.server.answers import Refused
from tests.harbor.server.harbor import Harbor

_PASSED_ON = ("Content-Type", "Content-Length", "Content-Range", "Range", "Accept")
_GIVEN_BACK = (
    "Content-Type",
    "Content-Length",
    "Content-Range",
    "Docker-Content-Digest",
    "Docker-Distribution-Api-Version",
    "Docker-Upload-UUID",
    "Etag",
    "Location",
    "OCI-Chunk-Min-Length",
    "Range",
)


def origin(harbor: Harbor, request: web.BaseRequest) -> str:
    """Give what clients are sent to: the scheme of the external address, the host of the request."""
    scheme = harbor.switches.external_url.partition("://")[0] or "http"
    return f"{scheme}://{request.headers.get('Host', '')}"


_inner: dict[str, tuple[float, str]] = {}


def _inner_token(harbor: Harbor, names: set[str]) -> str:
    key = " ".join(sorted(names))
    until, text = _inner.get(key, (0.0, ""))
    if until < time.monotonic():
        access = [{"type": "repository", "name": name, "actions": ["pull", "push", "delete"]} for name in sorted(names)]
        text = harbor.tokens.issue("harbor", access, minutes=10)
        _inner[key] = (time.monotonic() + 300, text)
    return text


async def through(
    harbor: Harbor,
    request: web.BaseRequest,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    spaces: set[str] | None = None,
) -> web.StreamResponse:
    """Pass a request on and its answer back, in pieces: no blob is ever whole in memory."""
    if not harbor.registry:
        raise Refused(502, "UNKNOWN", "no distribution server behind")
    name = path.removeprefix("/v2/").rsplit("/blobs", 1)[0].rsplit("/manifests", 1)[0]
    headers = {key: request.headers[key] for key in _PASSED_ON if key in request.headers}
    headers["Authorization"] = f"Bearer {_inner_token(harbor, spaces or {name})}"
    query = f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""
    data = body if body is not None else (request.content if request.body_exists else None)
    if isinstance(data, bytes):
        headers["Content-Length"] = str(len(data))
    try:
        inner = await harbor.http.request(
            method, f"{harbor.registry}{path}{query}", data=data, headers=headers, allow_redirects=False
        )
    except aiohttp.ClientError as error:
        raise Refused(502, "UNKNOWN", f"the registry behind does not answer: {error}") from error
    async with inner:
        given = {key: inner.headers[key] for key in _GIVEN_BACK if key in inner.headers}
        if given.get("Location", "").startswith("/"):
            given["Location"] = f"{origin(harbor, request)}{given['Location']}"
        if method == "HEAD" or inner.status >= 300 or int(given.get("Content-Length", 1 << 30)) < 1 << 20:
            return web.Response(status=inner.status, body=await inner.read() or None, headers=_sized(given, method))
        response = web.StreamResponse(status=inner.status, headers=given)
        await response.prepare(request)
        async for piece in inner.content.iter_chunked(1 << 18):
            await response.write(piece)
        await response.write_eof()
        return response


def _sized(headers: dict, method: str) -> dict:
    return headers if method == "HEAD" else {key: value for key, value in headers.items() if key != "Content-Length"}
