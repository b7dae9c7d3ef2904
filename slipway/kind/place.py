"""What a cluster on this machine is called, what it is made from, and where its files are.

place = place_of("slipway", None, "nodePort", "registry.localhost")
place.facts()          # rendered by the same renderer as EKS' facts
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Literal

from infra import tables
from infra.errors import KindError, Problem
from values.facts import DEFAULT_CHART_VERSION, HARBOR_CHART_REPOSITORY, SUPPORTED_CHART_VERSIONS, Facts, VolumeStorage
from values.options import ExposeOptions, HarborOptions

_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}(?<!-)")
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,200}}$){_LABEL}(\.{_LABEL})+")
_REPOSITORY = re.compile(r"https?://[^\s/@]+(/\S*)?")
TEMPLATES = Path(__file__).parents[2] / "charts" / "kind"
#: The Service's port on every node, by the chart's values; and an ingress controller's on the labelled node.
NODE_PORT, INGRESS_PORT = 30002, 443
TLS_SECRET = "harbor-tls"  # noqa: S105  # a name
Expose = Literal["nodePort", "ingress"]


def data_folder() -> Path:
    """Where what must stay is kept: SLIPWAY_DATA, or ``slipway`` in the user's data folder."""
    import platformdirs  # noqa: PLC0415  # for those who need it

    return Path(os.environ.get("SLIPWAY_DATA") or platformdirs.user_data_path("slipway"))


@dataclass(frozen=True, kw_only=True)
class Place:
    """One cluster.

    Attributes:
        name: of the cluster, and of the environment in Git.
        host_port: of localhost.
        expose: how the registry is reached.
        host: its name, where it has one.
        chart_version: of Harbor's chart.
        chart_repository: where it comes from.
    """

    name: str
    host_port: int = NODE_PORT
    expose: Expose = "nodePort"
    host: str = "localhost"
    chart_version: str = DEFAULT_CHART_VERSION
    chart_repository: str = HARBOR_CHART_REPOSITORY

    @property
    def folder(self) -> Path:
        """Where its kubeconfig and the files for kubectl are."""
        return data_folder() / "kind" / self.name

    @property
    def kubeconfig(self) -> Path:
        """Its own."""
        return self.folder / "kubeconfig"

    @property
    def config(self) -> Path:
        """What kind made it from; there only where this machine's slipway did."""
        return self.folder / "cluster.yaml"

    @property
    def making(self) -> Path:
        """Is there from before the cluster is made until it is complete."""
        return self.folder / "making"

    @property
    def way(self) -> Path:
        """Says how Harbor is delivered there, ``flux`` or ``direct``: two owners of one release fight."""
        return self.folder / "delivered-by"

    @property
    def chart(self) -> Path:
        """Says which version of Harbor's chart was delivered there last."""
        return self.folder / "chart-version"

    @property
    def container_port(self) -> int:
        """Port of the node that `host_port` leads to."""
        return INGRESS_PORT if self.expose == "ingress" else NODE_PORT

    @property
    def address(self) -> str:
        """Host and port, as images are named after it."""
        return self.host if (self.expose, self.host_port) == ("ingress", 443) else f"{self.host}:{self.host_port}"

    @property
    def url(self) -> str:
        """Of the registry."""
        return f"{'https' if self.expose == 'ingress' else 'http'}://{self.address}"

    def facts(self) -> Facts:
        """Give the environment's facts: no cloud, one volume, the chart's own database and Redis."""
        expose = ExposeOptions(type="ingress", tls_secret=TLS_SECRET) if self.expose == "ingress" else ExposeOptions()
        return Facts(
            environment=self.name,
            profile="kind",
            host=self.address,
            chart_version=self.chart_version,
            chart_repository=self.chart_repository,
            flux_version=tables.flux_minor(),
            storage=VolumeStorage(),
            harbor=HarborOptions(expose=expose),
        )

    def document(self, file: str, **values: object) -> str:
        """Fill a file of charts/kind."""
        return Template((TEMPLATES / file).read_text()).substitute(values)

    def cluster_config(self) -> str:
        """Give what kind makes the cluster from."""
        zones = dict(zip(("zone_a", "zone_b", "zone_c"), tables.read("kind")["zones"], strict=True))
        ports = {"container_port": self.container_port, "host_port": self.host_port}
        return self.document("cluster.yaml", name=self.name, **ports, **zones)


def place_of(
    name: str, host_port: int | None, expose: Expose, host: str, *, chart_version: str = "", chart_repository: str = ""
) -> Place:
    """Give the cluster that a person asks for; what is empty gets its default.

    Raises:
        KindError: with each value that does not do.
    """
    is_ingress = expose == "ingress"
    place = Place(
        name=name,
        host_port=host_port or (INGRESS_PORT if is_ingress else NODE_PORT),
        expose=expose,
        host=host if is_ingress else "localhost",
        chart_version=chart_version or DEFAULT_CHART_VERSION,
        chart_repository=chart_repository or HARBOR_CHART_REPOSITORY,
    )
    if problems := [*_bad_name(name), *_bad(place)]:
        raise KindError(*problems)
    return place


def refuse_bad_name(name: str) -> None:
    """Refuse a name that kind, Kubernetes or Git does not take.

    Raises:
        KindError: one of them does not.
    """
    if problems := list(_bad_name(name)):
        raise KindError(*problems)


def _bad_name(name: str) -> Iterator[Problem]:
    if not _NAME.fullmatch(name):
        fix = "lower-case letters, digits and dashes, 30 at most, beginning with a letter"
        yield Problem(where="--name", what=f"{name!r} names no cluster", fix=fix)


def _bad(place: Place) -> Iterator[Problem]:
    if place.expose == "ingress" and not _HOST.fullmatch(place.host):
        yield Problem(where="--host", what=f"{place.host!r} is no host name", fix="give one like registry.localhost")
    if place.chart_version not in SUPPORTED_CHART_VERSIONS:
        fix = f"supported: {', '.join(SUPPORTED_CHART_VERSIONS)}"
        yield Problem(where="--chart-version", what=f"{place.chart_version!r} is outside support", fix=fix)
    if not _REPOSITORY.fullmatch(place.chart_repository):
        what, fix = f"{place.chart_repository!r} is no Helm repository", "use https://host/path, without credentials"
        yield Problem(where="--chart-repository", what=what, fix=fix)
