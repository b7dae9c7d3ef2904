"""How the value of a secret's property is made. What each becomes is `infra/aws/secrets.py`'s, or a kind install's.

str(Password(length=16))    # 16 random letters and digits
"""

from dataclasses import dataclass
from typing import ClassVar, Literal


class _Said:
    """Says in a few words what the value is, for a person."""

    said: ClassVar[str]

    def __str__(self) -> str:
        return self.said.format(**vars(self))


@dataclass(frozen=True, kw_only=True)
class Password(_Said):
    """Random letters and digits: Harbor builds DSNs and URLs unquoted, so nothing else is safe everywhere."""

    said = "{length} random letters and digits"
    length: int


@dataclass(frozen=True, kw_only=True)
class RsaPrivateKey(_Said):
    """PEM private key. Harbor parses its token key as RSA; ECDSA breaks login."""

    said = "RSA key of {bits} bits, PEM"
    bits: int


@dataclass(frozen=True, kw_only=True)
class Htpasswd(_Said):
    """``user:bcrypt(password)``, hashed once and kept in state: a fresh salt would roll pods at every render."""

    said = "`{username}:` and the bcrypt hash of `{password_property}`"
    username: str
    password_property: str


@dataclass(frozen=True, kw_only=True)
class Username(_Said):
    """A fixed account name that travels beside its password."""

    said = "`{value}`"
    value: str


@dataclass(frozen=True, kw_only=True)
class IamAccessKey(_Said):
    """Half of a static IAM access key, scoped to the registry's bucket."""

    said = "{part} of an IAM access key"
    part: Literal["id", "secret"]


@dataclass(frozen=True, kw_only=True)
class CertificateAuthority(_Said):
    """Certificate of the authority that signs every `Leaf` of the environment; its key never leaves the program."""

    said = "certificate of the internal authority, PEM"


@dataclass(frozen=True, kw_only=True)
class Leaf(_Said):
    """Certificate or key of one component, for the short name of its Service: ``harbor-<service>``."""

    said = "{part} for the name `harbor-{service}`, PEM"
    service: str
    part: Literal["certificate", "key"]


@dataclass(frozen=True, kw_only=True)
class Given(_Said):
    """A value that only the team has; somebody puts it into Secrets Manager before the option is turned on."""

    said = "{what}, which somebody puts there"
    what: str


Source = Password | RsaPrivateKey | Htpasswd | Username | IamAccessKey | CertificateAuthority | Leaf | Given
