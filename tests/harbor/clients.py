"""Clients for tests: impatient ones, so that no test waits.

run(harbor, lambda client: client.all(projects.every()))
"""

import asyncio

from pydantic import SecretStr

from slipway.harbor.client import Connection, Patience, connect

#: Tries as often as the usual one and waits a hundredth of it.
IMPATIENT = Patience(attempts=4, wait=0.002, wait_most=0.01, answer=2.0, retry_after_most=3.0)


def connection(harbor, **changes):
    usual = {"url": harbor.url, "name": "admin", "secret": SecretStr(harbor.password), "patience": IMPATIENT}
    return Connection(**usual | changes)


def run(harbor, act, **changes):
    """Connect, do, and give the result."""

    async def do():
        async with connect(connection(harbor, **changes)) as client:
            return await act(client)

    return asyncio.run(do())
