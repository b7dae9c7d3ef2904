"""Another Harbor as a source: read as one who is logged in, and proven so, since a list says 200 to nobody too.

found = HarborSource(connection).read(tell, wanted=lambda names: names)
"""

import asyncio
from collections.abc import Callable, Collection, Sequence

from infra.errors import MigrationError, NothingThere, Problem
from slipway.harbor.client import Connection, HarborClient, connect
from slipway.harbor.client.api import artifacts, projects
from slipway.harbor.client.models import Artifact, Project
from slipway.harbor.kinds.parts import all_good
from slipway.harbor.migrate.model import HARBOR, Found, Origin, Repository
from slipway.harbor.migrate.sources import Tell


class HarborSource:
    """All that the sender may see of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, tell: Tell, *, wanted: Callable[[Collection[str]], Collection[str]]) -> Found:
        """Read it; see Source."""
        return asyncio.run(self._read(tell, wanted))

    async def _read(self, tell: Tell, wanted: Callable[[Collection[str]], Collection[str]]) -> Found:
        async with connect(self._connection) as harbor, harbor.proven():
            every = await harbor.all(projects.every())
            caches = [each.name for each in every if each.registry_id]
            own = [each for each in every if not each.registry_id]
            names = await _names(harbor, own)
            if not names:
                what = f"{self._connection.name} sees no repository in {len(own)} projects"
                fix = "check who that is: it needs to read all projects that are to come over (docs/migration.md)"
                raise MigrationError(Problem(where=self._connection.url, what=what, fix=fix))
            chosen, done = sorted(wanted(names)), 0

            async def one(name: str) -> Repository | None:
                nonlocal done
                read = await _repository(harbor, name)
                done += 1
                tell(done, len(chosen))
                return read

            found = all_good(await harbor.each(lambda name=name: one(name) for name in chosen))
        origin = Origin(kind=HARBOR, url=self._connection.url, ca_file=str(self._connection.ca_file or ""))
        notes = (
            [f"caches of other registries are not copied, declare them as such: {', '.join(caches)}"] if caches else []
        )
        notes.append(
            "members, robots, policies and labels are not copied: slipway harbor export at the source shows them"
        )
        return Found(origin=origin, repositories=[each for each in found if each is not None], notes=notes)


async def _names(harbor: HarborClient, own: Sequence[Project]) -> Sequence[str]:
    lists = await harbor.each(
        lambda name=each.name: harbor.all(artifacts.repositories(name)) for each in own if each.repo_count
    )
    return [each.name for rows in all_good(lists) for each in rows]


async def _repository(harbor: HarborClient, name: str) -> Repository | None:
    project, _, repository = name.partition("/")
    try:
        rows = await harbor.all(artifacts.of(project, repository, accessories=True))
    except NothingThere:
        return None  # deleted since it was listed
    return Repository(name=name, references=references_of(rows), bytes=_bytes(rows))


def references_of(rows: Sequence[Artifact]) -> dict[str, str]:
    """Give tags and, of artifacts without one and of accessories, digests, each with the digest behind it."""
    found: dict[str, str] = {}
    for row in rows:
        found |= {tag.name: row.digest for tag in row.tags or ()} or {row.digest: row.digest}
        found |= {each.digest: each.digest for each in row.accessories or ()}
    return found


def _bytes(rows: Sequence[Artifact]) -> int:
    return sum(row.size + sum(each.size for each in row.accessories or ()) for row in rows)
