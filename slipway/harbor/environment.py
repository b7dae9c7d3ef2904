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
                ca_file=self.folder / place.ca_file if place.ca_file else None,
                in_flight=place.concurrency,
                patience=Patience(answer=place.timeout_seconds),
            )
        except SettingsError as error:
            raise SpecError(*error.problems) from None

    def _password(self, name: str) -> SecretStr:
        given = _variable(PASSWORDS)
        registry = registry_of(self.name) if _stack_file(self.name) else Registry(url=self.url)
        password, reason = password_of(registry, name, given=SecretStr(given) if given else None)
        if password is None:
            fix = f"set {PASSWORDS[0]} (or {PASSWORDS[1]})"
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


def environment_or_address(name: str, *, paths: Sequence[Path] = (), url: str | None = None) -> Environment:
    """Give an environment that may have no harbor.yaml yet, for what only has to know where its Harbor is.

    Raises:
        SpecError: with every problem in its files, or no address.
    """
    chosen = list(paths) or [_own(name)]
    if any(each.is_file() or (each.is_dir() and any(each.rglob("*.y*ml"))) for each in chosen):
        return open_environment(name, paths=paths, url=url)
    spec = HarborSpec()
    return Environment(name=name, spec=spec, wanted=Wanted.of(spec), url=url or _address(name), folder=Path.cwd())


def _own(name: str) -> Path:
    root = _root()
    folder = root / STACKS / name
    return folder / "harbor" if (folder / "harbor").is_dir() else folder / "harbor.yaml"


def _root() -> Path:
    try:
        return find_root(Path.cwd())
    except SettingsError as error:
        raise SpecError(*error.problems) from None


def _stack_file(name: str) -> Path | None:
    try:
        path = stack_file(find_root(Path.cwd()), name)
    except SettingsError:
        return None
    return path if path.exists() else None


def _address(name: str) -> str:
    path = _stack_file(name)
    if path is None:
        fix = "give --url, or connection.url in harbor.yaml"
        raise SpecError(Problem(where="url", what=f"{name} has no stack file that names its domain", fix=fix))
    try:
        return f"https://{from_stack_file(path).domain}"
    except SettingsError as error:
        raise SpecError(*error.problems) from None


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
