"""The client: log in once, prove it, send requests, read whole lists, do many things at the same time.

async with connect(connection) as harbor:
    everything = await harbor.all(projects.every())
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from typing import TypeVar, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from infra.errors import AlreadyThere, AnswerLost, FeatureMissing, HarborError, ListMoved, LoginRefused, Problem
from slipway.harbor.client.api import system
from slipway.harbor.client.connection import Connection
from slipway.harbor.client.features import NEWEST, OLDEST, Version, lacking, version_of, written
from slipway.harbor.client.models import SystemInfo
from slipway.harbor.client.request import Item, Page, Pages, Request, Result
from slipway.harbor.client.sender import IDLE, Sender
from slipway.harbor.client.session import log_out

Made = TypeVar("Made")
_READS = 3  # of a list that moves


class HarborClient:
    """A logged-in sender. Made by `connect`.

    Attributes:
        info: what Harbor told of itself at the login.
        version: of this Harbor.
    """

    def __init__(self, connection: Connection, sender: Sender) -> None:
        self._connection, self._sender = connection, sender
        self.info = SystemInfo()
        self.version: Version = NEWEST

    # --- figures

    @property
    def sent(self) -> int:
        """Requests so far, those that were sent again included."""
        return self._sender.sent

    @property
    def repeated(self) -> int:
        """Requests that were sent again."""
        return self._sender.repeated

    @property
    def url(self) -> str:
        """Where Harbor is."""
        return self._connection.url

    @property
    def name(self) -> str:
        """Who is the sender."""
        return self._connection.name

    @property
    def registry(self) -> str:
        """Host and port of the registry, as clients call it."""
        return self._connection.registry or urlsplit(self._connection.url).netloc

    @property
    def is_robot(self) -> bool:
        """Whether a robot is the sender, which Harbor lets change no other robot in place."""
        return self._connection.is_robot

    # --- sending

    async def send(self, request: Request[Result]) -> Result:
        """Send one request.

        Raises:
            FeatureMissing: this Harbor would drop a field of it without a word.
            HarborError: its subclass says why it was not done.
        """
        if request.body is not None and (missing := lacking(request.body, self.version)):
            fix = "upgrade Harbor, or leave the field out"
            raise FeatureMissing(
                *(
                    Problem(
                        where=self._connection.url,
                        what=f"{request.what}: {feature}; this is {written(self.version)}",
                        fix=fix,
                    )
                    for feature in missing
                )
            )
        return await self._sender.send(request)

    async def create(self, request: Request[Made], find: Callable[[], Awaitable[Made | None]]) -> Made:
        """Send a request that makes something, and look for it before sending it again when its answer was lost.

        Args:
            request: the request.
            find: gives what is there under the name, in the form of the request's result; None for nothing.
                A robot's secret is in no answer but the lost one: set another afterwards.
        """
        lost: AnswerLost | None = None
        for _ in range(self._connection.patience.attempts):
            try:
                return await self.send(request)
            except AnswerLost as error:
                lost = error
            except AlreadyThere:
                if lost is None:
                    raise  # it was there before us
            if (found := await find()) is not None:
                return found
        raise lost or AnswerLost()

    async def all(self, pages: Pages[Item]) -> list[Item]:
        """Read a whole list: its first page, then the rest at the same time.

        Raises:
            ListMoved: rows came or went between the pages, three times over.
        """
        for _ in range(_READS):
            first = await self.send(pages.page(1))
            if first.total <= pages.size:
                return [item for item in first.items if pages.keep(item)]
            rest = await self._pages(pages, first.total)
            items = [item for page in (first, *rest) for item in page.items]
            steady = all(page.total == first.total for page in rest)
            if steady and len({pages.identity(item) for item in items}) == len(items):
                return [item for item in items if pages.keep(item)]
        what = f"{pages.first.what}: rows came or went while its pages were read, {_READS} times over"
        raise ListMoved(Problem(where=self._connection.url, what=what, fix="try again when fewer changes are made"))

    async def _pages(self, pages: Pages[Item], total: int) -> Sequence[Page[Item]]:
        numbers = range(2, -(-total // pages.size) + 1)
        at_once = IDLE if pages.first.idle else None
        return _all_good(await self.each((pages.page(number) for number in numbers), at_once=at_once))

    async def each(
        self,
        jobs: Iterable[Request[Result]] | Iterable[Callable[[], Awaitable[Result]]],
        *,
        at_once: int | None = None,
    ) -> list[Result | HarborError]:
        """Do many things, as many at a time as the connection allows; a failed one is its error in the result.

        Args:
            jobs: requests, or functions that send several one after the other. Taken as they are needed, so a
                generator over a hundred thousand costs no memory.
            at_once: another number of them.
        """
        numbered, results = enumerate(jobs), {}

        async def work() -> None:
            for number, job in numbered:
                try:
                    results[number] = await (self.send(job) if isinstance(job, Request) else job())
                except HarborError as error:
                    results[number] = error

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once or self._connection.in_flight):
                group.create_task(work())
        return [results[number] for number in range(len(results))]

    # --- proof

    async def prove(self) -> SystemInfo:
        """Make sure that what was read was read by somebody: a list says 200 to nobody too.

        Raises:
            LoginRefused: Harbor does not know the sender (any more).
        """
        info = await self.send(system.info())
        if info.harbor_version is None:
            raise LoginRefused(
                Problem(
                    where=self._connection.url,
                    what=f"Harbor does not know {self._connection.name}: wrong secret, expired, disabled or locked",
                    fix="check the secret; of a robot also its end and whether it is disabled",
                )
            )
        return info

    @contextlib.asynccontextmanager
    async def proven(self) -> AsyncGenerator[None]:
        """Believe what is read inside: the sender is known before and after it.

        Raises:
            LoginRefused: it is not, so nothing that was read counts.
        """
        await self.prove()
        yield
        await self.prove()

    async def accepts(self, name: str, secret: str) -> bool:
        """Tell whether a secret opens the registry. The token service would say yes to any."""
        return await self._sender.opens(name, secret)


def _all_good(results: Sequence[Result | HarborError]) -> list[Result]:
    """Give the results, or raise the first error among them."""
    for result in results:
        if isinstance(result, HarborError):
            raise result
    return cast("list[Result]", list(results))


@contextlib.asynccontextmanager
async def connect(connection: Connection) -> AsyncGenerator[HarborClient]:
    """Log in, prove it, and log out at the end.

    Raises:
        LoginRefused: Harbor does not know the sender.
        FeatureMissing: this Harbor is older than any that is supported.
        HarborAway: there is no Harbor, or not now.
    """
    patience = connection.patience
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),  # a jar of its own would break the next write of a robot
        connector=aiohttp.TCPConnector(
            limit=connection.in_flight + IDLE + 2, ssl=connection.trust(), keepalive_timeout=30
        ),
        timeout=aiohttp.ClientTimeout(total=patience.answer, sock_connect=min(patience.answer, 10)),
        headers={"User-Agent": "slipway"},
        # Not trust_env: it would also take a name and a password from .netrc, which is Basic auth as a user.
        proxy=_proxy(connection.url),
    ) as http:
        # aiohttp would send some again by itself, unseen, and the second delete would find nothing.
        http._retry_connection = False  # noqa: SLF001  # there is no other switch; a test holds it
        sender = Sender(http, connection)
        await sender.log_in()
        harbor = HarborClient(connection, sender)
        try:
            harbor.info = await harbor.prove()
            harbor.version = version_of(harbor.info.harbor_version or "")
            if harbor.version < OLDEST:
                what = f"this is Harbor {written(harbor.version)}; {written(OLDEST)} to {written(NEWEST)} are supported"
                raise FeatureMissing(Problem(where=connection.url, what=what, fix="upgrade Harbor first"))
            yield harbor
        finally:
            if sender.known is not None and sender.known.sid:
                await log_out(http, connection, sender.known)


def _proxy(url: str) -> str | None:
    """Give the proxy that the environment names for an address (HTTPS_PROXY, NO_PROXY and their like)."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
