"""The system: its configuration, key by key as Harbor names it, and the allowlist that projects may share.

system: {config: {session_timeout: 120, robot_name_prefix: "robot$"}}
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from slipway.harbor.spec.base import Lower, Size, Spec, Text, refuse_twice
from slipway.harbor.spec.projects import AllowlistSpec
from slipway.harbor.spec.scanners import ScannerSpec
from slipway.harbor.spec.schedules import SchedulesSpec
from slipway.harbor.spec.secret import SecretRef
from slipway.harbor.spec.times import Day

_Positive = Annotated[int, Field(gt=0, le=9_999_999_999)]
_LdapScope = Annotated[int, Field(ge=0, le=2)]


class BannerSpec(Spec):
    """A message on every page of the portal, which shows one with a day only."""

    message: Text
    type: Literal["info", "warning", "danger", "success"] = "info"
    closable: bool = True
    from_date: Day | None = None
    to_date: Day | None = None

    @property
    def is_unseen(self) -> bool:
        """Whether the portal never shows it."""
        return not self.from_date and not self.to_date


class ConfigSpec(Spec):
    """Settings of Harbor. Only the keys that are here are managed; `null` gives one its default back."""

    # sign-in
    auth_mode: Literal["db_auth", "ldap_auth", "uaa_auth", "http_auth", "oidc_auth"] | None = Field(
        default=None, description="Can only change while there is no user but admin."
    )
    primary_auth_mode: bool | None = None
    self_registration: bool | None = None
    oidc_name: str | None = None
    oidc_endpoint: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretRef | None = None
    oidc_scope: str | None = None
    oidc_groups_claim: str | None = None
    oidc_group_filter: str | None = None
    oidc_admin_group: str | None = None
    oidc_user_claim: str | None = None
    oidc_auto_onboard: bool | None = None
    oidc_verify_cert: bool | None = None
    oidc_logout: bool | None = None
    oidc_extra_redirect_parms: dict[str, str] | None = None
    ldap_url: Text | None = None
    ldap_base_dn: Text | None = None
    ldap_uid: Text | None = None
    ldap_filter: str | None = None
    ldap_scope: _LdapScope | None = None
    ldap_timeout: _Positive | None = None
    ldap_verify_cert: bool | None = None
    ldap_search_dn: str | None = None
    ldap_search_password: SecretRef | None = None
    ldap_group_base_dn: str | None = None
    ldap_group_search_filter: str | None = None
    ldap_group_attribute_name: str | None = None
    ldap_group_admin_dn: Lower | None = None
    ldap_group_membership_attribute: str | None = None
    ldap_group_search_scope: _LdapScope | None = None
    ldap_group_attach_parallel: bool | None = None
    http_authproxy_endpoint: str | None = None
    http_authproxy_tokenreview_endpoint: str | None = None
    http_authproxy_admin_groups: str | None = None
    http_authproxy_admin_usernames: str | None = None
    http_authproxy_verify_cert: bool | None = None
    http_authproxy_skip_search: bool | None = None
    http_authproxy_server_certificate: str | None = None
    uaa_endpoint: str | None = None
    uaa_client_id: str | None = None
    uaa_client_secret: SecretRef | None = None
    uaa_verify_cert: bool | None = None
    # projects, robots, sessions
    project_creation_restriction: Literal["everyone", "adminonly"] | None = None
    robot_name_prefix: Text | None = Field(
        default=None, description="Changing it renames every robot at once; the old names stop working."
    )
    robot_token_duration: _Positive | None = Field(default=None, description="Days; only what the portal proposes.")
    token_expiration: _Positive | None = Field(default=None, description="Minutes.")
    session_timeout: _Positive | None = Field(default=None, description="Minutes.")
    quota_per_project_enable: bool | None = None
    storage_per_project: Size | None = None
    # the rest
    read_only: bool | None = None
    notification_enable: bool | None = None
    scanner_skip_update_pulltime: bool | None = None
    audit_log_forward_endpoint: str | None = Field(default=None, description="host:port that takes TCP at once.")
    skip_audit_log_database: bool | None = None
    disabled_audit_log_event_types: list[Text] | None = None
    banner_message: BannerSpec | None = None

    @model_validator(mode="after")
    def _as_harbor_keeps_it(self) -> Self:
        for name in ("ldap_url", "ldap_base_dn"):
            if self.has(name) and getattr(self, name) is None:
                raise ValueError(f"Harbor keeps no empty {name}: take the key out; auth_mode says whether it counts")
        nowhere = self.has("audit_log_forward_endpoint") and not self.audit_log_forward_endpoint
        if nowhere and self.skip_audit_log_database:
            raise ValueError("skip_audit_log_database needs an audit_log_forward_endpoint, or nothing is logged")
        return self


class SystemSpec(Spec):
    """What there is once in a Harbor."""

    config: ConfigSpec | None = None
    cve_allowlist: AllowlistSpec | None = None
    scanners: list[ScannerSpec] | None = None
    default_scanner: Text | None = None
    schedules: SchedulesSpec | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        refuse_twice(self.scanners, "name")
        return self
