"""The simulated providers over Pulumi's own protocol: what they refuse, answer, and keep apart under load."""

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from infra import tables
from slipway.rehearse.simulated import check, schema, wire
from slipway.rehearse.simulated.secrets_manager import SecretsManager
from slipway.rehearse.simulated.server import Behaviour, SimulatedProvider, serving
from slipway.rehearse.timeline import seconds
from tests.graph.graphs import ENVIRONMENTS, recorded

URN = "urn:pulumi:dev::slipway::slipway:aws:Network${token}::{name}"
SUBNET = "aws:ec2/subnet:Subnet"
DATABASE = "aws:rds/instance:Instance"


@pytest.fixture
def provider(tmp_path):
    """Serve one provider and give a client and its journal."""
    with contextlib.ExitStack() as stack:

        def start(package: str = "aws", **behaviour):
            journal = tmp_path / "journal.jsonl"
            port = stack.enter_context(
                serving(
                    SimulatedProvider(
                        package,
                        Behaviour(
                            journal=journal, secrets_manager=SecretsManager(journal.with_name("sm.json")), **behaviour
                        ),
                    )
                )
            )
            channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}"))
            client = provider_pb2_grpc.ResourceProviderStub(channel)
            client.Configure(
                provider_pb2.ConfigureRequest(
                    args=wire.pack({"region": "eu-west-1", "defaultTags": json.dumps({"tags": {"Owner": "me"}})})
                )
            )
            return client, journal

        yield start


def create(client, token: str, name: str, preview: bool = False, **inputs):
    request = provider_pb2.CreateRequest(
        urn=URN.format(token=token, name=name), properties=wire.pack(inputs), preview=preview
    )
    return client.Create(request)


def refusals(token: str, **inputs) -> list[tuple[str, str]]:
    return check.failures(token, inputs)


@pytest.mark.parametrize(
    ("token", "inputs", "expected"),
    [
        (
            SUBNET,
            {"vpcId": "vpc-1", "cidrBlok": "10.0.0.0/24"},
            ("cidrBlok", "is no property of this type; did you mean 'cidrBlock'?"),
        ),
        (SUBNET, {}, ("vpcId", "is required")),
        (SUBNET, {"vpcId": 3}, ("vpcId", "must be a string, got 3")),
        (SUBNET, {"vpcId": "vpc-1", "tags": ["a"]}, ("tags", "must be a map, got ['a']")),
        (
            DATABASE,
            {"instanceClass": "db.m7g.large", "multiAz": "often"},
            ("multiAz", "must be a boolean, got 'often'"),
        ),
        (
            DATABASE,
            {"instanceClass": "db.m7g.large", "allocatedStorage": 1.5},
            ("allocatedStorage", "must be a whole number, got 1.5"),
        ),
        (
            "aws:eks/cluster:Cluster",
            {"roleArn": "arn:x", "vpcConfig": {"subnetIds": ["a"], "endpointPublicAcces": True}},
            ("vpcConfig.endpointPublicAcces", "is no property of this type; did you mean 'endpointPublicAccess'?"),
        ),
        (
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            {"bucket": "b", "rules": [{"id": "x"}]},
            ("rules[0].status", "is required"),
        ),
        (
            "aws:rds/instanc:Instance",
            {},
            ("", "aws:rds/instanc:Instance is no type of pulumi_aws; did you mean 'aws:rds/instance:Instance'?"),
        ),
    ],
)
def test_what_the_sdks_classes_do_not_have_is_refused(token, inputs, expected):
    assert expected in refusals(token, **inputs)


def test_what_is_not_known_yet_has_every_type():
    assert refusals(SUBNET, vpcId=wire.UNKNOWN, tags=wire.UNKNOWN, mapPublicIpOnLaunch=wire.UNKNOWN) == []


