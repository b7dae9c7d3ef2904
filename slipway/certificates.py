"""Whom to trust, and what to do with a certificate that OpenSSL refuses: the same words for every command.

advice(error.verify_code)
"""

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.errors import HarborAway, Problem

#: ACM renews 60 days before the end, cert-manager 30: with less, nobody does.
LEAST_DAYS = 30
#: OpenSSL's reasons: the time has not come, is over, another host's name or address, no chain to an authority.
NOT_YET, EXPIRED = 9, 10
_HOST, _IP, _ISSUER, _LEAF = 62, 64, 20, 21
_ANOTHER = "the certificate is another host's: set slipway:domain, or let the load balancer serve the right one"
_CHAIN = "serve the intermediate certificates as well, or trust your authority with --ca-file"
_ADVICE = {
    NOT_YET: "its time has not come: look at the clock of this machine and at the certificate",
    EXPIRED: "renew it: on AWS the certificate's DNS validation record must be there, then ACM renews by itself",
    _HOST: _ANOTHER,
    _IP: _ANOTHER,
    _ISSUER: _CHAIN,
    _LEAF: _CHAIN,
}
_AUTHORITY = "trust your authority with --ca-file, or serve a certificate of one that clients trust"


def advice(code: int) -> str:
    """Give what to do about OpenSSL's reason; all that is not of time and name is of the authority."""
    return _ADVICE.get(code, _AUTHORITY)


def end_of(certificate: Any) -> datetime:  # noqa: ANN401  # as ssl gives a peer's
    """Give the end of a certificate."""
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Give what decides about certificates: the system's authorities, and those of a file.

    Raises:
        HarborAway: the file cannot be read or holds no certificate.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            fix = "give a PEM file with the certificate of your authority as --ca-file"
            raise HarborAway(Problem(where=str(ca_file), what=f"no certificates in it: {error}", fix=fix)) from error
    return context
