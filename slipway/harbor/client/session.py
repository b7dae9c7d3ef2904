"""How a sender is known: a user by a session with its CSRF token, a robot by Basic auth in each request.

Basic auth as a user costs the server 118 ms a request and can lock the user for everybody, so it is never used.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from infra.errors import HarborAway, LoginRefused, Problem
from slipway.harbor.client.connection import Connection
from slipway.harbor.client.request import Raw

CSRF_COOKIE = "_gorilla_csrf"
CSRF_HEADER = "X-Harbor-CSRF-Token"
SID = "sid"
API = "/api/v2.0"


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What a request carries to be known. Its repr shows nothing of it.

    Attributes:
        sid: the session that it belongs to; empty for a robot.
    """

    reading: Mapping[str, str]
    writing: Mapping[str, str]
    sid: str = ""

    def __repr__(self) -> str:
        return f"Pass({'session' if self.sid else 'basic'})"

    def headers(self, method: str) -> Mapping[str, str]:
        """Give what a request of that method carries."""
        return self.reading if method in {"GET", "HEAD"} else self.writing

    def ended(self, response: aiohttp.ClientResponse) -> bool:
        """Tell whether an answer shows that the session is over: Harbor then gives another cookie, with a 200 too."""
        return bool(self.sid) and SID in response.cookies and response.cookies[SID].value != self.sid


def robot_pass(name: str, secret: str) -> Pass:
    """Give the pass of a robot."""
    headers = {"Authorization": basic(name, secret)}
    return Pass(reading=headers, writing=headers)


def basic(name: str, secret: str) -> str:
    """Give the header of Basic auth."""
    return f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"


async def log_in(http: aiohttp.ClientSession, connection: Connection) -> Pass:
    """Log a user in, as the portal does: a cookie, a token for it, then name and password.

    Raises:
        LoginRefused: the name or the password is wrong, the user is locked, or logs in elsewhere (OIDC).
        HarborAway: what answers is not a Harbor.
    """
    info = f"{connection.url}{API}/systeminfo"
    async with http.get(info, allow_redirects=False) as first:
        sid = _cookie(first, SID, connection)
    async with http.get(info, headers={"Cookie": f"{SID}={sid}"}, allow_redirects=False) as second:
        csrf, token = _cookie(second, CSRF_COOKIE, connection), second.headers.get(CSRF_HEADER, "")
    headers = {"Cookie": f"{SID}={sid}; {CSRF_COOKIE}={csrf}", CSRF_HEADER: token}
    form = {"principal": connection.name, "password": connection.secret.get_secret_value()}
    async with http.post(f"{connection.url}/c/login", data=form, headers=headers, allow_redirects=False) as done:
        if done.status != 200:
            raise _refused(connection, Raw(done.status, {}, await done.read()))
        cookies = f"{SID}={_cookie(done, SID, connection)}; {CSRF_COOKIE}={csrf}"
        reading = {"Cookie": cookies}
        return Pass(reading=reading, writing={**reading, CSRF_HEADER: token}, sid=done.cookies[SID].value)


def _cookie(response: aiohttp.ClientResponse, name: str, connection: Connection) -> str:
    if name not in response.cookies:
        raise HarborAway(
            Problem(
                where=connection.url,
                what=f"what answers gives no cookie {name} ({response.status} {response.reason}): it is no Harbor",
                fix="use the address at which Harbor's portal is; a proxy before it must let cookies through",
            ),
            status=response.status,
        )
    return response.cookies[name].value


def _refused(connection: Connection, raw: Raw) -> LoginRefused | HarborAway:
    if raw.status == 401:
        what = f"{connection.name} cannot log in: wrong name or password, or locked by somebody's wrong one just now"
        fix = "check the secret; after a wrong password Harbor refuses the right one for 1.5 seconds too"
    elif raw.status == 403 and b"redirect_location" in raw.body:
        what = f"{connection.name} logs in at the sign-in provider (OIDC), not with a password"
        fix = "use the administrator of the first day, or a robot"
    elif raw.status == 403:
        what, fix = "Harbor refuses the login's CSRF token", "a proxy may drop cookies or headers; ask Harbor directly"
    else:
        what = f"the login is answered with {raw.status}"
        return HarborAway(Problem(where=connection.url, what=what, fix="see whether core runs"), status=raw.status)
    return LoginRefused(Problem(where=connection.url, what=what, fix=fix), status=raw.status)


async def log_out(http: aiohttp.ClientSession, connection: Connection, known: Pass) -> None:
    """End the session; that it may fail to end is not worth a word."""
    timeout: Any = aiohttp.ClientTimeout(total=2)
    try:
        async with http.get(
            f"{connection.url}/c/log_out", headers=known.reading, allow_redirects=False, timeout=timeout
        ):
            pass
    except (aiohttp.ClientError, TimeoutError):
        pass
