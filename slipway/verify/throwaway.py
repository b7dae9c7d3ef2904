"""The round trip's own project: made under a name that tells what it is, and taken away whatever happens.

throwaway = Throwaway(harbor)
await throwaway.make()
await throwaway.remove()      # also where nobody knows whether it was made
"""

import asyncio
import contextlib
import datetime as dt
import re
import secrets
from dataclasses import dataclass, field

from pydantic import SecretStr

from infra.errors import AnswerLost, HarborError, NotAllowedNow, NothingThere, RightMissing
from slipway.harbor.client import HarborClient, Pages, Request
from slipway.harbor.client.api import artifacts, projects, robots, webhooks
from slipway.harbor.client.models import Access, Permission, Project, ProjectMetadata, ProjectReq, RobotCreate, Webhook
from slipway.harbor.client.request import page_of
from slipway.verify.held import held

PREFIX = "slipway-verify-"
_NAME = re.compile(rf"{PREFIX}[0-9a-f]{{12}}")
_MAKING_SECONDS = 1.0
_AGE = dt.timedelta(hours=1)
_PAGE = page_of(Project)
#: What the round trip itself does; all else is done by whoever verifies. Who gives an upload up deletes.
_RIGHTS = [Access(resource="repository", action=action) for action in ("push", "pull", "delete")]


@dataclass
class Throwaway:
    """A project that lives as long as one run.

    Attributes:
        begun, made: it may be there; it is.
        hooks: ids of its webhook policies, which outlive their project in Harbor's database.
    """

    harbor: HarborClient
    name: str = field(default_factory=lambda: f"{PREFIX}{secrets.token_hex(6)}")
    begun: bool = False
    made: bool = False
    hooks: list[int] = field(default_factory=list)

    @property
    def repository(self) -> str:
        """Where everything is pushed to."""
        return f"{self.name}/app"

    async def make(self) -> None:
        """Make the project."""
        self.begun = True
        request = projects.create(ProjectReq(project_name=self.name, metadata=ProjectMetadata(public="false")))
        try:
            await held(self.harbor.send(request), self._keep)
        except HarborError as error:
            self.begun = isinstance(error, AnswerLost)
            raise
        self.made = True

    def _keep(self, _: object) -> None:
        self.made = True

    async def hook(self, policy: Webhook) -> int:
        """Have Harbor tell of what happens in it; gives the policy's id."""
        request = webhooks.create(self.name, policy)
        made = await held(self.harbor.send(request), lambda made: self.hooks.append(made.number))
        self.hooks.append(made.number)
        return made.number

    async def robot(self) -> tuple[str, SecretStr]:
        """Make a robot with the least rights, for a day; gives its name and secret."""
        permission = Permission(kind="project", namespace=self.name, access=_RIGHTS)
        robot = RobotCreate(name="verify", level="project", duration=1, permissions=[permission])
        made = await self.harbor.send(robots.create(robot))
        return made.name, made.secret

    async def remove(self) -> bool:
        """Take everything away; False where there was nothing.

        Raises:
            HarborError: it could not be.
        """
        if not self.begun:
            return False
        for number in self.hooks:
            await _gone(self.harbor, webhooks.delete(self.name, number))
        there = await remove_project(self.harbor, self.name, sure=self.made)
        if not there and not self.made:
            # Interrupted while it was being made: Harbor may be at it still.
            await asyncio.sleep(_MAKING_SECONDS)
            there = await remove_project(self.harbor, self.name, sure=False)
        return there


async def remove_project(harbor: HarborClient, name: str, *, sure: bool = True) -> bool:
    """Delete a project with its repositories; robots, members and labels go with it. False where there is none.

    Args:
        harbor: who deletes.
        name: of the project.
        sure: whether it is known to be there.

    Raises:
        HarborError: it could not be.
    """
    for attempt in range(3):
        try:
            for repository in await harbor.all(artifacts.repositories(name)):
                short = repository.name.removeprefix(f"{name}/")
                await _gone(harbor, artifacts.delete_repository(name, short))
            await harbor.send(projects.delete(name))
        except NothingThere:
            return False
        except NotAllowedNow:
            if attempt == 2:  # a push that was on its way made another repository
                raise
        except RightMissing:
            # Harbor says so to robots of a project that is not there.
            if not sure and not await harbor.all(projects.named([name])):
                return False
            raise
        else:
            return True
    return False


async def leftovers(harbor: HarborClient) -> list[Project]:
    """Give the projects of runs that were killed: of our name, and older than any run."""
    request = Request(
        what="look for what earlier runs left",
        method="GET",
        path="/projects",
        query={"q": f"name=~{PREFIX}", "sort": "project_id"},
        read=_PAGE,
    )
    pages = Pages(
        first=request,
        identity=lambda project: project.project_id,
        keep=lambda project: _NAME.fullmatch(project.name) is not None,
    )
    found = await harbor.all(pages)
    newest = dt.datetime.now(dt.UTC) - _AGE
    return [one for one in found if one.creation_time and dt.datetime.fromisoformat(one.creation_time) < newest]


async def _gone(harbor: HarborClient, request: Request[None]) -> None:
    with contextlib.suppress(NothingThere):
        await harbor.send(request)


def could_not(error: HarborError) -> str:
    """Give why something could not be taken away."""
    return "; ".join(problem.what for problem in error.problems)
