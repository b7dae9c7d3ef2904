"""The ledger in S3, written on condition that nobody else did: for pipelines and schedules.

store = S3Ledger(boto3.client("s3"), bucket="acme-harbor-state", key="prod/ledger.json", instance="prod")
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.errors import LedgerError, LedgerMoved, Problem
from slipway.harbor.ledger.ledger import Ledger
from slipway.harbor.ledger.store import read_text

_LOST = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_RIGHTS = (
    "these AWS credentials need s3:GetObject and s3:PutObject on it, and s3:ListBucket to tell that it is not there"
)


class S3Ledger:
    """One object; its ETag is the condition."""

    def __init__(self, client: Any, *, bucket: str, key: str, instance: str) -> None:  # noqa: ANN401  # boto3's
        self._client, self._bucket, self._key, self._instance = client, bucket, key, instance
        self._etag = ""

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._key}"

    def load(self) -> Ledger:
        """Read it; there is none before the first apply.

        Raises:
            LedgerError: S3 does not give it, it is no ledger, or another instance's.
        """
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key)
            text, self._etag = answer["Body"].read().decode(), answer["ETag"]
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                self._etag = ""
                return Ledger(instance=self._instance)
            raise self._refused("read", error) from error
        except (BotoCoreError, UnicodeDecodeError) as error:
            raise self._refused("read", error) from error
        return read_text(text, instance=self._instance, where=str(self))

    def save(self, ledger: Ledger) -> None:
        """Write it, if it is still the one that was read.

        Raises:
            LedgerMoved: it is not.
            LedgerError: S3 does not take it.
        """
        ledger.serial += 1
        condition = {"IfMatch": self._etag} if self._etag else {"IfNoneMatch": "*"}
        body = "".join(ledger.to_text()).encode()
        try:
            answer = self._client.put_object(
                Bucket=self._bucket, Key=self._key, Body=body, ContentType="application/json", **condition
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _LOST:
                what, fix = "somebody else wrote it meanwhile", "wait for the other run, then run it again"
                raise LedgerMoved(Problem(where=str(self), what=what, fix=fix)) from None
            raise self._refused("written", error) from error
        except BotoCoreError as error:
            raise self._refused("written", error) from error
        self._etag = answer["ETag"]

    def _refused(self, done: str, error: Exception) -> LedgerError:
        return LedgerError(Problem(where=str(self), what=f"cannot be {done}: {error}", fix=_RIGHTS))
