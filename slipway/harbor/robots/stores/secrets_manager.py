"""AWS Secrets Manager: AWSCURRENT is the one in use, AWSPENDING the one that is not proven yet.

SecretsManagerStore(boto3.client("secretsmanager", region_name="eu-central-1"), "harbor/prod/robots/payments/ci")
"""

import contextlib
import uuid
from collections.abc import Generator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.errors import Problem, SecretStoreError
from slipway.harbor.robots.stores.store import Credential

_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"
_TAGS = [{"Key": "ManagedBy", "Value": "slipway"}]
_LOG_IN = "set AWS_PROFILE, or log in: aws sso login; or keep the secret elsewhere: --secret-to file:PATH"
_FIXES = {
    "AccessDeniedException": "take credentials with secretsmanager: DescribeSecret, GetSecretValue, CreateSecret, "
    "TagResource, PutSecretValue and UpdateSecretVersionStage for it, and kms: GenerateDataKey and Decrypt for its key",
    "InvalidRequestException": "where it is being deleted: aws secretsmanager restore-secret --secret-id NAME",
}


class SecretsManagerStore:
    """One secret (`slipway.harbor.robots.stores.store.Store`)."""

    def __init__(self, client: Any, secret_id: str, *, key: str = "", made_by: str = "") -> None:  # noqa: ANN401  # boto3's
        """Name the secret.

        Args:
            client: of boto3.
            secret_id: its name.
            key: that encrypts one which is made here.
            made_by: what makes it, if that is not us: then one that is missing is an error.
        """
        self._client, self.secret_id, self._key, self._made_by = client, secret_id, key, made_by

    @property
    def name(self) -> str:
        """What it is."""
        return f"Secrets Manager's {self.secret_id}"

    def current(self) -> Credential | None:
        """Give the one in use; see `Store`."""
        return self._read(_CURRENT)

    def pending(self) -> Credential | None:
        """Give the one that is not proven; see `Store`."""
        return self._read(_PENDING)

    def check(self) -> None:
        """Refuse before anything is made where AWS refuses us, or the secret is being deleted; see `Store`."""
        with self._told():
            stages = self._stages()
        if stages is None and self._made_by:
            raise SecretStoreError(Problem(where=self.name, what="is not there", fix=self._made_by))

    def stage(self, credential: Credential) -> None:
        """Keep it as pending; see `Store`. AWS makes the first version of all the current one at once."""
        with self._told():
            if self._stages() is None:
                with contextlib.suppress(self._client.exceptions.ResourceExistsException):
                    self._client.create_secret(
                        Name=self.secret_id,
                        Description="A robot of Harbor, made and rotated by slipway login-kit",
                        Tags=_TAGS,
                        **({"KmsKeyId": self._key} if self._key else {}),
                    )
            self._client.put_secret_value(
                SecretId=self.secret_id,
                ClientRequestToken=str(uuid.uuid4()),
                SecretString=credential.to_json(),
                VersionStages=[_PENDING],
            )

    def promote(self) -> None:
        """Move AWSCURRENT to what is pending; see `Store`. The one before stays as AWSPREVIOUS."""
        with self._told():
            stages = self._stages() or {}
            pending, current = stages.get(_PENDING), stages.get(_CURRENT)
            if pending and pending != current:
                before = {"RemoveFromVersionId": current} if current else {}
                self._client.update_secret_version_stage(
                    SecretId=self.secret_id, VersionStage=_CURRENT, MoveToVersionId=pending, **before
                )
            if pending:
                self._client.update_secret_version_stage(
                    SecretId=self.secret_id, VersionStage=_PENDING, RemoveFromVersionId=pending
                )

    def _stages(self) -> dict[str, str] | None:
        """Give stage → version; None where there is no such secret."""
        try:
            found = self._client.describe_secret(SecretId=self.secret_id)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        if found.get("DeletedDate"):
            fix = f"aws secretsmanager restore-secret --secret-id {self.secret_id}, or choose another --name"
            raise SecretStoreError(Problem(where=self.name, what="is being deleted", fix=fix))
        versions = found.get("VersionIdsToStages") or {}
        return {stage: version for version, stages in versions.items() for stage in stages}

    def _read(self, stage: str) -> Credential | None:
        with self._told():
            try:
                found = self._client.get_secret_value(SecretId=self.secret_id, VersionStage=stage)
            except self._client.exceptions.ResourceNotFoundException:
                return None  # neither the secret, or none of that stage
        return Credential.from_json(found.get("SecretString", ""), where=self.name)

    @contextlib.contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            what = f"{error.operation_name}: {error.response['Error'].get('Message') or code}"
            raise SecretStoreError(Problem(where=self.name, what=what, fix=_FIXES.get(code, _LOG_IN))) from error
        except BotoCoreError as error:
            raise SecretStoreError(Problem(where=self.name, what=str(error), fix=_LOG_IN)) from error
