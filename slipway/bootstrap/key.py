"""The KMS key that encrypts the state bucket and the stacks' secrets."""

import json
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from infra.errors import BootstrapError, Problem
from slipway.bootstrap.wanted import ALIAS, TAGS, Wanted


class Key:
    """The key behind the alias (`slipway.bootstrap.steps.Part`)."""

    name = f"KMS key {ALIAS}"

    def __init__(self, wanted: Wanted, kms: Any) -> None:  # noqa: ANN401  # boto3's clients have no types
        self._wanted, self._kms = wanted, kms

    @property
    def arn(self) -> str:
        """ARN of the key; the alias must exist."""
        return self._kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["Arn"]

    def look(self) -> Sequence[str] | None:
        """Give what differs; see `Part`."""
        try:
            found = self._kms.describe_key(KeyId=ALIAS)["KeyMetadata"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NotFoundException":
                return None
            raise
        tags = self._kms.list_resource_tags(KeyId=found["KeyId"])["Tags"]
        if TAGS.items() - {(tag["TagKey"], tag["TagValue"]) for tag in tags}:
            what = f"points at the key {found['KeyId']}, which Slipway did not make"
            raise BootstrapError(
                Problem(where=ALIAS, what=what, fix="delete the alias, or give the key Slipway's tags")
            )
        if found["KeyState"] != "Enabled":
            fix = "aws kms cancel-key-deletion and enable-key: without this key no stack's secrets can be read"
            raise BootstrapError(Problem(where=ALIAS, what=f"its key is {found['KeyState']}", fix=fix))
        rotates = self._kms.get_key_rotation_status(KeyId=found["KeyId"])["KeyRotationEnabled"]
        return [] if rotates else ["rotation was off"]

    def make(self) -> None:
        """Make the key and its alias; one that an interrupted run left without its alias is taken."""
        key_id = (
            self._left_over()
            or self._kms.create_key(
                Description="Slipway: state bucket and secrets of Pulumi's stacks",
                Policy=self._policy(),
                Tags=[{"TagKey": key, "TagValue": value} for key, value in TAGS.items()],
            )["KeyMetadata"]["KeyId"]
        )
        self._kms.create_alias(AliasName=ALIAS, TargetKeyId=key_id)

    def mend(self) -> None:
        """Turn its rotation on."""
        self._kms.enable_key_rotation(KeyId=self.arn)

    def _left_over(self) -> str:
        for page in self._kms.get_paginator("list_keys").paginate():
            for key in page["Keys"]:
                found = self._kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
                if found["KeyManager"] == "AWS" or found["KeyState"] != "Enabled":
                    continue
                tags = self._kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]
                if not TAGS.items() - {(tag["TagKey"], tag["TagValue"]) for tag in tags}:
                    return key["KeyId"]
        return ""

    def _policy(self) -> str:
        """Leave it to IAM who may use the key, as AWS's own default does."""
        root = f"arn:{self._wanted.partition}:iam::{self._wanted.account}:root"
        statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
