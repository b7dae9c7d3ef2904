"""Both ends of an environment on the real engine: what stays is closed under dependency, and an `up` goes on from it."""

import pytest
import yaml

from slipway.teardown.keeping import kept
from tests.engine.project import RehearsalFailed

NETWORK = {
    "aws:ec2/vpc:Vpc",
    "aws:ec2/subnet:Subnet",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:rds/subnetGroup:SubnetGroup",
}


def steps(report: dict) -> dict[str, dict]:
    return {step["name"]: step["changes"] for step in report["steps"]}


def types(report: dict) -> set[str]:
    return {name.split("::")[0] for name in report["kept"]}


def test_kept_data_keeps_what_it_needs_and_the_next_up_builds_the_rest_around_it(project):
    first = project.rehearse("dev", "--teardown", "keep-data")

    assert {"aws:rds/instance:Instance", "aws:efs/fileSystem:FileSystem", "aws:route53/zone:Zone"} <= types(first)
    assert types(first) >= NETWORK
    assert "aws:eks/cluster:Cluster" not in types(first)

    again = project.rehearse("dev")

    assert steps(again)["up"]["create"] == steps(first)["destroy"]["delete"]
    assert "replace" not in steps(again)["up"]


def test_deleting_the_data_leaves_nothing(project):
    report = project.rehearse("dev", "--teardown", "delete-data")

    assert report["kept"] == []
    assert steps(report)["destroy"]["delete"] == steps(report)["up"]["create"]


def resource(name: str, **more) -> dict:
    return {"urn": f"urn:pulumi:dev::slipway::{more['type']}::{name}", "custom": True, "id": name, **more}


def test_what_a_kept_resource_needs_is_kept_by_every_way_to_need_it():
    key = resource("key", type="aws:kms/key:Key")
    network = resource("vpc", type="aws:ec2/vpc:Vpc")
    group = resource("group", type="aws:rds/subnetGroup:SubnetGroup", propertyDependencies={"vpcId": [network["urn"]]})
    cluster = resource("cluster", type="aws:eks/cluster:Cluster", dependencies=[network["urn"]])
    database = resource(
        "database", type="aws:rds/instance:Instance", protect=True, dependencies=[key["urn"], group["urn"]]
    )

    found = kept({"resources": [key, network, group, cluster, database]})

    assert {item.name for item in found} == {"key", "vpc", "group", "database"}
    assert [item.name for item in found if item.protected] == ["database"]


def restore(project, **more) -> None:
    stack = project.root / "stacks" / "Pulumi.dev.yaml"
    document = yaml.safe_load(stack.read_text())
    document["config"]["slipway:restore"] = {"database": {"generation": 2, "snapshot": "awsbackup:job-1", **more}}
    stack.write_text(yaml.safe_dump(document))


def test_the_previous_generation_goes_when_it_is_no_longer_kept_and_nothing_else_does(project):
    project.rehearse()
    restore(project)
    assert steps(project.rehearse())["up"]["create"] >= 1

    restore(project, keepPrevious=False)
    with pytest.raises(RehearsalFailed, match="protected"):
        project.rehearse()
    report = project.rehearse("dev", "--teardown", "previous")

    assert steps(report)["lift the protection"] == {"update": 1}
    assert set(steps(report)["delete the previous generation"]) <= {"delete", "update"}
    assert steps(report)["delete the previous generation"]["delete"] >= 1
    assert steps(report)["up again"] == {}
    assert steps(project.rehearse())["up"] == {}

    with pytest.raises(RehearsalFailed, match="keepPrevious: false"):
        project.rehearse("dev", "--teardown", "previous")
