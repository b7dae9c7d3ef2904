"""The secret table: every Secret that Harbor reads, its keys, and how each value is made.

One table, three readers: the program makes the values and puts them into AWS Secrets Manager, the renderer writes
ExternalSecrets and chart values that name them, and a kind install makes them in the cluster. The key names and
lengths are the chart's (templates of 1.19, see docs/secrets.md); none of them can be chosen freely.

The names differ on purpose from the Secrets that the chart makes itself (``harbor-core``, ``harbor-registry``…).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Password:
    """Random letters and digits: Harbor builds DSNs and URLs unquoted, so nothing else is safe everywhere."""

    length: int


@dataclass(frozen=True, kw_only=True)
class RsaPrivateKey:
    """PEM private key. Harbor parses its token key as RSA; ECDSA breaks login."""

    bits: int


@dataclass(frozen=True, kw_only=True)
class Htpasswd:
    """``user:bcrypt(password)``, hashed once and kept in state: a fresh salt would roll pods at every render."""

    username: str
    password_property: str


@dataclass(frozen=True, kw_only=True)
class Username:
    """A fixed account name that travels beside its password."""

    value: str


@dataclass(frozen=True, kw_only=True)
class IamAccessKey:
    """Half of a static IAM access key, scoped to the registry's bucket."""

    part: Literal["id", "secret"]


Source = Password | RsaPrivateKey | Htpasswd | Username | IamAccessKey


@dataclass(frozen=True, kw_only=True)
class HarborSecret:
    """One Kubernetes Secret and the Secrets Manager secret it comes from.

    Attributes:
        name: of the Kubernetes Secret; Secrets Manager's is ``<prefix>/<name>``.
        properties: property of the Secrets Manager JSON → how its value is made. The Kubernetes keys are the same
            unless `template` says otherwise.
        template: Kubernetes key → External Secrets template text, for Secrets whose keys differ from the properties.
        needs: present only where the environment has this part.
    """

    name: str
    properties: Mapping[str, Source]
    template: Mapping[str, str] = field(default_factory=dict)
    needs: Literal["", "database", "cache", "s3"] = ""


REGISTRY_USERNAME = "harbor_registry_user"
DATABASE_USERNAME = "harbor"
CACHE_USERNAME = "harbor"

SECRETS: tuple[HarborSecret, ...] = (
    # Read on the first start only; afterwards Harbor's own database holds it.
    HarborSecret(name="harbor-admin", properties={"HARBOR_ADMIN_PASSWORD": Password(length=32)}),
    # AES key of the credentials stored in the database: losing or changing it makes them unreadable.
    HarborSecret(name="harbor-secretkey", properties={"secretKey": Password(length=16)}),
    HarborSecret(name="harbor-core-shared", properties={"secret": Password(length=16)}),
    HarborSecret(name="harbor-token-service", properties={"tls.key": RsaPrivateKey(bits=4096)}),
    # Any other length than 32 makes core answer every request with an error.
    HarborSecret(name="harbor-xsrf", properties={"CSRF_KEY": Password(length=32)}),
    HarborSecret(name="harbor-jobservice-shared", properties={"JOBSERVICE_SECRET": Password(length=16)}),
    # Signs upload state, so it must be the same on every replica.
    HarborSecret(name="harbor-registry-http", properties={"REGISTRY_HTTP_SECRET": Password(length=16)}),
    HarborSecret(
        name="harbor-registry-creds",
        properties={
            "REGISTRY_PASSWD": Password(length=32),
            "REGISTRY_HTPASSWD": Htpasswd(username=REGISTRY_USERNAME, password_property="REGISTRY_PASSWD"),  # noqa: S106
        },
    ),
    HarborSecret(name="harbor-db", properties={"password": Password(length=32)}, needs="database"),
    # The chart reads its Redis Secret only by `lookup` at render time; as a values document a missing one fails loudly.
    HarborSecret(
        name="harbor-redis",
        properties={"username": Username(value=CACHE_USERNAME), "password": Password(length=64)},
        template={
            "values.yaml": 'redis:\n  external:\n    username: "{{ .username }}"\n    password: "{{ .password }}"\n'
        },
        needs="cache",
    ),
    HarborSecret(
        name="harbor-s3",
        properties={
            "REGISTRY_STORAGE_S3_ACCESSKEY": IamAccessKey(part="id"),
            "REGISTRY_STORAGE_S3_SECRETKEY": IamAccessKey(part="secret"),
        },
        needs="s3",
    ),
)


def secrets_for(parts: frozenset[str]) -> tuple[HarborSecret, ...]:
    """Give the Secrets of an environment that has these parts: any of ``database``, ``cache``, ``s3``."""
    return tuple(secret for secret in SECRETS if not secret.needs or secret.needs in parts)
