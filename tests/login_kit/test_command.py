"""`slipway login-kit` as a user meets it: against Harbor's contract server, and an AWS that is moto's."""

import io
import json
import re
import shlex
import stat
from dataclasses import replace

import pytest
import typer

from slipway.cli import app, run
from slipway.harbor.robots.stores.secrets_manager import SecretsManagerStore
from slipway.login_kit import procedure, target
from tests.graph.graphs import ROOT
from tests.login_kit.conftest import opens, robots_of

NAME = "harbor/ha/robots/payments/push"


@pytest.fixture(autouse=True)
def project(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def password(payments, monkeypatch):
    monkeypatch.setenv("SLIPWAY_HARBOR_PASSWORD", payments.password)


@pytest.fixture
def ha(payments, monkeypatch):
    """The environment ha, at the contract server."""
    real = target.registry_of

    def registry_of(name):
        found = real(name)
        return replace(found, url=payments.url) if found.environment else found

    monkeypatch.setattr(target, "registry_of", registry_of)
    return payments


def told(capsys, *arguments, code=0):
    assert run(["login-kit", *arguments]) == code, capsys.readouterr().err
    return capsys.readouterr()


def kit(capsys, *arguments):
    return json.loads(told(capsys, *arguments, "--output", "json").out)


# --- with an address and a file: no AWS anywhere


def test_a_robot_and_docker_from_an_address_alone(payments, password, capsys, tmp_path):
    place = tmp_path / "robot.json"
    shown = told(capsys, "payments", "--registry", payments.url, "--secret-to", f"file:{place}")
    content = json.loads(place.read_text())

    assert "robot     robot$payments+push-a: made" in shown.out
    assert "── docker/login.sh" in shown.out
    assert "helm/push-pull.sh" in shown.out
    assert "aws" not in shown.out.replace("awscli", "")
    assert content["password"] not in shown.out + shown.err
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert payments.request("GET", "/v2/", auth=(content["username"], content["password"])).status == 200

    again = told(capsys, "payments", "--registry", payments.url, "--secret-to", f"file:{place}")
    assert "robot$payments+push-a: kept" in again.out
    assert json.loads(place.read_text()) == content


def test_the_secret_is_printed_only_where_it_is_asked_for(payments, password, capsys, tmp_path):
    arguments = ["payments", "--registry", payments.url, "--secret-to", f"file:{tmp_path / 'robot.json'}"]
    first = kit(capsys, *arguments)
    secret = json.loads((tmp_path / "robot.json").read_text())["password"]
    assert secret not in json.dumps(first)

    shown = kit(capsys, *arguments, "--show-secret")
    assert shown["secret"]["password"] == secret
    assert [one["file"] for one in shown["snippets"] if secret in one["text"]] == ["kubernetes/secret.yaml"]
    assert f"password  {secret}" in told(capsys, *arguments, "--show-secret").out


def test_files_are_written(payments, password, capsys, tmp_path):
    folder = tmp_path / "kit"
    arguments = ["payments", "--registry", payments.url, "--secret-to", f"file:{tmp_path / 'robot.json'}"]
    shown = told(capsys, *arguments, "--to", str(folder), "--only", "helm", "--only", "github/stored.yml")
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "github/stored.yml",
        "helm/push-pull.sh",
    ]
    assert f"written   {folder}/helm/push-pull.sh" in shown.out


