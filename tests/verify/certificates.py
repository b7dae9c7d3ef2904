"""Certificates as registries have them: of an own authority, expired, for another host, without their intermediate.

made = Certificates(folder)
made.server("good").context        # for a server; made.authority is the file that trusts it
"""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


class Certificates:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._root_key, self._root = _signed("Test Authority", authority=True)
        self._middle_key, self._middle = _signed("Test Intermediate", by=(self._root_key, self._root), authority=True)
        self.authority = folder / "authority.pem"
        self.authority.write_bytes(_pem(self._root))

    def context(self, *, days=(-1, 90), host="127.0.0.1", self_signed=False, with_middle=True) -> ssl.SSLContext:
        """Give a server's context with a certificate that is valid from and to so many days from now."""
        by = None if self_signed else (self._middle_key, self._middle)
        key, certificate = _signed(host, by=by, days=days, host=host)
        chain = self.folder / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        middle = _pem(self._middle) if with_middle and not self_signed else b""
        chain.write_bytes(_pem(certificate) + middle + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


def authority(name: str) -> str:
    """Give the certificate of an authority, as a file holds it."""
    return _pem(_signed(name, authority=True)[1]).decode()


def _signed(name, *, by=None, authority=False, days=(-1, 90), host=""):
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, issuer = (by[0], by[1].subject) if by else (key, subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * DAY)
        .not_valid_after(now + days[1] * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if authority:
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        )
        usage |= {"key_cert_sign": True, "crl_sign": True, "encipher_only": False, "decipher_only": False}
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    if host:
        try:
            names = [x509.IPAddress(ipaddress.ip_address(host))]
        except ValueError:
            names = [x509.DNSName(host)]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return key, builder.sign(signer, hashes.SHA256())


def _pem(certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
