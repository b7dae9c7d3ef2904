"""What of a proof is still in an AWS account, by the tags that the program and the controllers put on everything.

What costs nothing any more and ends by itself is left out: deleted secrets, and keys that wait for their deletion.
"""

from collections.abc import Iterator

from infra.naming import Names

_ENDING = ("arn:aws:kms:", "arn:aws:secretsmanager:")


def remains(name: str, region: str) -> list[str]:
    """Ask AWS for everything that carries this stack's tags; what could not be asked is said as well."""
    import boto3  # noqa: PLC0415  # 200 ms for those who need it
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    cluster = Names(name).physical()
    tags = {
        "slipway:environment": [name],
        "elbv2.k8s.aws/cluster": [cluster],
        f"kubernetes.io/cluster/{cluster}": ["owned"],
    }
    config = Config(connect_timeout=10, read_timeout=20, retries={"max_attempts": 2})
    try:
        client = boto3.client("resourcegroupstaggingapi", region_name=region, config=config)
        arns = {arn for key, values in tags.items() for arn in _tagged(client, key, values)}
    except (BotoCoreError, ClientError) as error:
        why = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        tag = f"slipway:environment={name}"
        return [f"what AWS still has could not be asked ({why}): look for the tag {tag} in {region}"]
    return sorted(_plain(arn) for arn in arns if not arn.startswith(_ENDING))


def _tagged(client, key: str, values: list[str]) -> Iterator[str]:  # noqa: ANN001  # boto3 has no types
    for page in client.get_paginator("get_resources").paginate(TagFilters=[{"Key": key, "Values": values}]):
        yield from (one["ResourceARN"] for one in page["ResourceTagMappingList"])


def _plain(arn: str) -> str:
    """Give an ARN without account and partition."""
    _, _, service, region, _, resource = arn.split(":", 5)
    return " ".join(part for part in (service, region, resource) if part)
