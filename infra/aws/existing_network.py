"""A VPC that somebody else made: looked up, checked whole, and never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import pulumi
from pulumi_aws import ec2

from infra.errors import Problem, SettingsError
from infra.sections.network import ExistingNetwork
from infra.settings import Settings

EVERYWHERE = "0.0.0.0/0"
#: EKS refuses a subnet of its own interfaces with fewer. Source: EKS "Subnet requirements and considerations".
CONTROL_PLANE_ADDRESSES = 6
#: whether it lacks, what, and what to do
Lack = tuple[bool, str, str]


@dataclass(frozen=True, kw_only=True)
class FoundSubnet:
    """What AWS says of one subnet.

    Attributes:
        key: where the settings name it, ``private.eu-central-1a``.
        id: of the subnet.
        vpc_id: VPC that it is in.
        zone: its availability zone.
        free_addresses: that are not in use.
        tags: on the subnet.
        default_route: target of 0.0.0.0/0 in its route table, ``igw-…`` or ``nat-…``; empty for none.
    """

    key: str
    id: str
    vpc_id: str
    zone: str
    free_addresses: int
    tags: Mapping[str, str]
    default_route: str


@dataclass(frozen=True, kw_only=True)
class FoundVpc:
    """What AWS says of the VPC."""

    id: str
    cidr: str
    dns_support: bool
    dns_hostnames: bool


def tiers(existing: ExistingNetwork) -> dict[str, dict[str, str]]:
    """Give tier → zone → subnet id, as the settings name them."""
    given = {
        "public": existing.public,
        "private": existing.private,
        "data": existing.data,
        "controlPlane": existing.control_plane,
    }
    return {tier: subnet_ids for tier, subnet_ids in given.items() if subnet_ids}


def look_up(settings: Settings, existing: ExistingNetwork, parent: pulumi.Resource) -> pulumi.Output[FoundVpc]:
    """Ask AWS for the VPC and its subnets; gives the VPC once nothing is lacking.

    The output fails with SettingsError, which names each lack, in the first preview already.
    """
    ask = pulumi.InvokeOptions(parent=parent)
    vpc = ec2.get_vpc_output(id=existing.vpc_id, opts=ask)
    subnets = [
        pulumi.Output.all(
            key=f"{tier}.{zone}",
            subnet=ec2.get_subnet_output(id=subnet_id, opts=ask),
            table=ec2.get_route_table_output(subnet_id=subnet_id, opts=ask),
        )
        for tier, ids in tiers(existing).items()
        for zone, subnet_id in ids.items()
    ]
    return pulumi.Output.all(vpc=vpc, subnets=pulumi.Output.all(*subnets)).apply(
        lambda known: complete(settings, _vpc(known["vpc"]), [_subnet(**item) for item in known["subnets"]])
    )


def complete(settings: Settings, vpc: FoundVpc, subnets: Sequence[FoundSubnet]) -> FoundVpc:
    """Give the VPC back if it has all that Harbor needs.

    Raises:
        SettingsError: with one problem for each thing that it lacks.
    """
    problems = [*_lacks_of_vpc(settings, vpc), *(lack for subnet in subnets for lack in _lacks(settings, vpc, subnet))]
    if problems:
        raise SettingsError(*problems)
    return vpc


def _lacks_of_vpc(settings: Settings, vpc: FoundVpc) -> list[Problem]:
    where = "slipway:network.existing.vpcId"
    problems = [
        Problem(where=where, what=f"{vpc.id} has {name} off", fix=f"turn {name} on: private endpoints and EFS need it")
        for name, on in (("enableDnsSupport", vpc.dns_support), ("enableDnsHostnames", vpc.dns_hostnames))
        if not on
    ]
    services = settings.network.service_cidr
    if IPv4Network(vpc.cidr).overlaps(IPv4Network(services)):
        what = f"{vpc.id} has {vpc.cidr}, which overlaps the Services' {services}"
        problems.append(Problem(where=where, what=what, fix="choose another network.serviceCidr"))
    return problems


def _lacks(settings: Settings, vpc: FoundVpc, subnet: FoundSubnet) -> list[Problem]:
    """Check one subnet by its tier."""
    tier, _, zone = subnet.key.partition(".")
    checks: list[Lack] = [
        (subnet.vpc_id != vpc.id, f"is in {subnet.vpc_id}, not in {vpc.id}", "name a subnet of the VPC"),
        (subnet.zone != zone, f"is in {subnet.zone}, not in {zone}", "put it under its own zone"),
    ]
    match tier:
        case "public":
            checks += _public(subnet)
        case "private":
            checks += _private(subnet, settings)
        case "data":
            route = subnet.default_route
            fix = "take the route away: database and storage need no way out"
            checks.append((bool(route), f"has a route of {EVERYWHERE} to {route}", fix))
    if tier in {"controlPlane", "private"}:
        few = subnet.free_addresses < CONTROL_PLANE_ADDRESSES
        what = f"has {subnet.free_addresses} free addresses, EKS wants {CONTROL_PLANE_ADDRESSES}"
        checks.append((few, what, "take a larger subnet"))
    where = f"slipway:network.existing.{subnet.key}"
    return [Problem(where=where, what=f"{subnet.id} {what}", fix=fix) for lacks, what, fix in checks if lacks]


def _public(subnet: FoundSubnet) -> list[Lack]:
    return [
        (
            subnet.tags.get("kubernetes.io/role/elb") != "1",
            "has no tag kubernetes.io/role/elb=1",
            "tag it: the load balancer controller finds its subnets so",
        ),
        (
            not subnet.default_route.startswith("igw-"),
            f"has no route of {EVERYWHERE} to an internet gateway",
            "add the route, or name a public subnet",
        ),
    ]


def _private(subnet: FoundSubnet, settings: Settings) -> list[Lack]:
    route, free = subnet.default_route, subnet.free_addresses
    return [
        (route.startswith("igw-"), f"routes {EVERYWHERE} to {route}: it is public", "name a private subnet"),
        (
            not route and not settings.network.private_endpoints,
            f"has no route of {EVERYWHERE}: nodes cannot pull images",
            "add a NAT, or say network.privateEndpoints: true if the VPC has its own interface endpoints",
        ),
        (
            free < settings.node_addresses,
            f"has {free} free addresses, nodes and pods can take {settings.node_addresses}",
            "take a larger subnet, fewer nodes per zone, or a smaller node type",
        ),
    ]


def _vpc(found: ec2.GetVpcResult) -> FoundVpc:
    return FoundVpc(
        id=found.id,
        cidr=found.cidr_block,
        dns_support=found.enable_dns_support,
        dns_hostnames=found.enable_dns_hostnames,
    )


def _subnet(key: str, subnet: ec2.GetSubnetResult, table: ec2.GetRouteTableResult) -> FoundSubnet:
    return FoundSubnet(
        key=key,
        id=subnet.id,
        vpc_id=subnet.vpc_id,
        zone=subnet.availability_zone,
        free_addresses=subnet.available_ip_address_count,
        tags=subnet.tags or {},
        default_route=next((_target(route) for route in table.routes if route.cidr_block == EVERYWHERE), ""),
    )


def _target(route: Any) -> str:  # noqa: ANN401  # the SDK's generated class
    """Give what a route leads to, whichever of its fields that is."""
    targets = (route.gateway_id, route.nat_gateway_id, route.transit_gateway_id, route.network_interface_id)
    return next(filter(None, targets), "another target")
