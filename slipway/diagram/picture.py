"""What a picture of an environment holds: boxes in rows, rows in tiers, tiers across zones, and who talks to whom.

It says nothing of where on the page a thing stands, so it is also what `slipway diagram --output json` gives.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

#: `request`: somebody calls a service; `egress`: the way out; `mount`: what stands behind an interface in the VPC.
FlowKind = Literal["request", "egress", "mount"]


@dataclass(frozen=True, kw_only=True)
class Box:
    """One thing.

    Attributes:
        id: unique in the picture; flows name it.
        service: what it is, which gives its sign and colour: a key of `slipway.diagram.style.SIGNS`.
        title, details: its words; one line each.
        zones: that it stands in; several for one that spans them, none for what is outside the zones.
        by_controller: made in the cluster by a controller, so the graph holds its rights and not itself.
    """

    id: str
    service: str
    title: str
    details: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    by_controller: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """Boxes of one service across the zones, inside one security group where they have one.

    Attributes:
        id: unique in the picture; a flow to or from it means every box of it.
        boxes: in the order of the zones.
        security_group: its name; empty for none.
        admits: ports on which the security group admits that of the nodes, ``TCP 5432``.
        open_to: whatever is admitted by address instead of by security group, ``TCP 5432 from 10.0.0.0/8``.
    """

    id: str
    boxes: tuple[Box, ...]
    security_group: str = ""
    admits: tuple[str, ...] = ()
    open_to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Tier:
    """The subnets of one purpose: zone → CIDR, or what is known of an existing one, and the rows in them."""

    id: str
    title: str
    subnets: Mapping[str, str]
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """`source` calls `target` (ids of boxes or rows); `label` is protocol and port where the graph tells them."""

    source: str
    target: str
    kind: FlowKind
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A whole environment.

    Attributes:
        environment, profile, region, host: as in its facts.
        vpc: how the VPC is called, with its network.
        gateway: the VPC has an internet gateway of ours.
        zones: their names in order.
        outside: boxes beyond AWS's region: who calls, and what is called.
        tiers: from the internet inwards.
        services: of the region, beside the VPC.
        flows: between ids of boxes and rows.
        notes: what a reader has to know to read the picture rightly.
    """

    environment: str
    profile: str
    region: str
    host: str
    vpc: str
    gateway: bool
    zones: tuple[str, ...]
    outside: tuple[Box, ...]
    tiers: tuple[Tier, ...]
    services: tuple[Box, ...]
    flows: tuple[Flow, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> Iterator[Row]:
        """Go through the rows of every tier, from above."""
        return (row for tier in self.tiers for row in tier.rows)

    @property
    def boxes(self) -> Iterator[Box]:
        """Go through all boxes."""
        yield from self.outside
        for row in self.rows:
            yield from row.boxes
        yield from self.services
