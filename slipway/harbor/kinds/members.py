"""Members of projects: users and groups with a role. The owner's own membership is never taken away."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from slipway.harbor.administrator import NAME as ADMINISTRATOR
from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import members
from slipway.harbor.client.models import Member, MemberGroup, MemberReq, MemberUser
from slipway.harbor.client.request import Created
from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.parts import in_projects, rules_of, unusual
from slipway.harbor.kinds.people import GROUP_TYPES
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.projects import ProjectSpec

_ROLE_NAMES = {number: name for name, number in members.ROLES.items()}
_PARTS = {"u": "user", "g": "group"}


class Members(Kind):
    """Members; the key is PROJECT/user/NAME or PROJECT/group/NAME."""

    name: ClassVar = "member"

    def desired(self, spec: HarborSpec) -> Desired:
        objects, lists = [], {}
        for project in spec.all_projects.values():
            if project.members is None:
                continue
            for part, name in (("user", "users"), ("group", "groups")):
                listed = getattr(project.members, name)
                if listed is not None:
                    lists[f"{project.name}/{part}"] = not listed
            objects += self._of(project)
        return Desired(objects=objects, lists=lists)

    def _of(self, project: ProjectSpec) -> Iterator[Object]:
        declared = project.members
        for user in (declared.users if declared else None) or ():
            yield self._wanted(project, "user", user.username, user.role, after=(Ref("user", user.username),))
        for group in (declared.groups if declared else None) or ():
            there = Ref("user-group", group.group_name)
            # Without a type it must be there; with one, Harbor makes it.
            yield self._wanted(
                project,
                "group",
                group.group_name,
                group.role,
                seed=dict(group.given()),
                needs=() if group.group_type else (there,),
                after=(there,),
            )

    def _wanted(
        self,
        project: ProjectSpec,
        part: str,
        name: str,
        role: str,
        *,
        seed: Mapping[str, Any] | None = None,
        needs: tuple[Ref, ...] = (),
        after: tuple[Ref, ...] = (),
    ) -> Object:
        return Object(
            kind=self.name,
            key=f"{project.name}/{part}/{name}",
            fields={"role": role},
            parent=project.name,
            part=part,
            seed=seed or {},
            needs=(Ref("project", project.name), *needs),
            after=after,
            at=("projects", project.name, "members"),
            **rules_of(None, project),
        )

    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        return await in_projects(harbor, scope, world, lambda p: members.of(p.number), self._seen)

    def _seen(self, project: Object, rows: Iterable[Member]) -> list[Object]:
        return [
            Object(
                kind=self.name,
                key=f"{project.key}/{(part := _PARTS.get(row.entity_type, row.entity_type))}/{row.entity_name}",
                fields={"role": _ROLE_NAMES.get(row.role_id, f"#{row.role_id}")},
                parent=project.key,
                part=part,
                id=str(row.id),
                guard="owns the project" if part == "user" and row.entity_name == project.owner else "",
            )
            for row in rows
        ]

    def declare(self, present: Sequence[Object], draft: Draft) -> None:
        for one in present:
            name = one.key.split("/", 2)[2]
            # Who makes a project owns it. A person who does is a member wherever the file makes it again.
            if one.guard and name == ADMINISTRATOR:
                continue
            key = "username" if one.part == "user" else "group_name"
            at = ("projects", one.parent, "members", f"{one.part}s")
            draft.add(at, {key: name, **unusual(one.fields, {"role": ""})}, one)

    async def create(self, site: Site, wanted: Object) -> str:
        number, name = site.world.number("project", wanted.parent), wanted.key.split("/", 2)[2]
        role = members.ROLES[wanted.fields["role"]]
        if wanted.part == "user":
            body = MemberReq(role_id=role, member_user=MemberUser(username=name))
        else:
            body = MemberReq(role_id=role, member_group=_group(site, wanted, name))

        async def find() -> Created | None:
            there = await site.harbor.all(members.of(number))
            kind = wanted.part[0]
            return next(
                (Created(str(each.id)) for each in there if (each.entity_type, each.entity_name) == (kind, name)), None
            )

        known = body.member_group.id if body.member_group else site.world.get("user", name)
        # Harbor makes whom it does not know yet: of several requests at the same time one, and the others get an error.
        async with contextlib.nullcontext() if known else site.world.first(f"{wanted.part} {name}"):
            return (await site.harbor.create(members.add(number, body), find)).id

    async def update(self, site: Site, edit: Edit) -> None:
        number = site.world.number("project", edit.present.parent)
        role = members.ROLES[edit.value("role")]
        await site.harbor.send(members.change(number, edit.present.number, role))

    async def delete(self, site: Site, present: Object) -> None:
        number = site.world.number("project", present.parent)
        await site.harbor.send(members.remove(number, present.number))


def _group(site: Site, wanted: Object, name: str) -> MemberGroup:
    """Name a group: by its id where it is known, since only with OIDC and LDAP its name will do."""
    if found := site.world.get("user-group", name):
        return MemberGroup(id=found.number)
    kind, place = wanted.seed.get("group_type"), wanted.seed.get("ldap_group_dn")
    return MemberGroup(group_name=name, group_type=GROUP_TYPES[kind] if kind else None, ldap_group_dn=place)
