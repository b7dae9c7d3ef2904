"""What is in the picture: what the graph holds, and nothing else."""

from dataclasses import replace

import pytest

from slipway.diagram import types
from slipway.diagram.picture import Picture
from slipway.diagram.read import picture_of
from slipway.diagram.style import SIGNS, SURFACES
from tests.diagram.graphs import VARIANTS, edited, picture, variant, without

DATABASE_RULE = (types.SECURITY_GROUP_RULE, "database-from-nodes")


def services(shown: Picture) -> dict[str, int]:
    counts: dict[str, int] = {}
    for box in shown.boxes:
        counts[box.service] = counts.get(box.service, 0) + 1
    return counts


def calls(shown: Picture) -> dict[str, str]:
    """Give target → label of what the nodes call."""
    return {flow.target: flow.label for flow in shown.flows if flow.source == "nodes"}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("dev", {"nat": 1, "nodes": 2, "database": 1, "cache": 1, "file-system": 3, "backup": 0}),
        ("ha", {"nat": 3, "nodes": 3, "database": 2, "cache": 2, "file-system": 4, "backup": 1}),
        ("large", {"nat": 3, "nodes": 3, "database": 2, "cache": 3, "file-system": 4, "backup": 1}),
        ("other", {"nat": 2, "nodes": 2, "database": 1, "cache": 1, "file-system": 0, "bucket": 1}),
        ("existing", {"nat": 0, "interface": 0, "bucket": 0, "internet": 0, "database": 2}),
        ("private", {"nat": 0, "internet": 0, "endpoint": 1}),
        ("regional", {"nat": 1, "internet": 1}),
        ("restored", {"database": 4, "file-system": 8}),
        ("crowded", {"cache": 2}),
    ],
)
def test_each_environment_shows_what_it_has(name, counts):
    found = services(picture(name))

    assert {service: found.get(service, 0) for service in counts} == counts


@pytest.mark.parametrize("name", VARIANTS)
def test_ids_are_unique_flows_have_both_ends_and_every_service_has_a_sign(name):
    shown = picture(name)
    ids = [*(box.id for box in shown.boxes), *(row.id for row in shown.rows)]

    assert len(set(ids)) == len(ids)
    assert {end for flow in shown.flows for end in (flow.source, flow.target)} <= set(ids)
    assert {box.service for box in shown.boxes} <= set(SIGNS)
    assert {tier.id for tier in shown.tiers} <= set(SURFACES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "ha",
            {
                "database": "TCP 5432",
                "cache": "TCP 6379",
                "mount-targets-registry": "TCP 2049",
                "s3": "gateway endpoint",
            },
        ),
        ("other", {"database": "TCP 5432", "cache": "TCP 6379", "s3": "gateway endpoint"}),
        (
            "private",
            {
                "endpoints": "TCP 443",
                "database": "TCP 5432",
                "cache": "TCP 6379",
                "mount-targets-registry": "TCP 2049",
                "s3": "gateway endpoint",
            },
        ),
    ],
)
def test_nodes_call_what_admits_them(name, expected):
    assert calls(picture(name)) == expected


def test_a_port_is_that_of_the_rule():
    graph = variant("ha")

    moved = picture_of(edited(graph, *DATABASE_RULE, fromPort=5433.0, toPort=5433.0))
    span = picture_of(edited(graph, *DATABASE_RULE, fromPort=5000.0, toPort=6000.0, protocol="udp"))
    whole = picture_of(edited(graph, *DATABASE_RULE, protocol="-1"))

    assert [calls(shown)["database"] for shown in (moved, span, whole)] == ["TCP 5433", "UDP 5000-6000", "all traffic"]


def test_without_a_rule_nobody_calls():
    assert "database" not in calls(picture_of(without(variant("ha"), *DATABASE_RULE)))


def test_only_a_rule_from_the_nodes_into_the_database_is_a_call():
    graph = variant("ha")
    (rule,) = (node for node in graph if (node.type, node.name) == DATABASE_RULE)
    into, source = rule.inputs["securityGroupId"], rule.inputs["sourceSecurityGroupId"]

    from_another = picture_of(edited(graph, *DATABASE_RULE, sourceSecurityGroupId="sg-of-another"))
    the_other_way = picture_of(edited(graph, *DATABASE_RULE, securityGroupId=source, sourceSecurityGroupId=into))
    outward = picture_of(edited(graph, *DATABASE_RULE, type="egress"))

    assert not any("database" in calls(shown) for shown in (from_another, the_other_way, outward))


def test_what_is_open_to_addresses_says_so():
    graph = edited(variant("ha"), *DATABASE_RULE, cidrBlocks=["0.0.0.0/0"])

    (row,) = (row for row in picture_of(graph).rows if row.id == "database")

    assert row.open_to == ("TCP 5432 from 0.0.0.0/0",)
    assert [other.id for other in picture("ha").rows if other.open_to] == []


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("dev", {"a": "nat-eu-central-1a", "b": "nat-eu-central-1a"}),
        ("ha", {"a": "nat-eu-central-1a", "b": "nat-eu-central-1b", "c": "nat-eu-central-1c"}),
        ("regional", {"a": "nat", "b": "nat", "c": "nat"}),
        ("private", {}),
    ],
)
def test_the_way_out_is_that_of_the_routes(name, ways):
    out = {flow.source: flow.target for flow in picture(name).flows if flow.kind == "egress"}

    assert {source[-1]: gateway for source, gateway in out.items() if source.startswith("nodes-")} == ways
    assert {gateway for gateway in ways.values() if out.get(gateway) != "internet"} == set()


def test_clients_call_the_port_of_the_url():
    graph = variant("ha")
    (usual,) = (flow for flow in picture("ha").flows if flow.source == "clients")
    moved = replace(graph, exports={**graph.exports, "url": "https://registry.example.com:8443"})
    (other,) = (flow for flow in picture_of(moved).flows if flow.source == "clients")

    assert (usual.label, other.label) == ("HTTPS 443", "HTTPS 8443")


def test_subnets_sizes_and_counts_are_those_of_the_graph():
    shown = picture("large")
    words = {box.id: (box.title, *box.details) for box in shown.boxes}
    subnets = {tier.id: tier.subnets["eu-central-1b"] for tier in shown.tiers}

    assert subnets == {
        "public": "10.0.1.0/24",
        "private": "10.0.64.0/19",
        "control-plane": "10.0.3.16/28",
        "data": "10.0.5.0/24",
    }
    assert words["nodes-eu-central-1c"] == ("3 × m6a.xlarge", "node group, 3 to 4", "80 GiB gp3 each")
    assert words["database-standby"] == ("PostgreSQL 17 standby", "db.r7g.xlarge, 500 GiB gp3", "synchronous copy")
    assert words["cache-3"] == ("Valkey 8.0 replica", "cache.r7g.large", "asynchronous copy")
    assert words["backup"][1:] == ("kept 35 days, restores tested", "copies in eu-west-1")


def test_without_its_controller_there_is_no_load_balancer():
    graph = without(variant("ha"), types.POD_IDENTITY, "aws-load-balancer-controller")

    assert "load-balancer" not in {box.id for box in picture_of(graph).boxes}


def test_an_existing_network_is_named_and_not_made_up():
    shown = picture("existing")

    assert shown.vpc == "Existing VPC 10.0.0.0/16"
    assert not shown.gateway
    assert {network for tier in shown.tiers for network in tier.subnets.values()} == {""}
    assert any("vpc-00000000000000000" in note for note in shown.notes)
