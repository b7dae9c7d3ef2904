"""Users, groups and members.

user_groups: [{group_name: harbor-payments-dev, group_type: oidc}]
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from slipway.harbor.spec.base import Dn, Named, Spec, Text, refuse_twice
from slipway.harbor.spec.secret import SecretRef

GroupType = Literal["ldap", "http", "oidc"]
RoleName = Literal["projectadmin", "maintainer", "developer", "guest", "limitedguest"]
Username = Annotated[str, StringConstraints(pattern=r"^[^,\"~#%$\s]+$", min_length=1, max_length=255)]


def _not_admin(name: str) -> str:
    if name == "admin":
        raise ValueError("admin is Harbor's own; its password is the environment's secret, and it is not managed here")
    return name


class UserSpec(Named):
    """A local user; only where Harbor itself keeps the passwords (db_auth)."""

    username: Annotated[Username, AfterValidator(_not_admin)]
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    realname: Text | None = None
    comment: str | None = None
    admin: bool | None = None
    password: SecretRef | None = None


class GroupSpec(Named):
    """A group of users whose members are elsewhere."""

    group_name: Text
    group_type: GroupType
    ldap_group_dn: Dn | None = None

    @model_validator(mode="after")
    def _dn(self) -> Self:
        if (self.group_type == "ldap") != (self.ldap_group_dn is not None):
            raise ValueError("ldap_group_dn is for groups of type ldap, and they need it")
        return self


class MemberUserSpec(Spec):
    """A user and the role."""

    username: Username
    role: RoleName


class MemberGroupSpec(Spec):
    """A group and the role."""

    group_name: Text
    group_type: GroupType | None = Field(default=None, description="Needed for a group that Harbor has to make.")
    ldap_group_dn: Dn | None = None
    role: RoleName


class MembersSpec(Spec):
    """Members of a project. A list that is absent is not managed."""

    users: list[MemberUserSpec] | None = None
    groups: list[MemberGroupSpec] | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        refuse_twice(self.users, "username")
        refuse_twice(self.groups, "group_name")
        return self
