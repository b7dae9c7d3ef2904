"""What of a proof is still in an AWS account, by the tags that the program and the controllers put on everything.

What costs nothing any more and ends by itself is left out: deleted secrets, keys that wait for their deletion, and what
EC2 goes on listing for an hour after it was deleted.
"""

from collections.abc import Iterable, Iterator

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
        if arns:
            arns -= _deleted(boto3.client("ec2", region_name=region, config=config), arns)
    except (BotoCoreError, ClientError) as error:
        why = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        tag = f"slipway:environment={name}"
        return [f"what AWS still has could not be asked ({why}): look for the tag {tag} in {region}"]
    return sorted(_plain(arn) for arn in arns if not arn.startswith(_ENDING))


def _tagged(client, key: str, values: list[str]) -> Iterator[str]:  # noqa: ANN001  # boto3 has no types
    for page in client.get_paginator("get_resources").paginate(TagFilters=[{"Key": key, "Values": values}]):
        yield from (one["ResourceARN"] for one in page["ResourceTagMappingList"])


def _deleted(client, arns: Iterable[str]) -> set[str]:  # noqa: ANN001  # boto3 has no types
    """Give the instances and NAT gateways that are listed and gone."""
    by_id = {arn.rpartition("/")[2]: arn for arn in arns}
    gateways = [name for name in by_id if name.startswith("nat-")]
    instances = [name for name in by_id if name.startswith("i-")]
    gone: list[str] = []
    if gateways:
        found = client.describe_nat_gateways(Filters=[{"Name": "nat-gateway-id", "Values": gateways}])["NatGateways"]
        there = {one["NatGatewayId"] for one in found if one["State"] != "deleted"}
        gone += [name for name in gateways if name not in there]
    if instances:
        found = client.describe_instances(Filters=[{"Name": "instance-id", "Values": instances}])["Reservations"]
        states = {one["InstanceId"]: one["State"]["Name"] for row in found for one in row["Instances"]}
        gone += [name for name in instances if states.get(name, "terminated") == "terminated"]
    return {by_id[name] for name in gone}


def _plain(arn: str) -> str:
    """Give an ARN without account and partition."""
    _, _, service, region, _, resource = arn.split(":", 5)
    return " ".join(part for part in (service, region, resource) if part)
