"""Certificates for TLS between Harbor's components: an authority of the environment's own and a leaf for each Service.

They are made once and kept in the state. Their names are the short ones that the components call each other by
(chart 1.19, templates/internal/auto-tls.yaml).
"""

from collections.abc import Sequence

import pulumi
from pulumi_tls import CertRequest, LocallySignedCert, PrivateKey, SelfSignedCert

from infra.durable import durable
from infra.settings import Settings
from values.sources import CertificateAuthority, Leaf

#: Ten years: nobody renews them, and rotating is `pulumi up --replace` of the authority.
_VALIDITY_HOURS = 10 * 365 * 24
_KEY_BITS = 3072


class InternalCertificates:
    """The authority and the leaves.

    Args:
        settings: of the environment.
        services: components; each leaf's name is ``harbor-<service>``.
        parent: the component they belong to.
    """

    def __init__(self, settings: Settings, services: Sequence[str], *, parent: pulumi.Resource) -> None:
        self._opts, self._durable = pulumi.ResourceOptions(parent=parent), durable(settings, parent)
        key = self._key("internal-ca")
        self._authority = SelfSignedCert(
            "internal-ca",
            private_key_pem=key.private_key_pem,
            subject={"common_name": "Harbor internal"},
            is_ca_certificate=True,
            validity_period_hours=_VALIDITY_HOURS,
            allowed_uses=["cert_signing", "crl_signing"],
            opts=self._opts,
        )
        self._keys = {service: self._key(f"internal-{service}") for service in services}
        self._certificates = {service: self._signed(service, key.private_key_pem) for service in services}

    def pem(self, source: CertificateAuthority | Leaf) -> pulumi.Output[str]:
        """Give a certificate or key as PEM text."""
        if isinstance(source, CertificateAuthority):
            return self._authority.cert_pem
        if source.part == "key":
            return self._keys[source.service].private_key_pem
        return self._certificates[source.service].cert_pem

    def _key(self, name: str) -> PrivateKey:
        return PrivateKey(name, algorithm="RSA", rsa_bits=_KEY_BITS, opts=self._durable)

    def _signed(self, service: str, authority_key: pulumi.Output[str]) -> LocallySignedCert:
        name = f"harbor-{service}"
        request = CertRequest(
            f"internal-{service}",
            private_key_pem=self._keys[service].private_key_pem,
            subject={"common_name": name},
            # Core also calls itself, by loopback.
            dns_names=[name, "localhost"],
            ip_addresses=["127.0.0.1"],
            opts=self._opts,
        )
        return LocallySignedCert(
            f"internal-{service}",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=authority_key,
            ca_cert_pem=self._authority.cert_pem,
            validity_period_hours=_VALIDITY_HOURS,
            allowed_uses=["digital_signature", "key_encipherment", "server_auth", "client_auth"],
            opts=self._opts,
        )
