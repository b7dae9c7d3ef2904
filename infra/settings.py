"""Settings: what a team decides about one environment; typed, frozen, every problem reported at once.

One model, two readers (``infra/stack_config.py``): `pulumi.Config` inside the program and the stack file
``stacks/Pulumi.<environment>.yaml`` for the command. A field that is left out has the default of the profile.

    settings = Settings.parse("prod", {"domain": "harbor.example.com", "region": "eu-central-1", …})
"""

import re
from collections.abc import Mapping
from functools import cached_property
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from infra import tables
from infra.defaults import PROFILES, ProfileDefaults
from values.facts import DEFAULT_CHART_VERSION, SUPPORTED_CHART_VERSIONS

#: Names of AWS resources begin with it, and the shortest limit (an ALB's 32) must still hold a suffix.
ENVIRONMENT_PATTERN = r"^[a-z][a-z0-9-]{0,18}[a-z0-9]$"
_LABEL = re.compile(r"^(?!-)[a-z0-9-]{1,63}(?<!-)$")

NatMode = Literal["single", "per-zone"]
StorageType = Literal["efs", "s3"]
ProfileName = Literal["dev", "ha", "large"]
Cidrs = TypeVar("Cidrs", str, tuple[str, ...])


class Refused(ValueError):
    """A value that cannot be used: the fact about it, and what to do instead."""

    def __init__(self, fact: str, fix: str = "") -> None:
        self.fact, self.fix = fact, fix
        super().__init__(f"{fact}; {fix}" if fix else fact)


class _Setting(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=True
    )


def _domain(value: str) -> str:
    labels = value.split(".")
    if len(value) > 253 or len(labels) < 2 or not all(_LABEL.match(label) for label in labels) or labels[-1].isdigit():
        raise Refused("is not a domain name", "use lower-case labels joined by dots, like harbor.example.com")
    return value


def _network(value: str) -> str:
    try:
        network = IPv4Network(value)
    except ValueError as error:
        raise Refused(f"is not an IPv4 network in CIDR notation ({error})", "use something like 10.0.0.0/16") from error
    return str(network)


class NetworkSettings(_Setting):
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
        return _network(value)

    @field_validator("peer_cidrs")
    @classmethod
    def _are_networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_network(value) for value in values)

    @field_validator("cidr")
    @classmethod
    def _fits_the_subnet_plan(cls, value: str) -> str:
        # An ALB needs a /27 per zone and EKS a /28 for its interfaces (infra/aws/subnets.py); a VPC is a /16 at most.
        if not 16 <= IPv4Network(value).prefixlen <= 18:
            raise Refused("is not a /16, /17 or /18", "AWS takes no larger VPC, and a smaller one does not hold three zones")
        return value

    @field_validator("service_cidr", "peer_cidrs")
    @classmethod
    def _share_no_address(cls, value: Cidrs, info: ValidationInfo) -> Cidrs:
        vpc = IPv4Network(info.data["cidr"]) if "cidr" in info.data else None
        others = [value] if isinstance(value, str) else value
        if vpc and (clashes := [other for other in others if vpc.overlaps(IPv4Network(other))]):
            raise Refused(f"{', '.join(clashes)} overlaps cidr {vpc}", "choose networks that share no address")
        return value


class DnsSettings(_Setting):
    """Where the registry's name lives. At most one of the two; with neither, a new zone waits for its delegation."""

    existing_zone: str = ""
    """Name of a hosted zone in this account that the registry's record goes into; no zone is made."""
    delegate_from: str = ""
    """Name of the parent's hosted zone in this account; a zone for the domain is made and delegated from it."""

    @field_validator("existing_zone", "delegate_from")
    @classmethod
    def _is_domain(cls, value: str) -> str:
        return _domain(value) if value else value

    @model_validator(mode="after")
    def _one_owner(self) -> "DnsSettings":
        if self.existing_zone and self.delegate_from:
            raise Refused("existingZone and delegateFrom exclude each other", "keep the one that is meant")
        return self


class GitOpsSettings(_Setting):
    """The repository that Flux reads and Slipway writes to."""

    repository: str
    """URL of the repository: https://…, ssh://…, git@host:path, or file:///path."""
    branch: str = "main"
    """The branch that Flux follows."""
    path: str = ""
    """Folder below which everything is written; empty for the repository's root."""
    withdraw_on_destroy: bool = False
    """Remove the generated files when the environment is destroyed. Off: Git keeps the last state."""

    @field_validator("repository")
    @classmethod
    def _is_git_url(cls, value: str) -> str:
        if not re.match(r"^(https?://|ssh://|file:///|[\w.-]+@[\w.-]+:)\S+$", value):
            raise Refused("is not a Git URL", "use https://host/path.git, ssh://git@host/path.git or git@host:path.git")
        if re.match(r"^https?://[^/@]*@", value):
            raise Refused("carries credentials", "take them out of the URL; give SLIPWAY_GIT_TOKEN or a git credential helper")
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


class SizeSettings(_Setting):
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
            raise Refused("is not in tables/database.yaml, which gives the pools their size", f"known: {', '.join(known)}")
        return value

    @field_validator("node_type")
    @classmethod
    def _is_amd64(cls, value: str | None) -> str | None:
        # Graviton families carry a g after the generation: m7g, c6gn, t4g.
        if value is not None and re.match(r"^[a-z]+\d+g", value):
            raise Refused("is arm64 (Graviton), Harbor's images are amd64 up to 2.15", "take an m6a, m7i or m7i-flex type")
        return value


