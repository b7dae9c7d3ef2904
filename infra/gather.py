"""The one place where the cloud's outputs become `Facts`.

Code inside an apply runs only in `up`, so it is one call of a pure function with its own test (infra/assemble.py).
"""

import pulumi

from infra.assemble import assemble
from infra.aws.cache import Cache
from infra.aws.cluster import Cluster
from infra.aws.database import Database
from infra.aws.dns import Dns
from infra.aws.network import Network
from infra.aws.storage import Storage
from infra.settings import Settings


def gather(
    settings: Settings,
    *,
    account_id: pulumi.Output[str],
    network: Network,
    dns: Dns,
    database: Database,
    cache: Cache,
    storage: Storage,
    cluster: Cluster,
) -> pulumi.Output[str]:
    """Give the environment's facts as JSON text (Pulumi would turn integers into floats). No secret is among them."""
    return pulumi.Output.all(
        account_id=account_id,
        vpc_id=network.vpc_id,
        vpc_cidr=network.vpc_cidr,
        hosted_zone_id=dns.zone_id,
        certificate_arn=dns.certificate_arn,
        database_host=database.host,
        database_admin_secret=database.admin_secret_name,
        cache_host=cache.host,
        cluster_name=cluster.name,
        storage=storage.facts,
    ).apply(lambda known: assemble(settings, known).to_json())
