"""The subnet plan: pure arithmetic on the VPC's network."""

from dataclasses import dataclass
from ipaddress import IPv4Network


@dataclass(frozen=True, kw_only=True)
class ZoneSubnets:
    """The four networks of one zone, in CIDR notation.

    Attributes:
        public: load balancers and NAT gateways.
        control_plane: EKS's own interfaces, apart from the nodes so that nodes cannot starve an upgrade.
        data: RDS, ElastiCache and EFS mount targets; no route to the outside.
        private: nodes and pods.
    """

    public: str
    control_plane: str
    data: str
    private: str


def plan(cidr: str, zones: tuple[str, ...]) -> dict[str, ZoneSubnets]:
    """Cut the VPC's network for up to three zones.

    For 10.0.0.0/16: public 10.0.0.0/24…, control plane 10.0.3.0/28…, data 10.0.4.0/24…, private 10.0.32.0/19…;
    the upper half stays free. A zone added at the end moves no other subnet.

    Args:
        cidr: a /16, /17 or /18 (`NetworkSettings` refuses others).
        zones: zone names in order.
    """
    vpc = IPv4Network(cidr)
    eighths = list(vpc.subnets(prefixlen_diff=3))
    small = list(eighths[0].subnets(prefixlen_diff=5))
    control_plane = list(small[3].subnets(new_prefix=28))
    return {
        zone: ZoneSubnets(
            public=str(small[index]),
            control_plane=str(control_plane[index]),
            data=str(small[4 + index]),
            private=str(eighths[1 + index]),
        )
        for index, zone in enumerate(zones)
    }
