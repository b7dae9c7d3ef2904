"""The options that every stateful resource gets, and the list of what is stateful."""

import pulumi

from infra.settings import Settings

#: Type tokens whose loss costs data, credentials or a delegated name. A graph test holds each of them to `durable`.
STATEFUL = frozenset(
    {
        "aws:backup/vault:Vault",
        "aws:efs/fileSystem:FileSystem",
        "aws:kms/key:Key",
        "aws:rds/instance:Instance",
        "aws:route53/zone:Zone",
        "aws:s3/bucket:Bucket",
        "aws:secretsmanager/secret:Secret",
        # Random values live in the state alone: replacing Harbor's secretKey makes its stored credentials unreadable.
        "random:index/randomPassword:RandomPassword",
        "tls:index/privateKey:PrivateKey",
    }
)


def durable(settings: Settings, parent: pulumi.Resource, **more: object) -> pulumi.ResourceOptions:
    """Give options that keep a resource: no delete or replace by accident, and never deleted with the stack.

    Both are state, so they hold from the first `up`. With `keepData` false, as `slipway teardown --delete-data` sets
    it, they are taken away deliberately.
    """
    kept = pulumi.ResourceOptions(parent=parent, protect=settings.keep_data, retain_on_delete=settings.keep_data)
    return pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(**more))  # ty: ignore[invalid-argument-type]
