"""What the Harbor that things go to has already: projects with their quotas, and the artifacts of a repository.

there = await look(harbor, ["payments"])       # {"payments": There(quota=-1, cache=False)}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.errors import MigrationError, NothingThere, Problem
from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import artifacts, quotas
from slipway.harbor.kinds.parts import all_good
from slipway.harbor.kinds.projects import projects_of
from slipway.harbor.migrate.fragment import Need, quota_of
from slipway.harbor.migrate.sources.harbor import references_of
from slipway.harbor.migrate.units import size


@dataclass(frozen=True, kw_only=True)
class There:
    """A project that is there; a quota of -1 is none."""

    quota: int
    cache: bool


async def look(harbor: HarborClient, names: Sequence[str]) -> Mapping[str, There]:
    """Read those of the projects that are there, with their quotas."""
    async with harbor.proven():
        found = await projects_of(harbor, names)
        pages = await harbor.each(
            lambda number=each.project_id: harbor.all(quotas.of_project(number)) for each in found
        )
        limits = {row.ref.id: row.hard.get("storage", -1) for rows in all_good(pages) for row in rows if row.ref}
    return {each.name: There(quota=limits.get(each.project_id, -1), cache=bool(each.registry_id)) for each in found}


def needs(
    bytes_by_project: Mapping[str, int], there: Mapping[str, There], declared: Mapping[str, int | None], headroom: int
) -> tuple[Sequence[Need], Sequence[str]]:
    """Give what each project needs, and warn of quotas that are too small.

    Args:
        declared: projects of other files with their quotas (-1 for no limit, None where they say none).

    Raises:
        MigrationError: a project is a cache of another registry, into which Harbor copies nothing, without a word.
    """
    found, warnings, problems = [], [], []
    for project, needed in sorted(bytes_by_project.items()):
        wanted, present = quota_of(needed, headroom), there.get(project)
        if present and present.cache:
            what = "is a cache of another registry here, and Harbor copies nothing into one"
            fix = f"give it another name: --rename {project}=NEW; or delete the cache first"
            problems.append(Problem(where=f"project {project}", what=what, fix=fix))
            continue
        if project in declared:
            limit = declared[project]
            if limit is not None and 0 <= limit < wanted:
                text = f"is declared with a quota of {size(limit)}, and may need {size(wanted)}: raise it"
                warnings.append(f"project {project} {text}")
            found.append(Need(project=project, bytes=needed, quota=None, declared=True))
            continue
        enough = present is not None and (present.quota < 0 or present.quota >= wanted)
        if present is not None and not enough:
            warnings.append(
                f"project {project} is there with a quota of {size(present.quota)}, and may need {size(wanted)}: it "
                "is declared so, and slipway harbor apply wants --adopt for it"
            )
        found.append(Need(project=project, bytes=needed, quota=None if enough else wanted))
    if problems:
        raise MigrationError(*problems)
    return found, warnings


async def references(harbor: HarborClient, project: str, repository: str) -> Mapping[str, str] | None:
    """Give tags and digests of a repository, each with the digest behind it; None where it is not there."""
    try:
        rows = await harbor.all(artifacts.of(project, repository, accessories=True))
    except NothingThere:
        return None
    return references_of(rows) | {row.digest: row.digest for row in rows}
