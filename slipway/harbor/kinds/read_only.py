"""Read-only mode where the file wants it: begun after everything else, which it would refuse, deletions too.

That it ends is a setting like the others, and the first thing that is done: config.py.
"""

from collections.abc import Sequence
from typing import ClassVar

from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import configuration
from slipway.harbor.client.models import Settings
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Scope, Site, World
from slipway.harbor.kinds.config import locked, set_settings
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.spec import HarborSpec


class ReadOnly(Kind):
    """Read-only mode that is to begin."""

    name: ClassVar = "read-only"
    singleton: ClassVar = True
    closing: ClassVar = True

    def desired(self, spec: HarborSpec) -> Desired:
        config = spec.system.config if spec.system else None
        if config is None or not config.read_only:
            return Desired(objects=[])
        at = ("system", "config", "read_only")
        return Desired(objects=[Object(kind=self.name, key="system", fields={"read_only": True}, at=at)])

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        settings = await harbor.send(configuration.get())
        fields = {"read_only": settings["read_only"].value}
        return [
            Object(kind=self.name, key="system", id="system", fields=fields, locked=locked(settings, ["read_only"]))
        ]

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        """Write nothing: a file that says it is one that nothing more could be applied by. config.py tells it."""

    async def update(self, site: Site, edit: Edit) -> None:
        await set_settings(site.harbor, Settings(read_only=True))
