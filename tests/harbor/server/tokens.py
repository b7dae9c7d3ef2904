"""The token service's key, and the tokens that the distribution server behind takes (RS256, known by its certificate).

tokens.issue("robot$ci", [{"type": "repository", "name": "a/b", "actions": ["pull"]}], minutes=30)
"""

import base64
import datetime as dt
import hashlib
import json
import secrets
import time
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

SERVICE = "harbor-registry"
ISSUER = "harbor-token-issuer"


class Tokens:
    """Signs and checks. Key and certificate stay in the folder, so that a restart knows its own tokens."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "token.crt"
        path = folder / "token.key"
        if not path.exists():
            _make(path, self.certificate)
        self._key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        self._public = self._key.public_key()
        self._kid = _fingerprint(self._public)
        self._checked: dict[str, dict] = {}

    def issue(self, subject: str, access: list[dict], *, minutes: float) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": subject,
            "aud": SERVICE,
            "exp": now + int(minutes * 60),
            "nbf": now - 10,
            "iat": now,
            "jti": secrets.token_hex(8),
            "access": access,
        }
        head = f"{_packed({'typ': 'JWT', 'alg': 'RS256', 'kid': self._kid})}.{_packed(claims)}"
        signature = self._key.sign(head.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{head}.{_base64(signature)}"

    def claims(self, token: str) -> dict | None:
        """Give what a token of ours says; None for another's or an old one."""
        found = self._checked.get(token) or self._check(token)
        return found if found and found["exp"] > time.time() else None

    def _check(self, token: str) -> dict | None:
        head, _, signature = token.rpartition(".")
        try:
            self._public.verify(_unbase64(signature), head.encode(), padding.PKCS1v15(), hashes.SHA256())
            claims = json.loads(_unbase64(head.split(".")[1]))
        except (InvalidSignature, ValueError, IndexError):
            return None
        if len(self._checked) > 1000:
            self._checked.clear()
        self._checked[token] = claims
        return claims


def _make(key_path: Path, certificate_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    key_path.chmod(0o600)
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _fingerprint(public: rsa.RSAPublicKey) -> str:
    """Name the key as distribution does: SHA-256 of it, 240 bits in base 32, in groups of four."""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[start : start + 4] for start in range(0, len(text), 4))


def _packed(value: dict) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
