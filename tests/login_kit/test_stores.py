"""Places for a secret: what is not proven is nobody's yet, what is there already stays, what cannot be is told."""

import json
import os
import stat

import pytest
from pydantic import SecretStr

from infra.errors import SecretStoreError
from slipway.harbor.robots import Credential, issue, rotate
from slipway.harbor.robots.stores.file import FileStore
from slipway.harbor.robots.stores.secrets_manager import SecretsManagerStore
from tests.harbor.clients import run
from tests.login_kit.conftest import opens, wanted

NAME = "harbor/ha/robots/payments/ci"
ONE = Credential(username="robot$payments+ci-a", password=SecretStr("Aa1" * 10), registry="registry.example.com")
TWO = Credential(username="robot$payments+ci-b", password=SecretStr("Bb2" * 10), registry="registry.example.com")


@pytest.fixture
def secrets(aws):
    return aws("secretsmanager")


@pytest.fixture(params=["file", "secrets-manager"])
def store(request, tmp_path, secrets):
    return FileStore(tmp_path / "ci.json") if request.param == "file" else SecretsManagerStore(secrets, NAME)


def test_what_is_pending_does_not_replace_what_is_in_use(store):
    store.check()
    assert (store.current(), store.pending()) == (None, None)
    store.stage(ONE)
    store.promote()
    store.stage(TWO)

    assert (store.current(), store.pending()) == (ONE, TWO)
    store.promote()
    assert (store.current(), store.pending()) == (TWO, None)


def test_staging_again_replaces_what_an_interrupted_run_left(store):
    store.stage(ONE)
    store.promote()
    store.stage(Credential(username="x", password=SecretStr("y")))
    store.stage(TWO)
    store.promote()
    assert store.current() == TWO


def test_promoting_nothing_is_harmless_where_aws_has_done_it_already(secrets):
    store = SecretsManagerStore(secrets, NAME)
    store.stage(ONE)
    store.promote()
    store.promote()
    assert store.current() == ONE


def test_secrets_manager_has_one_version_in_use_and_the_one_before(secrets):
    store = SecretsManagerStore(secrets, NAME)
    for credential in (ONE, TWO):
        store.stage(credential)
        store.promote()

    found = secrets.describe_secret(SecretId=NAME)
    stages = sorted(stage for each in found["VersionIdsToStages"].values() for stage in each)
    assert stages == ["AWSCURRENT", "AWSPREVIOUS"]
    assert found["Tags"] == [{"Key": "ManagedBy", "Value": "slipway"}]
    # The keys that the support chart's pull secrets read.
    current = secrets.get_secret_value(SecretId=NAME, VersionStage="AWSCURRENT")  # moto's default is another's
    content = json.loads(current["SecretString"])
    assert (content["username"], content["password"]) == (TWO.username, TWO.password.get_secret_value())


def test_the_key_of_the_environment_encrypts_it(secrets, aws):
    key = aws("kms").create_key()["KeyMetadata"]["KeyId"]
    SecretsManagerStore(secrets, NAME, key=key).stage(ONE)
    assert secrets.describe_secret(SecretId=NAME)["KmsKeyId"] == key


def test_a_robot_is_made_kept_and_rotated_with_secrets_manager(payments, secrets):
    store = SecretsManagerStore(secrets, NAME)
    first = run(payments, lambda client: issue(client, wanted(), store)).credential
    assert run(payments, lambda client: issue(client, wanted(), store)).decision.act == "keep"
    second = run(payments, lambda client: rotate(client, wanted(), store)).credential

    assert opens(payments, first)
    assert opens(payments, second)
    assert store.current() == second
    previous = secrets.get_secret_value(SecretId=NAME, VersionStage="AWSPREVIOUS")["SecretString"]
    assert json.loads(previous)["username"] == first.username


def test_a_secret_that_is_being_deleted_is_told(secrets):
    secrets.create_secret(Name=NAME, SecretString="{}")
    secrets.delete_secret(SecretId=NAME)
    with pytest.raises(SecretStoreError, match="is being deleted"):
        SecretsManagerStore(secrets, NAME).check()


def test_what_is_something_else_stays_as_it_is(secrets, tmp_path):
    secrets.create_secret(Name=NAME, SecretString="my own words")
    path = tmp_path / "notes.txt"
    path.write_text("my own words")

    for store in (SecretsManagerStore(secrets, NAME), FileStore(path)):
        with pytest.raises(SecretStoreError, match="holds something that is no robot's secret"):
            store.current()
    assert path.read_text() == secrets.get_secret_value(SecretId=NAME)["SecretString"] == "my own words"


def test_without_credentials_it_says_how_to_do_without(secrets, monkeypatch, tmp_path):
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    store = SecretsManagerStore(boto3.Session().client("secretsmanager", region_name="eu-central-1"), NAME)
    with pytest.raises(SecretStoreError, match=r"Unable to locate credentials\n.*--secret-to file:PATH"):
        store.check()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_only_its_owner_can_read_the_file(tmp_path, umask):
    before = os.umask(umask)
    try:
        store = FileStore(tmp_path / "ci.json")
        store.stage(ONE)
        assert stat.S_IMODE((tmp_path / "ci.json.pending").stat().st_mode) == 0o600
        store.promote()
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["ci.json"]


@pytest.mark.parametrize(("path", "told"), [("no/where.json", "there is no folder"), (".", "is a folder")])
def test_a_place_that_cannot_be_written_is_told_first(tmp_path, path, told):
    with pytest.raises(SecretStoreError, match=told):
        FileStore(tmp_path / path).check()
