"""A bootstrap of an empty account, of one that is there, of one that drifted, and of one that was cut short."""

import json
import os
import subprocess

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from infra.errors import BootstrapError, SettingsError
from slipway.bootstrap import bootstrap as module
from slipway.bootstrap.bootstrap import bootstrap
from slipway.bootstrap.wanted import ALIAS, ROLE, github, gitlab
from slipway.tools.find import find
from tests.bootstrap.conftest import ACCOUNT

BUCKET = f"harbor-state-{ACCOUNT}-eu-central-1"

EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


def states(found) -> dict[str, str]:
    return {one.name: one.state for one in found.done}


def test_an_empty_account_gets_everything_and_then_nothing_more(settings, aws):
    first = bootstrap(settings)

    assert set(states(first).values()) == {"made"}
    assert aws("s3").get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    rule = aws("s3").get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    key = aws("kms").describe_key(KeyId=ALIAS)["KeyMetadata"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["Arn"]}
    assert aws("kms").get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
    assert len(aws("iam").list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]) == 5

    assert set(states(bootstrap(settings)).values()) == {"kept"}


def test_the_role_of_a_session_is_trusted_with_its_path(settings, aws, monkeypatch):
    aws("iam").create_role(RoleName="Admin", Path="/aws-reserved/sso/", AssumeRolePolicyDocument="{}")
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso/Admin"
    taken = aws("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", taken["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", taken["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", taken["SessionToken"])

    assert bootstrap(settings).wanted.administrators == (arn,)


def test_a_dry_run_makes_nothing(settings, aws):
    found = bootstrap(settings, dry_run=True)

    assert set(states(found).values()) == {"made"}
    assert aws("s3").list_buckets()["Buckets"] == []
    with pytest.raises(aws("iam").exceptions.NoSuchEntityException):
        aws("iam").get_role(RoleName=ROLE)


def suspend_versions(aws):
    aws("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})


def open_bucket(aws):
    aws("s3").delete_public_access_block(Bucket=BUCKET)


def allow_plain_http(aws):
    aws("s3").delete_bucket_policy(Bucket=BUCKET)


def own_key(aws):
    other = aws("kms").create_key()["KeyMetadata"]["Arn"]
    by = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": other}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": by, "BucketKeyEnabled": True}]}
    aws("s3").put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration=rules)


