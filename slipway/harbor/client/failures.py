"""From an answer that is no success to an error that says what, where and what to do next.

raise failure(request, raw, connection)
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from infra.errors import (
    AlreadyThere,
    HarborAway,
    HarborError,
    InputRefused,
    LoginRefused,
    NotAllowedNow,
    NothingThere,
    Problem,
    ReadOnlyMode,
    RightMissing,
)
from slipway.harbor.client.connection import Connection
from slipway.harbor.client.models.base import MASK
from slipway.harbor.client.request import Raw, Request

_AWAY = {429, 502, 503, 504}
_KINDS: dict[int, tuple[type[HarborError], str]] = {
    401: (LoginRefused, "check the name and the secret: {name} is not logged in"),
    403: (RightMissing, "give {name} the right to do this, or use a sender that has it"),
    404: (NothingThere, "check the name; Harbor says the same of what the sender may not see"),
    405: (InputRefused, "this Harbor does not know the operation; check its version"),
    409: (AlreadyThere, "adopt what is there, or choose another name"),
    412: (NotAllowedNow, "see to what the message names first, then try again"),
    429: (HarborAway, "try again later; fewer requests at the same time help"),
    500: (InputRefused, "Harbor answers so to values it did not check as well; core's log has the reason"),
}
_LONGEST = 400


def failure(request: Request[Any], raw: Raw, connection: Connection) -> HarborError:
    """Give the error for an answer."""
    if 300 <= raw.status < 400:
        place = raw.headers.get("location", "elsewhere")
        what = f"{request.what}: answered with a redirect to {place}"
        fix = "use the address at which Harbor itself answers"
        return HarborAway(Problem(where=connection.url, what=what, fix=fix), status=raw.status)
    code, message = _words(raw)
    secrets = [connection.secret.get_secret_value(), *(request.body.secrets() if request.body else ())]
    said = clean(message, secrets)
    kind, fix = _kind(raw.status, message)
    what = f"{request.what}: {said} ({raw.status}{f' {code}' if code else ''})"
    problem = Problem(where=connection.url, what=what, fix=fix.format(name=connection.name))
    return kind(problem, status=raw.status, code=code)


def _kind(status: int, message: str) -> tuple[type[HarborError], str]:
    if status == 403 and "read only mode" in message:
        return ReadOnlyMode, "end read-only mode (a setting of Harbor), then try again"
    if status in _KINDS:
        return _KINDS[status]
    if status >= 502:
        return HarborAway, "core, or what stands before it, is not ready; slipway status shows whether it starts"
    return InputRefused, "correct the value that the message names"


def _words(raw: Raw) -> tuple[str, str]:
    """Give Harbor's code and message; a page of a proxy is cut to its text."""
    try:
        first = json.loads(raw.body)["errors"][0]
        return str(first.get("code", "")), str(first.get("message", ""))
    except (ValueError, LookupError, TypeError, AttributeError):
        text = re.sub(r"<[^>]*>", " ", raw.body[:_LONGEST].decode(errors="replace"))
        return "", " ".join(text.split()) or "no reason given"


def is_away(status: int) -> bool:
    """Tell whether an answer says to come back later."""
    return status in _AWAY


def clean(text: str, secrets: Iterable[str]) -> str:
    """Blot out secrets, and keep it short."""
    for secret in secrets:
        if len(secret) > 3:
            text = text.replace(secret, MASK)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
