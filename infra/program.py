"""What `pulumi up` does, in the order of the flow: settings → AWS → facts → values in Git → Flux.

The order of the components is not the order of creation: the engine starts whatever has its inputs, so the slowest
(database, cluster) only wait for the network and their key.
"""

from datetime import UTC, datetime

import pulumi
from pulumi_aws import GetCallerIdentityResult, get_caller_identity_output

from infra.assemble import example
from infra.aws.alarms import Alarms, watched
from infra.aws.backup import Backup
from infra.aws.cache import Cache
from infra.aws.cluster import Cluster, refuse_stranger
from infra.aws.database import Database
from infra.aws.dns import Dns
from infra.aws.identity import Identity
from infra.aws.keys import Keys
from infra.aws.network import Network
from infra.aws.nodes import Nodes
from infra.aws.provider import explicit_providers
from infra.aws.secrets import HarborSecrets
from infra.aws.storage import Storage
from infra.delivery.bootstrap import Bootstrap, refuse_unreachable
from infra.delivery.deliver import deliver
from infra.delivery.wait import wait
from infra.errors import SlipwayError
from infra.gather import gather
from infra.settings import Settings
from infra.stack_config import from_pulumi_config
from infra.support import ending_support
from values.errors import ValuesError
from values.notices import notices


def main() -> None:
    """Run the program; a mistake of the user's ends it with its message instead of a traceback."""
    try:
        program()
    except (SlipwayError, ValuesError) as error:
        raise pulumi.RunError(str(error)) from None


def program() -> None:
    """Declare one environment.

    Raises:
        SettingsError: the stack's configuration is not usable, or there is no way to the API server that it makes, or
            a version is out of support.
    """
    settings = from_pulumi_config(pulumi.get_stack())
    refuse_unreachable(settings)
    for warning in (*ending_support(settings, datetime.now(UTC).date()), *notices(example(settings))):
        pulumi.warn(warning)
    opts, ask_aws = explicit_providers(settings)
    account_id = get_caller_identity_output(opts=ask_aws).apply(lambda caller: admitted(settings, caller))

    keys = Keys(settings, account_id=account_id, opts=opts)
    secrets = HarborSecrets(settings, opts=opts)
    logs_key_arn = keys.arns["logs"]
    dns = Dns(settings, account_id=account_id, key_arns=keys.arns, opts=opts)
    network = Network(settings, logs_key_arn=logs_key_arn, after=dns.gate, opts=opts)
    database = Database(settings, network=network, key_arn=keys.arns["database"], logs_key_arn=logs_key_arn, opts=opts)
    cluster = Cluster(settings, network=network, key_arn=keys.arns["cluster"], logs_key_arn=logs_key_arn, opts=opts)
    nodes = Nodes(settings, network=network, cluster=cluster, opts=opts)
    cache = Cache(
        settings,
        network=network,
        key_arn=keys.arns["secrets"],
        logs_key_arn=logs_key_arn,
        password=secrets.cache_password,
        opts=opts,
    )
    storage = Storage(settings, network=network, key_arn=keys.arns["storage"], account_id=account_id, opts=opts)
    stored = secrets.store(key_arn=keys.arns["secrets"], access_key=storage.access_key)
    identity = Identity(
        settings,
        account_id=account_id,
        zone_id=dns.zone_id,
        secrets_key_arn=keys.arns["secrets"],
        cluster_name=cluster.name,
        opts=opts,
    )
    safety: list[pulumi.Resource] = []
    backup = None
    if settings.defaults.vault:
        data = {"database": database.arn, "storage": storage.arn}
        backup = Backup(settings, account_id=account_id, key_arns=keys.arns, arns=data, opts=opts)
        safety.append(backup)
    if settings.defaults.alarms:
        identifiers = watched(
            settings, network=network, dns=dns, database=database, cache=cache, storage=storage, backup=backup
        )
        safety.append(Alarms(settings, account_id=account_id, key_arns=keys.arns, identifiers=identifiers, opts=opts))

    facts = gather(
        settings,
        account_id=account_id,
        network=network,
        dns=dns,
        database=database,
        cache=cache,
        storage=storage,
        cluster=cluster,
    )
    # Everything must stand before Flux is told about it: a half-built stack commits nothing.
    commit = deliver(
        settings,
        facts,
        after=[keys, network, dns, database, cache, storage, cluster, nodes, identity, *stored, *safety],
    )
    bootstrap = Bootstrap(settings, cluster=cluster, nodes=nodes, facts=facts, commit=commit)
    if settings.deliver.wait:
        wait(settings, cluster=cluster, commit=commit, after=[bootstrap])

    pulumi.export("facts", facts)
    pulumi.export("url", f"https://{settings.domain}")
    pulumi.export("nameServers", dns.name_servers)
    pulumi.export("clusterName", cluster.name)
    pulumi.export("commit", commit.commit)


def admitted(settings: Settings, caller: GetCallerIdentityResult) -> str:
    """Give the account's id to a caller who will be able to use the cluster.

    Raises:
        SettingsError: to anybody else.
    """
    refuse_stranger(settings, caller.arn)
    return caller.account_id
