"""An environment as the commands of `slipway harbor` need it: its harbor.yaml, its Harbor, its ledger.

environment = open_environment("prod", files=[], url=None)
async with connect(environment.connection) as harbor: …
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from infra.errors import Problem, SettingsError, SpecError
from infra.stack_config import STACKS, from_stack_file, stack_file
from slipway.harbor.administrator import NAME, VARIABLE
from slipway.harbor.client import Connection, Patience
from slipway.harbor.ledger import FileLedger, LedgerStore
from slipway.harbor.plan.want import Wanted
from slipway.harbor.secret_values import SecretValues
from slipway.harbor.spec import HarborSpec, files, load
from slipway.harbor.spec.policy import LedgerPlace
from slipway.login_kit.target import Registry, password_of, registry_of
from slipway.project import find_root

#: Looked at in this order.
USERNAMES, PASSWORDS = ("SLIPWAY_HARBOR_USERNAME", "HARBOR_USERNAME"), (VARIABLE, "HARBOR_PASSWORD")
#: How it is in the cluster, where our chart sets them (charts/support/templates/layer3.yaml): who logs in is a robot,
#: whatever the server's prefix; what clients call the registry; whom to trust; that there is no TLS between the pods.
ROBOT, REGISTRY, CA_FILE, ALLOW_HTTP = (
    f"SLIPWAY_HARBOR_{name}" for name in ("ROBOT", "REGISTRY", "CA_FILE", "ALLOW_HTTP")
)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What the commands work with."""

    name: str
    spec: HarborSpec
    wanted: Wanted
    url: str
    folder: Path

    @property
    def instance(self) -> str:
        """Whose ledger it is."""
        return self.spec.instance or self.name

    @property
    def has_domain(self) -> bool:
        """Whether its settings say where Harbor is."""
        return stack_file_of(self.name) is not None

    @property
    def secrets(self) -> SecretValues:
        """The reader of its secrets."""
        return SecretValues(folder=self.folder)

    def connection(self) -> Connection:
        """Give where Harbor is and who logs in.

        Raises:
            SpecError: no password, or an address that is none.
        """
        place = self.spec.connection
        name = _variable(USERNAMES) or NAME
        try:
            return Connection(
                url=self.url,
                name=name,
                secret=self._password(name),
                robot=_is_on(ROBOT) or None,
                ca_file=self._authority(place.ca_file),
                registry=_variable([REGISTRY]),
                allow_http=_is_on(ALLOW_HTTP),
                in_flight=place.concurrency,
                patience=Patience(answer=place.timeout_seconds),
            )
        except SettingsError as error:
            raise SpecError(*error.problems) from None

    def _authority(self, own: str | None) -> Path | None:
        """Give the file of whom to trust: where the address is another, harbor.yaml's own would be the wrong one."""
        if given := _variable([CA_FILE]):
            return Path(given)
        return self.folder / own if own and not _is_on(ALLOW_HTTP) else None

    def _password(self, name: str) -> SecretStr:
        given = _variable(PASSWORDS)
        registry = registry_of(self.name) if stack_file_of(self.name) else Registry(url=self.url)
        password, reason = password_of(registry, name, given=SecretStr(given) if given else None)
        if password is None:
            fix = f"set {PASSWORDS[0]} (or {PASSWORDS[1]})"
            if _is_on(ROBOT):
                fix = f"the Secret harbor-layer3 makes it known to the pod: slipway harbor install-runner {self.name}"
            raise SpecError(Problem(where=self.url, what=reason, fix=fix))
        return password

    def ledger(self) -> LedgerStore:
        """Give the ledger's place.

        Raises:
            SpecError: it is not fully named.
        """
        place = self.spec.policy.ledger
        if place.type == "s3":
            return _s3(place, self.instance, self.spec)
        if place.type == "configmap":
            return _configmap(place, self.instance)
        return FileLedger(self.folder / (place.path or "harbor.ledger.json"), instance=self.instance)


def open_environment(name: str, *, paths: Sequence[Path] = (), url: str | None = None) -> Environment:
    """Read an environment's harbor.yaml (or the folder `harbor`), or the files given instead.

    Raises:
        SpecError: with every problem in them.
    """
    chosen = list(paths) or [_own(name)]
    spec = load([file for path in chosen for file in files(path)])
    address = url or spec.connection.url or _address(name)
    first = chosen[0]
    folder = first if first.is_dir() else first.parent
    return Environment(name=name, spec=spec, wanted=Wanted.of(spec), url=address, folder=folder)


def open_harbor(name: str, *, url: str | None) -> Environment:
    """Give an environment of which only its Harbor counts; of a harbor.yaml that is there, what it says of that.

    Args:
        name: of the environment; empty where there is only an address.

    Raises:
        SpecError: nobody says where Harbor is, or there is a harbor.yaml that is wrong.
    """
    if not (name or url):
        fix = "give ENV, or --url https://registry.example.com"
        raise SpecError(Problem(where="url", what="which Harbor? No environment and no address is named", fix=fix))
    try:
        own = _own(name) if name else None
    except SpecError:  # outside a clone of Slipway
        own = None
    spec, folder = HarborSpec(), Path()
    # A folder is made before the first file is written into it.
    if own is not None and (own.is_file() or (own.is_dir() and any(own.rglob("*.y*ml")))):
        spec, folder = HarborSpec(connection=load(files(own)).connection), own if own.is_dir() else own.parent
    address = url or spec.connection.url or _address(name)
    return Environment(name=name, spec=spec, wanted=Wanted.of(spec), url=address, folder=folder)


def _own(name: str) -> Path:
    root = _root()
    folder = root / STACKS / name
    return folder / "harbor" if (folder / "harbor").is_dir() else folder / "harbor.yaml"


def _root() -> Path:
    try:
        return find_root(Path.cwd())
    except SettingsError as error:
        raise SpecError(*error.problems) from None


def stack_file_of(name: str) -> Path | None:
    """Give an environment's stack file; None where there is none, as in a pod or on a laptop."""
    try:
        path = stack_file(find_root(Path.cwd()), name)
    except SettingsError:
        return None
    return path if path.exists() else None


def _address(name: str) -> str:
    path = stack_file_of(name)
    if path is None:
        fix = "give --url, or connection.url in harbor.yaml"
        raise SpecError(Problem(where="url", what=f"{name} has no stack file that names its domain", fix=fix))
    try:
        return f"https://{from_stack_file(path).domain}"
    except SettingsError as error:
        raise SpecError(*error.problems) from None


def _is_on(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes"}


def _variable(names: Sequence[str]) -> str:
    return next((value for name in names if (value := os.environ.get(name))), "")


def _s3(place: LedgerPlace, instance: str, spec: HarborSpec) -> LedgerStore:
    if not place.bucket or not place.key:
        where = spec.place(("policy", "ledger"))
        raise SpecError(Problem(where=where, what="a ledger of type s3 needs bucket and key", fix="add them"))
    import boto3  # noqa: PLC0415  # a third of a second

    from slipway.harbor.ledger.s3 import S3Ledger  # noqa: PLC0415

    client = boto3.client("s3", region_name=place.region)
    return S3Ledger(client, bucket=place.bucket, key=place.key, instance=instance)


def _configmap(place: LedgerPlace, instance: str) -> LedgerStore:
    from infra.delivery.status.observe import connect  # noqa: PLC0415  # lightkube, 300 ms
    from slipway.harbor.ledger.configmap import ConfigMapLedger  # noqa: PLC0415

    return ConfigMapLedger(connect(None), namespace=place.namespace, name=place.name, instance=instance)
