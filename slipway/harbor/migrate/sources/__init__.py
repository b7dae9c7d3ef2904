"""Where a migration comes from. Each reads the same: all repositories with digests and sizes, or again those named.

source = EcrSource(region="eu-central-1")
found = source.read(tell)
"""

from collections.abc import Callable, Collection
from typing import Protocol

from slipway.harbor.migrate.model import Found

#: Told how many repositories are read, of how many.
Tell = Callable[[int, int], None]


class Source(Protocol):
    """A registry to come from."""

    def read(self, tell: Tell, *, wanted: Callable[[Collection[str]], Collection[str]]) -> Found:
        """Read the repositories that `wanted` gives of all names; one that vanishes meanwhile is left out.

        Raises:
            MigrationError: it cannot be read, or there is nothing in it.
            HarborError: of a Harbor.
        """
        ...
