"""The whole of harbor.yaml, and what it says in the end: every project with its defaults and its profile.

spec.all_projects["payments"].storage_quota
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

from pydantic import PrivateAttr

from infra.yaml_file import Location
from slipway.harbor.spec.base import Name, Spec
from slipway.harbor.spec.people import GroupSpec, UserSpec
from slipway.harbor.spec.places import Places
from slipway.harbor.spec.policy import ConnectionSpec, Policy
from slipway.harbor.spec.preheat import PreheatInstanceSpec
from slipway.harbor.spec.projects import ProjectLine, ProjectSettings, ProjectSpec, effective
from slipway.harbor.spec.registries import LabelSpec, RegistrySpec
from slipway.harbor.spec.replication import ReplicationSpec
from slipway.harbor.spec.robots import SystemRobotSpec
from slipway.harbor.spec.system import SystemSpec


class HarborSpec(Spec):
    """What lives inside a Harbor. A key that is absent is not managed, `null` is Harbor's default, `[]` empties."""

    instance: Name | None = None
    connection: ConnectionSpec = ConnectionSpec()
    policy: Policy = Policy()
    system: SystemSpec | None = None
    labels: list[LabelSpec] | None = None
    registries: list[RegistrySpec] | None = None
    user_groups: list[GroupSpec] | None = None
    users: list[UserSpec] | None = None
    robots: list[SystemRobotSpec] | None = None
    replication_policies: list[ReplicationSpec] | None = None
    preheat_instances: list[PreheatInstanceSpec] | None = None
    project_defaults: ProjectSettings | None = None
    profiles: dict[Name, ProjectSettings] = {}  # noqa: RUF012  # pydantic copies it
    projects: dict[Name, ProjectLine] | None = None

    _places: Places = PrivateAttr(default_factory=Places)

    @cached_property
    def all_projects(self) -> Mapping[str, ProjectSpec]:
        """Every project with its defaults and its profile, by name."""
        return {name: effective(name, self._layers(line)) for name, line in (self.projects or {}).items()}

    def _layers(self, line: ProjectLine) -> Sequence[ProjectSettings]:
        below = [self.project_defaults] if self.project_defaults else []
        return [*below, *([self.profiles[line.profile]] if line.profile else []), line]

    def place(self, location: Location) -> str:
        """Name file, line and key of something in it."""
        return self._places.place(location)
