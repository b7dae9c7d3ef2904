"""Coming back from a backup is a normal `up`: what is new stands beside what was, and nothing that holds data changes."""

from infra.durable import STATEFUL
from tests.graph.graphs import changed, node, recorded

INSTANCE = "aws:rds/instance:Instance"
ACCESS_POINT = "aws:efs/accessPoint:AccessPoint"
FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
SNAPSHOT = "awsbackup:job-1"


def stateful(graph) -> dict[str, dict]:
    return {item.urn: item.inputs for item in graph if item.type in STATEFUL}


def unchanged_data(before, after) -> None:
    assert stateful(before).items() <= stateful(after).items()


def test_a_database_from_a_snapshot_stands_beside_the_one_before_it():
    before = recorded("ha", preview=False)
    graph = changed("ha", restore={"database": {"generation": 2, "snapshot": SNAPSHOT}})

    restored = node(graph, INSTANCE, "database-2")
    assert restored.inputs["identifier"] == "harbor-ha-database-2"
    assert restored.inputs["snapshotIdentifier"] == SNAPSHOT
    assert {"dbName", "username"} & restored.inputs.keys() == set()
    assert restored.protect
    assert restored.retain_on_delete
    assert "harbor-ha-database-2." in graph.exports["facts"]
    unchanged_data(before, graph)


def test_a_restored_database_has_the_zones_groups_and_keys_that_rds_would_not_give_it():
    graph = changed("ha", restore={"database": {"generation": 2, "snapshot": SNAPSHOT}})
    first, restored = node(graph, INSTANCE, "database"), node(graph, INSTANCE, "database-2")

    for key in ("multiAz", "dbSubnetGroupName", "vpcSecurityGroupIds", "parameterGroupName", "kmsKeyId"):
        assert restored.inputs[key] == first.inputs[key], key


def test_a_database_from_a_moment_names_the_generation_before_it():
    graph = changed("ha", restore={"database": {"generation": 2, "toTime": "2026-11-20T09:30:00Z"}})

    source = node(graph, INSTANCE, "database-2").inputs["restoreToPointInTime"]
    assert source == {"restoreTime": "2026-11-20T09:30:00+00:00", "sourceDbInstanceIdentifier": "harbor-ha-database"}


def test_what_a_restored_database_came_from_never_replaces_it():
    graph = changed("ha", restore={"database": {"generation": 3, "snapshot": SNAPSHOT}})

    assert {item.name for item in graph.of_type(INSTANCE)} == {"database-2", "database-3"}
    for item in graph.of_type(INSTANCE):
        assert {"snapshotIdentifier", "restoreToPointInTime"} <= set(item.ignore_changes)


def test_the_previous_database_leaves_the_program_when_it_is_said():
    graph = changed("ha", restore={"database": {"generation": 2, "snapshot": SNAPSHOT, "keepPrevious": False}})

    assert [item.name for item in graph.of_type(INSTANCE)] == ["database-2"]


def test_blobs_come_back_by_an_access_point_on_the_restored_folder():
    path = "/aws-backup-restore_2026-11-20T09-30-00-000Z/harbor/registry"
    before = recorded("ha", preview=False)
    graph = changed("ha", restore={"storage": {"generation": 2, "path": path}})

    point = node(graph, ACCESS_POINT, "registry-2")
    assert point.inputs["rootDirectory"]["path"] == path
    assert point.inputs["posixUser"] == {"uid": 10000, "gid": 10000}
    assert node(graph, ACCESS_POINT, "registry").inputs == node(before, ACCESS_POINT, "registry").inputs
    assert [item.name for item in graph.of_type(FILE_SYSTEM)] == ["registry"]
    unchanged_data(before, graph)


def test_blobs_come_back_on_a_new_file_system_where_the_old_one_is_lost():
    before = recorded("ha", preview=False)
    graph = changed("ha", restore={"storage": {"generation": 2, "path": "/harbor/registry", "fileSystem": 2}})

    assert {item.name for item in graph.of_type(FILE_SYSTEM)} == {"registry", "registry-2"}
    assert node(graph, FILE_SYSTEM, "registry-2").protect
    assert len(graph.of_type("aws:efs/mountTarget:MountTarget")) == 6
    unchanged_data(before, graph)


def test_a_cluster_is_rebuilt_beside_data_that_knows_nothing_of_it():
    before = recorded("ha", preview=False)
    graph = changed("ha", restore={"cluster": {"generation": 2}})

    token = "aws:eks/cluster:Cluster"
    assert node(before, token, "cluster").inputs["name"] == "harbor-ha"
    assert node(graph, token, "cluster").inputs["name"] == "harbor-ha-2"
    assert {item.inputs["clusterName"] for item in graph.of_type("aws:eks/nodeGroup:NodeGroup")} == {"harbor-ha-2"}
    assert stateful(before) == stateful(graph)
