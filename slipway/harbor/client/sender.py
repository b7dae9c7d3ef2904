"""One request on its way: bounded, with its pass, tried again where that is safe, its answer judged.

A request that changes something and got no answer is never sent again from here: AnswerLost tells it.
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

import aiohttp
from pydantic import ValidationError
from yarl import URL

from infra.errors import (
    AnswerLost,
    AnswerUnreadable,
    HarborAway,
    HarborError,
    LoginRefused,
    NothingThere,
    Problem,
)
from slipway.harbor.client.connection import Connection
from slipway.harbor.client.failures import clean, failure, is_away
from slipway.harbor.client.request import Raw, Request, Result, nothing
from slipway.harbor.client.session import API, Pass, basic, log_in, robot_pass

Done = TypeVar("Done")
#: Requests at the same time for which Harbor waits, idle, besides those that it works for.
IDLE = 32
_LOGINS = 3  # for one request; a session that ends each time is somebody else's fault


class _Again(Exception):  # not an error: a wish
    """Send it again: after `wait` seconds, or as the back-off says; `error` is what to raise when there is no more."""

    def __init__(self, error: HarborError, *, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.wait = error, wait


class _SessionOver(Exception):  # not an error: what to do next
    """The answer counts for nothing: nobody was logged in when it was given."""


class Sender:
    """Sends requests with one pass; a session that ended is renewed once for all who wait.

    Attributes:
        known: the pass; None before `log_in`.
        sent, repeated: requests so far, and how many of them were sent again.
    """

    def __init__(self, http: aiohttp.ClientSession, connection: Connection) -> None:
        self._http, self._connection = http, connection
        self._places, self._idle = asyncio.Semaphore(connection.in_flight), asyncio.Semaphore(IDLE)
        self._renewing = asyncio.Lock()
        self.known: Pass | None = None
        self.sent = 0
        self.repeated = 0

    async def log_in(self) -> None:
        """Get a pass: a session for a user, the secret itself for a robot."""
        connection = self._connection
        if connection.is_robot:
            self.known = robot_pass(connection.name, connection.secret.get_secret_value())
        else:
            self.known = await self._trying(self._log_in_once)

    async def _log_in_once(self) -> Pass:
        try:
            return await log_in(self._http, self._connection)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unsent("log in", error) from error
        except HarborAway as error:
            if error.status is not None and is_away(error.status):
                raise _Again(error) from error
            raise

    async def send(self, request: Request[Result]) -> Result:
        """Send a request and give its result.

        Raises:
            HarborError: its subclass says why it was not done.
        """
        for _ in range(_LOGINS):
            known = self.known
            try:
                return await self._trying(lambda known=known: self._once(request, known), request)
            except _SessionOver:
                await self._renew(known)
        raise LoginRefused(
            Problem(
                where=self._connection.url,
                what=f"{request.what}: the session ends as soon as it begins",
                fix="core's replicas must share one Redis and one CSRF key (core.xsrfKey)",
            )
        )

    async def opens(self, name: str, secret: str) -> bool:
        """Tell whether a secret opens the registry: the API's front door, not the token service's."""
        request = Request(what=f"try the secret of {name}", method="GET", path="/v2/", read=nothing)
        carried = {"Authorization": basic(name, secret)}

        async def once() -> bool:
            raw = await self._exchange(request, carried, f"{self._connection.url}/v2/")
            if raw.status in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED}:
                return raw.status == HTTPStatus.OK
            raise self._judged(request, raw, session=False)

        return await self._trying(once)

    async def _renew(self, old: Pass | None) -> None:
        async with self._renewing:
            if self.known is old:
                await self.log_in()

    # --- again

    async def _trying(self, send: Callable[[], Awaitable[Done]], request: Request[Any] | None = None) -> Done:
        """Do it, and again while that is wished; the machinery for it costs nothing where all is well."""
        try:
            return await send()
        except _Again as again:
            return await self._again(send, again, request)

    async def _again(self, send: Callable[[], Awaitable[Done]], first: _Again, request: Request[Any] | None) -> Done:
        import stamina  # noqa: PLC0415  # 50 ms that only a failure needs

        stamina.instrumentation.set_on_retry_hooks(())  # they would log to stderr
        patience, pending = self._connection.patience, [first]

        async def attempt() -> Done:
            if pending:
                raise pending.pop()
            self.repeated += 1
            try:
                return await send()
            except NothingThere:
                if request is None or request.method != "DELETE":
                    raise
                return request.read(Raw(HTTPStatus.OK, {}, b""))  # the delete before this one did it

        caller = stamina.AsyncRetryingCaller(
            attempts=patience.attempts,
            timeout=None,
            wait_initial=patience.wait,
            wait_max=patience.wait_most,
            wait_jitter=patience.wait,
        )
        try:
            return await caller(lambda error: isinstance(error, _Again) and (error.wait or True), attempt)
        except _Again as last:
            raise last.error from last.__cause__

    # --- once

    async def _once(self, request: Request[Result], known: Pass | None) -> Result:
        session = known is not None and bool(known.sid)
        carried = known.headers(request.method) if known else {}
        raw = await self._exchange(request, carried, f"{self._connection.url}{API}{request.target}", known)
        if raw.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._judged(request, raw, session=session)
        try:
            return request.read(raw)
        except ValueError as error:  # pydantic's is one too
            first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            what = f"{request.what}: the answer is not what Harbor's API gives: {clean(first, ())}"
            fix = "check that the address is Harbor's own and its version is one that is supported"
            raise AnswerUnreadable(
                Problem(where=self._connection.url, what=what, fix=fix), status=raw.status
            ) from error

    def _judged(self, request: Request[Any], raw: Raw, *, session: bool) -> Exception:
        """Give what to raise for an answer that is no success."""
        error = failure(request, raw, self._connection)
        busy = raw.status == HTTPStatus.TOO_MANY_REQUESTS  # not even begun, so anything may be sent again
        if is_away(raw.status) and not busy and not request.safe_to_repeat:
            return self._lost(request, f"answered with {raw.status}")
        if is_away(raw.status):
            wait = _retry_after(raw.headers.get("retry-after", ""))
            patient = wait is None or wait <= self._connection.patience.retry_after_most
            return _Again(error, wait=wait) if patient else error
        # A 403 for the token: core has another key than before, and a new login gives a token for it.
        stale = raw.status == HTTPStatus.FORBIDDEN and "CSRF token" in str(error)
        return _SessionOver() if session and (stale or raw.status == HTTPStatus.UNAUTHORIZED) else error

    async def _exchange(
        self, request: Request[Any], carried: Mapping[str, str], url: str, known: Pass | None = None
    ) -> Raw:
        headers, data = dict(carried), None
        if request.by_name:
            headers["X-Is-Resource-Name"] = "true"
        if request.body is not None:
            data, headers["Content-Type"] = request.body.wire(), "application/json"
        try:
            async with self._idle if request.idle else self._places:
                self.sent += 1
                async with self._http.request(
                    request.method, URL(url, encoded=True), data=data, headers=headers, allow_redirects=False
                ) as response:
                    body = await response.read()
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            if isinstance(error, aiohttp.ClientConnectorError) or request.safe_to_repeat:
                raise self._unsent(request.what, error) from error
            raise self._lost(request, _reason(error)) from error
        if known is not None and known.ended(response):
            raise _SessionOver
        return Raw(response.status, {name.lower(): value for name, value in response.headers.items()}, body)

    def _unsent(self, what: str, error: BaseException) -> HarborAway | _Again:
        """Give what to raise where there was no answer; a certificate does not get better by trying."""
        certificate = isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError)
        trust = "trust its authority with a CA file, or renew the certificate"
        look = "check the address, DNS, the way through proxies and firewalls, and that core runs"
        problem = Problem(
            where=self._connection.url, what=f"{what}: {_reason(error)}", fix=trust if certificate else look
        )
        return HarborAway(problem) if certificate else _Again(HarborAway(problem))

    def _lost(self, request: Request[Any], reason: str) -> AnswerLost:
        what = f"{request.what}: {reason}, so it may or may not have been done"
        fix = "look whether it is there, then run it again"
        return AnswerLost(Problem(where=self._connection.url, what=what, fix=fix))


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer was cut off"
    return clean(str(error) or type(error).__name__, ())


def _retry_after(text: str) -> float | None:
    """Read seconds or a date; None where there is neither."""
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - dt.datetime.now(dt.UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(seconds, 0.001)
