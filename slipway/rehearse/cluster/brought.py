"""What an environment expects to find in its cluster from others; a rehearsal has it there from the start."""

from dataclasses import dataclass

from slipway.rehearse.cluster.played import third_parties
from values.composition import Composition
from values.facts import Facts
from values.infrastructure import NAMESPACES, controllers


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What is there before Flux delivers anything.

    Attributes:
        controllers: played from the start, since Flux does not install them.
        groups: API groups whose kinds are there.
    """

    controllers: tuple[str, ...]
    groups: tuple[str, ...]

    @classmethod
    def of(cls, facts: Facts) -> "Brought":
        """Read it from what the team chose."""
        options, composition = facts.harbor, Composition.of(facts)
        ours = {one.name for one in controllers(facts, composition)}
        there = {
            third_parties.SECRETS_GROUP: "external-secrets" not in ours,
            third_parties.GATEWAY_GROUP: composition.expose == "route",
            third_parties.PROMETHEUS_GROUP: options.monitoring.service_monitors or options.monitoring.rules,
            third_parties.NOTIFICATION_GROUP: options.notify is not None,
        }
        return cls(
            controllers=tuple(name for name in NAMESPACES if name not in ours),
            groups=tuple(group for group, is_there in there.items() if is_there),
        )
