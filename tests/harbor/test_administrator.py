"""Where the administrator's first password comes from: one way for every command that logs in."""

import time
from types import SimpleNamespace

import pytest

from slipway.harbor.administrator import first_password
from values.secrets import secrets_for

PREFIX, REGION = "harbor/prod", "eu-central-1"


def held(monkeypatch, text):
    secret = SimpleNamespace(get_secret_value=lambda **_: {"SecretString": text})
    monkeypatch.setattr("boto3.client", lambda *_, **__: secret)


def test_it_is_the_property_that_the_secret_table_names(monkeypatch):
    held(monkeypatch, '{"HARBOR_ADMIN_PASSWORD": "Made4You"}')
    found, why = first_password(PREFIX, REGION)

    assert (
        "HARBOR_ADMIN_PASSWORD"
        in next(one for one in secrets_for(frozenset()) if one.name == "harbor-admin").properties
    )
    assert (found.get_secret_value(), why) == ("Made4You", "")
    assert "Made4You" not in repr(found)


@pytest.mark.parametrize("text", ["no JSON", "{}", "[]", "null", '"text"'])
def test_what_holds_no_password_is_a_reason(monkeypatch, text):
    held(monkeypatch, text)

    assert first_password(PREFIX, REGION) == (
        None, "harbor/prod/harbor-admin in Secrets Manager holds no HARBOR_ADMIN_PASSWORD",
    )  # fmt: skip


def test_where_aws_is_away_a_person_does_not_wait_for_long(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    started = time.monotonic()
    found, why = first_password(PREFIX, REGION)

    assert found is None
    assert why.startswith("harbor/prod/harbor-admin cannot be read from Secrets Manager: Could not connect")
    assert time.monotonic() - started < 20
