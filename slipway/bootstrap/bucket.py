"""The bucket that holds Pulumi's state: versioned, encrypted, private, and by TLS alone."""

from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from infra.errors import BootstrapError, Problem
from slipway.bootstrap.wanted import TAGS, Wanted, same_document

#: A state that was overwritten can be brought back for so long.
OLD_VERSIONS_DAYS, ABORTED_UPLOADS_DAYS = 365, 7
_PRIVATE = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
_OWNED = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
_LIFECYCLE = {
    "Rules": [
        {
            "ID": "old-versions",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_VERSIONS_DAYS},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABORTED_UPLOADS_DAYS},
        }
    ]
}
_NOT_THERE = {
    "NoSuchLifecycleConfiguration",
    "NoSuchBucketPolicy",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
}


class Bucket:
    """The state bucket (`slipway.bootstrap.steps.Part`)."""

    def __init__(self, wanted: Wanted, s3: Any, key_arn: Callable[[], str]) -> None:  # noqa: ANN401  # a boto3 client
        self._wanted, self._s3, self._key_arn = wanted, s3, key_arn

    @property
    def name(self) -> str:
        """What it is."""
        return f"S3 bucket {self._wanted.bucket}"

    def look(self) -> Sequence[str] | None:
        """Give what differs; see `Part`."""
        try:
            self._s3.head_bucket(Bucket=self._wanted.bucket)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
                raise
            what = "exists and is not ours to look at"
            fix = "another account has it, or your rights lack s3:ListBucket: take an administrator's credentials"
            raise BootstrapError(Problem(where=self.name, what=what, fix=fix)) from None
        return [what for what, fits in self._demands() if not fits]

    def _demands(self) -> list[tuple[str, bool]]:
        """Give what is to be said where something does not fit, and whether it does."""
        encryption = self._get("get_bucket_encryption", "ServerSideEncryptionConfiguration")
        owned = self._get("get_bucket_ownership_controls", "OwnershipControls")
        private = self._get("get_public_access_block", "PublicAccessBlockConfiguration")
        policy = self._get("get_bucket_policy", "Policy")
        return [
            ("versioning was off", self._get("get_bucket_versioning", "Status") == "Enabled"),
            ("encryption was not by our key", encryption == self._encryption()),
            ("public access was not blocked", private == _PRIVATE),
            ("objects could belong to others", owned == _OWNED),
            ("its policy was another", same_document(policy, self._wanted.bucket_policy())),
            ("old versions were kept otherwise", self._lifecycle() == _LIFECYCLE["Rules"]),
            ("tags were missing", not TAGS.items() - self._tags()),
        ]

    def make(self) -> None:
        """Make the bucket."""
        where = {"CreateBucketConfiguration": {"LocationConstraint": self._wanted.region}}
        # The one region that S3 does not take by name.
        self._s3.create_bucket(Bucket=self._wanted.bucket, **({} if self._wanted.region == "us-east-1" else where))

    def mend(self) -> None:
        """Set everything, what fits already too."""
        name, s3 = self._wanted.bucket, self._s3
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=_PRIVATE)
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=_OWNED)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=self._encryption())
        s3.put_bucket_policy(Bucket=name, Policy=self._wanted.bucket_policy())
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=_LIFECYCLE)
        tags = {**dict(self._tags()), **TAGS}
        s3.put_bucket_tagging(
            Bucket=name, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}
        )

    def _encryption(self) -> dict[str, Any]:
        by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self._key_arn()}
        return {"Rules": [{"ApplyServerSideEncryptionByDefault": by_key, "BucketKeyEnabled": True}]}

    def _lifecycle(self) -> Any:  # noqa: ANN401  # as S3 has it
        return self._get("get_bucket_lifecycle_configuration", "Rules")

    def _tags(self) -> set[tuple[str, str]]:
        return {(tag["Key"], tag["Value"]) for tag in self._get("get_bucket_tagging", "TagSet") or ()}

    def _get(self, call: str, key: str) -> Any:  # noqa: ANN401  # as S3 has it
        try:
            return getattr(self._s3, call)(Bucket=self._wanted.bucket).get(key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_THERE:
                return None
            raise