def test_a_refusal_comes_over_the_protocol(provider):
    client, _ = provider()
    request = provider_pb2.CheckRequest(urn=URN.format(token=SUBNET, name="a"), news=wire.pack({"vpcIdd": "vpc-1"}))

    answer = client.Check(request)

    assert {failure.property for failure in answer.failures} == {"vpcId", "vpcIdd"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_resource_of_the_program_is_known_and_accepted(environment):
    graph = recorded(environment, preview=False)
    found = {
        node.urn: check.failures(node.type, plain(node.inputs))
        for node in graph
        if node.custom and node.type.split(":")[0] in schema.PACKAGES
    }

    assert len(found) > 100
    assert {urn: reasons for urn, reasons in found.items() if reasons} == {}


def plain(value):
    """Give a recorded input as it would travel, secrets opened."""
    if hasattr(value, "value"):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_outputs_are_plausible_and_the_same_for_the_same_resource(provider):
    client, _ = provider()
    inputs = {
        "identifier": "harbor-dev-database",
        "instanceClass": "db.t4g.medium",
        "port": 5432,
        "tags": {"Name": "x"},
    }

    one, again, other = (create(client, DATABASE, name, **inputs) for name in ("database", "database", "elsewhere"))
    state = wire.unpack(one.properties)

    assert one == again
    assert one.id != other.id
    assert state["address"].endswith(".eu-west-1.rds.amazonaws.com")
    assert state["endpoint"] == f"{state['address']}:5432"
    assert state["tagsAll"] == {"Name": "x", "Owner": "me"}


def test_secrets_are_marked_and_have_the_length_that_was_asked_for(provider):
    client, _ = provider("random")

    state = wire.unpack(
        create(client, "random:index/randomPassword:RandomPassword", "p", length=16, special=False).properties
    )

    assert state["result"] != wire.plain(state["result"])
    assert len(wire.plain(state["result"])) == 16
    assert wire.plain(state["result"]).isalnum()


def test_a_preview_answers_with_inputs_only_and_takes_no_time(provider):
    client, journal = provider(speed=1)

    state = wire.unpack(
        create(client, DATABASE, "database", preview=True, identifier="x", instanceClass="db.t4g.medium").properties
    )

    assert "address" not in state
    assert not journal.exists()


def test_sixty_creations_at_once_are_all_recorded_whole(provider):
    client, journal = provider(speed=100)
    with ThreadPoolExecutor(60) as pool:
        ids = set(pool.map(lambda number: create(client, SUBNET, f"s{number}", vpcId="vpc-1").id, range(60)))
    entries = [json.loads(line) for line in journal.read_text().splitlines()]

    assert len(ids) == len(entries) == 60
    assert {entry["simulatedSeconds"] for entry in entries} == {2}
    # At once: no creation waited for the one before.
    assert max(entry["started"] for entry in entries) < min(entry["finished"] for entry in entries) + 1


@pytest.mark.parametrize("asked", [DATABASE, f"{DATABASE}::database"])
def test_a_failure_on_demand(provider, asked):
    client, journal = provider(fail=(asked,))

    with pytest.raises(grpc.RpcError, match="asked for by --fail"):
        create(client, DATABASE, "database", identifier="x", instanceClass="db.t4g.medium")
    assert json.loads(journal.read_text())["outcome"] == "failed"
    create(client, SUBNET, "a", vpcId="vpc-1")


def test_protected_against_deletion_as_aws_does(provider):
    client, _ = provider()

    def delete(protected: bool):
        state = wire.pack({"deletionProtection": protected})
        return client.Delete(
            provider_pb2.DeleteRequest(id="x", urn=URN.format(token=DATABASE, name="database"), properties=state)
        )

    with pytest.raises(grpc.RpcError, match="deletion protection is on"):
        delete(True)
    delete(False)


@pytest.mark.parametrize(("key", "replaced"), [("cidrBlock", True), ("tags", False)])
def test_some_changes_replace(provider, key, replaced):
    client, _ = provider()
    old = {"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24", "tags": {"a": "1"}}
    request = provider_pb2.DiffRequest(
        urn=URN.format(token=SUBNET, name="a"), old_inputs=wire.pack(old), news=wire.pack({**old, key: None})
    )

    answer = client.Diff(request)

    assert list(answer.diffs) == [key]
    assert bool(answer.replaces) == replaced


def test_a_function_that_is_not_played_says_so(provider):
    client, _ = provider()

    with pytest.raises(grpc.RpcError, match="does not play the function aws:ec2/getAmi:getAmi"):
        client.Invoke(provider_pb2.InvokeRequest(tok="aws:ec2/getAmi:getAmi", args=wire.pack({})))


@pytest.mark.parametrize(("multi_az", "expected"), [(True, 870), (False, 360)])
def test_a_database_with_a_standby_takes_longer(multi_az, expected):
    assert seconds(DATABASE, "create", {"multiAz": multi_az}) == expected


def test_every_type_in_the_time_table_exists():
    for token in tables.read("creation-times")["types"]:
        if token.split(":")[0] in schema.PACKAGES:
            assert schema.schema_of(token)
