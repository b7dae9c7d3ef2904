"""From what the user asks for to a robot and its snippets: one function, which the command line draws.

outcome = prepare(task, tell=print)
"""

import contextlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from infra.errors import Problem, SettingsError
from slipway.harbor.client import Connection
from slipway.harbor.robots import Rotation, Store
from slipway.login_kit.hosts import Host
from slipway.login_kit.kit import ACCOUNT, Kit
from slipway.login_kit.place import Place, read_place
from slipway.login_kit.render import Snippet, refuse_unknown, render, select, write
from slipway.login_kit.robot import Asked, Obtained, obtain
from slipway.login_kit.target import WAYS, Registry, password_of

if TYPE_CHECKING:
    from lightkube import Client

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Login:
    """Who makes the robot; see `slipway.harbor.client.Connection`."""

    username: str = "admin"
    password: SecretStr | None = None
    robot: bool | None = None
    ca_file: Path | None = None
    allow_http: bool = False

    def connection(self, url: str, secret: SecretStr) -> Connection:
        """Give the connection.

        Raises:
            SettingsError: the address is not usable, or not encrypted.
        """
        return Connection(
            url=url,
            name=self.username,
            secret=secret,
            robot=self.robot,
            ca_file=self.ca_file,
            allow_http=self.allow_http,
        )


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A Kubernetes cluster: for a secret that goes there, and to see who has taken a new one.

    Attributes:
        kubeconfig, context: None for the defaults.
    """

    kubeconfig: Path | None = None
    context: str | None = None

    @property
    def named(self) -> bool:
        """Whether the user named one."""
        return bool(self.kubeconfig or self.context)


@dataclass(frozen=True, kw_only=True)
class Task:
    """Everything that the user asks for.

    Attributes:
        secret_to: a place, as the user writes it; empty for the environment's own.
        region: of a place in Secrets Manager without an environment.
        rotation: go a step of one; its `lagging` is filled in here.
        only: snippets; empty for all.
        to: folder for files.
    """

    registry: Registry
    asked: Asked
    login: Login
    secret_to: str = ""
    region: str = ""
    rotation: Rotation | None = None
    cluster: Cluster = field(default_factory=Cluster)
    only: Sequence[str] = ()
    to: Path | None = None
    overwrite: bool = False
    namespace: str = ""
    show_secret: bool = False
    dry_run: bool = False
    github: Host
    gitlab: Host
    bitbucket: Host

    @cached_property
    def place(self) -> Place:
        """Where the secret goes."""
        registry, asked = self.registry, self.asked
        if self.secret_to:
            return read_place(self.secret_to, region=self.region or registry.region, key_alias=registry.key_alias)
        if not registry.environment:
            fix = "give --secret-to aws:NAME, file:PATH or kubernetes:NAMESPACE/NAME"
            raise SettingsError(Problem(where="--secret-to", what="an address says no place for a secret", fix=fix))
        # External Secrets hands out what is below pull/.
        middle = ("pull",) if asked.preset == "pull" else ("robots", *asked.projects[:1])
        name = "/".join((registry.prefix, *middle, asked.name))
        return Place(kind="aws", id=name, region=registry.region, key_alias=registry.key_alias)

    def kit(self) -> Kit:
        """Give what the snippets are made from, as far as it is known without asking anybody."""
        return Kit(
            url=self.registry.url,
            environment=self.registry.environment,
            projects=self.asked.projects,
            name=self.asked.name,
            push=self.asked.preset != "pull",
            place=self.place,
            namespace=self.namespace,
            label=self.registry.label,
            account=self.registry.account or ACCOUNT,
            github=self.github,
            gitlab=self.gitlab,
            bitbucket=self.bitbucket,
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it.

    Attributes:
        obtained: the robot; None in a dry run that had no password.
        unasked: why the registry was not asked.
        snippets: the wanted ones, with their text.
        others: the further ones that there are.
        written: files.
    """

    kit: Kit
    obtained: Obtained | None
    unasked: str = ""
    snippets: tuple[Snippet, ...]
    others: tuple[Snippet, ...]
    written: tuple[Path, ...] = ()