def test_a_password_from_standard_input(payments, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{payments.password}\n"))
    arguments = ["payments", "--registry", payments.url, "--secret-to", f"file:{tmp_path / 'robot.json'}"]
    assert kit(capsys, *arguments, "--password-stdin")["robot"]["act"] == "make"


# --- with an environment: Secrets Manager


def test_the_secret_goes_to_secrets_manager(ha, password, capsys, aws):
    found = kit(capsys, "payments", "--registry", "ha", "--github", "acme/payments")
    store = SecretsManagerStore(aws("secretsmanager"), NAME)

    assert found["secret"] == {"place": f"aws:{NAME}"}
    assert opens(ha, store.current())
    trust = next(one for one in found["snippets"] if one["file"] == "aws/trust-github.json")
    assert "123456789012" in trust["text"]
    assert trust["fill"] == []


def test_the_administrators_password_comes_from_secrets_manager(ha, capsys, aws, monkeypatch):
    monkeypatch.delenv("SLIPWAY_HARBOR_PASSWORD", raising=False)
    refused = told(capsys, "payments", "--registry", "ha", code=2).err
    assert "the password: Secrets Manager does not give harbor/ha/harbor-admin (ResourceNotFoundException)" in refused
    assert "set SLIPWAY_HARBOR_PASSWORD, or give --password-stdin" in refused

    content = json.dumps({"HARBOR_ADMIN_PASSWORD": ha.password})
    aws("secretsmanager").create_secret(Name="harbor/ha/harbor-admin", SecretString=content)
    assert kit(capsys, "payments", "--registry", "ha")["robot"]["act"] == "make"


def test_the_environments_key_encrypts_it_where_it_is_there(ha, password, capsys, aws):
    key = aws("kms").create_key()["KeyMetadata"]["KeyId"]
    aws("kms").create_alias(AliasName="alias/harbor-ha-secrets", TargetKeyId=key)
    kit(capsys, "payments", "--registry", "ha")
    assert aws("secretsmanager").describe_secret(SecretId=NAME)["KmsKeyId"] == "alias/harbor-ha-secrets"


def test_a_pull_robot_goes_where_external_secrets_looks(ha, password, capsys, aws):
    shown = told(capsys, "payments", "--registry", "ha", "--preset", "pull")
    assert "secret    aws:harbor/ha/pull/payments" in shown.out
    assert (
        "add payments to harbor.pullSecrets.robots (enabled), and label namespaces slipway.dev/harbor-pull=true"
        in shown.out
    )
    assert "docker push" not in shown.out


def test_rotation_step_by_step(ha, password, capsys, aws):
    store = SecretsManagerStore(aws("secretsmanager"), NAME)
    kit(capsys, "payments", "--registry", "ha")
    old = store.current()

    shown = told(capsys, "payments", "--registry", "ha", "--rotate", "--overlap", "3").out
    assert "robot$payments+push-b: made" in shown
    assert "older     robot$payments+push-a is still valid; the same command ends it after 3 hours" in shown
    assert opens(ha, old)
    assert opens(ha, store.current())

    shown = told(capsys, "payments", "--registry", "ha", "--rotate").out
    assert "push-a is still valid; the same command ends it from" in shown
    ha.later(days=1.01)
    assert kit(capsys, "payments", "--registry", "ha", "--rotate")["robot"]["act"] == "retire"
    assert not opens(ha, old)
    assert kit(capsys, "payments", "--registry", "ha", "--rotate", "--before", "30")["robot"]["act"] == "keep"


def test_a_project_and_a_cache_share_a_robot_that_pushes_to_one(ha, password, capsys, monkeypatch):
    hub = {"name": "hub", "type": "docker-registry", "url": ha.url}
    number = ha.api("POST", "/registries", hub).id
    ha.api("POST", "/projects", {"project_name": "cache", "registry_id": number})
    found = kit(capsys, "payments", "cache", "--registry", "ha")

    (robot,) = ha.api("GET", "/robots").json
    rights = {each["namespace"]: {access["action"] for access in each["access"]} for each in robot["permissions"]}
    assert rights == {"payments": {"pull", "push"}, "cache": {"pull"}}
    assert {"cache/pull.sh", "cache/hosts.toml"} <= {one["file"] for one in found["snippets"]}

    refused = told(capsys, "cache", "--registry", "ha", "--name", "x", code=2).err
    assert "--preset: cache: nobody can push to a proxy cache" in refused


# --- dry runs


def test_a_dry_run_without_a_password_shows_the_snippets(capsys, monkeypatch):
    monkeypatch.delenv("SLIPWAY_HARBOR_PASSWORD", raising=False)
    shown = told(capsys, "payments", "--registry", "ha", "--dry-run", "--only", "gitlab/oidc.yml")
    assert "the registry was not asked: Secrets Manager does not give harbor/ha/harbor-admin" in shown.out
    assert "/payments/app" in shown.out


def test_a_dry_run_writes_nothing_anywhere(ha, password, capsys, aws, tmp_path):
    found = kit(capsys, "payments", "--registry", "ha", "--dry-run", "--to", str(tmp_path / "kit"))
    assert (found["robot"]["act"], found["robot"]["name"]) == ("make", "payments+push-a")
    assert robots_of(ha) == {}
    assert aws("secretsmanager").list_secrets()["SecretList"] == []
    assert not (tmp_path / "kit").exists()


# --- bad input


def test_bad_words_are_refused_before_anything_is_asked(capsys, monkeypatch, tmp_path):
    cases = [
        (["payments", "--registry", "http://registry.example.com", "--secret-to", "file:x"], "is not encrypted"),
        (["payments", "--registry", "https://x/y", "--secret-to", "file:x"], "has something behind the host"),
        (["payments", "--registry", "https://x"], "an address says no place for a secret"),
        (["payments", "--registry", "hha"], "'hha' is no environment; did you mean 'ha'?"),
        (["payments"], "which one? There are"),
        (["Payments", "--registry", "ha"], "Harbor takes no 'Payments'"),
        (["payments", "--registry", "ha", "--name", "a b"], "Harbor takes no 'a b'"),
        (["payments", "--registry", "ha", "--days", "0"], "0 is no time for a robot to live"),
        (["payments", "--registry", "ha", "--preset", "admin"], "'admin' is none of pull, push, ci"),
        (["payments", "--registry", "ha", "--before", "3"], "needs --rotate"),
        (["payments", "--registry", "ha", "--only", "githib"], "did you mean 'github'?"),
        (["payments", "--registry", "ha", "--secret-to", "vault:x"], "names no place for a secret"),
        (["payments", "--registry", "ha", "--github", "acme"], "names no single repository"),
        (["payments", "--registry", "ha", "--to", __file__], "is a file"),
    ]
    monkeypatch.setenv("SLIPWAY_HARBOR_PASSWORD", "x")
    monkeypatch.setattr(procedure, "obtain", lambda *_, **__: pytest.fail("Harbor was asked"))
    for arguments, words in cases:
        assert words in told(capsys, *arguments, code=2).err, arguments


def test_what_harbor_says_is_told_once_and_leaves_nothing(ha, password, capsys, aws):
    told_first = told(capsys, "payment", "--registry", "ha", code=1).err
    assert "error: project: there is no 'payment'; did you mean 'payments'?" in told_first
    ha.configure(read_only=True)
    assert "it is read-only" in told(capsys, "payments", "--registry", "ha", code=1).err
    assert aws("secretsmanager").list_secrets()["SecretList"] == []


def test_a_wrong_password_is_told(ha, capsys, monkeypatch):
    monkeypatch.setenv("SLIPWAY_HARBOR_PASSWORD", "Wrong12345")
    assert "admin cannot log in" in told(capsys, "payments", "--registry", "ha", code=1).err


def test_no_registry_at_the_address_is_told(password, capsys, tmp_path):
    monkey = ["payments", "--registry", "https://127.0.0.1:9", "--secret-to", f"file:{tmp_path / 'x'}"]
    assert "check the address" in told(capsys, *monkey, code=1).err


def test_an_existing_file_stops_the_writing_and_the_robot_stays_usable(payments, password, capsys, tmp_path):
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "login.sh").write_text("mine")
    arguments = [
        "payments",
        "--registry",
        payments.url,
        "--secret-to",
        f"file:{tmp_path / 'r.json'}",
        "--to",
        str(tmp_path),
    ]
    assert "is there, and is not what would be written" in told(capsys, *arguments, code=2).err
    told(capsys, *arguments, "--overwrite")
    assert list(robots_of(payments)) == ["robot$payments+push-a"]


def documented():
    text = (ROOT / "docs" / "onboarding.md").read_text()
    return sorted(set(re.findall(r"slipway (login-kit [^`#\n]+)", text)))


@pytest.mark.parametrize("command", documented())
def test_every_command_of_the_guide_is_one_that_exists(command, monkeypatch):
    arguments = shlex.split(command.replace("PROJECT", "payments"))
    typer.main.get_command(app).make_context("slipway", arguments)
    (name, *rest) = arguments
    typer.main.get_command(app).commands[name].make_context(name, rest)
