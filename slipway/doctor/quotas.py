"""The account's limits: whether they leave room for a new environment."""

from collections.abc import Iterable

from infra.naming import Names
from slipway.doctor.check import Check, Failed, Skipped
from slipway.doctor.cloud import asks_aws
from slipway.doctor.scene import Scene

#: EC2's quota of running on-demand vCPUs of the standard families, of elastic addresses, and the VPC's of VPCs.
VCPUS, ADDRESSES, VPCS = ("ec2", "L-1216C47A"), ("ec2", "L-0263D0A3"), ("vpc", "L-F678F1CE")


@asks_aws
def quotas(scene: Scene) -> str:
    """Hold what a new environment takes against the account's limits."""
    settings, ec2 = scene.settings, scene.aws("ec2")
    vpcs = ec2.describe_vpcs()["Vpcs"]
    name = Names(settings.environment).physical("vpc")
    if any({"Key": "Name", "Value": name} in vpc.get("Tags", ()) for vpc in vpcs):
        raise Skipped(f"{name} is there already: what it takes is taken")
    kind = settings.sized.node_type or ""
    (shape,) = ec2.describe_instance_types(InstanceTypes=[kind])["InstanceTypes"]
    count = (settings.sized.nodes_per_zone or 1) * len(settings.zone_names)
    makes_network = settings.network.existing is None
    addresses = {"none": 0, "single": 1}.get(settings.nat, len(settings.zone_names)) if makes_network else 0
    wanted = {
        "vCPUs of on-demand instances": (VCPUS, 0, count * shape["VCpuInfo"]["DefaultVCpus"]),
        "elastic IP addresses": (ADDRESSES, len(ec2.describe_addresses()["Addresses"]) if addresses else 0, addresses),
        "VPCs": (VPCS, len(vpcs), 1 if makes_network else 0),
    }
    return _held(scene, wanted.items())


def _held(scene: Scene, wanted: Iterable[tuple[str, tuple[tuple[str, str], int, int]]]) -> str:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    client = scene.aws("service-quotas")
    short, told, fixes = [], [], []
    for name, ((service, code), used, more) in wanted:
        try:
            limit = client.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchResourceException":
                raise
            continue
        told.append(f"{name}: {used} + {more} of {limit:g}")
        if more and used + more > limit:
            short.append(told[-1])
            fixes.append(
                f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code} "
                f"--desired-value {used + more} --region {scene.settings.region}"
            )
    if short:
        raise Failed("; ".join(short), "\n".join(fixes))
    if not told:
        raise Skipped("AWS tells no quota here")
    return "; ".join(told)


CHECKS = (
    Check(
        id="cloud.quotas",
        shows="the account's limits of vCPUs, addresses and VPCs leave room for a new environment",
        fix="ask for more in the console: Service Quotas",
        do=quotas,
        needs=("cloud.region",),
    ),
)
