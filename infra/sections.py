"""The sections of the settings: network, dns, gitops, sizes, cluster, signIn; `infra.settings` puts them together."""

import re
from ipaddress import IPv4Network
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from infra import tables

_LABEL = re.compile(r"^(?!-)[a-z0-9-]{1,63}(?<!-)$")

NatMode = Literal["single", "per-zone"]
Cidrs = TypeVar("Cidrs", str, tuple[str, ...])


class Refused(ValueError):
    """A value that cannot be used: the fact about it, and what to do instead."""

    def __init__(self, fact: str, fix: str = "") -> None:
        self.fact, self.fix = fact, fix
        super().__init__(f"{fact}; {fix}" if fix else fact)


class Setting(BaseModel):
    """Frozen, strict about names, camelCase in the stack file; the text below a field is its description everywhere."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        defer_build=True,  # on first use: a nested model's own schema is never needed, and start-up pays for each
    )


def domain_name(value: str) -> str:
    """Give the value back if it is a fully qualified domain name in lower case.

    Raises:
        Refused: it is not.
    """
    labels = value.split(".")
    if len(value) > 253 or len(labels) < 2 or not all(_LABEL.match(label) for label in labels) or labels[-1].isdigit():
        raise Refused("is not a domain name", "use lower-case labels joined by dots, like harbor.example.com")
    return value


def ipv4_network(value: str) -> str:
    """Give an IPv4 network in its canonical CIDR notation.

    Raises:
        Refused: it is none, or has host bits set.
    """
    try:
        network = IPv4Network(value)
    except ValueError as error:
        raise Refused(f"is not an IPv4 network in CIDR notation ({error})", "use something like 10.0.0.0/16") from error
    return str(network)


class NetworkSettings(Setting):
    """The VPC's addresses and its way out."""

    cidr: str = "10.0.0.0/16"
    """The VPC's IPv4 network, from /16 to /18."""
    service_cidr: Annotated[str, Field(validate_default=True)] = "172.20.0.0/16"
    """Addresses of Kubernetes Services; outside the VPC's network."""
    peer_cidrs: tuple[str, ...] = ()
    """Networks that will be peered or routed to; the VPC must not overlap them."""
    nat: NatMode | None = None
    """NAT gateways: `single` (cheap, one zone's loss cuts egress) or `per-zone`. Default by profile."""

    @field_validator("cidr", "service_cidr")
    @classmethod
    def _is_network(cls, value: str) -> str:
        return ipv4_network(value)

    @field_validator("peer_cidrs")
    @classmethod
    def _are_networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(ipv4_network(value) for value in values)

    @field_validator("cidr")
    @classmethod
    def _fits_the_subnet_plan(cls, value: str) -> str:
        # An ALB needs a /27 per zone and EKS a /28 for its interfaces (infra/aws/subnets.py); a VPC is a /16 at most.
        if not 16 <= IPv4Network(value).prefixlen <= 18:
            raise Refused(
                "is not a /16, /17 or /18", "AWS takes no larger VPC, and a smaller one does not hold three zones"
            )
        return value

    @field_validator("service_cidr", "peer_cidrs")
    @classmethod
    def _share_no_address(cls, value: Cidrs, info: ValidationInfo) -> Cidrs:
        vpc = IPv4Network(info.data["cidr"]) if "cidr" in info.data else None
        others = [value] if isinstance(value, str) else value
        if vpc and (clashes := [other for other in others if vpc.overlaps(IPv4Network(other))]):
            named = "" if isinstance(value, str) else f"{', '.join(clashes)} "
            raise Refused(f"{named}overlaps cidr {vpc}", "choose networks that share no address")
        return value


class DnsSettings(Setting):
    """Where the registry's name lives. At most one of the two; with neither, a new zone waits for its delegation."""

    existing_zone: str = ""
    """Name of a hosted zone in this account that the registry's record goes into; no zone is made."""
    delegate_from: str = ""
    """Name of the parent's hosted zone in this account; a zone for the domain is made and delegated from it."""

    @field_validator("existing_zone", "delegate_from")
    @classmethod
    def _is_domain(cls, value: str) -> str:
        return domain_name(value) if value else value

    @model_validator(mode="after")
    def _one_owner(self) -> "DnsSettings":
        if self.existing_zone and self.delegate_from:
            raise Refused("existingZone and delegateFrom exclude each other", "keep the one that is meant")
        return self


