"""This machine's own certificate authority: made once, its key readable by its owner alone, and trusted by nobody yet.

    data = Authority.kept().certificate("registry.localhost")     # tls.crt, tls.key, ca.crt

Nothing here changes what the machine trusts; `trust` says how a person does, for each client.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from slipway.kind.place import data_folder

_AUTHORITY_DAYS, _LEAF_DAYS = 3650, 825
_MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Authority:
    """The authority, on disk.

    Attributes:
        folder: holds ``ca.crt`` and ``ca.key``.
    """

    folder: Path

    @classmethod
    def kept(cls) -> "Authority":
        """Give it, made on first use and the same ever after: clients trust it once."""
        authority = cls(authority_folder())
        if not authority.path.exists():
            authority.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make(authority.folder)
        return authority

    @property
    def path(self) -> Path:
        """Its certificate, which clients are to trust."""
        return self.folder / "ca.crt"

    def certificate(self, host: str) -> dict[str, str]:
        """Sign a new key for a host name; gives the keys of a Secret of type kubernetes.io/tls, and ``ca.crt``."""
        own = x509.load_pem_x509_certificate(self.path.read_bytes())
        signer = serialization.load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)  # noqa: S101  # we wrote it
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = (
            _builder(host, own.subject, key.public_key(), _LEAF_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
            .sign(signer, hashes.SHA256())
        )  # fmt: skip
        return {"tls.crt": _pem(leaf) + _pem(own), "tls.key": _key(key), "ca.crt": _pem(own)}


def is_good(certificate: str, host: str) -> bool:
    """Tell whether a certificate is this authority's for a host, and lasts another month."""
    path = authority_folder() / "ca.crt"
    if not path.exists():
        return False
    leaf, own = x509.load_pem_x509_certificate(certificate.encode()), x509.load_pem_x509_certificate(path.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    try:
        leaf.verify_directly_issued_by(own)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return host in names.get_values_for_type(x509.DNSName) and leaf.not_valid_after_utc > datetime.now(UTC) + _MONTH


def authority_folder() -> Path:
    """Where it is: for every cluster of this machine the same."""
    return data_folder() / "kind-authority"


def trust(path: Path, address: str) -> str:
    """Say how each client trusts it."""
    return f"""Nothing trusts the local authority yet; it signs this machine's registries alone. To trust it:
  Docker on Linux:   sudo install -D -m 644 {path} /etc/docker/certs.d/{address}/ca.crt   (no restart)
  Docker Desktop:    the same file as ~/.docker/certs.d/{address}/ca.crt, then restart it
  containerd:        the same file as /etc/containerd/certs.d/{address}/ca.crt, beside it hosts.toml with
                     [host."https://{address}"] and ca = "/etc/containerd/certs.d/{address}/ca.crt"
  curl:              curl --cacert {path} https://{address}/api/v2.0/health"""


def _make(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Slipway on this machine")])
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    certificate = (
        _builder("Slipway on this machine", name, key.public_key(), _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = os.open(folder / "ca.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(secret, "w") as file:
        file.write(_key(key))
    # Last, and whole: with it the authority counts as made.
    half = folder / ".ca.crt"
    half.write_text(_pem(certificate))
    half.replace(folder / "ca.crt")


def _builder(subject: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
