"""The cloud: who we are there, and whether the region offers what the settings name. It only asks.

What AWS does not let us look at is a warning, not a failure: `pulumi up` may have other rights.
"""

import re
from collections.abc import Callable
from functools import wraps

from infra import tables
from infra.naming import dns_region
from slipway.doctor.check import Check, Failed, Skipped, Warned
from slipway.doctor.scene import Scene

_EXPIRED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
    "AuthFailure",
}
_REFUSED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException"}
_LOG_IN = "set AWS_PROFILE, or log in again: aws sso login; aws configure"
_ASSUMED = re.compile(r"^(arn:[^:]+):sts::(\d+):assumed-role/([^/]+)/.+$")


def asks_aws(look: Callable[[Scene], str]) -> Callable[[Scene], str]:
    """Turn what AWS says no with into a warning or a failure."""

    @wraps(look)
    def asking(scene: Scene) -> str:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # noqa: PLC0415
        from botocore.parsers import ResponseParserError  # noqa: PLC0415

        try:
            return look(scene)
        except NoCredentialsError as error:
            if not scene.environment:
                raise Skipped("no AWS credentials here") from error
            raise Failed("no AWS credentials here", _LOG_IN) from error
        except ClientError as error:
            code, operation = error.response["Error"]["Code"], error.operation_name
            if code in _EXPIRED:
                raise Failed(f"AWS does not take the credentials ({code})", _LOG_IN) from error
            if code in _REFUSED:
                fix = "take the deploy role, which may (docs/bootstrap.md), or add the right"
                raise Warned(f"not allowed to look: {operation}", fix) from error
            raise Warned(f"{operation}: {error.response['Error'].get('Message') or code}") from error
        except (BotoCoreError, ResponseParserError) as error:
            fix = "look at AWS_PROFILE, the network and HTTPS_PROXY"
            raise Failed(f"AWS gives no answer: {str(error).splitlines()[0]}", fix) from error

    return asking


@asks_aws
def identity(scene: Scene) -> str:
    """Ask who we are; without an environment, only that."""
    # A region that the account has not turned on takes no credentials, so a region that always is gets asked.
    home = dns_region(scene.settings.region) if scene.environment else ""
    caller = scene.aws("sts", home).get_caller_identity()
    account, arn = caller["Account"], caller["Arn"]
    if not scene.environment:
        return arn
    settings = scene.settings
    if settings.account and settings.account != account:
        fix = "take that account's credentials, or correct slipway:account"
        raise Failed(f"you are in account {account}, the settings want {settings.account}", fix)
    assumed = _ASSUMED.match(arn)
    person = f"{assumed[1]}:iam::{assumed[2]}:role/{assumed[3]}" if assumed else arn
    known = settings.cluster.admin_role_arns
    # A session's ARN has lost the path that its role's may have.
    ours = [one for one in known if one == person or (assumed and one.endswith(f"/{assumed[3]}") and account in one)]
    if not ours:
        fix = f"add {person} to cluster.adminRoleArns, or take a role that is there: {', '.join(known) or 'none is'}"
        raise Warned(f"{arn} is not in cluster.adminRoleArns: `pulumi up` could not use the cluster it makes", fix)
    return arn


@asks_aws
def region(scene: Scene) -> str:
    """Ask whether the account has turned the region on."""
    name = scene.settings.region
    found = scene.aws("ec2", dns_region(name)).describe_regions(
        AllRegions=True, Filters=[{"Name": "region-name", "Values": [name]}]
    )["Regions"]  # fmt: skip
    state = next((one.get("OptInStatus") for one in found if one["RegionName"] == name), None)
    if state is None:
        raise Failed(f"this account knows no region {name}", "correct slipway:region")
    if state == "not-opted-in":
        fix = f"aws account enable-region --region-name {name}; it takes some minutes"
        raise Failed(f"{name} is not enabled for this account", fix)
    return name


@asks_aws
def zones(scene: Scene) -> str:
    """Ask for the zones of the account, whose letters are its own."""
    wanted = scene.settings.zone_names
    found = scene.aws("ec2").describe_availability_zones(
        Filters=[{"Name": "zone-type", "Values": ["availability-zone"]}]
    )["AvailabilityZones"]  # fmt: skip
    states = {one["ZoneName"]: one["State"] for one in found}
    if missing := [zone for zone in wanted if states.get(zone) != "available"]:
        told = ", ".join(f"{zone} ({states.get(zone, 'unknown here')})" for zone in missing)
        free = ", ".join(zone for zone, state in states.items() if state == "available")
        raise Failed(f"not available to this account: {told}", f"set zones to some of: {free}")
    return ", ".join(wanted)


