"""A Harbor to verify: the contract server with the real distribution server behind it, and a run of chosen checks."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from pydantic import SecretStr

from slipway.verify.catalogue import CHECKS
from slipway.verify.check import select
from slipway.verify.scene import MIB, Options, Target
from slipway.verify.verify import verify
from tests.harbor.conftest import api, contract_server, harbor

__all__ = ["api", "contract_server", "harbor"]


class Registry:
    """What the tests verify; `front` is an async context manager that gives another address before the server's."""

    def __init__(self, server) -> None:
        self.server = server

    def verify(self, *only: str, front=None, options=None, read_only=False, asked=(), **target):
        """Run the named checks with what they need; gives the outcomes by id."""
        selection = select(CHECKS, only=only, read_only=read_only, asked=asked)
        return {one.check.id: one for one in asyncio.run(self._report(front, options, selection, target)).outcomes}

    async def _report(self, front, options, selection, target):
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(front) if front else self.server.url
            given = {"url": url, "password": SecretStr(self.server.password), **target}
            # A part is 1 MiB: enough to take the ways of the large one, without its bytes.
            return await verify(Target(**given), options or Options(blob_size=4 * MIB), selection)

    @property
    def left(self) -> list[str]:
        """What is in Harbor that was not there at the beginning."""
        projects = [one["name"] for one in self.server.api("GET", "/projects", page_size=100).json]
        robots = [one["name"] for one in self.server.api("GET", "/robots", page_size=100).json]
        # The registry's own DELETE of an upload takes its bytes and leaves the state of its checksum (80 bytes).
        uploads = [str(one) for one in (self.server.folder / "registry").glob("**/_uploads/*/data")]
        return [*(one for one in projects if one != "library"), *robots, *uploads]


@pytest.fixture
def registry(harbor):
    return Registry(harbor)


@pytest.fixture
def bare(api):
    """The API alone: what only looks needs no registry behind."""
    return Registry(api)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("SLIPWAY_HARBOR_PASSWORD", raising=False)
