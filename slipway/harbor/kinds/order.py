"""The order of kinds: what others refer to comes first. Deletes go the other way round."""

from collections.abc import Mapping

from slipway.harbor.kinds.base import Kind
from slipway.harbor.kinds.config import Config, SystemAllowlist
from slipway.harbor.kinds.immutable import ImmutableRules
from slipway.harbor.kinds.labels import Labels, ProjectLabels
from slipway.harbor.kinds.members import Members
from slipway.harbor.kinds.people import Groups, Users
from slipway.harbor.kinds.preheat import PreheatInstances
from slipway.harbor.kinds.preheat_policies import PreheatPolicies
from slipway.harbor.kinds.projects import Projects
from slipway.harbor.kinds.read_only import ReadOnly
from slipway.harbor.kinds.registries import Registries
from slipway.harbor.kinds.replication import Replication
from slipway.harbor.kinds.retention import Retention
from slipway.harbor.kinds.robots import ProjectRobots, Robots
from slipway.harbor.kinds.scanners import DefaultScanner, Scanners
from slipway.harbor.kinds.schedules import Schedules
from slipway.harbor.kinds.webhooks import Webhooks

#: Kinds of one stage are read and written at the same time; a stage begins when the one before it is done.
ORDER: tuple[tuple[Kind, ...], ...] = (
    (Config(), SystemAllowlist()),
    (Registries(), Labels(), Groups(), Users(), Scanners(), PreheatInstances()),
    (Projects(), DefaultScanner()),
    (Members(), ProjectLabels(), Retention(), ImmutableRules(), Webhooks(), Robots(), ProjectRobots()),
    (Replication(), PreheatPolicies()),
    (Schedules(),),
    (ReadOnly(),),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for stage in ORDER for kind in stage}
