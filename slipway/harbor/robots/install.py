"""Give the jobs in the cluster their robot: where its secret goes, and what it may do.

installed = run_install(environment, place_of(environment.name, "", region=""), days=90, rotates=False)
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from infra.stack_config import from_stack_file
from slipway.harbor.client import connect
from slipway.harbor.environment import Environment, stack_file_of
from slipway.harbor.robots.issue import Issued, Tell
from slipway.harbor.robots.runner import Rights, drift_rights, install, rotation_rights, runner, together
from slipway.harbor.robots.stores.store import Store
from slipway.harbor.robots.wanted import Wanted
from slipway.login_kit.place import Place, read_place
from slipway.login_kit.target import registry_of
from values.secrets import LAYER3

_NAMESPACE = "harbor"


@dataclass(frozen=True, kw_only=True)
class Runner:
    """What is asked for.

    Attributes:
        place: of the secret.
        is_ours: the program makes the place, since it is a line of the secret table.
        rotates: a job renews robots as well.
        now: renew it though it has long to live yet.
        kubeconfig, context: of the cluster that a Kubernetes Secret is in.
    """

    place: Place
    is_ours: bool = False
    rotates: bool = False
    days: int = 90
    now: bool = False
    take_over: bool = False
    dry_run: bool = False
    kubeconfig: Path | None = None
    context: str | None = None


@dataclass(frozen=True, kw_only=True)
class Installed:
    """What there is now."""

    issued: Issued
    rights: Rights


def asked(environment: str, *, secret_to: str, region: str) -> tuple[Place, bool, bool]:
    """Give the place of the secret, whether it is the environment's own, and whether a job there renews robots.

    Raises:
        SettingsError: the stack file is not usable, or the place is none.
    """
    path = stack_file_of(environment)
    if path is None:  # no AWS: a cluster on a laptop
        return read_place(secret_to or f"kubernetes:{_NAMESPACE}/{LAYER3}", region=region), False, False
    registry, rotates = registry_of(environment), bool(from_stack_file(path).harbor.layer3.rotate)
    if secret_to:
        return read_place(secret_to, region=region or registry.region, key_alias=registry.key_alias), False, rotates
    own = Place(kind="aws", id=f"{registry.prefix}/{LAYER3}", region=registry.region, key_alias=registry.key_alias)
    return own, True, rotates


def run_install(environment: Environment, wish: Runner, *, tell: Tell) -> Installed:
    """Make the robot or bring it to what is wanted.

    Raises:
        HarborError, SecretStoreError, LedgerError: what stood in the way; a second run goes on from there.
    """
    rights = drift_rights(environment.wanted, environment.ledger().load())
    if wish.rotates:
        rights = together(rights, rotation_rights(environment.spec))
    with ExitStack() as stack:
        issued = asyncio.run(_install(environment, wish, rights, _store(wish, stack), tell))
    return Installed(issued=issued, rights=rights)


async def _install(
    environment: Environment, wish: Runner, rights: Rights, store: Store, tell: Callable[[str], None]
) -> Issued:
    async with connect(environment.connection()) as harbor:
        wanted: Wanted = runner(rights, days=wish.days, registry=harbor.registry)
        return await install(
            harbor, wanted, store, now=wish.now, take_over=wish.take_over, dry_run=wish.dry_run, tell=tell
        )


def _store(wish: Runner, stack: ExitStack) -> Store:
    place = wish.place
    if place.kind == "file":
        from slipway.harbor.robots.stores.file import FileStore  # noqa: PLC0415

        return FileStore(Path(place.id))
    if place.kind == "kubernetes":
        from infra.delivery.status.observe import connect as connect_cluster  # noqa: PLC0415  # lightkube, 300 ms
        from slipway.harbor.robots.stores.kubernetes import PlainSecretStore  # noqa: PLC0415

        client = stack.enter_context(connect_cluster(wish.kubeconfig, wish.context))
        return PlainSecretStore(client, place.namespace, place.id)
    import boto3  # noqa: PLC0415  # a third of a second

    from slipway.harbor.robots.stores.secrets_manager import SecretsManagerStore  # noqa: PLC0415

    client = boto3.client("secretsmanager", region_name=place.region)
    made_by = "set harbor.layer3.enabled and run pulumi up, which makes its place" if wish.is_ours else ""
    return SecretsManagerStore(client, place.id, made_by=made_by)
