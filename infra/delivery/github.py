"""Pull requests through GitHub's REST API: five requests, each built before it is sent, each failure one clear error.

    with GitHub(remote) as host:
        open_one = host.find("slipway/prod")

A GET or PATCH is tried again after a fault of the host's; a POST never blindly: whether it arrived is looked up.
"""

import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from urllib.parse import quote, urlsplit

from infra.delivery.git import Remote
from infra.errors import HostRefused, Problem

if TYPE_CHECKING:
    from httpx2 import Client, Response

_SCP = re.compile(r"^[\w.-]+@(?P<host>[\w.-]+):(?P<path>.+)$")
_TOO_MANY = (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_AGREED = HTTPStatus.MULTIPLE_CHOICES
#: GitHub takes no longer text.
_LONGEST_BODY = 60_000

#: Rules of a branch that no commit on top of it breaks.
_HARMLESS = {"creation", "deletion", "non_fast_forward", "required_linear_history"}

#: Status → fact and next step.
_MEANINGS: Mapping[int, tuple[str, str]] = {
    401: ("does not take the token", "give a valid one as SLIPWAY_GIT_TOKEN or the secret setting gitToken"),
    403: ("lets the token do no such thing", "it needs Contents and Pull requests, both read and write"),
    404: (
        "knows no such repository, or the token may not see it",
        "check gitops.repository and gitops.api, and that the token is for this repository",
    ),
    409: ("has a conflict", "somebody changes the same at the same time: try again"),
    422: ("refuses what it was sent", "its own words are below"),
}


class PullRequest(NamedTuple):
    """An open pull request."""

    number: int
    url: str
    title: str
    body: str


class Request(NamedTuple):
    """One request, before it is sent."""

    method: str
    path: str
    params: Mapping[str, str] = {}
    document: Mapping[str, Any] | None = None


class _Away(Exception):
    """A fault of the host's that may pass: no answer, or a 5xx."""

    def __init__(self, what: str, detail: str = "") -> None:
        self.what, self.detail = what, detail
        super().__init__(what)


class GitHub:
    """The repository's pull requests.

    Args:
        remote: the branch that they go into; its token opens the API as well.

    Raises:
        HostRefused: there is no token, or the URL names no repository.
    """

    #: How long one answer may take, how long a rate limit is waited out, and how often it is tried.
    timeout_seconds: ClassVar[float] = 30.0
    longest_wait_seconds: ClassVar[float] = 60.0
    attempts: ClassVar[int] = 3

    def __init__(self, remote: Remote) -> None:
        import httpx2  # noqa: PLC0415  # 0.1 s that only a pull request needs

        self._remote = remote
        self.api, self.owner, self.name = address(remote)
        if not remote.token:
            raise HostRefused(
                Problem(
                    where="gitops.mode",
                    what="pull-request needs a token for GitHub's API",
                    fix="give SLIPWAY_GIT_TOKEN, or the secret setting gitToken",
                )
            )
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {remote.token}",
            "User-Agent": "slipway",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._client: Client = httpx2.Client(base_url=self.api, headers=headers, timeout=self.timeout_seconds)
        self._faults: tuple[type[Exception], ...] = (httpx2.TransportError,)
        self._slow: type[Exception] = httpx2.TimeoutException

    def __enter__(self) -> "GitHub":
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the connection."""
        self._client.close()

    def find(self, branch: str) -> PullRequest | None:
        """Give the open pull request of a branch, if there is one.

        Raises:
            HostRefused: the API says no, or nothing.
        """
        params = {"state": "open", "head": f"{self.owner}:{branch}", "base": self._remote.branch}
        found = self._send(Request("GET", self._pulls(), params))
        return _read(found[0]) if found else None

    def open(self, branch: str, title: str, body: str) -> PullRequest:
        """Open one, or give the one that somebody opened just before.

        Raises:
            HostRefused: the API says no, or nothing.
        """
        document = {"title": title, "head": branch, "base": self._remote.branch, "body": body[:_LONGEST_BODY]}
        try:
            return _read(self._once(Request("POST", self._pulls(), document=document)))
        except _Away as away:
            if there := self.find(branch):
                return there
            raise self._gave_up(away) from None
        except HostRefused as refusal:
            # 422 says as well that there is one already.
            if "already exists" in refusal.detail and (there := self.find(branch)):
                return there
            raise

    def update(self, request: PullRequest, title: str, body: str) -> None:
        """Bring title and text of an open one up to date.

        Raises:
            HostRefused: the API says no, or nothing.
        """
        body = body[:_LONGEST_BODY]
        if (request.title, request.body) != (title, body):
            self._send(Request("PATCH", f"{self._pulls()}/{request.number}", document={"title": title, "body": body}))

    def close(self, request: PullRequest) -> None:
        """Close one that has nothing to say any more.

        Raises:
            HostRefused: the API says no, or nothing.
        """
        self._send(Request("PATCH", f"{self._pulls()}/{request.number}", document={"state": "closed"}))

    def is_protected(self) -> bool:
        """Tell whether the branch is protected, by a rule of its own or a ruleset.

        Raises:
            HostRefused: the API says no, or nothing.
        """
        repository, branch = f"/repos/{quote(self.owner)}/{quote(self.name)}", quote(self._remote.branch, safe="")
        if self._send(Request("GET", f"{repository}/branches/{branch}")).get("protected"):
            return True
        try:
            rules = self._send(Request("GET", f"{repository}/rules/branches/{branch}"))
        except HostRefused:  # an older GitHub Enterprise, which has no rulesets
            return False
        return any(rule.get("type") not in _HARMLESS for rule in rules)

    def _pulls(self) -> str:
        return f"/repos/{quote(self.owner)}/{quote(self.name)}/pulls"

    def _send(self, request: Request) -> Any:  # noqa: ANN401  # a JSON document
        """Send what may be sent twice, and again where the host has a fault that may pass."""
        import stamina  # noqa: PLC0415

        stamina.instrumentation.set_on_retry_hooks(())
        again = stamina.RetryingCaller(
            attempts=self.attempts, timeout=None, wait_initial=0.2, wait_max=2, wait_jitter=0.2
        )
        try:
            return again(_Away, self._once, request)
        except _Away as away:
            raise self._gave_up(away) from None

    def _once(self, request: Request) -> Any:  # noqa: ANN401  # a JSON document
        for attempt in range(self.attempts):
            try:
                response = self._client.request(
                    request.method, request.path, params=request.params, json=request.document
                )
            except self._slow:
                raise _Away(f"gives no answer within {self.timeout_seconds:g} seconds") from None
            except self._faults as fault:
                raise _Away("cannot be reached", str(fault)) from None
            wait = _limit(response)
            # A request that was turned away by a rate limit was not carried out, whatever it was.
            if wait is None or wait > self.longest_wait_seconds or attempt == self.attempts - 1:
                return self._judged(response, wait)
            time.sleep(wait)
        raise AssertionError  # the last attempt has returned

    def _judged(self, response: "Response", wait: float | None) -> Any:  # noqa: ANN401  # a JSON document
        status, said = response.status_code, _words(response)
        if wait is not None:
            what, fix = "has had enough requests of this token", f"try again in {max(1, round(wait / 60))} minutes"
        elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _Away(f"answers {status}", said)
        elif status < _AGREED:
            try:
                return response.json()
            except ValueError:
                what, fix = "answers with something else than JSON", "is gitops.api the base URL of GitHub's REST API?"
        elif status in _MEANINGS:
            what, fix = _MEANINGS[status]
        else:
            where = response.headers.get("Location", "")
            what = f"answers {status}{f' and points to {where}' if where else ''}"
            fix = "has the repository moved? Correct gitops.repository and gitops.api"
        raise HostRefused(self._problem(what, fix), detail=_indented(self._remote.redact(said)))

    def _gave_up(self, away: _Away) -> HostRefused:
        fix = "try again later; nothing that runs is touched, and the next publish goes on from here"
        return HostRefused(self._problem(away.what, fix), detail=_indented(self._remote.redact(away.detail)))

    def _problem(self, what: str, fix: str) -> Problem:
        return Problem(where=f"{self.api} {self.owner}/{self.name}", what=what, fix=fix)


def address(remote: Remote) -> tuple[str, str, str]:
    """Give base URL of the API, owner and name of the repository.

    Raises:
        HostRefused: the URL names none.
    """
    if found := _SCP.match(remote.repository):
        host, path = found["host"], found["path"]
    else:
        url = urlsplit(remote.repository)
        host, path = url.hostname or "", url.path
    owner, _, name = path.strip("/").removesuffix(".git").rpartition("/")
    owner = owner.rpartition("/")[2]
    if not owner or not name or not (host or remote.api):
        raise HostRefused(
            Problem(
                where="gitops.repository",
                what=f"{remote.shown} names no owner and repository",
                fix="pull requests need a URL like https://github.com/OWNER/NAME.git",
            )
        )
    api = remote.api or ("https://api.github.com" if host == "github.com" else f"https://{host}/api/v3")
    return api, owner, name


def _read(document: Mapping[str, Any]) -> PullRequest:
    return PullRequest(
        number=int(document["number"]),
        url=str(document["html_url"]),
        title=str(document["title"]),
        body=str(document.get("body") or ""),
    )


def _limit(response: "Response") -> float | None:
    """Give the seconds that a rate limit asks for; None where it is none."""
    if response.status_code not in _TOO_MANY:
        return None
    after = response.headers.get("Retry-After", "")
    if after.isdigit():
        return float(after)
    if response.headers.get("X-RateLimit-Remaining") == "0":
        reset = response.headers.get("X-RateLimit-Reset", "")
        return max(0.0, float(reset) - time.time()) if reset.isdigit() else 60.0
    return 60.0 if response.status_code == HTTPStatus.TOO_MANY_REQUESTS else None


def _words(response: "Response") -> str:
    """Give what the host says of it: message and errors, or the first lines of whatever it is."""
    try:
        document = response.json()
        errors = [
            error.get("message") or " ".join(str(error.get(key, "")) for key in ("resource", "field", "code"))
            if isinstance(error, dict)
            else str(error)
            for error in document.get("errors", ())
        ]
        return "\n".join(line for line in (str(document.get("message", "")), *errors) if line.strip())
    except (ValueError, AttributeError):
        return "\n".join(response.text.strip().splitlines()[:3])


def _indented(said: str) -> str:
    return "\n".join(f"    {line}" for line in said.splitlines())
