"""Whom to trust, and what to do with a certificate that is refused: said once for verify, doctor and Harbor's client."""

import ssl

import pytest

from infra.errors import HarborAway
from slipway.certificates import EXPIRED, NOT_YET, advice, end_of, trust


def test_each_reason_has_its_advice():
    assert "renew it" in advice(EXPIRED)
    assert "clock" in advice(NOT_YET)
    assert "another host's" in advice(62)
    assert "intermediate" in advice(20)
    assert advice(18) == advice(19) == advice(99)
    assert "--ca-file" in advice(18)


def test_the_end_is_in_utc():
    assert end_of({"notAfter": "Nov 25 11:00:00 2026 GMT"}).isoformat() == "2026-11-25T11:00:00+00:00"


def test_a_file_is_trusted_besides_the_system_and_nothing_is_switched_off(tmp_path):
    context = trust(None)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)

    path = tmp_path / "ca.pem"
    for content in (None, "", "no certificate"):
        if content is not None:
            path.write_text(content)
        with pytest.raises(HarborAway, match="no certificates in it"):
            trust(path)
