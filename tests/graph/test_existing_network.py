"""A VPC of somebody else's: each lack is named, and nothing of it is made or changed."""

from dataclasses import replace

import pytest

from infra.aws.existing_network import FoundSubnet, FoundVpc, complete
from infra.errors import SettingsError
from infra.settings import Settings
from tests.graph.graphs import recorded, stack_file

VPC = FoundVpc(id="vpc-1", cidr="10.0.0.0/16", dns_support=True, dns_hostnames=True)
PUBLIC = FoundSubnet(
    key="public.eu-central-1a",
    id="subnet-1",
    vpc_id="vpc-1",
    zone="eu-central-1a",
    free_addresses=250,
    tags={"kubernetes.io/role/elb": "1"},
    default_route="igw-1",
)
PRIVATE = replace(PUBLIC, key="private.eu-central-1a", free_addresses=8000, default_route="nat-1", tags={})
DATA = replace(PUBLIC, key="data.eu-central-1a", default_route="", tags={})
CONTROL_PLANE = replace(DATA, key="controlPlane.eu-central-1a", free_addresses=11)


def settings(**network) -> Settings:
    config = {key.removeprefix("slipway:"): value for key, value in stack_file("existing")["config"].items()}
    config["network"] = {**config["network"], **network}
    return Settings.parse("prod", {key: value for key, value in config.items() if ":" not in key})


def lacks(vpc=VPC, *subnets, **network) -> str:
    with pytest.raises(SettingsError) as error:
        complete(settings(**network), vpc, subnets)
    return str(error.value)


def test_a_vpc_that_has_all_is_taken():
    assert complete(settings(), VPC, [PUBLIC, PRIVATE, DATA, CONTROL_PLANE]) == VPC


@pytest.mark.parametrize(
    ("subnet", "change", "told"),
    [
        (PUBLIC, {"vpc_id": "vpc-2"}, "is in vpc-2, not in vpc-1"),
        (PUBLIC, {"zone": "eu-central-1b"}, "is in eu-central-1b, not in eu-central-1a"),
        (PUBLIC, {"tags": {}}, "kubernetes.io/role/elb=1"),
        (PUBLIC, {"default_route": ""}, "no route of 0.0.0.0/0 to an internet gateway"),
        (PRIVATE, {"default_route": "igw-1"}, "it is public"),
        (PRIVATE, {"default_route": ""}, "nodes cannot pull images"),
        (PRIVATE, {"free_addresses": 50}, "has 50 free addresses, nodes and pods can take 120"),
        (DATA, {"default_route": "nat-1"}, "has a route of 0.0.0.0/0 to nat-1"),
        (CONTROL_PLANE, {"free_addresses": 3}, "has 3 free addresses, EKS wants 6"),
    ],
)
def test_each_lack_of_a_subnet_is_named_with_its_key(subnet, change, told):
    text = lacks(VPC, replace(subnet, **change))

    assert told in text
    assert f"slipway:network.existing.{subnet.key}" in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dns_support": False}, "enableDnsSupport off"),
        ({"dns_hostnames": False}, "enableDnsHostnames off"),
        ({"cidr": "172.20.0.0/15"}, "overlaps the Services' 172.20.0.0/16"),
    ],
)
def test_each_lack_of_the_vpc_is_named(change, told):
    assert told in lacks(replace(VPC, **change))


def test_all_lacks_come_at_once():
    text = lacks(replace(VPC, dns_support=False), replace(PUBLIC, tags={}), replace(DATA, default_route="nat-1"))

    assert text.count("slipway:network.existing") == 3


def test_private_subnets_need_no_route_where_the_vpc_has_endpoints():
    alone = replace(PRIVATE, default_route="")

    assert complete(settings(privateEndpoints=True), VPC, [alone]) == VPC


def test_nothing_of_the_network_is_made_but_our_own_security_groups():
    graph = recorded("existing", preview=False)

    made = {node.type for node in graph if node.type.startswith("aws:ec2/")}
    assert made == {
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
    }
    groups = graph.of_type("aws:eks/nodeGroup:NodeGroup")
    assert {tuple(group.inputs["subnetIds"]) for group in groups} == {
        ("subnet-2a000000",),
        ("subnet-2b000000",),
        ("subnet-2c000000",),
    }
