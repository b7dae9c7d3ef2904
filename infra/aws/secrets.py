"""The secrets that Harbor needs: made once, kept in the state (encrypted) and put into AWS Secrets Manager.

Which ones, and how each value is made, is the secret table's (values/secrets.py); here is only the making.
"""

import json
from collections.abc import Mapping

import pulumi
from pulumi_aws import secretsmanager
from pulumi_random import RandomPassword
from pulumi_tls import PrivateKey

from infra.aws.internal_tls import InternalCertificates
from infra.durable import durable
from infra.naming import Names
from infra.settings import Settings
from values.composition import parts_of
from values.secrets import INTERNAL_TLS_SERVICES, HarborSecret, secrets_for
from values.sources import (
    CertificateAuthority,
    Given,
    Htpasswd,
    IamAccessKey,
    Leaf,
    Password,
    RsaPrivateKey,
    Source,
    Username,
)

TOKEN = "slipway:aws:HarborSecrets"  # noqa: S105


class HarborSecrets(pulumi.ComponentResource):
    """Random values and keys of one environment.

    Outputs:
        cache_password: for the cache's user.

    `store` puts everything into Secrets Manager, once the bucket's access key exists where there is one.
    """

    cache_password: pulumi.Output[str]

    def __init__(self, settings: Settings, *, opts: pulumi.ResourceOptions) -> None:
        super().__init__(TOKEN, "secrets", None, opts)
        self._settings, self._names = settings, Names(settings.environment)
        self._table = secrets_for(parts_of(settings.harbor, database=True, cache=True, s3=settings.storage == "s3"))
        self._passwords = {
            (secret.name, key): RandomPassword(
                f"{secret.name}-{key}", length=source.length, special=False, opts=durable(settings, self)
            )
            for secret in self._table
            for key, source in secret.properties.items()
            if isinstance(source, Password)
        }
        self._private_keys = {
            (secret.name, key): PrivateKey(
                f"{secret.name}-{key}", algorithm="RSA", rsa_bits=source.bits, opts=durable(settings, self)
            )
            for secret in self._table
            for key, source in secret.properties.items()
            if isinstance(source, RsaPrivateKey)
        }
        self._internal = (
            InternalCertificates(settings, INTERNAL_TLS_SERVICES, parent=self) if settings.harbor.internal_tls else None
        )
        self.cache_password = pulumi.Output.secret(self._passwords["harbor-redis", "password"].result)
        self.register_outputs({})

    def store(
        self, *, key_arn: pulumi.Input[str], access_key: Mapping[str, pulumi.Output[str]]
    ) -> list[pulumi.Resource]:
        """Declare the Secrets Manager secrets; gives the resources that hold the values, or a value's place.

        Args:
            key_arn: KMS key that encrypts them.
            access_key: ``id`` and ``secret`` of the bucket's IAM key, empty without a bucket.
        """
        stored: list[pulumi.Resource] = []
        for secret in self._table:
            holder = secretsmanager.Secret(
                secret.name,
                name=f"{self._names.secrets_prefix}/{secret.name}",
                description=f"Harbor {self._names.environment}: Kubernetes Secret {secret.name}",
                kms_key_id=key_arn,
                recovery_window_in_days=30,
                # Encrypted there by AWS's own key: ours lives in one region.
                replicas=[{"region": region}] if (region := self._settings.copy_region) else None,
                tags=self._names.tags(secret.name),
                opts=durable(self._settings, self),
            )
            if any(isinstance(source, Given) for source in secret.properties.values()):
                stored.append(holder)  # its place; somebody puts the value there
                continue
            values = {key: self._value(secret, key, source, access_key) for key, source in secret.properties.items()}
            stored.append(
                secretsmanager.SecretVersion(
                    secret.name,
                    secret_id=holder.id,
                    secret_string=pulumi.Output.secret(pulumi.Output.all(**values).apply(to_secret_string)),
                    opts=pulumi.ResourceOptions(parent=self),
                )
            )
        return stored

    def _value(
        self, secret: HarborSecret, key: str, source: Source, access_key: Mapping[str, pulumi.Output[str]]
    ) -> pulumi.Input[str]:
        match source:
            case Password():
                return self._passwords[secret.name, key].result
            case RsaPrivateKey():
                return self._private_keys[secret.name, key].private_key_pem
            case Htpasswd(username=username, password_property=password):
                # bcrypt_hash is made once and kept in the state, so its salt never changes.
                return pulumi.Output.format("{0}:{1}", username, self._passwords[secret.name, password].bcrypt_hash)
            case Username(value=value):
                return value
            case IamAccessKey(part=part):
                return access_key[part]
            case CertificateAuthority() | Leaf() if self._internal:
                return self._internal.pem(source)
            case _:
                message = f"{secret.name}: nothing here makes its {key}"
                raise AssertionError(message)


def to_secret_string(values: Mapping[str, str]) -> str:
    """Give the JSON text that Secrets Manager holds; stable, so that an `up` without change writes no new version."""
    return json.dumps(dict(values), sort_keys=True)
