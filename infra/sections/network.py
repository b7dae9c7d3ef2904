"""network and dns: addresses, the way out, and the zone of the registry's name."""

from ipaddress import IPv4Network
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationInfo, field_validator, model_validator

from infra.sections.base import Setting, domain_name, ipv4_network
from values.errors import Refused

NatMode = Literal["none", "single", "per-zone", "regional"]
Cidrs = TypeVar("Cidrs", str, tuple[str, ...])


SubnetIds = Annotated[
    dict[str, Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]],
    Field(description="zone → subnet id"),
]


class ExistingNetwork(Setting):
    """A VPC with its subnets, each given by its zone. What it lacks is told before anything is made."""

    vpc_id: Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$")]
    """Id of the VPC."""
    public: SubnetIds
    """Subnets of the load balancer, tagged kubernetes.io/role/elb=1, with a route to an internet gateway."""
    private: SubnetIds
    """Subnets of the nodes and their pods, with a way out."""
    data: SubnetIds
    """Subnets of database, cache and storage; without a route to the internet."""
    control_plane: SubnetIds = {}  # noqa: RUF012  # pydantic copies it
    """Subnets of EKS's own interfaces; left out, those of the nodes."""

    @model_validator(mode="after")
    def _covers_the_same_zones(self) -> "ExistingNetwork":
        tiers = {"public": self.public, "private": self.private, "data": self.data}
        if self.control_plane:
            tiers["controlPlane"] = self.control_plane
        zones = set().union(*tiers.values())
        if lacking := [
            f"{tier} has none in {', '.join(sorted(zones - set(subnets)))}"
            for tier, subnets in tiers.items()
            if zones - set(subnets)
        ]:
            raise Refused("; ".join(lacking), "each tier needs one subnet in every zone")
        used = [subnet for subnets in tiers.values() for subnet in subnets.values()]
        if twice := sorted({subnet for subnet in used if used.count(subnet) > 1}):
            raise Refused(f"{', '.join(twice)} is given twice", "each tier and zone has a subnet of its own")
        return self


class NetworkSettings(Setting):
    """The VPC's addresses and its way out."""

    cidr: str = "10.0.0.0/16"
    """The VPC's IPv4 network, from /16 to /18."""
    service_cidr: Annotated[str, Field(validate_default=True)] = "172.20.0.0/16"
    """Addresses of Kubernetes Services; outside the VPC's network."""
    peer_cidrs: tuple[str, ...] = ()
    """Networks that will be peered or routed to; the VPC must not overlap them."""
    nat: NatMode | None = None
    """NAT: `single` (cheap, one zone's loss cuts egress), `per-zone`, `regional`, or `none`. Default by profile."""
    private_endpoints: bool = False
    """Interface endpoints for the AWS services that nodes and controllers call: the way without NAT."""
    existing: ExistingNetwork | None = None
    """A VPC that is there already; nothing of it is changed, and `cidr`, `nat` and `privateEndpoints` do not apply."""

    @field_validator("cidr", "service_cidr")
    @classmethod
    def _is_network(cls, value: str) -> str:
        return ipv4_network(value)

    @field_validator("peer_cidrs")
    @classmethod
    def _are_networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(ipv4_network(value) for value in values)

    @field_validator("cidr")
    @classmethod
    def _fits_the_subnet_plan(cls, value: str) -> str:
        # An ALB needs a /27 per zone and EKS a /28 for its interfaces (infra/aws/subnets.py); a VPC is a /16 at most.
        if not 16 <= IPv4Network(value).prefixlen <= 18:
            raise Refused(
                "is not a /16, /17 or /18", "AWS takes no larger VPC, and a smaller one does not hold three zones"
            )
        return value

    @field_validator("service_cidr", "peer_cidrs")
    @classmethod
    def _share_no_address(cls, value: Cidrs, info: ValidationInfo) -> Cidrs:
        vpc = IPv4Network(info.data["cidr"]) if "cidr" in info.data else None
        others = [value] if isinstance(value, str) else value
        if vpc and (clashes := [other for other in others if vpc.overlaps(IPv4Network(other))]):
            named = "" if isinstance(value, str) else f"{', '.join(clashes)} "
            raise Refused(f"{named}overlaps cidr {vpc}", "choose networks that share no address")
        return value

    @model_validator(mode="after")
    def _has_a_way_out(self) -> "NetworkSettings":
        if self.nat == "none" and not self.private_endpoints and not self.existing:
            raise Refused(
                "nat none leaves the nodes without any way to AWS", "turn privateEndpoints on, or choose a NAT mode"
            )
        return self


class DnsSettings(Setting):
    """Where the registry's name lives. At most one of the two; with neither, a new zone waits for its delegation."""

    existing_zone: str = ""
    """Name of a hosted zone in this account that the registry's record goes into; no zone is made."""
    delegate_from: str = ""
    """Name of the parent's hosted zone in this account; a zone for the domain is made and delegated from it."""
    health_check: bool | None = None
    """Let Route53 call the registry's /api/v2.0/ping from outside; off for a private one. Default by profile."""

    @field_validator("existing_zone", "delegate_from")
    @classmethod
    def _is_domain(cls, value: str) -> str:
        return domain_name(value) if value else value

    @model_validator(mode="after")
    def _one_owner(self) -> "DnsSettings":
        if self.existing_zone and self.delegate_from:
            raise Refused("existingZone and delegateFrom exclude each other", "keep the one that is meant")
        return self