class ClusterSettings(_Setting):
    """Who reaches the EKS cluster."""

    admin_role_arns: tuple[Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/.+$")], ...] = ()
    """IAM roles or users that administer the cluster (an access entry each). Nobody has access by having created it."""
    public_access_cidrs: tuple[str, ...] = ()
    """Networks that may reach the API server from outside. Empty: from inside the VPC only."""

    @field_validator("public_access_cidrs")
    @classmethod
    def _are_narrow_networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        networks = tuple(_network(value) for value in values)
        if open_to_all := [value for value in networks if IPv4Network(value).prefixlen < 8]:
            raise Refused(f"{', '.join(open_to_all)} opens the API server to the world", "name the networks that need it")
        return networks


class OidcSettings(_Setting):
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


class SignInSettings(_Setting):
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


class Settings(_Setting):
    """One environment. See docs/settings.md for every key with its default."""

    environment: Annotated[str, Field(pattern=ENVIRONMENT_PATTERN, exclude=True)]
    domain: str
    """The registry's host name, harbor.example.com."""
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    """AWS region."""
    gitops: GitOpsSettings
    """The GitOps repository."""
    profile: ProfileName = "ha"
    """`dev` (cheap, one of each), `ha` (survives a zone), or `large`."""
    zones: Annotated[tuple[str, ...], Field(validate_default=True)] = ()
    """Availability zones, two or three for dev, three otherwise. Empty: the region's first three."""
    storage: StorageType = "efs"
    """Where the registry keeps blobs: `efs`, or `s3` (needs a static access key, Harbor knows no Pod Identity)."""
    kubernetes_version: str = tables.default_kubernetes_version()
    """EKS version."""
    chart_version: str = DEFAULT_CHART_VERSION
    """Version of the official Harbor chart, exact."""
    account: str = ""
    """AWS account id; when given, any other account is refused."""
    owner: str = "platform"
    """Goes into the tag Owner."""
    tags: dict[str, str] = {}
    """Further tags for every resource."""
    network: NetworkSettings = NetworkSettings()
    """Addresses and NAT."""
    dns: DnsSettings = DnsSettings()
    """Zone of the registry's name."""
    cluster: ClusterSettings = ClusterSettings()
    """Access to the EKS cluster."""
    sizes: SizeSettings = SizeSettings()
    """Instance types and counts."""
    sign_in: SignInSettings = SignInSettings()
    """How people sign in."""
    git_token: SecretStr | None = None
    """Token that pushes to the GitOps repository; set it with `pulumi config set --secret slipway:gitToken`."""

    @field_validator("domain")
    @classmethod
    def _is_domain(cls, value: str) -> str:
        return _domain(value)

    @field_validator("kubernetes_version", "chart_version")
    @classmethod
    def _is_supported(cls, value: str, info: ValidationInfo) -> str:
        supported = SUPPORTED_CHART_VERSIONS if info.field_name == "chart_version" else tables.kubernetes_versions()
        if value not in supported:
            raise Refused("is outside support", f"supported: {', '.join(supported)}")
        return value

    @field_validator("account")
    @classmethod
    def _is_account(cls, value: str) -> str:
        if value and not re.match(r"^\d{12}$", value):
            raise Refused("is not an AWS account id", 'give its twelve digits, quoted in YAML, like "111122223333"')
        return value

    @field_validator("zones")
    @classmethod
    def _zones_fit(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        profile, region = info.data.get("profile"), info.data.get("region")
        zones = value or (tables.default_zones(region) if region else ())
        fewest, wanted = (2, "two or three zones") if profile == "dev" else (3, "three zones")
        if profile and zones and not fewest <= len(zones) <= 3:
            raise Refused(f"profile {profile} needs {wanted}, got {len(zones)}: {', '.join(zones)}", "see tables/zones.yaml")
        if len(set(zones)) != len(zones):
            raise Refused("names a zone twice", "give each zone once")
        if region and (foreign := [zone for zone in zones if not re.match(rf"^{region}[a-z]$", zone)]):
            raise Refused(f"{', '.join(foreign)} is not in region {region}", f"zones look like {region}a")
        return value

    @field_validator("dns")
    @classmethod
    def _domain_is_in_its_zone(cls, value: DnsSettings, info: ValidationInfo) -> DnsSettings:
        domain = info.data.get("domain")
        for key, zone in (("existingZone", value.existing_zone), ("delegateFrom", value.delegate_from)):
            inside = domain and (domain.endswith(f".{zone}") or (key == "existingZone" and domain == zone))
            if domain and zone and not inside:
                raise Refused(f"{key}: the domain {domain} is not below the zone {zone}", "name a zone that contains it")
        return value

    @cached_property
    def defaults(self) -> ProfileDefaults:
        """What the profile gives where the team gave nothing."""
        return PROFILES[self.profile]

    @cached_property
    def zone_names(self) -> tuple[str, ...]:
        """The zones, by name, in subnet order."""
        return self.zones or tables.default_zones(self.region)

    @cached_property
    def nat(self) -> NatMode:
        """NAT mode after the profile's default."""
        return self.network.nat or self.defaults.nat

    @cached_property
    def sized(self) -> SizeSettings:
        """The sizes with every gap filled from the profile."""
        given = self.sizes.model_dump(exclude_none=True)
        return SizeSettings.model_validate({**self.defaults.sizes, **given})

    @classmethod
    def parse(cls, environment: str, values: Mapping[str, Any]) -> "Settings":
        """Build the settings of one environment.

        Raises:
            pydantic.ValidationError: with one entry for each problem; `infra.stack_config` turns it into a report.
        """
        return cls.model_validate({**values, "environment": environment})
