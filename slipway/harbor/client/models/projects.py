"""Projects with what hangs on them: metadata, allowlists, members, quotas, labels.

ProjectReq(project_name="payments", metadata=ProjectMetadata(public="false", auto_scan="true"))
"""

from typing import Annotated

from slipway.harbor.client.models.base import NULL_IS_EMPTY, Model


class ProjectMetadata(Model):
    """Strings throughout, truth values as well."""

    public: str | None = None
    enable_content_trust: str | None = None  # notation
    enable_content_trust_cosign: str | None = None
    prevent_vul: str | None = None
    severity: str | None = None
    auto_scan: str | None = None
    auto_sbom_generation: str | None = None
    reuse_sys_cve_allowlist: str | None = None
    retention_id: str | None = None
    proxy_speed_kb: str | None = None
    max_upstream_conn: str | None = None
    proxy_cache_local_on_not_found: str | None = None


class AllowedCve(Model):
    """One entry of an allowlist."""

    cve_id: str


class Allowlist(Model):
    """Of a project or of the system. A write replaces all of it, its expiry (in epoch seconds) as well."""

    id: int | None = None
    project_id: int | None = None
    expires_at: int | None = None
    items: Annotated[list[AllowedCve], NULL_IS_EMPTY] = []


class Project(Model):
    """A project as Harbor shows it."""

    project_id: int
    name: str
    owner_id: int = 0
    owner_name: str = ""
    registry_id: int = 0
    repo_count: int = 0
    creation_time: str | None = None
    update_time: str | None = None
    metadata: ProjectMetadata = ProjectMetadata()
    cve_allowlist: Allowlist | None = None


class ProjectReq(Model):
    """A project to make or to change; a change ignores name, limit and registry."""

    project_name: str | None = None
    metadata: ProjectMetadata | None = None
    cve_allowlist: Allowlist | None = None
    storage_limit: int | None = None
    registry_id: int | None = None


class Member(Model):
    """A member of a project; `entity_type` is u for a user, g for a group."""

    id: int
    project_id: int
    entity_id: int
    entity_name: str
    entity_type: str
    role_id: int
    role_name: str = ""


class MemberUser(Model):
    """Which user."""

    user_id: int | None = None
    username: str | None = None


class MemberGroup(Model):
    """Which group: 1 LDAP, 2 HTTP, 3 OIDC."""

    id: int | None = None
    group_name: str | None = None
    group_type: int | None = None
    ldap_group_dn: str | None = None


class MemberReq(Model):
    """A member to add. Only roles 1 to 5 exist, and Harbor does not say so when one is changed."""

    role_id: int
    member_user: MemberUser | None = None
    member_group: MemberGroup | None = None


class Role(Model):
    """Another role for a member."""

    role_id: int


class QuotaRef(Model):
    """Whose quota it is."""

    id: int
    name: str = ""
    owner_name: str = ""


class Quota(Model):
    """A project's quota; only `storage` exists, in bytes, -1 for no limit."""

    id: int
    ref: QuotaRef | None = None
    hard: dict[str, int]
    used: dict[str, int] = {}


class QuotaReq(Model):
    """Another limit."""

    hard: dict[str, int]


class Label(Model):
    """A label of the system (scope g) or of a project (p). A change replaces name, colour and description."""

    id: int | None = None
    name: str
    description: str = ""
    color: str = ""
    scope: str = "g"
    project_id: int | None = None


class Repository(Model):
    """A repository; its name begins with the project's."""

    id: int
    project_id: int
    name: str
    description: str = ""
    artifact_count: int = 0
    pull_count: int = 0


class Deletable(Model):
    """Whether a project is empty. Harbor leaves the key out when it is not."""

    deletable: bool = False
    message: str = ""
