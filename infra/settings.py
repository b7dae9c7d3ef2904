"""Settings: what a team decides about one environment; typed, frozen, every problem reported at once.

One model, two readers (``infra/stack_config.py``): `pulumi.Config` inside the program and the stack file
``stacks/Pulumi.<environment>.yaml`` for the command. A field that is left out has the default of the profile.

    settings = Settings.parse("prod", {"domain": "harbor.example.com", "region": "eu-central-1", …})
"""

import re
from collections.abc import Mapping
from functools import cached_property
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from infra import tables
from infra.defaults import PROFILES, ProfileDefaults
from infra.sections.base import Setting, domain_name
from infra.sections.data import AlarmSettings, BackupSettings, CacheSettings, DatabaseSettings, RestoreSettings
from infra.sections.delivery import DeliverSettings, GitOpsSettings
from infra.sections.machines import ClusterSettings, SizeSettings
from infra.sections.network import DnsSettings, NatMode, NetworkSettings
from infra.sections.people import SignInSettings
from values.errors import Refused
from values.facts import DEFAULT_CHART_VERSION, HARBOR_CHART_REPOSITORY, SUPPORTED_CHART_VERSIONS
from values.options import CLOUD_EXPOSURES, HarborOptions

#: Names of AWS resources begin with it, and the shortest limit (an ALB's 32) must still hold a suffix.
ENVIRONMENT_PATTERN = r"^[a-z][a-z0-9-]{0,18}[a-z0-9]$"

StorageType = Literal["efs", "s3"]
ProfileName = Literal["dev", "ha", "large"]


