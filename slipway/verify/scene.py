"""What the checks of one run share: where the registry is, who looks, and what earlier checks made for later ones.

scene = Scene(target=Target(url="https://registry.example.com"), options=Options(), web=web, stack=stack)
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from slipway.verify.web import Web

if TYPE_CHECKING:
    from slipway.harbor.client import HarborClient
    from slipway.verify.registry import Registry
    from slipway.verify.snapshot import Snapshot
    from slipway.verify.throwaway import Throwaway

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What an environment's settings say of its registry; of a bare address nobody knows it.

    Attributes:
        components: names in the health check.
        job_replicas: pods of the job service.
        chart_version: of the release.
        registry_access: access mode of the registry's claim; empty where it has none.
    """

    components: frozenset[str]
    job_replicas: int
    chart_version: str
    registry_access: str = ""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Which cluster to look into. `sure` is whether the user named it, so that its silence is a failure."""

    kubeconfig: Path | None = None
    context: str | None = None
    sure: bool = False


@dataclass(frozen=True, kw_only=True)
class Target:
    """One registry and who looks at it.

    Attributes:
        url: scheme, host and port.
        environment: its name; empty for an address.
        password: None for nobody, and `no_password` says why.
        robot: whether the name is a robot's; None leaves it to Harbor's usual prefix.
        cluster: None where there is none to look into, and `no_cluster` says why.
    """

    url: str
    environment: str = ""
    username: str = "admin"
    password: SecretStr | None = None
    no_password: str = "no credentials were given"  # noqa: S105  # a reason
    robot: bool | None = None
    ca_file: Path | None = None
    allow_http: bool = False
    expected: Expected | None = None
    cluster: Cluster | None = None
    no_cluster: str = "an address alone names no cluster; give --kubeconfig or --context, or an environment"


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to look.

    Attributes:
        blob_size: bytes of the round trip's layer.
        webhook_address: where Harbor reaches the receiver; empty for loopback.
        remove_leftovers: take away what killed runs left.
        http_port: where plain HTTP is expected to redirect from.
        seconds: for one answer.
    """

    blob_size: int = 36 * MIB
    webhook_address: str = ""
    remove_leftovers: bool = False
    http_port: int = 80
    seconds: float = 60.0


@dataclass(frozen=True)
class Blob:
    """Content that was pushed."""

    digest: str
    size: int


@dataclass(kw_only=True)
class Scene:
    """A run.

    Attributes:
        stack: what is open, closed at the end of the run.
        harbor: made by outside.login.
        throwaway: the round trip's project and what is in it; made by round-trip.project.
        robot: the registry as the throw-away robot sees it; made by round-trip.robot.
        layer: made by round-trip.upload; `config` and `manifest` by round-trip.image, `report` by round-trip.scan.
        scanner: name of the default one; made by outside.scanner.
        cluster: made by cluster.reach.
    """

    target: Target
    options: Options
    web: Web
    stack: AsyncExitStack
    harbor: "HarborClient | None" = None
    throwaway: "Throwaway | None" = None
    robot: "Registry | None" = None
    layer: Blob | None = None
    config: Blob | None = None
    manifest: Blob | None = None
    report: str = ""
    scanner: str = ""
    cluster: "Snapshot | None" = None

    @property
    def api(self) -> "HarborClient":
        """The client; checks that use it need outside.login."""
        if self.harbor is None:
            raise RuntimeError("a check uses the API without needing outside.login")
        return self.harbor
