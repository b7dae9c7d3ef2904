"""`page`, `page_size`, `q` and `sort` as Harbor reads them: what it does not know it ignores, and the whole list comes.

where, values = conditions({"name": Fuzzy("pay")}, {"name": "key"})
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from tests.harbor.server.answers import bad, internal, unprocessable

MAX_PAGE = 100


@dataclass(frozen=True)
class Fuzzy:
    """`q=name=~text`: contains it."""

    text: str


@dataclass(frozen=True)
class Among:
    """`q=name={a b}`: is one of them."""

    values: tuple[str | int, ...]


@dataclass(frozen=True)
class Paging:
    """Size 0 or below means all rows in one answer."""

    page: int
    size: int

    @property
    def limit(self) -> int:
        return self.size if self.size > 0 else -1

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size if self.size > 0 else 0


def paging(query: Mapping[str, str]) -> Paging:
    page, size = _number(query, "page", 1), _number(query, "page_size", 10)
    if size > MAX_PAGE:
        raise unprocessable(f"page_size in query should be less than or equal to {MAX_PAGE}")
    return Paging(max(page, 1), size)


def keywords(query: Mapping[str, str]) -> dict[str, str | Fuzzy | Among]:
    """Read `q=k=v,k=~v,k={a b}`."""
    found: dict[str, str | Fuzzy | Among] = {}
    for part in filter(None, unquote(query.get("q", "")).split(",")):
        key, _, value = part.partition("=")
        if not key or not value:
            raise bad('the query string must contain "=" and the key/value cannot be empty')
        if value[0] == "~":
            found[key] = Fuzzy(value[1:])
        elif value[0] in "{(":
            if value[-1] not in "})":
                raise bad(f"invalid query string value: {value}")
            found[key] = Among(tuple(_value(each) for each in value[1:-1].split()))
        else:
            found[key] = value
    return found


def conditions(wanted: Mapping[str, object], columns: Mapping[str, str]) -> tuple[str, list]:
    """Give SQL and its values for the keys that `columns` knows; each names a column or a path in the document."""
    parts, values = ["1"], []
    for key, value in wanted.items():
        column = columns.get(key) or columns.get(key.lower())
        if column is None:
            continue
        place = column if column in {"key", "id", "project"} else f"json_extract(doc, '$.{column}')"
        match value:
            case Fuzzy(text):
                parts.append(f"{place} LIKE '%' || ? || '%'")
                values.append(text)
            case Among(several):
                if column == "key" and any(isinstance(each, int) for each in several):
                    raise internal()  # "unable to encode 123 into text format for varchar"
                parts.append(f"CAST({place} AS TEXT) IN (SELECT value FROM json_each(?))")
                values.append(json.dumps([str(each) for each in several]))
            case _:
                parts.append(f"CAST({place} AS TEXT) = ?")
                values.append(str(value))
    return " AND ".join(parts), values


def order(query: Mapping[str, str], columns: Mapping[str, str]) -> str:
    parts = []
    for part in filter(None, query.get("sort", "").split(",")):
        column = columns.get(part.lstrip("-"))
        if column:
            place = column if column in {"key", "id"} else f"json_extract(doc, '$.{column}')"
            parts.append(f"{place} DESC" if part.startswith("-") else place)
    return ", ".join([*parts, "id"])


def _value(text: str) -> str | int:
    """Give what Harbor makes of one of several: a number where it can, unless there are quotes."""
    try:
        return int(text)
    except ValueError:
        return text.strip("\"'")


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise unprocessable(f'{name} in query must be of type int64: "{text}"') from None
