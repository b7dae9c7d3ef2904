"""Facts of one environment from its settings and what AWS answered; without Pulumi, so the command uses it as well.

It reads one file where the settings name it: the certificates of the database.
"""

from typing import Any

from infra import tables
from infra.ca_bundle import ca_bundle
from infra.naming import Names, partition
from infra.settings import Settings
from values.facts import Facts
from values.secrets import CACHE_USERNAME, DATABASE_USERNAME

DATABASE_PORT = 5432
#: Harbor's database inside the server; Harbor makes its tables, not the database.
DATABASE_NAME = "registry"
CACHE_PORT = 6379


def example(settings: Settings) -> Facts:
    """Give made-up facts of the shape that this environment's will have; they say so, and publishing refuses them.

    `slipway render` shows the files without a cloud, and the first preview names the files that will come.
    """
    region, account = settings.region, settings.account or "111122223333"
    name = Names(settings.environment).physical()
    storage = (
        {"type": "efs", "fileSystemId": "fs-0example", "registryAccessPointId": "fsap-0example"}
        if settings.storage == "efs"
        else {"type": "s3", "bucket": f"{name}-registry-{account}", "region": region}
    )
    known = {
        "account_id": account,
        "vpc_id": "vpc-0example",
        "vpc_cidr": settings.network.cidr,
        "hosted_zone_id": "Z0EXAMPLE",
        "certificate_arn": f"arn:{partition(region)}:acm:{region}:{account}:certificate/example",
        "database_host": f"{name}-database.example.{region}.rds.amazonaws.com",
        "database_admin_secret": f"arn:{partition(region)}:secretsmanager:{region}:{account}:secret:rds!db-example",
        "cache_host": f"master.{name}-cache.example.{region}.cache.amazonaws.com",
        "cluster_name": name,
        "storage": storage,
    }
    return assemble(settings, known).model_copy(update={"example": True})


def assemble(settings: Settings, known: dict[str, Any]) -> Facts:
    """Build the facts of one environment from its settings and what AWS answered.

    Args:
        settings: of the environment.
        known: the keys that `gather` collects, as plain values.

    Raises:
        pydantic.ValidationError: AWS answered with something that is not a fact, such as None.
        SettingsError: the file of database.caBundle is no bundle of certificates.
    """
    oidc = settings.sign_in.oidc
    return Facts.from_values(
        {
            "environment": settings.environment,
            "profile": settings.profile,
            "host": settings.domain,
            "chart_version": settings.chart_version,
            "chart_repository": settings.chart_repository,
            "gitops_path": settings.gitops.path,
            "content": settings.gitops.content,
            "secrets_prefix": Names(settings.environment).secrets_prefix,
            "flux_version": tables.flux_minor(),
            "aws": {
                "account_id": known["account_id"],
                "region": settings.region,
                "zones": settings.zone_names,
                "vpc_id": known["vpc_id"],
                "vpc_cidr": known["vpc_cidr"],
                "cluster_name": known["cluster_name"],
                "kubernetes_version": settings.kubernetes_version,
                "certificate_arn": known["certificate_arn"],
                "hosted_zone_id": known["hosted_zone_id"],
            },
            "database": {
                "host": known["database_host"],
                "port": DATABASE_PORT,
                "name": DATABASE_NAME,
                "username": DATABASE_USERNAME,
                "max_connections": tables.max_connections(settings.sized.database_class or ""),
                "ca_bundle": ca_bundle(settings.database.ca_bundle),
                "admin_secret_name": known["database_admin_secret"],
            },
            "cache": {"host": known["cache_host"], "port": CACHE_PORT, "username": CACHE_USERNAME},
            "storage": known["storage"],
            "sign_in": {
                "mode": settings.sign_in.mode,
                "oidc_name": oidc.name if oidc else "",
                "oidc_endpoint": oidc.endpoint if oidc else "",
                "oidc_client_id": oidc.client_id if oidc else "",
            },
            "harbor": settings.harbor,
        }
    )


def renewed(settings: Settings, facts: Facts) -> Facts:
    """Give facts with everything that the settings say now, and what AWS answered before.

    What AWS has not made yet (the file system or bucket of a changed `storage`) is an example, and the facts say so.
    """
    aws, database, cache = facts.aws, facts.database, facts.cache
    if not (aws and database and cache):
        return facts  # a cluster without a cloud has no stack file
    made_up = example(settings)
    same_kind = made_up.storage.type == facts.storage.type
    known = {
        "account_id": aws.account_id,
        "vpc_id": aws.vpc_id,
        "vpc_cidr": aws.vpc_cidr,
        "hosted_zone_id": aws.hosted_zone_id,
        "certificate_arn": aws.certificate_arn,
        "database_host": database.host,
        "database_admin_secret": database.admin_secret_name,
        "cache_host": cache.host,
        "cluster_name": aws.cluster_name,
        "storage": (facts if same_kind else made_up).storage.model_dump(),
    }
    return assemble(settings, known).model_copy(update={"example": facts.example or not same_kind})
