"""A harbor.yaml, a ledger and a contract server: what a person has who runs `slipway harbor`.

site.apply("labels: [{name: approved}]")
"""

import asyncio
import itertools
import os
import signal
from pathlib import Path

from slipway.harbor.apply import apply
from slipway.harbor.client import Connection, connect
from slipway.harbor.client.sender import Sender
from slipway.harbor.ledger import FileLedger
from slipway.harbor.plan import Consent, Wanted, make_plan
from slipway.harbor.secret_values import SecretValues
from slipway.harbor.spec import load
from tests.harbor.clients import connection


class Place:
    """One environment; every call begins anew, as the command does."""

    def __init__(self, api, folder: Path) -> None:
        self.api, self.folder = api, folder
        self.file = folder / "harbor.yaml"
        self.store = FileLedger(folder / "harbor.ledger.json", instance="test")

    def connection(self) -> Connection:
        return connection(self.api)

    def wanted(self, text: str) -> Wanted:
        self.file.write_text(text)
        return Wanted.of(load([self.file]))

    def plan(self, text: str, **how):
        """Give the plan."""
        return asyncio.run(self._plan(self.wanted(text), how))

    async def _plan(self, wanted, how):
        async with connect(self.connection()) as harbor:
            return (await make_plan(harbor, wanted, self.store.load(), SecretValues(self.folder), Consent(**how)))[1]

    def apply(self, text: str, **how):
        """Plan and apply; give what came of it."""
        return asyncio.run(self._apply(self.wanted(text), how))

    async def _apply(self, wanted, how):
        async with connect(self.connection()) as harbor:
            ledger, secrets = self.store.load(), SecretValues(self.folder)
            planned = await make_plan(harbor, wanted, ledger, secrets, Consent(**how))
            assert not planned[1].problems, planned[1].problems
            return await apply(
                harbor,
                wanted,
                ledger=ledger,
                store=self.store,
                secrets=secrets,
                planned=planned,
                consent=Consent(**how),
            )


def kill_at(place: Place, text: str, request: int, *, answered: bool) -> bool:
    """Apply in a process of its own that ends itself by kill -9 at its n-th request; gives whether it came so far.

    Args:
        answered: after the answer has come, and before anything is made of it; else as soon as it is sent.
    """
    child = os.fork()
    if child == 0:

        def die():
            os.kill(os.getpid(), signal.SIGKILL)

        original, count = Sender._exchange, itertools.count(1)

        async def exchange(self, *arguments):
            this = next(count) == request
            if this and not answered:
                asyncio.get_running_loop().call_later(0.001, die)
            answer = await original(self, *arguments)
            if this:
                die()
            return answer

        Sender._exchange = exchange
        try:
            place.apply(text)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])
