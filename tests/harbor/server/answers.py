"""What an operation answers, and the ways in which Harbor says no; the words are Harbor's own.

raise missing("project payments not found")     # 404 {"errors": [{"code": "NOT_FOUND", …}]}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole answer: `body` is sent as JSON, bytes and None as they are."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The request ends here with an error answer."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(self) -> Answer:
        return Answer(status=self.status, body=errors(self.code, self.message), headers=self.headers)


class Panic(Exception):
    """Harbor's handler fell over: 500 and nothing else. It is how much bad input is answered."""


def errors(code: str, message: str) -> dict:
    return {"errors": [{"code": code, "message": message}]}


def bad(message: str) -> Refused:
    return Refused(400, "BAD_REQUEST", message)


def unauthorized(message: str = "unauthorized") -> Refused:
    return Refused(401, "UNAUTHORIZED", message)


def forbidden(message: str = "forbidden") -> Refused:
    return Refused(403, "FORBIDDEN", message)


def denied(message: str) -> Refused:
    return Refused(403, "DENIED", message)


def missing(message: str) -> Refused:
    return Refused(404, "NOT_FOUND", message)


def not_allowed(method: str, path: str) -> Refused:
    return Refused(405, "METHOD_NOT_ALLOWED", f"method {method} is not allowed, but [GET PUT DELETE] are: {path}")


def conflict(message: str) -> Refused:
    return Refused(409, "CONFLICT", message)


def precondition(message: str) -> Refused:
    return Refused(412, "PRECONDITION", message)


def violation(message: str) -> Refused:
    return Refused(412, "PROJECTPOLICYVIOLATION", message)


def unprocessable(message: str) -> Refused:
    return Refused(422, "UNPROCESSABLE_ENTITY", message)


def internal() -> Refused:
    """Harbor keeps the reason in its log: bad input looks like this too."""
    return Refused(500, "UNKNOWN", "internal server error")
