"""HTTP as a client of the registry speaks it: each request over a connection of its own, redirects seen, not followed.

    async with opened(target_url, trust=True, seconds=60) as web:
        raw = await web.get("/v2/")

A connection of its own goes to another replica where a load balancer spreads connections.
"""

import contextlib
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from slipway.harbor.client.request import Raw
from slipway.verify.check import Failed

CERTIFICATE = "see certificate.trusted; with an authority of your own give --ca-file"
AWAY = "check the address, DNS, firewalls and proxies on the way, and that the load balancer has healthy targets"

Body: TypeAlias = bytes | AsyncIterator[bytes] | None


class Web:
    """Sends requests to one registry, and where it redirects to."""

    def __init__(self, http: aiohttp.ClientSession, url: str, seconds: float) -> None:
        self._http, self.url, self._seconds = http, url, seconds

    @contextlib.asynccontextmanager
    async def ask(
        self, method: str, place: str, *, headers: Mapping[str, str] | None = None, data: Body = None
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Send one request; its answer can be read piece by piece inside.

        Args:
            method: of HTTP.
            place: a path, or a whole address.
            headers, data: as aiohttp takes them.

        Raises:
            Failed: no answer.
        """
        address = place if "://" in place else f"{self.url}{place}"
        try:
            async with self._http.request(
                method,
                URL(address, encoded=True),
                headers=headers,
                data=data,
                allow_redirects=False,
                proxy=proxy_of(address),
            ) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise self._unanswered(f"{method} {urlsplit(address).path}", error) from error

    async def get(
        self, place: str, *, headers: Mapping[str, str] | None = None, method: str = "GET", data: Body = None
    ) -> Raw:
        """Send one request and give its whole answer.

        Raises:
            Failed: no answer.
        """
        async with self.ask(method, place, headers=headers, data=data) as response:
            body = await response.read()
            return Raw(response.status, {name.lower(): value for name, value in response.headers.items()}, body)

    def _unanswered(self, what: str, error: BaseException) -> Failed:
        if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
            return Failed(f"{what}: the certificate is not accepted: {error}", CERTIFICATE)
        if isinstance(error, aiohttp.ClientConnectorError):
            return Failed(f"{what}: no connection: {error}", AWAY)
        if isinstance(error, TimeoutError):
            slow = "core, the database or the way there is slow: look at their load; --timeout waits longer"
            return Failed(f"{what}: no answer within {self._seconds:g} s", slow)
        cut = "a proxy or load balancer cuts connections: look at its idle timeout and its log, and at core's restarts"
        return Failed(f"{what}: the connection broke: {str(error) or type(error).__name__}", cut)


@contextlib.asynccontextmanager
async def opened(url: str, *, trust: ssl.SSLContext | bool, seconds: float) -> AsyncGenerator[Web]:
    """Give a way to send requests.

    Args:
        url: of the registry.
        trust: what decides about certificates, as aiohttp takes it.
        seconds: for a connection's next piece; a whole answer may take longer.
    """
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(force_close=True, limit=0, ssl=trust),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(seconds, 10), sock_read=seconds),
        # Bytes are compared as they are stored; and Harbor packs a token for whoever takes it packed.
        headers={"User-Agent": "slipway", "Accept-Encoding": "identity"},
        auto_decompress=False,
    ) as http:
        http._retry_connection = False  # noqa: SLF001  # a check reports what it met; there is no other switch
        yield Web(http, url, seconds)


def proxy_of(url: str) -> str | None:
    """Give the proxy that the environment names for an address (HTTPS_PROXY, NO_PROXY and their like)."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
