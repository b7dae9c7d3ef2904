"""What is still in an account is found by its tags, asked of a server that speaks AWS's protocol (moto)."""

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from slipway.prove.account import remains

NAME, REGION = "prove-dev-1f2e", "eu-central-1"


@pytest.fixture
def aws(monkeypatch):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10)  # its state outlives a server
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    yield lambda service: boto3.client(service, region_name=REGION)
    server.stop()


def tagged(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def test_what_carries_the_tags_is_named_without_the_account(aws):
    ours = {"slipway:environment": NAME}
    vpc = aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    aws("ec2").create_tags(Resources=[vpc], Tags=tagged(**ours))
    volume = aws("ec2").create_volume(AvailabilityZone=f"{REGION}a", Size=1)["VolumeId"]
    aws("ec2").create_tags(Resources=[volume], Tags=tagged(**{f"kubernetes.io/cluster/harbor-{NAME}": "owned"}))
    other = aws("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    aws("ec2").create_tags(Resources=[other], Tags=tagged(**{"slipway:environment": "dev"}))

    left = remains(NAME, REGION)

    assert f"ec2 {REGION} vpc/{vpc}" in left
    assert f"ec2 {REGION} volume/{volume}" in left
    assert not [one for one in left if other in one or "123456789012" in one]


def test_what_ends_by_itself_and_costs_nothing_is_left_out(aws):
    aws("secretsmanager").create_secret(Name="harbor/x", Tags=tagged(**{"slipway:environment": NAME}))

    assert remains(NAME, REGION) == []


def test_what_is_listed_after_its_deletion_is_left_out_and_what_runs_is_not(aws):
    ec2, ours = aws("ec2"), tagged(**{"slipway:environment": NAME})
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = ec2.run_instances(
        ImageId=image,
        MinCount=2,
        MaxCount=2,
        TagSpecifications=[{"ResourceType": "instance", "Tags": ours}],
    )
    gone, runs = (one["InstanceId"] for one in made["Instances"])
    ec2.terminate_instances(InstanceIds=[gone])

    left = remains(NAME, REGION)

    assert [one for one in left if runs in one]
    assert not [one for one in left if gone in one]


def test_an_account_that_cannot_be_asked_is_said(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")

    (said,) = remains(NAME, REGION)

    assert "could not be asked (EndpointConnectionError)" in said
    assert f"slipway:environment={NAME}" in said
