"""What holds for every resource of every ready stack."""

import pytest

from infra.durable import STATEFUL
from slipway.graph.record import UNKNOWN, Node
from tests.graph.graphs import ENVIRONMENTS, recorded

#: AWS types whose API knows no tags (the SDK's class has no `tags` argument either).
TAG_KEY = "tags"
#: Providers that the program makes itself; the commit and the delegation gate run in Pulumi's own Python plugin.
EXPLICIT = {"aws", "random", "tls"}


def resources(graph) -> list[Node]:
    """Give the resources of a cloud provider: no components, no providers, no dynamic resources."""
    return [node for node in graph if node.custom and node.type.split(":")[0] in EXPLICIT]


def test_there_is_a_whole_environment(graph):
    kinds = {node.type.split("/")[0] for node in resources(graph)}

    assert {"aws:ec2", "aws:rds", "aws:elasticache", "aws:eks", "aws:route53", "aws:acm", "aws:kms"} <= kinds
    assert len({"aws:efs", "aws:s3"} & kinds) == 1


def test_every_stateful_resource_is_durable(graph):
    unguarded = [node.urn for node in graph if node.type in STATEFUL and not (node.protect and node.retain_on_delete)]

    assert unguarded == []
    assert any(node.type in STATEFUL for node in graph)


def test_nothing_else_is_kept(graph):
    assert [node.urn for node in graph if node.protect and node.type not in STATEFUL] == []


def test_every_resource_has_an_explicit_provider_of_its_own_package(graph):
    providers = {
        node.urn: node.type.removeprefix("pulumi:providers:") for node in graph if "pulumi:providers:" in node.type
    }

    assert set(providers.values()) == {*EXPLICIT, "kubernetes"}
    declared = [*resources(graph), *(node for node in graph if node.type.startswith("kubernetes:"))]
    strays = [node.urn for node in declared if providers.get(node.provider) != node.type.split(":")[0]]
    assert strays == []


def test_everything_that_takes_tags_has_a_name_tag_and_the_provider_adds_the_rest(graph):
    from slipway.rehearse.simulated.schema import takes

    untagged = [
        node.urn
        for node in resources(graph)
        if takes(node.type, TAG_KEY) and "Name" not in node.inputs.get(TAG_KEY, {})
    ]
    assert untagged == []

    (aws,) = graph.of_type("pulumi:providers:aws")
    assert {"Environment", "Owner", "ManagedBy"} <= set(str(aws.inputs["defaultTags"]).replace('"', "'").split("'"))


def test_every_resource_has_a_component_as_parent(graph):
    components = {node.urn for node in graph if not node.custom}

    assert [node.urn for node in resources(graph) if node.parent not in components] == []


@pytest.mark.parametrize(
    ("token", "key"),
    [
        ("aws:rds/instance:Instance", "storageEncrypted"),
        ("aws:efs/fileSystem:FileSystem", "encrypted"),
        ("aws:elasticache/replicationGroup:ReplicationGroup", "atRestEncryptionEnabled"),
        ("aws:elasticache/replicationGroup:ReplicationGroup", "transitEncryptionEnabled"),
        ("aws:rds/instance:Instance", "deletionProtection"),
        ("aws:eks/cluster:Cluster", "deletionProtection"),
    ],
)
def test_what_must_be_on_is_on(graph, token, key):
    nodes = graph.of_type(token)

    assert nodes or (token.startswith("aws:efs") and graph.of_type("aws:s3/bucket:Bucket"))
    assert all(node.inputs[key] is True for node in nodes)


def test_nothing_public_but_the_public_subnets(graph):
    (database,) = graph.of_type("aws:rds/instance:Instance")

    assert database.inputs["publiclyAccessible"] is False
    (cluster,) = graph.of_type("aws:eks/cluster:Cluster")
    access = cluster.inputs["vpcConfig"]
    cidrs = access.get("publicAccessCidrs") or []
    assert access["endpointPublicAccess"] == bool(cidrs)
    assert "0.0.0.0/0" not in cidrs


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_first_preview_registers_the_same_resources_and_knows_which_files_come(environment):
    up, preview = recorded(environment, preview=False), recorded(environment, preview=True)
    (commit,) = (node for node in preview if node.type == "pulumi-python:dynamic/slipway:Commit")

    assert {node.urn for node in preview} == {node.urn for node in up}
    assert [path for path in commit.inputs["files"] if path.endswith(f"clusters/{environment}/harbor.yaml")]
    assert set(commit.inputs["files"].values()) == {UNKNOWN}
    assert preview.exports["commit"] == UNKNOWN
