"""Log groups: encrypted, with retention, and there before the service that would make them without either."""

import pulumi
from pulumi_aws import cloudwatch

from infra.naming import Names
from infra.settings import Settings


def log_group(  # what a log group is made of
    part: str,
    *,
    name: str,
    settings: Settings,
    key_arn: pulumi.Input[str],
    parent: pulumi.Resource,
    region: str | None = None,
) -> cloudwatch.LogGroup:
    """Declare a CloudWatch log group.

    Args:
        part: logical name.
        name: as the service that writes into it expects it, ``/aws/eks/…``.
        settings: of the environment; the profile gives the retention.
        key_arn: KMS key whose policy lets CloudWatch Logs of that region use it.
        parent: the component it belongs to.
        region: where another than the environment's.
    """
    return cloudwatch.LogGroup(
        part,
        name=name,
        retention_in_days=settings.defaults.log_retention_days,
        kms_key_id=key_arn,
        region=region or settings.region,
        tags=Names(settings.environment).tags(part),
        opts=pulumi.ResourceOptions(parent=parent),
    )
