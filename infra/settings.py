"""Settings: what a team decides about one environment; typed, frozen, every problem reported at once.

One model, two readers (``infra/stack_config.py``): `pulumi.Config` inside the program and the stack file
``stacks/Pulumi.<environment>.yaml`` for the command. A field that is left out has the default of the profile.

    settings = Settings.parse("prod", {"domain": "harbor.example.com", "region": "eu-central-1", …})
"""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from infra import tables
from infra.defaults import PROFILES, ProfileDefaults
from infra.sections import (
    ClusterSettings,
    DeliverSettings,
    DnsSettings,
    GitOpsSettings,
    NatMode,
    NetworkSettings,
    Refused,
    Setting,
    SignInSettings,
    SizeSettings,
    domain_name,
)
from values.facts import DEFAULT_CHART_VERSION, HARBOR_CHART_REPOSITORY, SUPPORTED_CHART_VERSIONS

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
    """Availability zones, two or three for dev, three otherwise. Empty: the region's first three."""
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
    sign_in: SignInSettings = SignInSettings()
    """How people sign in."""
    deliver: DeliverSettings = DeliverSettings()
    """Waiting for Flux."""
    deletion_protection: bool = True
    """AWS refuses to delete the cluster and the database. Before a destroy, turn it off and run `pulumi up`."""
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
