"""A receiver of webhooks for one delivery: it knows its own by a path and a header that nobody else knows.

async with listening("") as receiver:
    receiver.address          # http://127.0.0.1:40123/3f2a…
    event = await receiver.event(seconds=30)
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from slipway.verify.check import Undecided

_MOST_BYTES = 1 << 20


class Receiver:
    """What came.

    Attributes:
        address: where Harbor sends to.
        header: what it must carry.
    """

    def __init__(self) -> None:
        self.address, self.path, self.header = "", f"/{secrets.token_hex(16)}", secrets.token_urlsafe(24)
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def take(self, request: web.BaseRequest) -> web.Response:
        """Answer one request; strangers get nothing."""
        if request.method != "POST" or request.path != self.path:
            return web.Response(status=404)
        if request.headers.get("Authorization") != self.header:
            return web.Response(status=401)
        try:
            event = json.loads(await request.content.read(_MOST_BYTES))
        except ValueError:
            return web.Response(status=400)
        if isinstance(event, dict):
            self._events.put_nowait(event)
        return web.Response()

    async def event(self, seconds: float) -> dict[str, Any] | None:
        """Wait for the next event; None where none came."""
        try:
            async with asyncio.timeout(seconds):
                return await self._events.get()
        except TimeoutError:
            return None


@contextlib.asynccontextmanager
async def listening(address: str) -> AsyncGenerator[Receiver]:
    """Listen for webhooks.

    Args:
        address: scheme, host and port at which Harbor reaches this machine; empty for loopback, any free port.

    Raises:
        Undecided: the port cannot be had.
    """
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver.take, access_log=None))
    await runner.setup()
    try:
        # From another machine it comes in at whichever interface that one reaches.
        host, port = ("0.0.0.0", urlsplit(address).port or 80) if address else ("127.0.0.1", 0)  # noqa: S104
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            fix = "give --webhook-address with a free port"
            raise Undecided(f"cannot listen on port {port}: {error.strerror}", fix) from error
        receiver.address = f"{address or f'http://127.0.0.1:{runner.addresses[0][1]}'}{receiver.path}"
        yield receiver
    finally:
        await runner.cleanup()
