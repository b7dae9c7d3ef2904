"""`slipway verify` as a user meets it: streams, exit codes, reports, and what it refuses."""

import io
import json
import xml.etree.ElementTree as ET

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from infra.errors import SettingsError
from slipway.cli import run
from slipway.verify.scene import Cluster
from slipway.verify.target import target_of
from tests.harbor.process import ROOT
from values.secrets import secrets_for


@pytest.fixture
def known(monkeypatch, harbor):
    monkeypatch.setenv("SLIPWAY_HARBOR_PASSWORD", harbor.password)
    return harbor


def test_a_table_for_people(known, capsys):
    assert run(["verify", known.url, "--blob-size", "1MiB"]) == 0

    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert "✓ outside.reach         /api/v2.0/ping answers Pong" in lines
    assert "✓ round-trip.delete     gone from Harbor, and a pull gets 404" in lines
    assert lines[0].startswith("· cluster.reach         skipped: an address alone names no cluster")
    assert lines[1].endswith("(so are the 5 after it)")
    assert lines[-1].startswith(f"{known.url}: passed; ")
    assert "\x1b" not in out
    assert err == ""


def test_a_failure_says_what_it_means_and_what_to_do(known, capsys):
    known.switch(unhealthy={"redis": "i/o timeout"})

    assert run(["verify", known.url, "--only", "outside.health"]) == 1

    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("✗"))
    assert lines[at] == "✗ outside.health  failed: redis: i/o timeout"
    assert lines[at + 1].split(maxsplit=1)[0] == "means:"
    assert lines[at + 2].split(maxsplit=2) == ["do:", "look", lines[at + 2].split(maxsplit=2)[2]]
    assert "failover" in lines[at + 2]
    assert lines[-1].startswith(f"{known.url}: failed; 1 passed, 1 failed; ")


def test_json_for_machines(known, capsys):
    known.switch(jobs_paused=["all"])

    assert run(["verify", known.url, "--read-only", "--output", "json"]) == 1

    out, err = capsys.readouterr()
    report = json.loads(out)
    assert (report["url"], report["verdict"], err) == (known.url, "failed", "")
    checks = {check["id"]: check for check in report["checks"]}
    assert report["counts"] == {
        state: sum(check["state"] == state for check in checks.values()) for state in report["counts"]
    }
    assert checks["outside.schedules"]["state"] == "failed"
    assert checks["outside.schedules"]["fix"].startswith("resume it")
    assert checks["outside.schedules"]["reading"]
    assert checks["round-trip.project"]["says"] == "it writes, and --read-only was given"
    assert "fix" not in checks["outside.reach"]
    assert known.password not in out


def test_junit_for_ci(known, tmp_path, capsys):
    known.switch(unhealthy={"trivy": "no \x01 database"})
    file = tmp_path / "verify.xml"

    assert run(["verify", known.url, "--read-only", "--junit", str(file)]) == 1

    suites = {suite.get("name"): suite for suite in ET.parse(file).getroot()}
    outside = suites["slipway.verify.outside"]
    cases = {case.get("name"): case for case in outside}
    assert (outside.get("failures"), outside.get("errors"), outside.get("tests")) == ("2", "0", str(len(cases)))
    failure = cases["health"].find("failure")
    assert failure.get("message") == "trivy: no ? database"
    assert "do: kubectl -n harbor logs statefulset/harbor-trivy" in failure.text
    assert cases["reach"].find("system-out").text == "/api/v2.0/ping answers Pong"
    assert suites["slipway.verify.cluster"].get("skipped") == suites["slipway.verify.cluster"].get("tests")
    assert [one.name for one in tmp_path.iterdir()] == ["verify.xml"]


