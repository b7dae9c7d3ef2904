"""User groups, and users where Harbor itself keeps the passwords. Of a group nothing can be changed."""

from collections.abc import Sequence
from typing import Any, ClassVar

from infra.errors import InputRefused
from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import people
from slipway.harbor.client.models import Group, Password, User, UserProfile, UserReq
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import fields_of, rules_of, unusual
from slipway.harbor.spec import HarborSpec

GROUP_TYPES = {"ldap": 1, "http": 2, "oidc": 3}
_TYPE_NAMES = {number: name for name, number in GROUP_TYPES.items()}


class Groups(Kind):
    """User groups; the key is the name."""

    name: ClassVar = "user-group"
    fixed: ClassVar = frozenset({"group_type", "ldap_group_dn"})

    def desired(self, spec: HarborSpec) -> Desired:
        objects = [
            Object(
                kind=self.name,
                key=group.group_name,
                fields={"group_type": group.group_type, "ldap_group_dn": group.ldap_group_dn or ""},
                at=("user_groups", number),
                **rules_of(group),
            )
            for number, group in enumerate(spec.user_groups or ())
        ]
        return Desired(objects=objects, lists={} if spec.user_groups is None else {"": not spec.user_groups})

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        return [self._seen(group) for group in await harbor.all(people.groups())]

    def _seen(self, group: Group) -> Object:
        kind = _TYPE_NAMES.get(group.group_type, f"#{group.group_type}")
        fields = {"group_type": kind, "ldap_group_dn": group.ldap_group_dn or ""}
        return Object(kind=self.name, key=group.group_name, fields=fields, id=str(group.id))

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            data = unusual(one.fields, {"group_type": "", "ldap_group_dn": ""})
            draft.add(("user_groups",), {"group_name": one.key, **data}, one)

    async def create(self, site: Site, wanted: Object) -> str:
        fields = wanted.fields
        group = Group(
            group_name=wanted.key, group_type=GROUP_TYPES[fields["group_type"]], ldap_group_dn=fields["ldap_group_dn"]
        )

        async def find() -> Created | None:
            there = await site.harbor.all(people.groups())
            return next((Created(str(each.id)) for each in there if each.group_name == wanted.key), None)

        return (await site.harbor.create(people.create_group(group), find)).id

    async def delete(self, site: Site, present: Object) -> None:
        await site.harbor.send(people.delete_group(present.number))


_PROFILE = {"email": "", "realname": "", "comment": ""}


class Users(Kind):
    """Local users but admin, who is in no list; the key is the name."""

    name: ClassVar = "user"
    required: ClassVar = frozenset({"email", "realname", "password"})

    def desired(self, spec: HarborSpec) -> Desired:
        objects = [
            Object(
                kind=self.name,
                key=user.username,
                fields=fields_of(user, _PROFILE | {"admin": False}),
                secrets={"password": user.password} if user.password else {},
                at=("users", number),
                **rules_of(user),
            )
            for number, user in enumerate(spec.users or ())
        ]
        return Desired(objects=objects, lists={} if spec.users is None else {"": not spec.users})

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        return [self._seen(user) for user in await harbor.all(people.users())]

    def _seen(self, user: User) -> Object:
        fields: dict[str, Any] = {name: getattr(user, name) for name in _PROFILE} | {"admin": user.sysadmin_flag}
        guard = "Harbor's own" if user.user_id == 1 else ""
        return Object(kind=self.name, key=user.username, fields=fields, id=str(user.user_id), guard=guard)

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        config = draft.world.get("config", "system")
        if config is not None and config.fields.get("auth_mode", "db_auth") != "db_auth":
            return  # they come and go with the sign-in, and their passwords are kept there
        for one in present:
            if not one.guard:
                data = {"username": one.key, **unusual(one.fields, _PROFILE | {"admin": False})}
                data["password"] = draft.secret(one, "password", f"USER {one.key}")
                draft.add(("users",), data, one)

    async def create(self, site: Site, wanted: Object) -> str:
        profile = {name: wanted.fields.get(name, "") for name in _PROFILE}
        password = site.secret(wanted, "password")
        request = people.create_user(UserReq(username=wanted.key, password=password, **profile))

        async def find() -> Created | None:
            there = await site.harbor.all(people.users())
            return next((Created(str(each.user_id)) for each in there if each.username == wanted.key), None)

        made = await site.harbor.create(request, find)
        if wanted.fields.get("admin"):
            await site.harbor.send(people.set_administrator(made.number, administrator=True))
        return made.id

    async def update(self, site: Site, edit: Edit) -> None:
        number = edit.present.number
        if edit.fields & set(_PROFILE):
            profile = UserProfile(**{name: edit.value(name) for name in _PROFILE})
            await site.harbor.send(people.update_user(number, profile))
        if "admin" in edit.fields:
            await site.harbor.send(people.set_administrator(number, administrator=edit.value("admin")))
        if "password" in edit.fields:
            await _set_password(site, edit)

    async def delete(self, site: Site, present: Object) -> None:
        await site.harbor.send(people.delete_user(present.number))


async def _set_password(site: Site, edit: Edit) -> None:
    """Set it; one that is set already (by a run that was killed) is refused, and that is fine."""
    password = site.secret(edit.wanted, "password")
    if password is None:
        return
    try:
        await site.harbor.send(people.set_password(edit.present.number, Password(new_password=password)))
    except InputRefused:
        if not await site.harbor.accepts(edit.wanted.key, password.get_secret_value()):
            raise
