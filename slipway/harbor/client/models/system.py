"""The system: what it says of itself, its settings, users, groups, scanners, jobs.

SystemInfo.model_validate_json(…).harbor_version    # None for those who are not logged in
"""

from typing import Annotated, Any

from slipway.harbor.client.models.base import NULL_IS_EMPTY, Model, Secret


class SystemInfo(Model):
    """What Harbor tells of itself; `harbor_version` only to those who are logged in."""

    harbor_version: str | None = None
    auth_mode: str = ""
    external_url: str | None = None
    registry_url: str | None = None
    read_only: bool | None = None
    current_time: str | None = None
    registry_storage_provider_name: str | None = None
    project_creation_restriction: str | None = None


class Component(Model):
    """One part's health."""

    name: str
    status: str
    error: str = ""


class Health(Model):
    """All parts' health; the answer is 200 whatever it says."""

    status: str
    components: Annotated[list[Component], NULL_IS_EMPTY] = []


class Statistics(Model):
    """Counts of the whole registry."""

    total_project_count: int = 0
    total_repo_count: int = 0
    total_storage_consumption: int = 0


class Setting(Model):
    """One setting; all are not editable when the environment overwrites them."""

    value: Any = None
    editable: bool = True


class Settings(Model):
    """Settings to change, by their API names (all are allowed); secrets are never read back."""

    oidc_client_secret: Secret | None = None
    ldap_search_password: Secret | None = None
    uaa_client_secret: Secret | None = None
    read_only: bool | None = None


class User(Model):
    """A user as Harbor shows it."""

    user_id: int
    username: str
    email: str = ""
    realname: str = ""
    comment: str = ""
    sysadmin_flag: bool = False


class UserReq(Model):
    """A user to make."""

    username: str
    email: str
    realname: str
    password: Secret
    comment: str = ""


class UserProfile(Model):
    """What to change of a user."""

    email: str
    realname: str
    comment: str = ""


class Administrator(Model):
    """Whether a user is a system administrator."""

    sysadmin_flag: bool


class Password(Model):
    """Another password; one's own needs the old one."""

    old_password: Secret | None = None
    new_password: Secret


class Group(Model):
    """A group of users: 1 LDAP, 2 HTTP, 3 OIDC."""

    id: int | None = None
    group_name: str
    group_type: int
    ldap_group_dn: str = ""


class Scanner(Model):
    """A scanner registration; Harbor's name for `skip_cert_verify` is skip_certVerify."""

    uuid: str
    name: str
    url: str
    description: str = ""
    auth: str = ""
    disabled: bool = False
    is_default: bool = False
    skip_certVerify: bool = False  # noqa: N815  # the API's name
    use_internal_addr: bool = False
    health: str = ""


class ScannerReq(Model):
    """A scanner to register or to change; without `auth` its credential is cleared."""

    name: str
    url: str
    description: str = ""
    auth: str = ""
    access_credential: Secret | None = None
    skip_certVerify: bool = False  # noqa: N815  # the API's name
    use_internal_addr: bool = False
    disabled: bool = False


class DefaultScanner(Model):
    """Make it the default."""

    is_default: bool = True


class ProjectScanner(Model):
    """Which scanner a project uses; Harbor takes any uuid, so read it back."""

    uuid: str


class WorkerPool(Model):
    """A replica of the job service."""

    pid: int = 0
    worker_pool_id: str
    start_at: str | None = None
    heartbeat_at: str | None = None
    concurrency: int = 0


class JobQueue(Model):
    """A queue of the job service."""

    job_type: str
    count: int = 0
    latency: int = 0
    paused: bool = False


class ScheduledTask(Model):
    """Something that the scheduler runs."""

    id: int
    vendor_type: str = ""
    vendor_id: int = 0
    cron: str = ""


class Paused(Model):
    """Whether the scheduler rests."""

    paused: bool = False


class AuditEvent(Model):
    """One line of the audit log."""

    id: int
    username: str = ""
    resource: str = ""
    resource_type: str = ""
    operation: str = ""
    operation_result: bool = True
    op_time: str | None = None