def stop_rotation(aws):
    aws("kms").disable_key_rotation(KeyId=aws("kms").describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"])


def more_rights(aws):
    arn = aws("iam").create_policy(PolicyName="all", PolicyDocument=EVERYTHING)
    aws("iam").attach_role_policy(RoleName=ROLE, PolicyArn=arn["Policy"]["Arn"])


def other_statements(aws):
    arn = f"arn:aws:iam::{ACCOUNT}:policy/harbor-deploy-data"
    aws("iam").create_policy_version(PolicyArn=arn, PolicyDocument=EVERYTHING, SetAsDefault=True)


@pytest.mark.parametrize(
    ("drift", "part", "told"),
    [
        (suspend_versions, f"S3 bucket {BUCKET}", "versioning was off"),
        (open_bucket, f"S3 bucket {BUCKET}", "public access was not blocked"),
        (allow_plain_http, f"S3 bucket {BUCKET}", "its policy was another"),
        (own_key, f"S3 bucket {BUCKET}", "encryption was not by our key"),
        (stop_rotation, f"KMS key {ALIAS}", "rotation was off"),
        (more_rights, f"IAM role {ROLE}", "it had all as well"),
        (other_statements, "IAM policy harbor-deploy-data", "its statements were others"),
    ],
)
def test_drift_is_told_and_mended(settings, aws, drift, part, told):
    bootstrap(settings)
    drift(aws)

    (changed,) = [one for one in bootstrap(settings).done if one.state == "changed"]

    assert (changed.name, changed.changes) == (part, (told,))
    assert set(states(bootstrap(settings)).values()) == {"kept"}


@pytest.mark.parametrize("cut", ["create_alias", "put_bucket_versioning", "create_policy", "attach_role_policy"])
def test_a_run_that_was_cut_short_goes_on(settings, aws, monkeypatch, cut):
    original = module.boto3.Session.client

    class Killed(Exception):
        pass

    def client(self, name):
        made = original(self, name)
        if hasattr(made, cut):

            def killed(**_arguments):
                raise Killed

            setattr(made, cut, killed)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(module.boto3.Session, "client", client)
        with pytest.raises(Killed):
            bootstrap(settings)

    assert set(states(bootstrap(settings)).values()) & {"made", "changed"}
    assert set(states(bootstrap(settings)).values()) == {"kept"}
    assert len(aws("kms").list_keys()["Keys"]) == 1


def test_ci_is_trusted_for_one_kind_of_job_and_others_stay_trusted(settings, aws):
    bootstrap(settings, issuers=(github("acme/registry", "ha"),))
    found = bootstrap(settings, issuers=(gitlab("platform/registry@release", "git.example.com"),))

    assert [one.name for one in found.done if one.state != "kept"] == [
        "OIDC provider git.example.com",
        f"IAM role {ROLE}",
    ]
    trust = aws("iam").get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    subjects = [list(one["Condition"]["StringEquals"].values()) for one in trust if "Condition" in one]
    assert subjects == [
        ["sts.amazonaws.com", "repo:acme/registry:environment:ha"],
        ["https://git.example.com", "project_path:platform/registry:ref_type:branch:ref:release"],
    ]
    assert set(states(bootstrap(settings)).values()) == {"kept"}


@pytest.mark.parametrize("text", ["acme", "acme/*", "*/registry", "acme/registry@", "acme/registry:ref:*", ""])
def test_a_whole_organisation_is_never_trusted(text):
    with pytest.raises(SettingsError, match="names no single repository"):
        github(text, "ha")
    with pytest.raises(SettingsError, match="names no single repository"):
        gitlab(text)


def test_what_is_somebody_elses_is_left_alone(settings, aws):
    aws("kms").create_alias(AliasName=ALIAS, TargetKeyId=aws("kms").create_key()["KeyMetadata"]["KeyId"])

    with pytest.raises(BootstrapError, match="which Slipway did not make"):
        bootstrap(settings)
    assert aws("s3").list_buckets()["Buckets"] == []


def test_a_role_of_that_name_is_left_alone(settings, aws):
    aws("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")

    with pytest.raises(BootstrapError, match="Slipway did not make it"):
        bootstrap(settings)


def test_a_key_that_is_to_be_deleted_is_told(settings, aws):
    bootstrap(settings)
    aws("kms").schedule_key_deletion(KeyId=aws("kms").describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"])

    with pytest.raises(BootstrapError, match="PendingDeletion"):
        bootstrap(settings)


def test_another_account_is_refused(settings):
    with pytest.raises(BootstrapError, match=f"is 999999999999, and you are in {ACCOUNT}"):
        bootstrap(settings.model_copy(update={"account": "999999999999"}))


def client_error(code):
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "CreateKey"
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (client_error("ExpiredToken"), "log in again"),
        (client_error("AccessDenied"), "AWS CreateKey: is not allowed to you"),
        (client_error("Throttling"), "run it again"),
        (NoCredentialsError(), "set AWS_PROFILE"),
    ],
)
def test_what_aws_refuses_is_one_error_with_the_way_out(settings, monkeypatch, error, told):
    def fail(*_arguments, **_more):
        raise error

    monkeypatch.setattr(module, "settle", fail)
    with pytest.raises(BootstrapError, match=told):
        bootstrap(settings)


def test_pulumi_itself_keeps_a_stack_there(settings, aws, endpoint, tmp_path):
    """The real command, with the bucket and the key that the bootstrap made; only the endpoint is another."""
    found = bootstrap(settings)
    aws("s3").delete_bucket_policy(Bucket=BUCKET)  # moto denies whatever a policy denies, and reads no conditions
    pulumi = str(find("pulumi", progress=print, announce=print).path)
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\nruntime: yaml\n")
    environment = {
        **os.environ, "PULUMI_HOME": str(tmp_path / "home"), "PULUMI_SKIP_UPDATE_CHECK": "true",
        "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": endpoint,
    }  # fmt: skip

    def run(*arguments):
        done = subprocess.run(
            [pulumi, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("login", f"{found.wanted.login()}&endpoint={endpoint}&use_path_style=true")
    run("stack", "init", "ha", "--secrets-provider", found.wanted.secrets_provider())
    run("config", "set", "--secret", "password", "swordfish", "--stack", "ha")

    assert run("config", "get", "password", "--stack", "ha").strip() == "swordfish"
    assert "swordfish" not in (tmp_path / "Pulumi.ha.yaml").read_text()
    assert json.loads(run("stack", "ls", "--json"))[0]["name"] == "ha"
