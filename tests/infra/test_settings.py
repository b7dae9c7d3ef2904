"""Defaults by profile, and the pure helpers around the settings."""

from ipaddress import IPv4Network

import pytest

from infra.aws.subnets import plan
from infra.defaults import PROFILES
from infra.naming import Names, partition
from infra.settings import Settings

VALUES = {
    "domain": "harbor.example.com",
    "region": "eu-central-1",
    "gitops": {"repository": "https://git.example.com/gitops.git"},
}


def test_a_profile_fills_every_size_and_a_team_replaces_single_ones():
    settings = Settings.parse("prod", {**VALUES, "profile": "large", "sizes": {"nodesPerZone": 5}})

    assert settings.sized.nodes_per_zone == 5
    assert settings.sized.database_class == PROFILES["large"].sizes["database_class"]
    assert None not in settings.sized.model_dump().values()


def test_zones_default_to_the_regions_first_three():
    assert Settings.parse("prod", VALUES).zone_names == ("eu-central-1a", "eu-central-1b", "eu-central-1c")


def test_nat_follows_the_profile_until_it_is_chosen():
    assert Settings.parse("prod", {**VALUES, "profile": "dev"}).nat == "single"
    assert Settings.parse("prod", VALUES).nat == "per-zone"
    assert Settings.parse("prod", {**VALUES, "network": {"nat": "single"}}).nat == "single"


@pytest.mark.parametrize("prefix", [16, 17, 18])
def test_no_two_subnets_share_an_address_and_all_lie_in_the_vpc(prefix):
    vpc = IPv4Network(f"10.0.0.0/{prefix}")
    zones = plan(str(vpc), ("a", "b", "c"))
    subnets = [IPv4Network(getattr(zone, tier)) for zone in zones.values() for tier in zone.__dataclass_fields__]

    assert len(subnets) == 12
    assert all(subnet.subnet_of(vpc) for subnet in subnets)
    assert not any(one.overlaps(other) for i, one in enumerate(subnets) for other in subnets[:i])


def test_a_name_that_does_not_fit_its_service_is_our_mistake():
    with pytest.raises(ValueError, match="has 41 characters, the service takes 40"):
        Names("environment-of-twenty").physical("part-of-14-cha"[:12], limit=40)


@pytest.mark.parametrize(
    ("region", "expected"), [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_partition_of_a_region(region, expected):
    assert partition(region) == expected