def test_only_and_skip_take_checks_and_groups(known, capsys):
    assert run(["verify", known.url, "--only", "outside", "--skip", "outside.logins,outside.scanner"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if "left out with --skip" in line] == [
        "outside.logins",
        "outside.scanner",
    ]
    assert not [line for line in lines if "round-trip" in line or "certificate" in line]


def test_the_password_from_standard_input(harbor, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{harbor.password}\n"))

    assert run(["verify", harbor.url, "--only", "outside.login", "--password-stdin"]) == 0


def test_without_a_password_the_ways_to_give_one_are_told(harbor, capsys):
    assert run(["verify", harbor.url, "--only", "outside"]) == 0

    assert "no password was given: set SLIPWAY_HARBOR_PASSWORD, or give --password-stdin" in capsys.readouterr().out


def test_a_check_that_was_asked_for_and_could_not_run_is_no_success(harbor):
    assert run(["verify", harbor.url, "--only", "cluster"]) == 1


REFUSED = [
    (["--only", "outside.helth"], "'outside.helth' is no check and no group", "did you mean outside.health?"),
    (["--skip", "xyz"], "'xyz' is no check and no group", "groups: cluster, certificate, outside, round-trip"),
    (["--read-only", "--gc"], "--gc would change something", ""),
    (["--read-only", "--remove-leftovers"], "--remove-leftovers would change something", ""),
    (["--blob-size", "36MB"], "'36MB': use 1MiB to 8GiB", ""),
    (["--blob-size", "9GiB"], "'9GiB': use 1MiB to 8GiB", ""),
    (["--webhook-address", "hooks.example.com"], "'hooks.example.com': use http://HOST:PORT", ""),
    (["--junit", "/nowhere/at/all.xml"], "there is no folder /nowhere/at", ""),
    (["--ca-file", "/nowhere.pem"], "/nowhere.pem is no file", "give a PEM file"),
]


@pytest.mark.parametrize(("options", "what", "fix"), REFUSED)
def test_bad_usage_is_refused_before_anything_is_sent(api, capsys, options, what, fix):
    api.clear_counts()

    assert run(["verify", api.url, *options]) == 2

    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert what in said
    assert fix in said
    assert api.counts() == {}


TARGETS = [
    ("http://registry.example.com", "is not encrypted: the secret would be sent in clear text"),
    ("https://registry.example.com/path", "has something behind the host"),
    ("registry.example.com", "'registry.example.com' is no environment"),
    ("registry.example.com", "an address needs its scheme: https://registry.example.com"),
    ("nope", "'nope' is no environment"),
]


@pytest.mark.parametrize(("target", "says"), TARGETS)
def test_a_target_that_is_none_is_refused(target, says, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)

    assert run(["verify", target]) == 2

    assert says in capsys.readouterr().err


def test_a_registry_that_is_away_fails_with_one_reason(capsys):
    assert run(["verify", "http://127.0.0.1:9", "--only", "outside"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("✗")] == ["outside.reach"]
    assert "needs outside.reach, which failed" in lines[3]


def test_help_names_exit_codes_and_examples(capsys):
    assert run(["verify", "--help"]) == 0

    out = capsys.readouterr().out
    assert "    slipway verify prod --read-only --output json\n" in out
    assert "130 interrupted" in out


# --- an environment


@pytest.fixture
def secrets_manager(monkeypatch):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    requests.post(f"{endpoint}/moto-api/reset", timeout=10)
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.chdir(ROOT)
    yield boto3.client("secretsmanager", region_name="eu-central-1")
    server.stop()


def test_an_environment_knows_what_its_registry_must_show(secrets_manager):
    secret = next(one for one in secrets_for(frozenset()) if one.name == "harbor-admin")
    content = dict.fromkeys(secret.properties, "FromSecretsManager1")
    secrets_manager.create_secret(Name="harbor/ha/harbor-admin", SecretString=json.dumps(content))

    target = target_of("ha", username="admin", given=None, cluster=Cluster())

    assert target.url == "https://registry.example.com"
    assert target.password.get_secret_value() == "FromSecretsManager1"
    assert "FromSecretsManager1" not in repr(target)
    assert target.expected.components >= {"core", "trivy"}
    assert target.expected.job_replicas == 2
    assert target.expected.registry_access == "ReadWriteMany"


def test_a_secret_that_cannot_be_had_is_a_reason_and_no_failure(secrets_manager):
    target = target_of("ha", username="admin", given=None, cluster=Cluster())

    assert target.password is None
    assert target.no_password.startswith(
        "Secrets Manager does not give harbor/ha/harbor-admin (ResourceNotFoundException); set SLIPWAY_HARBOR_PASSWORD"
    )


def test_a_given_password_asks_nobody(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    assert target_of("ha", username="admin", given=SecretStr("x"), cluster=Cluster()).password


def test_no_such_environment_names_those_there_are(monkeypatch):
    monkeypatch.chdir(ROOT)

    with pytest.raises(SettingsError, match="environments: dev, ha, large"):
        target_of("prod", username="admin", given=None, cluster=Cluster())
