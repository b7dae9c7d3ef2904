"""Facts: the only value that crosses from the cloud to the renderer. It never holds a secret.

    facts = Facts.from_json(Path("facts.json").read_text())
    facts.database.host

Names of Secrets, identifiers and addresses are facts; passwords and keys are not: they go from the program to
AWS Secrets Manager and from there, by External Secrets, to the cluster.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_serializer
from pydantic.alias_generators import to_camel

from values.errors import Refused
from values.options import HarborOptions, Port

#: Charts whose key contract is under charts/harbor/; newest first.
SUPPORTED_CHART_VERSIONS = ("1.19.2", "1.19.1", "1.18.3")
DEFAULT_CHART_VERSION = "1.19.1"
HARBOR_CHART_REPOSITORY = "https://helm.goharbor.io"

Profile = Literal["dev", "ha", "large", "kind"]


def plain_folder(path: str) -> str:
    """Give a folder inside a repository without slashes at its ends; empty is the root.

    Raises:
        Refused: it leads out of the repository, or into Git's own folder.
    """
    parts = path.strip("/").split("/") if path else []
    if any(part in {"", ".", "..", ".git"} for part in parts):
        raise Refused("is not a plain folder inside the repository", "use a relative path without . and ..")
    return "/".join(parts)


#: A host's name or address, on a laptop with a port; that it is there at all is checked with what needs it.
Host = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?)?$")]


class _Fact(BaseModel):
    """Frozen, strict about names, camelCase outside and snake_case inside."""

    # Built on first use: a nested model's own schema is never needed, and start-up pays for each.
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


class AwsFacts(_Fact):
    """Where the environment runs. Absent on kind."""

    account_id: str
    region: str
    zones: tuple[str, ...]
    vpc_id: str
    vpc_cidr: str
    cluster_name: str
    kubernetes_version: str
    certificate_arn: str
    hosted_zone_id: str


class DatabaseFacts(_Fact):
    """The PostgreSQL server's writer endpoint. Absent when the chart's own database is used (kind)."""

    host: Host
    port: Port
    name: str
    username: str
    #: what the server accepts in total; the pools of all replicas must fit in
    max_connections: int
    #: PEM certificates that the server's own is checked with; empty: encrypted, but not checked
    ca_bundle: str = ""
    #: ARN of the Secrets Manager secret with the master user's `username` and `password`, which RDS makes and rotates;
    #: empty: nobody makes Harbor's role and database from here
    admin_secret_name: str = ""


class CacheFacts(_Fact):
    """The Valkey primary endpoint (cluster mode disabled, TLS). Absent when the chart's own is used (kind)."""

    host: Host
    port: Port
    username: str


class EfsStorage(_Fact):
    """Registry blobs on EFS, through an access point that is uid and gid 10000 (Harbor's)."""

    type: Literal["efs"] = "efs"
    file_system_id: str
    registry_access_point_id: str


class S3Storage(_Fact):
    """Registry blobs in S3; the driver needs a static key, Harbor's knows neither IRSA nor Pod Identity."""

    type: Literal["s3"] = "s3"
    bucket: str
    region: str


class VolumeStorage(_Fact):
    """Registry blobs on one volume of the cluster's default storage class (kind)."""

    type: Literal["volume"] = "volume"
    size: str = "5Gi"


class SignInFacts(_Fact):
    """How people sign in; layer 3 sets it in Harbor. The client secret is in Secrets Manager, never here."""

    mode: Literal["database", "oidc"] = "database"
    oidc_name: str = ""
    oidc_endpoint: str = ""
    oidc_client_id: str = ""


class Facts(_Fact):
    """What the values of one environment are made from.

    Attributes:
        environment: name of the environment, which is also the Pulumi stack's.
        example: made up, for rendering without a cloud; publishing refuses it.
        host: the registry's host name, ``harbor.example.com``.
        chart_repository: URL of the Helm repository that the chart comes from.
        gitops_path: folder of the GitOps repository below which everything is written; empty for the root.
        content: what Git holds of Harbor: values for a HelmRelease, or the rendered objects in its place.
        secrets_prefix: first part of every Secrets Manager name, ``slipway/prod``; empty on kind.
        flux_version: minor of the Flux that reads the files, ``2.9``.
        harbor: what the team chose about Harbor itself.
    """

    schema_version: Literal[1] = 1
    environment: str
    profile: Profile
    example: bool = False
    host: Host
    chart_version: str
    chart_repository: str = HARBOR_CHART_REPOSITORY
    gitops_path: Annotated[str, AfterValidator(plain_folder)] = ""
    content: Literal["values", "manifests"] = "values"
    secrets_prefix: str = ""
    flux_version: Annotated[str, Field(pattern=r"^2\.\d+$")] = "2.9"
    aws: AwsFacts | None = None
    database: DatabaseFacts | None = None
    cache: CacheFacts | None = None
    storage: Annotated[EfsStorage | S3Storage | VolumeStorage, Field(discriminator="type")]
    sign_in: SignInFacts = SignInFacts()
    harbor: HarborOptions = HarborOptions()

    @field_serializer("harbor")
    def _only_choices(self, options: HarborOptions) -> dict[str, Any]:
        """Write what was chosen: defaults would be noise in every environment's Git history."""
        return options.model_dump(by_alias=True, mode="json", exclude_defaults=True)

    def to_json(self) -> str:
        """Give the facts as stable JSON text: sorted keys, two spaces, LF at the end."""
        return json.dumps(self.model_dump(by_alias=True, mode="json"), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Facts":
        """Read what `to_json` wrote.

        Raises:
            pydantic.ValidationError: not JSON, or not facts of this version.
        """
        return cls.model_validate_json(text)

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> "Facts":
        """Build from plain values, as an ``Output.all(...)`` delivers them."""
        return cls.model_validate(values)
