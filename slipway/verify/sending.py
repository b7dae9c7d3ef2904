"""One sender to one repository: its token, its requests, and what an answer that is no success means.

raw = await sender.send("GET", sender.path("tags/list"), "list the tags", {200})
"""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from slipway.harbor.client.request import Raw
from slipway.harbor.client.session import basic
from slipway.verify.check import Failed
from slipway.verify.web import Body, Web

FIXES = {
    401: "the token is not taken: core's replicas have different token keys, or the sender lost its rights",
    403: "Harbor's message names the rule; of a quota: raise storage_per_project, or give --blob-size less",
    404: "another replica does not see what one has just taken: registry pods must share one storage",
    413: 'a proxy limits the size of a body: of nginx proxy-body-size "0"',
    416: "parts of an upload meet replicas that do not see each other's: registry pods must share one storage",
    429: "a proxy or firewall limits the rate: raise the limit for /v2/",
    500: "kubectl -n harbor logs deploy/harbor-registry -c registry: storage is full, slow, or refuses writes",
    502: "the registry behind core does not answer: kubectl -n harbor get pods; its log has the reason",
    503: "the load balancer has no healthy target, or the registry restarts: slipway status",
    504: "the load balancer gave up: idle timeout to 900 s, or storage is too slow",
}


class RegistryRefused(Failed):
    """An answer of the registry that is no success."""

    def __init__(self, what: str, raw: Raw) -> None:
        self.status = raw.status
        self.code, message = _words(raw)
        said = f" {self.code}" if self.code else ""
        super().__init__(f"{what}: {raw.status}{said}{f': {message}' if message else ''}", FIXES.get(raw.status, ""))


class Sender:
    """Sends requests to one repository, each over a connection of its own (web.py).

    Attributes:
        repository: its whole name.
    """

    def __init__(
        self, web: Web, *, repository: str, name: str = "", secret: str = "", also: tuple[str, ...] = ()
    ) -> None:
        self.web, self.repository, self._name, self._secret = web, repository, name, secret
        self._scopes = (f"repository:{repository}:pull,push,delete", *(f"repository:{one}:pull" for one in also))
        self._token, self._until = "", 0.0

    def path(self, rest: str) -> str:
        """Give a place below the repository."""
        return f"/v2/{self.repository}/{rest}"

    def headers(self) -> dict[str, str]:
        """Give what a request carries to be known."""
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def place_after(self, raw: Raw) -> str:
        """Give where an upload goes on.

        Raises:
            Failed: nowhere, or at another address.
        """
        location = raw.headers.get("location", "")
        if not location:
            raise Failed("the registry gives no place to upload to", "a proxy drops the header Location")
        there = urlsplit(urljoin(self.web.url, location))
        ours = urlsplit(self.web.url)
        if (there.scheme, there.netloc) != (ours.scheme, ours.netloc):
            fix = "externalURL or a proxy's X-Forwarded-Proto is wrong: see outside.realm"
            raise Failed(f"the registry sends uploads to {there.scheme}://{there.netloc}", fix)
        return there.geturl()

    async def send(
        self,
        method: str,
        place: str,
        what: str,
        good: set[int],
        headers: Mapping[str, str] | None = None,
        *,
        data: Body = None,
    ) -> Raw:
        """Send a request.

        Args:
            method, place, headers, data: see `Web.ask`.
            what: for messages.
            good: the statuses that are a success.

        Raises:
            RegistryRefused: any other status.
            Failed: no answer.
        """
        await self.refresh()
        raw = await self.web.get(place, method=method, headers={**self.headers(), **(headers or {})}, data=data)
        if raw.status not in good:
            raise RegistryRefused(what, raw)
        return raw

    async def log_in(self) -> None:
        """Get a token, as docker does."""
        query = urlencode([("service", "harbor-registry"), *(("scope", scope) for scope in self._scopes)])
        headers = {"Authorization": basic(self._name, self._secret)}
        raw = await self.web.get(f"/service/token?{query}", headers=headers)
        if raw.status != 200:
            raise RegistryRefused("get a token", raw)
        answer = read(raw, "get a token")
        self._token = str(answer.get("token") or "")
        self._until = time.monotonic() + float(answer.get("expires_in") or 60) / 2

    async def refresh(self) -> None:
        """Get a token where there is none, or where it would end in the middle of something long."""
        if self._name and time.monotonic() >= self._until:
            await self.log_in()


def read(raw: Raw, what: str) -> dict[str, Any]:
    """Read an answer.

    Raises:
        Failed: it is no object of JSON.
    """
    try:
        answer = json.loads(raw.body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Failed(f"{what}: the answer is not what a registry gives")
    return answer


def _words(raw: Raw) -> tuple[str, str]:
    try:
        first = json.loads(raw.body)["errors"][0]
        return str(first.get("code", "")), str(first.get("message", ""))[:300]
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", ""
