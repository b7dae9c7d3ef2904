"""The cloud: moto's server over HTTP, with recorded answers for what moto lacks; each failure and its fix."""

import boto3
import pytest
import requests
from botocore.loaders import create_loader
from botocore.session import get_session

from tests.doctor import recorded

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def models():
    """AWS's service models, read once: EC2's alone takes a second."""
    return create_loader()


@pytest.fixture(autouse=True)
def aws(endpoint, monkeypatch, home, models):
    """An account with nothing in it, whose region offers everything."""
    requests.post(f"{endpoint}/moto-api/reset", timeout=10)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    make = boto3.Session

    def session():
        known = get_session()
        known.register_component("data_loader", models)
        return make(botocore_session=known)

    monkeypatch.setattr("boto3.Session", session)
    with recorded.serving() as answers:
        for service in recorded.SERVICES:
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", answers.url)
        yield answers


def test_everything_is_offered(project, aws):
    all_of_them = project.look_all("cloud")
    found = {name.removeprefix("cloud."): one for name, one in all_of_them.items()}

    assert {name: one.says for name, one in found.items() if one.state != "ok"}.keys() == {"identity"}  # told below
    assert found["nodes"].says == "m6a.xlarge in eu-central-1a, eu-central-1b, eu-central-1c"
    assert found["database"].says == "db.m7g.large with PostgreSQL 17 in eu-central-1a, eu-central-1b, eu-central-1c"
    assert found["quotas"].says.startswith(
        "vCPUs of on-demand instances: 0 + 12 of 64; elastic IP addresses: 0 + 3 of 5; VPCs: "
    )