@asks_aws
def nodes(scene: Scene) -> str:
    """Ask where EC2 offers the type: each zone has a node group of it."""
    settings = scene.settings
    node_type = settings.sized.node_type or ""
    offered = scene.aws("ec2").describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [node_type]}]
    )["InstanceTypeOfferings"]  # fmt: skip
    there = {one["Location"] for one in offered}
    if lacking := [zone for zone in settings.zone_names if zone not in there]:
        where = ", ".join(sorted(there)) or "no zone of the region"
        fix = "choose another sizes.nodeType (tables/nodes.yaml), or other zones"
        raise Failed(f"{node_type} is not offered in {', '.join(lacking)}, but in {where}", fix)
    return f"{node_type} in {', '.join(settings.zone_names)}"


@asks_aws
def database(scene: Scene) -> str:
    """Ask where RDS offers the class for the chosen PostgreSQL."""
    settings = scene.settings
    major, kind = settings.database.postgres_version, settings.sized.database_class or ""
    pages = scene.aws("rds").get_paginator("describe_orderable_db_instance_options")
    options = [
        option
        for page in pages.paginate(Engine="postgres", DBInstanceClass=kind, Vpc=True)
        for option in page["OrderableDBInstanceOptions"]
        if option["EngineVersion"].split(".")[0] == major
    ]
    there = {zone["Name"] for option in options for zone in option.get("AvailabilityZones", ())}
    usable = [zone for zone in settings.zone_names if zone in there]
    fix = "choose another sizes.databaseClass (tables/database.yaml), or other zones"
    if len(usable) < (2 if settings.defaults.multi_az else 1):
        where = ", ".join(sorted(there)) or "no zone of the region"
        raise Failed(f"{kind} with PostgreSQL {major} is offered in {where}, too few of the environment's", fix)
    if len(usable) < len(settings.zone_names):
        raise Warned(f"{kind} with PostgreSQL {major} only in {', '.join(usable)}", fix)
    return f"{kind} with PostgreSQL {major} in {', '.join(usable)}"


@asks_aws
def cache(scene: Scene) -> str:
    """Ask for the Valkey version, and whether the region sells the node type: AWS tells no zones of caches."""
    settings, client = scene.settings, scene.aws("elasticache")
    version, kind = settings.cache.valkey_version, settings.sized.cache_node_type or ""
    versions = client.describe_cache_engine_versions(Engine="valkey")["CacheEngineVersions"]
    known = sorted({one["EngineVersion"] for one in versions})
    if not any(one == version or one.startswith(f"{version}.") for one in known):
        raise Failed(
            f"ElastiCache has no Valkey {version} here, but {', '.join(known) or 'none'}", "set cache.valkeyVersion"
        )
    sold = client.describe_reserved_cache_nodes_offerings(CacheNodeType=kind, MaxRecords=20)
    if not sold["ReservedCacheNodesOfferings"]:
        raise Warned(f"nothing shows that {settings.region} has {kind}", "choose another sizes.cacheNodeType")
    return f"{kind} with Valkey {version}; AWS tells no zones of caches"


@asks_aws
def kubernetes(scene: Scene) -> str:
    """Ask what EKS says of the version."""
    version = scene.settings.kubernetes_version
    found = scene.aws("eks").describe_cluster_versions(clusterVersions=[version])["clusterVersions"]
    if not found:
        raise Failed(
            f"EKS has no {version} here", f"set kubernetesVersion to one of {', '.join(tables.kubernetes_versions())}"
        )
    status = str(found[0].get("versionStatus") or found[0].get("status", "")).lower().replace("_", "-")
    if "extended" in status:
        raise Warned(f"EKS {version} is in extended support, which costs six times as much", "raise kubernetesVersion")
    if "unsupported" in status:
        raise Failed(f"EKS {version} is out of support", "raise kubernetesVersion")
    return f"EKS {version}: {status or 'offered'}"


_NEEDS = ("cloud.identity",)
CHECKS = (
    Check(
        id="cloud.identity",
        shows="AWS knows us, in the right account, and the cluster will too",
        fix=_LOG_IN,
        do=identity,
        needs=("stack.settings",),
        environment=False,
    ),
    Check(id="cloud.region", shows="the region is enabled for the account", fix="enable it", do=region, needs=_NEEDS),
    Check(
        id="cloud.zones",
        shows="the zones are available to the account",
        fix="choose other zones in the stack file",
        do=zones,
        needs=("cloud.region",),
    ),
    Check(
        id="cloud.kubernetes",
        shows="EKS offers the Kubernetes version in standard support",
        fix="choose another kubernetesVersion",
        do=kubernetes,
        needs=("cloud.region",),
    ),
    Check(
        id="cloud.nodes",
        shows="EC2 offers the nodes' type in every zone",
        fix="choose another sizes.nodeType, or other zones",
        do=nodes,
        needs=("cloud.region",),
    ),
    Check(
        id="cloud.database",
        shows="RDS offers the class with the PostgreSQL version in the zones",
        fix="choose another sizes.databaseClass",
        do=database,
        needs=("cloud.region",),
    ),
    Check(
        id="cloud.cache",
        shows="ElastiCache offers the node type and the Valkey version",
        fix="choose another sizes.cacheNodeType",
        do=cache,
        needs=("cloud.region",),
    ),
)
