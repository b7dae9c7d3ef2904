"""The registry: the contract server behind TLS of ours, and each thing that can be wrong with it."""

import json

import boto3
import pytest
import requests
from pydantic import SecretStr

from slipway.doctor.scene import Scene
from tests.doctor.tls import before, certificate
from tests.harbor.server.faults import COMPONENTS


@pytest.fixture
def registry(api, tmp_path):
    """Harbor over TLS, with what is needed to trust it and to log in."""
    pem = certificate(tmp_path)
    with before(api.port, pem) as url:
        yield {"registry": url, "ca_file": pem, "password": SecretStr(api.password)}


def test_a_registry_that_works(project, registry):
    for name in ("name", "certificate", "health", "login", "version"):
        found = project.look(f"registry.{name}", **registry)
        assert found.state == "ok", found
    assert found.says == "Harbor v2.15.2-080b0220"


def test_a_name_without_an_address_is_no_failure_before_the_first_delivery(project):
    found = project.look("registry.name", registry="https://nowhere.invalid")

    assert found.state == "warning"
    assert "nowhere.invalid has no address" in found.says
    assert "external-dns" in found.fix
    later = project.look("registry.version", registry="https://nowhere.invalid")
    assert (later.state, later.says) == ("skipped", "because registry.certificate was skipped")


@pytest.mark.parametrize(
    ("made", "trusted", "state", "told", "fix"),
    [
        ({"days": 60}, True, "ok", "59 days left", ""),
        ({"days": 10}, True, "warning", "ends in 9 days", "look at its renewal"),
        ({"days": -1}, True, "failed", "certificate has expired", "renew it"),
        ({"since": 1}, True, "failed", "not yet valid", "look at the clock"),
        ({"host": "other.example.com"}, True, "failed", "IP address mismatch", "set slipway:domain"),
        ({}, False, "failed", "self-signed certificate", "--ca-file"),
    ],
)
def test_a_certificate(project, api, tmp_path, made, trusted, state, told, fix):
    pem = certificate(tmp_path, **made)
    with before(api.port, pem) as url:
        found = project.look("registry.certificate", registry=url, ca_file=pem if trusted else None)

    assert found.state == state
    assert told in found.says
    assert fix in found.fix


def test_a_certificate_file_that_holds_none(project, registry, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.touch()
    found = project.look("registry.certificate", **registry | {"ca_file": empty})

    assert found.state == "failed"
    assert "no certificates in it" in found.says


def test_plain_http_where_tls_should_be(project, api):
    found = project.look("registry.certificate", registry=f"https://127.0.0.1:{api.port}")

    assert found.state == "failed"
    assert "no TLS connection" in found.says
    assert project.look("registry.certificate", registry=api.url).state == "warning"


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_half_healthy_registry_names_the_part_and_where_to_look(project, api, registry, component):
    api.switch(unhealthy={component: "dial tcp 10.0.3.7: i/o timeout"})
    found = project.look("registry.health", **registry)

    assert (found.state, found.says) == ("failed", f"{component}: dial tcp 10.0.3.7: i/o timeout")
    assert found.fix.startswith(f"{component}: ")
    assert "kubectl -n harbor logs" in found.fix
    assert project.look("registry.login", **registry).state == "ok"  # which does not need all of them


def test_nothing_that_is_a_harbor(project, api, registry):
    api.fault("status", status=503, path="/health", times=-1)
    assert "answers 503" in project.look("registry.health", **registry).says

    found = project.look("registry.health", registry="http://127.0.0.1:9")
    assert "gives no answer" in found.says
    assert "slipway status" in found.fix


def test_something_else_that_answers(project, tmp_path):
    pem = certificate(tmp_path)
    with before(0, pem) as url:
        found = project.look("registry.health", registry=url, ca_file=pem)

    assert found.says == f"what answers at {url} is no Harbor"
    assert "correct slipway:domain" in found.fix


def test_a_wrong_password_shows_nowhere(project, registry):
    found = project.look("registry.login", **registry | {"password": SecretStr("wr0ng-s3cret")})

    assert found.state == "failed"
    assert "admin cannot log in" in found.says
    assert "check the secret" in found.fix
    assert "wr0ng" not in found.says + found.fix
    assert (
        project.look("registry.version", **registry | {"password": SecretStr("no")}).says
        == "because registry.login failed"
    )


def test_without_a_password_nobody_logs_in(project, registry, api):
    api.clear_counts()
    found = project.look("registry.login", **registry | {"password": None})

    assert found.state == "skipped"
    assert "set SLIPWAY_HARBOR_PASSWORD" in found.says


def test_the_administrators_password_comes_from_secrets_manager(project, registry, endpoint, monkeypatch, api):
    requests.post(f"{endpoint}/moto-api/reset", timeout=10)
    for name, value in {"ENDPOINT_URL": endpoint, "ACCESS_KEY_ID": "testing", "SECRET_ACCESS_KEY": "testing"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setattr(Scene, "url", registry["registry"])
    scene = {"ca_file": registry["ca_file"]}

    found = project.look("registry.login", **scene)
    assert found.state == "skipped"
    assert "Secrets Manager does not give harbor/ha/harbor-admin" in found.says

    client = boto3.client("secretsmanager", region_name="eu-central-1")
    content = json.dumps({"HARBOR_ADMIN_PASSWORD": api.password})
    client.create_secret(Name="harbor/ha/harbor-admin", SecretString=content)
    found = project.look("registry.login", **scene)
    assert found.state == "ok"
    assert api.password not in found.says


@pytest.mark.parametrize(
    ("version", "state", "fix"),
    [
        ("v2.12.4-1", "failed", "upgrade Harbor first"),
        ("v2.13.0-1", "ok", ""),
        ("v2.15.9-1", "ok", ""),
        ("v2.16.0-1", "warning", "look for a newer Slipway"),
    ],
)
def test_the_version(project, api, registry, version, state, fix):
    api.switch(version=version)
    found = project.look("registry.version", **registry)

    assert (found.state, found.fix) == (state, fix)
