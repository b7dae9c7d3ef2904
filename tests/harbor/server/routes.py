"""The table of operations: a decorator puts one in, `find` gives the one for a request.

@operation("GET", "/projects/{project_name_or_id}")
def get_project(call): …
"""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import iscoroutinefunction
from urllib.parse import unquote

from tests.harbor.server.answers import missing, not_allowed


@dataclass(frozen=True)
class Operation:
    """`writes` says that read-only mode refuses it; `name` is what faults and latencies call it; `waits` if async."""

    method: str
    path: str
    handler: Callable
    writes: bool
    name: str
    waits: bool


OPERATIONS: list[Operation] = []
_TREE: dict = {}
_PARAMETER = "{}"
_METHODS = ":methods"


def operation(method: str, path: str, *, writes: bool | None = None) -> Callable[[Callable], Callable]:
    """Register the function as the operation of a method and path of Harbor's API file."""

    def register(handler: Callable) -> Callable:
        entry = Operation(
            method,
            path,
            handler,
            method != "GET" if writes is None else writes,
            handler.__name__,
            iscoroutinefunction(handler),
        )
        OPERATIONS.append(entry)
        node, names = _TREE, []
        for part in path.strip("/").split("/"):
            if part.startswith("{"):
                names.append(part[1:-1])
                part = _PARAMETER  # noqa: PLW2901  # the tree knows one name for all parameters
            node = node.setdefault(part, {})
        node.setdefault(_METHODS, {})[method] = (entry, names)
        return handler

    return register


def find(method: str, raw_path: str) -> tuple[Operation, dict[str, str]]:
    """Give the operation of a path below /api/v2.0 and the parameters in it, decoded once."""
    parts = raw_path.strip("/").split("/")
    found = _walk(_TREE, parts, [])
    if found is None:
        raise missing(f"path {raw_path} was not found")
    methods, values = found
    entry = methods.get("GET" if method == "HEAD" and "HEAD" not in methods else method)
    if entry is None:
        raise not_allowed(method, raw_path)
    return entry[0], dict(zip(entry[1], values, strict=True))


def _walk(node: dict, parts: list[str], values: list[str]) -> tuple[dict, list[str]] | None:
    """Prefer a part that is spelled out over a parameter, and go back where that leads nowhere."""
    if not parts:
        return (node[_METHODS], values) if _METHODS in node else None
    first, rest = parts[0], parts[1:]
    if first in node and (found := _walk(node[first], rest, values)):
        return found
    return _walk(node[_PARAMETER], rest, [*values, unquote(first)]) if _PARAMETER in node else None
