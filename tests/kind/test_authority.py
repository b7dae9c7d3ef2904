"""This machine's own authority: which certificates `slipway kind up` keeps, and which it makes anew."""

import pytest

from slipway.kind.authority import Authority, authority_folder, is_good

HOST = "registry.localhost"


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("SLIPWAY_DATA", str(tmp_path))


def test_its_own_certificate_is_good_for_its_host_alone():
    made = Authority.kept().certificate(HOST)["tls.crt"]

    assert is_good(made, HOST)
    assert not is_good(made, "other.localhost")
    assert (authority_folder() / "ca.key").stat().st_mode & 0o077 == 0


def test_what_another_one_put_there_is_made_anew():
    authority = Authority.kept()

    assert not is_good("", HOST)
    assert not is_good("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", HOST)
    assert not is_good(authority.path.read_text(), HOST)  # of the authority itself: it has no names