class Settings(Setting):
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
    """Availability zones, two or three for dev, three otherwise. Empty: the region's first two, or three."""
    storage: StorageType = "efs"
    """Where the registry keeps blobs: `efs`, or `s3` (needs a static access key, Harbor knows no Pod Identity)."""
    kubernetes_version: str = tables.default_kubernetes_version()
    """EKS version."""
    chart_version: str = DEFAULT_CHART_VERSION
    """Version of the official Harbor chart, exact."""
    chart_repository: str = HARBOR_CHART_REPOSITORY
    """Helm repository that the chart comes from: Harbor's own, or your mirror of it."""
    account: str = ""
    """AWS account id; when given, any other account is refused."""
    owner: str = "platform"
    """Goes into the tag Owner."""
    tags: dict[str, str] = {}  # noqa: RUF012  # pydantic copies it
    """Further tags for every resource."""
    network: NetworkSettings = NetworkSettings()
    """Addresses and NAT."""
    dns: DnsSettings = DnsSettings()
    """Zone of the registry's name."""
    cluster: ClusterSettings = ClusterSettings()
    """Access to the EKS cluster."""
    sizes: SizeSettings = SizeSettings()
    """Instance types and counts."""
    database: DatabaseSettings = DatabaseSettings()
    """PostgreSQL version and backups."""
    cache: CacheSettings = CacheSettings()
    """Valkey version."""
    backup: BackupSettings = BackupSettings()
    """How long recovery points are kept, and where copies go."""
    restore: RestoreSettings = RestoreSettings()
    """Coming back from a backup."""
    alarms: AlarmSettings = AlarmSettings()
    """Who is told, and of what cost."""
    sign_in: SignInSettings = SignInSettings()
    """How people sign in."""
    deliver: DeliverSettings = DeliverSettings()
    """Waiting for Flux."""
    harbor: HarborOptions = HarborOptions()
    """Harbor itself: exposure, replicas, monitoring and the rest; see docs/harbor.md."""
    deletion_protection: bool = True
    """AWS refuses to delete the cluster and the database. `slipway teardown` turns it off for its own run."""
    keep_data: bool = True
    """What holds data is protected by Pulumi, and stays at AWS when the stack is destroyed."""
    git_token: SecretStr | None = None
    """Token that pushes to the GitOps repository; set it with `pulumi config set --secret slipway:gitToken`."""
    git_read_token: SecretStr | None = None
    """Token that Flux reads the repository with; it may not push. None: the repository is public, or SSH."""
    git_read_key: SecretStr | None = None
    """Private SSH key that Flux reads the repository with (a read-only deploy key); needs gitops.knownHosts."""

    @field_validator("domain")
    @classmethod
    def _is_domain(cls, value: str) -> str:
        return domain_name(value)

    @field_validator("chart_repository")
    @classmethod
    def _is_helm_repository(cls, value: str) -> str:
        if not re.match(r"^https?://[^\s/@]+(/\S*)?$", value):
            raise Refused("is not the URL of a Helm repository", "use https://host/path, without credentials")
        return value

    @field_validator("kubernetes_version", "chart_version")
    @classmethod
    def _is_supported(cls, value: str, info: ValidationInfo) -> str:
        supported = SUPPORTED_CHART_VERSIONS if info.field_name == "chart_version" else tables.kubernetes_versions()
        if value not in supported:
            raise Refused("is outside support", f"supported: {', '.join(supported)}")
        return value

    @field_validator("harbor")
    @classmethod
    def _is_for_a_cloud(cls, value: HarborOptions) -> HarborOptions:
        if value.expose.type and value.expose.type not in CLOUD_EXPOSURES:
            raise Refused(f"expose.type {value.expose.type} is a laptop's", f"use one of {', '.join(CLOUD_EXPOSURES)}")
        return value

    @field_validator("account")
    @classmethod
    def _is_account(cls, value: str) -> str:
        if value and not re.match(r"^\d{12}$", value):
            raise Refused("is not an AWS account id", 'give its twelve digits, quoted in YAML, like "111122223333"')
        return value

    @field_validator("storage", mode="before")
    @classmethod
    def _has_a_driver(cls, value: object) -> object:
        # The registry's S3 driver knows static keys, environment, file and EC2 metadata, and nothing newer.
        if isinstance(value, str) and value.lower() in {"irsa", "s3-irsa", "s3+irsa", "s3-pod-identity"}:
            raise Refused(
                "is not possible: the registry's S3 driver knows neither IRSA nor Pod Identity",
                "use efs, or s3 with the scoped access key that Slipway makes",
            )
        return value

    @field_validator("zones")
    @classmethod
    def _zones_fit(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        profile, region = info.data.get("profile"), info.data.get("region")
        zones = value or (tables.default_zones(region) if region else ())
        fewest, wanted = (2, "two or three zones") if profile == "dev" else (3, "three zones")
        if profile and zones and not fewest <= len(zones) <= 3:
            raise Refused(
                f"profile {profile} needs {wanted}, got {len(zones)}: {', '.join(zones)}", "see tables/zones.yaml"
            )
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
                raise Refused(
                    f"{key}: the domain {domain} is not below the zone {zone}", "name a zone that contains it"
                )
        return value

    @model_validator(mode="after")
    def _waits_for_what_arrives(self) -> "Settings":
        if self.deliver.wait and self.gitops.mode != "direct":
            raise Refused(
                f"deliver.wait waits for Flux, and with gitops.mode {self.gitops.mode} a person comes first",
                "turn deliver.wait off, and after the merge: slipway status --wait",
            )
        return self

    @model_validator(mode="after")
    def _flux_can_read(self) -> "Settings":
        """Hold the reader's identity to the repository's protocol, and apart from the writer's."""
        is_ssh = not self.gitops.repository.startswith(("http://", "https://", "file://"))
        if self.git_read_key and not is_ssh:
            raise Refused("gitReadKey is an SSH key and gitops.repository an HTTPS URL", "give gitReadToken instead")
        if self.git_read_key and not self.gitops.known_hosts:
            raise Refused("gitReadKey needs gitops.knownHosts", "Flux refuses a host whose key it does not know")
        if self.git_read_token and is_ssh:
            raise Refused("gitReadToken opens HTTPS and gitops.repository is SSH", "give gitReadKey instead")
        if self.git_read_token and self.git_token == self.git_read_token:
            raise Refused(
                "gitReadToken is gitToken: whoever reads the cluster's Secret could push",
                "make a second token that may only read",
            )
        return self

    @model_validator(mode="after")
    def _network_holds_the_nodes(self) -> "Settings":
        """Hold existing subnets to the zones, and new ones to the addresses that nodes and their pods can take."""
        if existing := self.network.existing:
            if set(existing.private) != set(self.zone_names):
                raise Refused(
                    f"network.existing has subnets in {', '.join(existing.private)}, "
                    f"the environment's zones are {', '.join(self.zone_names)}",
                    "give zones and subnets that agree",
                )
            return self
        # An eighth of the VPC for each zone's nodes (infra/aws/subnets.py), of which AWS keeps five addresses.
        room = IPv4Network(self.network.cidr).num_addresses // 8 - 5
        if self.node_addresses > room:
            raise Refused(
                f"network.cidr {self.network.cidr} gives each zone {room} addresses for nodes and pods, "
                f"sizes ask for {self.node_addresses}",
                "take a larger network, fewer nodes per zone, or a smaller node type",
            )
        return self

    @model_validator(mode="after")
    def _restores_what_there_is(self) -> "Settings":
        if self.restore.storage and self.storage == "s3":
            raise Refused("restore.storage is for EFS", "a bucket's old objects come back from their versions")
        if self.backup.copy_region and self.backup.copy_region == self.region:
            raise Refused("backup.copyRegion is the environment's own region", "name another one")
        return self

    @cached_property
    def defaults(self) -> ProfileDefaults:
        """What the profile gives where the team gave nothing."""
        return PROFILES[self.profile]

    @cached_property
    def zone_names(self) -> tuple[str, ...]:
        """The zones, by name, in subnet order."""
        return self.zones or tables.default_zones(self.region)[: self.defaults.zones]

    @cached_property
    def nat(self) -> NatMode:
        """NAT mode after the profile's default."""
        return self.network.nat or self.defaults.nat

    @property
    def node_addresses(self) -> int:
        """IPv4 addresses that a zone's nodes and their pods can take, with the one that an upgrade adds."""
        return ((self.sized.nodes_per_zone or 1) + 1) * tables.node_addresses(self.sized.node_type or "")

    @property
    def copy_region(self) -> str:
        """Second region of recovery points and secrets; empty where the profile copies none."""
        return self.backup.copy_region or (tables.copy_region(self.region) if self.defaults.copies else "")

    @property
    def database_retention_days(self) -> int:
        """Days that RDS's own backups reach back."""
        return self.database.backup_retention_days or self.defaults.backup_retention_days

    @property
    def health_check(self) -> bool:
        """Whether Route53 calls the registry from outside."""
        return self.defaults.health_check if self.dns.health_check is None else self.dns.health_check

    @property
    def query_log(self) -> bool:
        """Whether the queries of our zone are logged; an existing zone has its own owner."""
        return self.defaults.query_log and not self.dns.existing_zone

    @property
    def monthly_budget_usd(self) -> int:
        """Monthly cost in US dollars that the budget tells of."""
        return self.alarms.monthly_budget_usd or self.defaults.monthly_budget_usd

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
