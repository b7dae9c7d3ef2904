"""Requests as values: what to send and how to read the answer, made by the functions in `api/`, sent by the client.

request = robots.refresh(7, secret)      # nothing has happened yet; printing it shows no secret
await harbor.send(request)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import GenericAlias
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from pydantic import TypeAdapter

from slipway.harbor.client.models.base import Model

Result = TypeVar("Result")
Item = TypeVar("Item")

#: Methods that may be sent twice with the same end.
_REPEATABLE = {"GET", "HEAD", "PUT", "DELETE"}
PAGE_SIZE = 100


@dataclass(frozen=True)
class Raw:
    """An answer as it came; header names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Request(Generic[Result]):
    """One request to Harbor's API.

    Attributes:
        what: what it does, as a person would say it; errors begin with it.
        path: below /api/v2.0, encoded.
        read: gives the result of a good answer.
        repeatable: sending it twice ends as sending it once; None leaves it to the method.
        idle: Harbor waits while it answers, and works on others: it takes no place among those in flight.
    """

    what: str
    method: str
    path: str
    read: Callable[[Raw], Result] = field(repr=False)
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Model | None = None
    by_name: bool = False
    repeatable: bool | None = None
    idle: bool = False

    @property
    def safe_to_repeat(self) -> bool:
        """Whether it may be sent again when nobody knows whether it was done."""
        return self.method in _REPEATABLE if self.repeatable is None else self.repeatable

    @property
    def target(self) -> str:
        """The path with the query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A page of a list, and how many there are in all."""

    items: list[Item]
    total: int


@dataclass(frozen=True, kw_only=True)
class Pages(Generic[Item]):
    """A whole list, to be read page by page.

    Attributes:
        first: the request of its first page.
        size: rows of a page.
        identity: tells rows apart, so that one that moved to another page meanwhile is seen.
        keep: rows that it is for. Harbor ignores a filter that it does not know, and gives the whole list.
    """

    first: Request[Page[Item]]
    size: int = PAGE_SIZE
    identity: Callable[[Item], object] = field(default=lambda item: getattr(item, "id", item), repr=False)
    keep: Callable[[Item], bool] = field(default=lambda _: True, repr=False)

    def page(self, number: int) -> Request[Page[Item]]:
        """Give the request of one page, the first being 1."""
        return replace(self.first, query={**self.first.query, "page": number, "page_size": self.size})


@dataclass(frozen=True)
class Created:
    """What was made; `id` is the last part of where it is."""

    id: str

    @property
    def number(self) -> int:
        """The id, where it is a number."""
        return int(self.id)


# --- how answers are read


def nothing(_: Raw) -> None:
    """Read an answer that says nothing."""


def created(raw: Raw) -> Created:
    """Read where something was made."""
    if "location" not in raw.headers:
        raise ValueError("no Location in the answer")
    return Created(raw.headers.get("location", "").rstrip("/").rpartition("/")[2])


def text(raw: Raw) -> str:
    """Read plain text."""
    return raw.body.decode(errors="replace")


def one(kind: type[Result]) -> Callable[[Raw], Result]:
    """Read one object."""
    adapter = TypeAdapter(kind)
    return lambda raw: adapter.validate_json(raw.body)


def one_or_none(kind: type[Result]) -> Callable[[Raw], Result | None]:
    """Read one object from an answer that has no body at all when there is none."""
    adapter = TypeAdapter(kind)
    return lambda raw: adapter.validate_json(raw.body) if raw.body.strip() else None


def page_of(kind: type[Item]) -> Callable[[Raw], Page[Item]]:
    """Read a page of objects, with the count of all."""
    rows: Any = GenericAlias(list, (kind,))
    adapter: TypeAdapter[list[Item] | None] = TypeAdapter(rows | None)

    def read(raw: Raw) -> Page[Item]:
        items = adapter.validate_json(raw.body) or []  # null is how some of its empty lists are written
        return Page(items, int(raw.headers.get("x-total-count", len(items))))

    return read


# --- paths


def segment(name: str | int) -> str:
    """Give a name as a part of a path."""
    return quote(str(name), safe="")


def project_path(project: str | int) -> tuple[str, bool]:
    """Give a project's path and whether it is by name: a name of digits would else be taken for an id."""
    return f"/projects/{segment(project)}", isinstance(project, str)


def wanted(names: Sequence[str]) -> str:
    """Give the `q` of a set of names. Digits without quotes are a number to Harbor, and no name is one."""
    written = (f'"{name}"' if name.isdigit() else name for name in names)
    return f"name={{{' '.join(written)}}}"
