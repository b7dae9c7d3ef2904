"""What a cluster on this machine is called, what it is made from, and where its files are.

place = Place(name="slipway", host_port=30002)
place.facts()          # rendered by the same renderer as EKS' facts
"""

import os
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Literal

from infra import tables
from values.facts import DEFAULT_CHART_VERSION, Facts, VolumeStorage
from values.options import ExposeOptions, HarborOptions

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
    """

    name: str
    host_port: int = NODE_PORT
    expose: Expose = "nodePort"
    host: str = "localhost"
    chart_version: str = DEFAULT_CHART_VERSION

    @property
    def folder(self) -> Path:
        """Where its kubeconfig and the files for kubectl are."""
        return data_folder() / "kind" / self.name

    @property
    def kubeconfig(self) -> Path:
        """Its own."""
        return self.folder / "kubeconfig"

    @property
    def making(self) -> Path:
        """Is there from before the cluster is made until it is complete."""
        return self.folder / "making"

    @property
    def way(self) -> Path:
        """Says how Harbor is delivered there, ``flux`` or ``direct``: two owners of one release fight."""
        return self.folder / "delivered-by"

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
