"""database, cache, backup and restore: what holds data, and how it comes back."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, field_validator, model_validator

from infra import tables
from infra.sections.base import Setting
from values.errors import Refused


class DatabaseSettings(Setting):
    """RDS for PostgreSQL."""

    postgres_version: str = tables.default_postgres_version()
    """Major version."""
    backup_retention_days: Annotated[int, Field(ge=7, le=35)] | None = None
    """Days that automated backups reach back; RDS keeps 35 at most. Default by profile."""
    ca_bundle: str = ""
    """File with the RDS certificate bundle of your region, below the project: Harbor then checks the server's name."""

    @field_validator("postgres_version")
    @classmethod
    def _is_supported(cls, value: str) -> str:
        if value not in tables.postgres_versions():
            raise Refused("is outside support", f"supported: {', '.join(tables.postgres_versions())}")
        return value


class CacheSettings(Setting):
    """ElastiCache for Valkey."""

    valkey_version: str = tables.default_valkey_version()
    """Engine version."""
    cluster_mode: str = "disabled"
    """Only `disabled`: Harbor's clients cannot follow a cluster's redirections."""
    serverless: bool = False
    """Only `false`: ElastiCache Serverless is always in cluster mode."""

    @field_validator("valkey_version")
    @classmethod
    def _is_supported(cls, value: str) -> str:
        if value not in tables.valkey_versions():
            raise Refused("is not a Valkey version we know", f"known: {', '.join(tables.valkey_versions())}")
        return value

    @field_validator("cluster_mode")
    @classmethod
    def _is_disabled(cls, value: str) -> str:
        if value != "disabled":
            # Harbor has no cluster client and uses several logical databases (goharbor/harbor-helm#2227).
            raise Refused(
                "cannot carry Harbor: its clients follow no MOVED, and it uses several logical databases",
                "leave it disabled; replicas and Multi-AZ give the availability",
            )
        return value

    @field_validator("serverless")
    @classmethod
    def _is_off(cls, value: bool) -> bool:  # a pydantic validator
        if value:
            raise Refused(
                "is always in cluster mode, which Harbor's clients cannot use", "leave it off: nodes of a fixed type"
            )
        return value


class BackupSettings(Setting):
    """AWS Backup of database and storage."""

    retention_days: Annotated[int, Field(ge=35, le=3650)] = 35
    """Days that a recovery point is kept in the vault."""
    copy_region: str = ""
    """Second region that recovery points and secrets are copied to. Default: by profile and region."""


class DatabaseRestore(Setting):
    """A new database from a backup, beside the one that is there."""

    generation: Annotated[int, Field(ge=2, le=99)]
    """Number of the new database; 2 for the first restore, then 3, …."""
    snapshot: str = ""
    """Snapshot to restore from: its identifier or ARN, of RDS or AWS Backup."""
    to_time: AwareDatetime | None = None
    """Point in time to restore the previous generation to, with its offset: 2026-11-20T09:30:00Z."""
    keep_previous: bool = True
    """Keep the previous generation in the program; `slipway teardown ENV --previous` deletes it."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if bool(self.snapshot) == (self.to_time is not None):
            raise Refused("needs exactly one of snapshot and toTime", "name the backup, or the moment")
        return self

    @field_validator("to_time")
    @classmethod
    def _is_past(cls, value: datetime | None) -> datetime | None:
        if value and value > datetime.now(value.tzinfo):
            raise Refused("is in the future", "give the moment before the damage")
        return value


class StorageRestore(Setting):
    """The registry's blobs from a backup, beside those that are there."""

    generation: Annotated[int, Field(ge=2, le=99)]
    """Number of the new access point; 2 for the first restore, then 3, …."""
    path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._-]+){1,4}$")]
    """Where AWS Backup restored them: /aws-backup-restore_<datetime>/harbor/registry."""
    file_system: Annotated[int, Field(ge=1, le=99)] = 1
    """Number of the file system they are on; one more than before makes a new one to restore into."""
    keep_previous: bool = True
    """Keep the previous generation in the program; `slipway teardown ENV --previous` deletes it."""


class ClusterRebuild(Setting):
    """A new cluster beside the data."""

    generation: Annotated[int, Field(ge=2, le=99)]
    """Number of the new cluster; the one before it is deleted once this one stands."""


class RestoreSettings(Setting):
    """What comes back from a backup, or is built again; see docs/recovery.md."""

    database: DatabaseRestore | None = None
    """Restore the database."""
    storage: StorageRestore | None = None
    """Restore the blobs on EFS."""
    cluster: ClusterRebuild | None = None
    """Build the EKS cluster again."""


class AlarmSettings(Setting):
    """Who is told."""

    emails: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")], ...] = ()
    """Addresses that alarms go to; AWS asks each to confirm."""
    monthly_budget_usd: Annotated[int, Field(ge=1)] | None = None
    """Monthly cost in US dollars; 50, 80 and 100 % of it are told. Default by profile."""