def test_nobody(project, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    found = project.look("cloud.identity")

    assert (found.state, found.says) == ("failed", "no AWS credentials here")
    assert "set AWS_PROFILE" in found.fix
    assert project.look("cloud.nodes").says == "because cloud.identity failed"
    assert project.look("cloud.identity", environment="").state == "skipped"  # nobody asked for a cloud


def test_a_profile_that_does_not_exist(project, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobodys")
    found = project.look("cloud.identity")

    assert found.state == "failed"
    assert "nobodys" in found.says
    assert "AWS_PROFILE" in found.fix


def test_credentials_that_have_ended(project, aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", aws.url)
    aws.refused, aws.says = "GetCallerIdentity", "ExpiredToken"
    found = project.look("cloud.identity")

    assert found.says == "AWS does not take the credentials (ExpiredToken)"
    assert "aws sso login" in found.fix


def test_no_way_to_aws(project, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    found = project.look("cloud.identity")

    assert "AWS gives no answer" in found.says
    assert "HTTPS_PROXY" in found.fix


def test_something_between_that_answers_in_the_place_of_aws(project, monkeypatch, aws):
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"{aws.url}/login")
    found = project.look("cloud.identity")

    assert found.state == "failed"
    assert found.fix


def test_another_account(project):
    project.add('  slipway:account: "111122223333"\n')
    found = project.look("cloud.identity")

    assert found.state == "failed"
    assert found.says == f"you are in account {ACCOUNT}, the settings want 111122223333"
    assert "correct slipway:account" in found.fix


def test_somebody_whom_the_cluster_will_not_know(project, monkeypatch):
    found = project.look("cloud.identity")
    assert found.state == "warning"
    assert "is not in cluster.adminRoleArns" in found.says
    assert "arn:aws:iam::123456789012:role/platform" in found.fix

    iam, sts = (boto3.client(name, region_name="eu-central-1") for name in ("iam", "sts"))
    iam.create_role(RoleName="platform", AssumeRolePolicyDocument="{}", Path="/")
    taken = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/platform", RoleSessionName="me")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", taken["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", taken["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", taken["SessionToken"])
    found = project.look("cloud.identity")
    assert (found.state, found.says) == ("ok", f"arn:aws:sts::{ACCOUNT}:assumed-role/platform/me")


def test_a_region_that_is_not_turned_on(project, aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", aws.url)
    project.write(project.stack.read_text().replace("eu-central-1", "me-south-1"))
    found = project.look("cloud.region")

    assert found.state == "failed"
    assert found.says == "me-south-1 is not enabled for this account"
    assert "aws account enable-region --region-name me-south-1" in found.fix


def test_a_region_that_does_not_exist(project):
    project.write(project.stack.read_text().replace("eu-central-1", "eu-central-9"))

    assert project.look("cloud.region").says == "this account knows no region eu-central-9"


def test_a_zone_that_is_not_ours(project):
    project.add("  slipway:zones: [eu-central-1a, eu-central-1b, eu-central-1z]\n")
    found = project.look("cloud.zones")

    assert found.says == "not available to this account: eu-central-1z (unknown here)"
    assert found.fix == "set zones to some of: eu-central-1a, eu-central-1b, eu-central-1c"


def test_a_zone_without_the_nodes_type(project):
    project.add("  slipway:zones: [eu-central-1a, eu-central-1b, eu-central-1z]\n")
    found = project.look("cloud.nodes")

    assert found.state == "failed"
    assert (
        "m6a.xlarge is not offered in eu-central-1z, but in eu-central-1a, eu-central-1b, eu-central-1c" in found.says
    )
    assert "sizes.nodeType" in found.fix


@pytest.mark.parametrize(
    ("zones", "state", "told"),
    [
        (("eu-central-1a", "eu-central-1b"), "warning", "only in eu-central-1a, eu-central-1b"),
        (("eu-central-1a",), "failed", "is offered in eu-central-1a, too few"),
        ((), "failed", "is offered in no zone of the region"),
    ],
)
def test_a_database_class_that_zones_lack(project, aws, zones, state, told):
    aws.database_zones = zones
    found = project.look("cloud.database")

    assert found.state == state
    assert told in found.says
    assert "sizes.databaseClass" in found.fix


def test_a_database_class_without_the_version(project, aws):
    aws.postgres = ("16.10",)

    assert "with PostgreSQL 17 is offered in no zone" in project.look("cloud.database").says


def test_a_cache_that_is_not_offered(project, aws):
    aws.cache_offerings = 0
    found = project.look("cloud.cache")
    assert (found.state, found.fix) == ("warning", "choose another sizes.cacheNodeType")

    aws.valkey = ("7.2",)
    found = project.look("cloud.cache")
    assert found.state == "failed"
    assert "here, but 7.2" in found.says
    assert found.fix == "set cache.valkeyVersion"


@pytest.mark.parametrize(
    ("says", "state", "told"),
    [
        ({"versionStatus": "EXTENDED_SUPPORT"}, "warning", "is in extended support"),
        ({"versionStatus": "UNSUPPORTED"}, "failed", "is out of support"),
        ({}, "failed", "EKS has no"),
    ],
)
def test_a_kubernetes_version_that_ends(project, aws, says, state, told):
    aws.kubernetes = says
    found = project.look("cloud.kubernetes")

    assert found.state == state
    assert told in found.says
    assert "kubernetesVersion" in found.fix


def test_quotas_that_are_too_small(project, aws):
    aws.quotas |= {"L-1216C47A": 5.0, "L-0263D0A3": 2.0}
    found = project.look("cloud.quotas")

    assert found.state == "failed"
    assert found.says == "vCPUs of on-demand instances: 0 + 12 of 5; elastic IP addresses: 0 + 3 of 2"
    assert "--service-code ec2 --quota-code L-0263D0A3 --desired-value 3 --region eu-central-1" in found.fix


def test_quotas_of_what_is_there_already_are_not_counted(project, aws):
    ec2 = boto3.client("ec2", region_name="eu-central-1")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "harbor-ha-vpc"}])

    assert project.look("cloud.quotas").says == "harbor-ha-vpc is there already: what it takes is taken"


def test_quotas_that_aws_does_not_tell(project, aws):
    aws.quotas = {}

    assert project.look("cloud.quotas").says == "AWS tells no quota here"


@pytest.mark.parametrize(
    ("check", "operation"),
    [
        ("database", "DescribeOrderableDBInstanceOptions"),
        ("cache", "DescribeCacheEngineVersions"),
        ("quotas", "GetServiceQuota"),
    ],
)
def test_what_we_may_not_look_at_is_a_warning(project, aws, check, operation):
    aws.refused = operation
    found = project.look(f"cloud.{check}")

    assert (found.state, found.says) == ("warning", f"not allowed to look: {operation}")
    assert "take the deploy role" in found.fix


def test_nothing_is_changed(project, aws, endpoint):
    project.look("cloud.quotas")

    assert aws.asked
    assert all(one.startswith(("Describe", "Get", "/cluster-versions")) for one in aws.asked)