def prepare(task: Task, *, tell: Tell = lambda _: None) -> Outcome:
    """Make or rotate the robot, and give its snippets.

    Raises:
        SettingsError: something asked for cannot be; before anything is done.
        HarborError, SecretStoreError, ClusterError: the registry, the place or the cluster refused.
    """
    task.asked.wanted(task.registry.url)
    kit = task.kit()
    refuse_unknown(task.only)
    if task.to and task.to.exists() and not task.to.is_dir():
        raise SettingsError(Problem(where=str(task.to), what="is a file", fix="name a folder"))
    password, unasked = password_of(task.registry, task.login.username, given=task.login.password)
    connection = task.login.connection(task.registry.url, password or SecretStr(""))
    obtained = None
    if password is not None:
        with ExitStack() as stack:
            obtained = _obtain(task, kit, connection, stack, tell)
    elif not task.dry_run:
        raise SettingsError(Problem(where="the password", what=unasked, fix=WAYS))
    kit = _completed(task, kit, obtained)
    snippets = render(kit, task.only)
    written = write(snippets, task.to, overwrite=task.overwrite) if task.to and not task.dry_run else []
    there = {one.file for one in snippets}
    others = tuple(one for one in select(kit) if one.file not in there)
    return Outcome(
        kit=kit, obtained=obtained, unasked=unasked, snippets=snippets, others=others, written=tuple(written)
    )


def _obtain(task: Task, kit: Kit, connection: Connection, stack: ExitStack, tell: Tell) -> Obtained:
    client = _LateClient(task.cluster, stack)
    rotation = task.rotation
    if rotation and task.cluster.named:
        rotation = replace(rotation, lagging=_lagging(client, kit))
    store = _store(task, client)
    return obtain(connection, task.asked, store, rotation=rotation, dry_run=task.dry_run, tell=tell)


class _LateClient:
    """A client of the cluster, made when it is first needed and closed with the rest."""

    def __init__(self, cluster: Cluster, stack: ExitStack) -> None:
        self._cluster, self._stack = cluster, stack

    def __call__(self) -> "Client":
        from infra.delivery.status.observe import connect  # noqa: PLC0415

        return self._stack.enter_context(connect(self._cluster.kubeconfig, self._cluster.context))


def _lagging(client: _LateClient, kit: Kit) -> Callable[[str], Sequence[str]]:
    from slipway.login_kit.taken import lagging  # noqa: PLC0415

    return lambda username: lagging(client(), label=kit.label, secret=kit.pull_secret, username=username)


def _store(task: Task, client: _LateClient) -> Store:
    place = task.place
    if place.kind == "file":
        from slipway.harbor.robots.stores.file import FileStore  # noqa: PLC0415

        return FileStore(Path(place.id))
    if place.kind == "kubernetes":
        from slipway.harbor.robots.stores.kubernetes import KubernetesStore  # noqa: PLC0415

        return KubernetesStore(client(), place.namespace, place.id)
    import boto3  # noqa: PLC0415

    from slipway.harbor.robots.stores.secrets_manager import SecretsManagerStore  # noqa: PLC0415

    secrets = boto3.client("secretsmanager", region_name=place.region)
    return SecretsManagerStore(secrets, place.id, key=_key(boto3.client("kms", region_name=place.region), place))


def _key(kms: Any, place: Place) -> str:  # noqa: ANN401  # a boto3 client
    """Give the environment's key if it is there; else AWS's own key encrypts, which every reader of the account has."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    if not place.key_alias:
        return ""
    try:
        kms.describe_key(KeyId=place.key_alias)
    except ClientError as error:
        # Who may not look at the key may still use it.
        return "" if error.response["Error"]["Code"] == "NotFoundException" else place.key_alias
    except BotoCoreError:
        return place.key_alias
    return place.key_alias


def _completed(task: Task, kit: Kit, obtained: Obtained | None) -> Kit:
    """Add what is known only afterwards: the caches, the account, and the secret if it is to be seen."""
    if kit.place.kind == "aws" and kit.account == ACCOUNT:
        kit = replace(kit, account=_account(kit.place.region))
    if obtained is None:
        return kit
    shown = obtained.issued.credential if task.show_secret else None
    return replace(kit, caches=obtained.caches, shown=shown)


def _account(region: str) -> str:
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    with contextlib.suppress(ClientError, BotoCoreError):
        return boto3.client("sts", region_name=region).get_caller_identity()["Account"]
    return ACCOUNT
