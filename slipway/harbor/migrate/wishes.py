"""What the user asked for: the options of `migrate plan`, read, and every wrong one told at once.

wishes = Asked(environment="prod", kind="aws-ecr", wave_size="50").read()
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from infra.errors import MigrationError, Problem
from slipway.harbor.migrate.fragment import credentials_of
from slipway.harbor.migrate.names import Naming, renames_of
from slipway.harbor.migrate.units import Limit, bandwidth, wave_size

Read = TypeVar("Read")


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The options, understood.

    Attributes:
        first: patterns of what goes before all else.
        headroom: per cent of a quota above what is needed.
        credentials: of the source, as harbor.yaml names them.
    """

    environment: str
    include: Sequence[str]
    exclude: Sequence[str]
    first: Sequence[str]
    naming: Naming
    limit: Limit
    bandwidth: int
    headroom: int
    credentials: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options as they were written; see Wishes."""

    environment: str
    kind: str
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    first: Sequence[str] = ()
    default_project: str = ""
    renames: Sequence[str] = ()
    wave_size: str = "500GiB"
    bandwidth: str = "100MiB/s"
    headroom: int = 20
    credentials: str = "env"
    username: str = ""

    def read(self) -> Wishes:
        """Understand them.

        Raises:
            MigrationError: with every one that is wrong.
        """
        problems: list[Problem] = []

        def one(act: Callable[[], Read], otherwise: Read) -> Read:
            try:
                return act()
            except MigrationError as error:
                problems.extend(error.problems)
                return otherwise

        nothing: Mapping[str, Any] = {}
        renames = one(lambda: renames_of(self.renames), nothing)
        wishes = Wishes(
            environment=self.environment,
            include=self.include,
            exclude=self.exclude,
            first=self.first,
            naming=Naming(default_project=self.default_project, renames=renames),
            limit=one(lambda: wave_size(self.wave_size), Limit()),
            bandwidth=one(lambda: bandwidth(self.bandwidth), 1),
            headroom=self.headroom,
            credentials=one(lambda: credentials_of(self.credentials, self.kind, username=self.username), nothing),
        )
        if problems:
            raise MigrationError(*problems)
        return wishes
