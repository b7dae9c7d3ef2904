"""What several kinds do alike: read a list in each of many projects, take fields from a model, rules of a named thing.

rows = await in_projects(harbor, scope, world, lambda project: members.of(project.number), seen)
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from infra.errors import HarborError
from slipway.harbor.client import HarborClient, Pages
from slipway.harbor.kinds.base import Object, Scope, World
from slipway.harbor.spec.base import Spec

Item = TypeVar("Item")
Result = TypeVar("Result")
Other = TypeVar("Other")
_LAST_SECOND = 253_402_300_800


async def in_projects(
    harbor: HarborClient,
    scope: Scope,
    world: World,
    pages: Callable[[Object], Pages[Item]],
    seen: Callable[[Object, list[Item]], Iterable[Object]],
) -> list[Object]:
    """Read a list in each project of the scope that is there: one request each, many at the same time.

    Args:
        pages: gives the list of a project.
        seen: gives the objects of its rows.

    Raises:
        HarborError: the first that any of them met; half a picture is none.
    """
    projects = [found for name in sorted(scope.parents) if (found := world.get("project", name))]

    async def one(project: Object) -> list[Object]:
        # Rows become objects here and not at the end, so that a thousand projects' answers are not kept.
        return list(seen(project, await harbor.all(pages(project))))

    results = await harbor.each(lambda project=project: one(project) for project in projects)
    return [each for rows in all_good(results) for each in rows]


def all_good(results: Sequence[Result | HarborError]) -> list[Result]:
    """Give the results, or raise the first error among them."""
    good: list[Result] = []
    for result in results:
        if isinstance(result, HarborError):
            raise result
        good.append(result)
    return good


async def together(first: Awaitable[Result], second: Awaitable[Other]) -> tuple[Result, Other]:
    """Wait for two at once; an error of one is raised when both are over, so that none is left behind."""
    one, other = await asyncio.gather(first, second, return_exceptions=True)
    for result in (one, other):
        if isinstance(result, BaseException):
            raise result
    return cast("tuple[Result, Other]", (one, other))


def fields_of(spec: Spec, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Give the managed fields among those of `defaults`; null becomes Harbor's default."""
    return {name: defaults[name] if value is None else value for name, value in spec.given() if name in defaults}


def unusual(fields: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a file has to say of fields: those that are not as Harbor makes them."""
    return {name: fields[name] for name, usual in defaults.items() if name in fields and fields[name] != usual}


def allowlist_data(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Give what a file says of an allowlist; nothing of one that allows nothing."""
    items, until = fields.get(f"{prefix}items"), fields.get(f"{prefix}expires_at")
    data: dict[str, Any] = {"items": items} if items else {}
    return data | ({"expires_at": _moment(until)} if until else {})


def _moment(seconds: int) -> dt.datetime | int:
    """Give epoch seconds as a file writes them; a time after the last year that has four digits stays a number."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC) if 0 < seconds < _LAST_SECOND else seconds


def rules_of(spec: Any, project: Any = None) -> dict[str, Any]:  # noqa: ANN401  # what has these, or some of them
    """Give an Object's `adopt` and `protect`; what a project says of adoption holds for what is in it."""
    own, above = getattr(spec, "adopt", None), getattr(project, "adopt", None)
    return {"adopt": own or above or "", "protect": getattr(spec, "protect", False)}
