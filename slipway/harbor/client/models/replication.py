"""Registries elsewhere and the replication from and to them.

Registry(name="hub", type="docker-hub", url="https://hub.docker.com")
"""

from typing import Annotated, Any

from slipway.harbor.client.models.base import NULL_IS_EMPTY, Model, Secret


class Credential(Model):
    """How to log in there; the secret reads ***** whatever it is."""

    type: str = "basic"
    access_key: str | None = None
    access_secret: Secret | None = None


class Registry(Model):
    """A registry; the address reads back trimmed."""

    id: int | None = None
    name: str = ""
    description: str = ""
    type: str = ""
    url: str = ""
    insecure: bool | None = None
    ca_certificate: str | None = None
    credential: Credential | None = None
    status: str | None = None


class RegistryUpdate(Model):
    """What to change; all else stays."""

    name: str | None = None
    description: str | None = None
    url: str | None = None
    insecure: bool | None = None
    ca_certificate: str | None = None
    credential_type: str | None = None
    access_key: str | None = None
    access_secret: Secret | None = None


class RegistryPing(Model):
    """An address to ask: a known registry by its id, or one that is not known yet."""

    id: int | None = None
    type: str | None = None
    url: str | None = None
    credential_type: str | None = None
    access_key: str | None = None
    access_secret: Secret | None = None
    insecure: bool | None = None
    ca_certificate: str | None = None


class Cron(Model):
    """Six fields: the first is 0, the second not `*`."""

    cron: str | None = None


class ReplicationTrigger(Model):
    """manual, scheduled or event_based."""

    type: str = "manual"
    trigger_settings: Cron | None = None


class ReplicationFilter(Model):
    """name, tag, label (a list) or resource; decoration matches or excludes."""

    type: str
    value: Any = None
    decoration: str | None = None


class RegistryId(Model):
    """A reference to a registry."""

    id: int


class ReplicationPolicy(Model):
    """A rule; one of source and destination is another registry. A change replaces all of it.

    What counts for deletions is `deletion`; false values are absent when read.
    """

    id: int | None = None
    name: str
    description: str = ""
    src_registry: Registry | RegistryId | None = None
    dest_registry: Registry | RegistryId | None = None
    dest_namespace: str = ""
    dest_namespace_replace_count: int | None = None
    trigger: ReplicationTrigger = ReplicationTrigger()
    filters: Annotated[list[ReplicationFilter], NULL_IS_EMPTY] = []
    deletion: bool = False
    override: bool = False
    enabled: bool = False
    speed: int | None = None
    copy_by_chunk: bool | None = None
    single_active_replication: bool | None = None


class StartReplication(Model):
    """Run a rule now."""

    policy_id: int


class Replication(Model):
    """A run of a rule."""

    id: int
    policy_id: int
    status: str = ""
    status_text: str = ""
    trigger: str = ""
    start_time: str | None = None
    end_time: str | None = None
    total: int = 0
    failed: int = 0
    succeed: int = 0
    in_progress: int = 0
    stopped: int = 0


class ReplicationTask(Model):
    """What a run does with one repository: Pending, InProgress, Succeed, Failed or Stopped."""

    id: int
    execution_id: int = 0
    status: str = ""
    operation: str = ""
    resource_type: str = ""
    src_resource: str = ""
    dst_resource: str = ""
    start_time: str | None = None
    end_time: str | None = None
