"""No secret and no account reaches a log or a report."""

import pytest

from slipway.prove.redact import Clean

ENVIRONMENT = {"SLIPWAY_GIT_TOKEN": "s3cret-of-git", "PULUMI_CONFIG_PASSPHRASE": "correct horse", "HOME": "/root"}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("push with s3cret-of-git failed", "push with *** failed"),
        ("passphrase is correct horse now", "passphrase is *** now"),
        ("fatal: https://git:abcdef@git.example.com/x.git", "fatal: https://***@git.example.com/x.git"),
        ("key AKIAIOSFODNN7EXAMPLE", "key ***"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("token ghp_0123456789abcdef refused", "token *** refused"),
        ('{"password": "hunter22", "user": "admin"}', '{"password": "***", "user": "admin"}'),
        ("HARBOR_ADMIN_PASSWORD=hunter22 set", "HARBOR_ADMIN_PASSWORD=*** set"),
        ("got eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln", "got ***"),
        ("arn:aws:iam::111122223333:role/platform", "arn:aws:iam::<account>:role/platform"),
        ("111122223333.dkr.ecr.eu-central-1.amazonaws.com", "<account>.dkr.ecr.eu-central-1.amazonaws.com"),
        ("harbor-state-111122223333-eu-central-1", "harbor-state-111122223333-eu-central-1"),
    ],
)
def test_a_line_is_cleaned(line, shown):
    assert Clean(ENVIRONMENT)(line) == shown


@pytest.mark.parametrize(
    "line",
    ["commit c0ffee12c0ffee12c0ffee12 delivered", "20 logins over 2 replicas, 12.5 s", "secret/harbor-admin is there"],
)
def test_what_is_no_secret_stays(line):
    assert Clean(ENVIRONMENT)(line) == line


def test_a_key_over_many_lines_goes_whole():
    clean = Clean({})
    lines = ["before", "-----BEGIN RSA PRIVATE KEY-----", "MIIE", "AAAA", "-----END RSA PRIVATE KEY-----", "after"]

    assert [clean(line) for line in lines] == ["before", "***", "***", "***", "***", "after"]


def test_accounts_stay_when_asked_for():
    assert Clean({}, accounts=True)("arn:aws:iam::111122223333:role/x") == "arn:aws:iam::111122223333:role/x"


def test_what_a_command_says_is_cleaned_before_it_is_written(played, prove, monkeypatch):
    monkeypatch.setenv("SLIPWAY_GIT_TOKEN", "s3cret-of-git")
    said = "error: 403 for s3cret-of-git in arn:aws:iam::111122223333:role/x\n"
    played.answer("pulumi", "up", err=said, out="password: hunter22\n")

    _, out, err = prove("dev", "--on", "aws", "--limit", "5")

    written = "".join(path.read_text() for path in played.folder.rglob("*") if path.is_file())
    for secret in ("s3cret-of-git", "111122223333", "hunter22"):
        assert secret not in written + out + err
    assert "arn:aws:iam::<account>:role/x" in written
