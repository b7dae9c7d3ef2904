"""What waits for what: the slow things start early, and nothing starts before what it needs to work."""

import pytest

from infra import tables
from slipway.forecast.duration import duration
from tests.graph.graphs import READY, changed, recorded


def names(graph, node) -> set[str]:
    return {f"{other.type}::{other.name}" for other in map(graph.by_urn, graph.ancestors(node))}


def types(graph, node) -> set[str]:
    return {graph.by_urn(urn).type for urn in graph.ancestors(node)}


def test_database_cache_and_storage_do_not_wait_for_the_cluster(graph):
    for token in (
        "aws:rds/instance:Instance",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:efs/mountTarget:MountTarget",
    ):
        for node in graph.of_type(token):
            assert "aws:eks/cluster:Cluster" not in types(graph, node)


def test_nodes_wait_for_their_network_plugin_their_policies_and_their_way_out(graph):
    groups = graph.of_type("aws:eks/nodeGroup:NodeGroup")

    assert groups
    for group in groups:
        before = names(graph, group)
        assert "aws:eks/addon:Addon::vpc-cni" in before
        assert "aws:eks/addon:Addon::eks-pod-identity-agent" in before
        assert "aws:iam/rolePolicyAttachment:RolePolicyAttachment::nodes-AmazonEKSWorkerNodePolicy" in before
        # A foreign VPC has its way out already; it was looked at when its subnets were.
        assert ("aws:ec2/route:Route" in types(graph, group)) == bool(graph.of_type("aws:ec2/vpc:Vpc"))


def test_add_ons_that_need_a_node_wait_for_the_nodes_and_the_others_do_not(graph):
    for addon in graph.of_type("aws:eks/addon:Addon"):
        waits = "aws:eks/nodeGroup:NodeGroup" in types(graph, addon)
        assert waits == (
            addon.name
            in {"coredns", "metrics-server", "aws-efs-csi-driver", "aws-ebs-csi-driver", "eks-node-monitoring-agent"}
        ), addon.name


def test_an_add_on_waits_for_its_roles_policy(graph):
    for name in ("vpc-cni", "aws-efs-csi-driver", "aws-ebs-csi-driver"):
        (addon,) = (node for node in graph.of_type("aws:eks/addon:Addon") if node.name == name)
        assert f"aws:iam/rolePolicyAttachment:RolePolicyAttachment::addon-{name}-policy" in names(graph, addon)


def test_the_control_plane_waits_for_its_role_and_its_log_group(graph):
    (cluster,) = graph.of_type("aws:eks/cluster:Cluster")

    assert {"aws:cloudwatch/logGroup:LogGroup", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"} <= types(
        graph, cluster
    )


@pytest.mark.parametrize("environment", READY)
def test_the_certificate_waits_for_caa_and_its_validation_for_the_delegation(environment):
    graph = recorded(environment, preview=False)
    (certificate,) = graph.of_type("aws:acm/certificate:Certificate")
    (validation,) = graph.of_type("aws:acm/certificateValidation:CertificateValidation")

    assert "aws:route53/record:Record::caa" in names(graph, certificate)
    assert "aws:route53/record:Record::delegation" in names(graph, validation)


def test_the_commit_comes_after_all_of_aws(graph):
    (commit,) = (node for node in graph if node.type == "pulumi-python:dynamic/slipway:Commit")
    before = graph.ancestors(commit)

    late = [node.urn for node in graph if node.custom and node is not commit and node.urn not in before]
    assert [urn for urn in late if "pulumi:providers:" not in urn and "slipway:delivery:" not in urn] == []


def test_flux_begins_when_there_is_a_commit_to_read_and_its_operator_when_there_is_dns(graph):
    (instance,) = graph.of_type("kubernetes:fluxcd.controlplane.io/v1:FluxInstance")
    (operator,) = graph.of_type("kubernetes:helm.sh/v3:Release")

    assert "aws:eks/addon:Addon::coredns" in names(graph, operator)
    assert "pulumi-python:dynamic/slipway:Commit::commit" in names(graph, instance)
    assert {"kubernetes:helm.sh/v3:Release", "kubernetes:core/v1:ConfigMap"} <= types(graph, instance)


def test_neither_the_control_plane_nor_the_database_waits_for_a_way_out_or_for_each_other(graph):
    """The control plane and the database take longest, so they begin with nothing but their network and their keys."""
    slow = {
        "NatGateway",
        "VpcEndpoint",
        "Cluster",
        "Instance",
        "ReplicationGroup",
        "FileSystem",
        "CertificateValidation",
    }
    for token in ("aws:eks/cluster:Cluster", "aws:rds/instance:Instance"):
        for node in graph.of_type(token):
            assert not {one.rpartition(":")[2] for one in types(graph, node)} & slow


def test_only_who_needs_their_addresses_waits_for_database_and_cache(graph):
    """Whatever else waited would wait for a quarter of an hour."""
    patient = {
        "pulumi-python:dynamic/slipway:Commit",
        "kubernetes:core/v1:ConfigMap",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws:rds/eventSubscription:EventSubscription",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:backup/selection:Selection",
        "aws:backup/restoreTestingSelection:RestoreTestingSelection",
    }
    for token in ("aws:rds/instance:Instance", "aws:elasticache/replicationGroup:ReplicationGroup"):
        for slow in graph.of_type(token):
            waiting = [node for node in graph if node.custom and slow.urn in node.depends_on]
            assert {node.type for node in waiting} <= patient
            # The one that opens the master user's secret to External Secrets.
            assert {node.name for node in waiting if "iam" in node.type} <= {"external-secrets-database"}


def test_the_name_and_the_certificate_begin_at_once(graph):
    for token in ("aws:route53/zone:Zone", "aws:acm/certificate:Certificate"):
        for node in graph.of_type(token):
            assert {one.partition("/")[0] for one in types(graph, node)} <= {"aws:route53"}


def test_the_operator_waits_for_the_cluster_and_not_for_the_data(graph):
    (operator,) = graph.of_type("kubernetes:helm.sh/v3:Release")

    data = {
        "aws:rds/instance:Instance",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:efs/fileSystem:FileSystem",
    }
    assert not types(graph, operator) & data


def test_nothing_waits_for_a_whole_component(graph):
    """A dependency on a component is one on everything in it, which puts in a row what could go side by side."""
    components = {node.urn for node in graph if not node.custom}

    assert [node.urn for node in graph if node.depends_on & components] == []


def test_interface_endpoints_hold_up_only_nodes_that_have_no_other_way_out():
    beside = changed("ha", network={"privateEndpoints": True})
    alone = changed("ha", network={"privateEndpoints": True, "nat": "none"})

    for graph, waits in ((beside, False), (alone, True)):
        assert len(graph.of_type("aws:ec2/vpcEndpoint:VpcEndpoint")) > 1
        for group in graph.of_type("aws:eks/nodeGroup:NodeGroup"):
            assert any("Interface" in str(graph.by_urn(urn).inputs) for urn in graph.ancestors(group)) == waits


@pytest.mark.parametrize(("database", "minutes"), [(600, 13.8), (750, 13.8), (900, 15.5), (1026, 17.6)])
def test_ha_stands_as_soon_as_its_longest_chain(monkeypatch, database, minutes):
    """The minutes are those of a model of this graph with the same creation times, 2 % of which is policies and commits."""
    monkeypatch.setitem(tables.read("creation-times")["types"]["aws:rds/instance:Instance"], "create", database)

    assert duration(recorded("ha", preview=False)).infrastructure <= minutes * 1.02
