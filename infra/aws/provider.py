"""The explicit providers of one environment. Default providers are disabled in every stack file."""

import pulumi
from pulumi_aws import Provider as AwsProvider
from pulumi_random import Provider as RandomProvider
from pulumi_tls import Provider as TlsProvider

from infra.settings import Settings


def explicit_providers(settings: Settings) -> tuple[pulumi.ResourceOptions, pulumi.InvokeOptions]:
    """Give the options with the AWS, random and tls providers that every component gets, and those for AWS's functions.

    A wrong account is refused where the settings name one, and all that can be tagged is.
    """
    tags = {
        "Environment": settings.environment,
        "Owner": settings.owner,
        "ManagedBy": "slipway",
        "slipway:environment": settings.environment,
        **settings.tags,
    }
    aws = AwsProvider(
        "aws",
        region=settings.region,
        allowed_account_ids=[settings.account] if settings.account else None,
        default_tags={"tags": tags},
    )
    providers: list[pulumi.ProviderResource] = [aws, RandomProvider("random"), TlsProvider("tls")]
    return pulumi.ResourceOptions(providers=providers), pulumi.InvokeOptions(provider=aws)
