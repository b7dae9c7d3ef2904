"""sizes and cluster: instance types, counts, and who reaches the EKS cluster."""

import re
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from infra import tables
from infra.sections.base import Setting, ipv4_network
from values.errors import Refused


class SizeSettings(Setting):
    """How big the parts are. What is left out has the profile's size."""

    node_type: str | None = None
    """EC2 instance type of the nodes; amd64, since Harbor's images are."""
    nodes_per_zone: Annotated[int, Field(ge=1, le=50)] | None = None
    """Nodes of each zone's node group."""
    database_class: str | None = None
    """RDS instance class."""
    database_storage_gib: Annotated[int, Field(ge=20, le=65536)] | None = None
    """RDS storage in GiB; it grows by itself up to four times of that."""
    cache_node_type: str | None = None
    """ElastiCache node type."""
    cache_nodes: Annotated[int, Field(ge=1, le=6)] | None = None
    """ElastiCache nodes: one primary, the others replicas."""

    @field_validator("database_class", "cache_node_type")
    @classmethod
    def _is_known_class(cls, value: str | None, info: ValidationInfo) -> str | None:
        is_database = info.field_name == "database_class"
        known = tables.database_classes() if is_database else tables.cache_node_types()
        if value is not None and value not in known:
            raise Refused(
                f"is not in tables/{'database' if is_database else 'cache'}.yaml", f"known: {', '.join(known)}"
            )
        return value

    @field_validator("node_type")
    @classmethod
    def _is_amd64(cls, value: str | None) -> str | None:
        # Graviton families carry a g after the generation: m7g, c6gn, t4g.
        if value is not None and re.match(r"^[a-z]+\d+g", value):
            raise Refused(
                "is arm64 (Graviton), Harbor's images are amd64 up to 2.15", "take an m6a, m7i or m7i-flex type"
            )
        if value is not None and value not in tables.node_types():
            raise Refused("is not in tables/nodes.yaml", f"known: {', '.join(tables.node_types())}")
        return value


class ClusterSettings(Setting):
    """Who reaches the EKS cluster."""

    admin_role_arns: tuple[Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/.+$")], ...] = ()
    """IAM roles or users that administer the cluster (an access entry each). Nobody has access by having created it."""
    public_access_cidrs: tuple[str, ...] = ()
    """Networks that may reach the API server from outside. Empty: from inside the VPC only."""
    addon_versions: dict[str, str] = {}  # noqa: RUF012  # pydantic copies it
    """EKS add-on → version, where another than that of tables/kubernetes.yaml is wanted."""
    private_access: bool = False
    """`pulumi up` runs where the VPC's private addresses are routed (VPN, peering), so it needs no public access."""

    @field_validator("addon_versions")
    @classmethod
    def _are_addons(cls, values: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(set(values) - tables.addon_names()):
            raise Refused(
                f"{', '.join(unknown)} is no add-on of ours", f"known: {', '.join(sorted(tables.addon_names()))}"
            )
        return values

    @field_validator("public_access_cidrs")
    @classmethod
    def _are_narrow_networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        networks = tuple(ipv4_network(value) for value in values)
        if open_to_all := [value for value in networks if IPv4Network(value).prefixlen < 8]:
            raise Refused(
                f"{', '.join(open_to_all)} opens the API server to the world", "name the networks that need it"
            )
        return networks
