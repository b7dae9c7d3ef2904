"""Values of Secrets as a kind install makes them, by the source that the secret table names: the counterpart of
`infra/aws/secrets.py`.

properties = made(secret.properties)      # {"REGISTRY_PASSWD": "…", "REGISTRY_HTPASSWD": "harbor_registry_user:$2b$…"}
"""

import secrets
import string
from collections.abc import Mapping

from infra.errors import KindError, Problem
from values.sources import Htpasswd, Password, RsaPrivateKey, Source, Username

_LETTERS = string.ascii_letters + string.digits


def made(properties: Mapping[str, Source]) -> dict[str, str]:
    """Make the value of each property; a hash is that of the password made beside it.

    Raises:
        KindError: a source that only a cloud has.
    """
    values: dict[str, str] = {}
    # Hashes last: they need what they hash.
    for name, source in sorted(properties.items(), key=lambda item: isinstance(item[1], Htpasswd)):
        values[name] = _value(source, values)
    return {name: values[name] for name in properties}


def password(length: int) -> str:
    """Give random letters and digits, as many of each kind as chance wants."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _value(source: Source, beside: Mapping[str, str]) -> str:
    if isinstance(source, Password):
        return password(source.length)
    if isinstance(source, Username):
        return source.value
    if isinstance(source, RsaPrivateKey):
        return _rsa(source.bits)
    if isinstance(source, Htpasswd):
        import bcrypt  # noqa: PLC0415  # for those who make Secrets

        hashed = bcrypt.hashpw(beside[source.password_property].encode(), bcrypt.gensalt(10))
        return f"{source.username}:{hashed.decode()}"
    raise KindError(Problem(where="secret table", what=f"{source}: not made on kind", fix="turn that option off"))


def _rsa(bits: int) -> str:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # 60 ms for those who make Secrets
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