class GitOpsSettings(Setting):
    """The repository that Flux reads and Slipway writes to."""

    repository: str
    """URL of the repository: https://…, ssh://…, git@host:path, or file:///path."""
    branch: str = "main"
    """The branch that Flux follows."""
    path: str = ""
    """Folder below which everything is written; empty for the repository's root."""
    known_hosts: str = ""
    """Host keys of an SSH repository for Flux, one a line, as `ssh-keyscan` prints them; check them with its owner."""
    withdraw_on_destroy: bool = False
    """Remove the generated files when the environment is destroyed. Off: Git keeps the last state."""

    @field_validator("repository")
    @classmethod
    def _is_git_url(cls, value: str) -> str:
        if not re.match(r"^(https?://|ssh://|file:///|[\w.-]+@[\w.-]+:)\S+$", value):
            raise Refused("is not a Git URL", "use https://host/path.git, ssh://git@host/path.git or git@host:path.git")
        if re.match(r"^https?://[^/@]*@", value):
            raise Refused(
                "carries credentials", "take them out of the URL; give SLIPWAY_GIT_TOKEN or a git credential helper"
            )
        return value

    @field_validator("branch")
    @classmethod
    def _is_branch(cls, value: str) -> str:
        # The rules of git-check-ref-format that a branch name can break in practice.
        if not re.match(r"^(?![/.-])(?!.*(\.\.|//|@\{|\.lock$|[/.]$))[\w./+@-]+$", value):
            raise Refused("is not a branch name that git accepts", "see git-check-ref-format(1); usually it is main")
        return value

    @field_validator("path")
    @classmethod
    def _is_inside(cls, value: str) -> str:
        parts = value.strip("/").split("/") if value else []
        if any(part in {"", ".", "..", ".git"} for part in parts):
            raise Refused("is not a plain folder inside the repository", "use a relative path without . and ..")
        return "/".join(parts)


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

    @field_validator("database_class")
    @classmethod
    def _is_known_class(cls, value: str | None) -> str | None:
        known = tables.database_classes()
        if value is not None and value not in known:
            raise Refused(
                "is not in tables/database.yaml, which gives the pools their size", f"known: {', '.join(known)}"
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
        return value


class ClusterSettings(Setting):
    """Who reaches the EKS cluster."""

    admin_role_arns: tuple[Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/.+$")], ...] = ()
    """IAM roles or users that administer the cluster (an access entry each). Nobody has access by having created it."""
    public_access_cidrs: tuple[str, ...] = ()
    """Networks that may reach the API server from outside. Empty: from inside the VPC only."""
    private_access: bool = False
    """`pulumi up` runs where the VPC's private addresses are routed (VPN, peering), so it needs no public access."""

    @field_validator("public_access_cidrs")
    @classmethod
    def _are_narrow_networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        networks = tuple(ipv4_network(value) for value in values)
        if open_to_all := [value for value in networks if IPv4Network(value).prefixlen < 8]:
            raise Refused(
                f"{', '.join(open_to_all)} opens the API server to the world", "name the networks that need it"
            )
        return networks


class DeliverSettings(Setting):
    """How long `pulumi up` takes part in the delivery."""

    wait: bool = False
    """End `pulumi up` only when Flux has delivered the commit; off, it ends with the commit."""
    timeout_minutes: Annotated[int, Field(ge=1, le=240)] = 45
    """How long it waits at most; the first install of Harbor takes some ten minutes."""


class OidcSettings(Setting):
    """The OpenID Connect provider that people sign in with. The client secret goes to Secrets Manager."""

    name: str
    """Shown on the sign-in button."""
    endpoint: str
    """Issuer URL, https."""
    client_id: str
    """Harbor's client id at the provider."""

    @field_validator("endpoint")
    @classmethod
    def _is_https(cls, value: str) -> str:
        if not re.match(r"^https://[^\s/]+", value):
            raise Refused("is not an https URL", "give the provider's issuer, like https://login.example.com")
        return value


class SignInSettings(Setting):
    """How people sign in to Harbor. It cannot be changed any more once users exist."""

    mode: Literal["database", "oidc"] = "database"
    """`database` (accounts inside Harbor) or `oidc`."""
    oidc: OidcSettings | None = None
    """Needed for mode oidc."""

    @model_validator(mode="after")
    def _oidc_is_described(self) -> "SignInSettings":
        if (self.mode == "oidc") != (self.oidc is not None):
            raise Refused("mode oidc and the section oidc belong together", "give both or neither")
        return self
