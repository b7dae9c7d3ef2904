"""Members of a project.

await harbor.all(members.of("payments"))
"""

from slipway.harbor.client.models import Member, MemberReq, Role
from slipway.harbor.client.request import Created, Pages, Request, created, nothing, page_of, project_path

_PAGE = page_of(Member)
ROLES = {"projectadmin": 1, "developer": 2, "guest": 3, "maintainer": 4, "limitedguest": 5}


def of(project: str | int) -> Pages[Member]:
    path, by_name = project_path(project)
    what = f"list the members of project {project}"
    return Pages(first=Request(what=what, method="GET", path=f"{path}/members", by_name=by_name, read=_PAGE))


def add(project: str | int, member: MemberReq) -> Request[Created]:
    path, by_name = project_path(project)
    what = f"add a member to project {project}"
    return Request(what=what, method="POST", path=f"{path}/members", by_name=by_name, body=member, read=created)


def change(project: str | int, member: int, role: int) -> Request[None]:
    """Give a member another role. A role that does not exist would make the member vanish, so it is refused here."""
    if role not in ROLES.values():
        raise ValueError(f"role {role} does not exist; there are {ROLES}")
    path, by_name = project_path(project)
    return Request(
        what=f"change member {member} of project {project}",
        method="PUT",
        path=f"{path}/members/{member}",
        by_name=by_name,
        body=Role(role_id=role),
        read=nothing,
    )


def remove(project: str | int, member: int) -> Request[None]:
    """Remove a member. Harbor answers 200 as well for one of another project, and does nothing."""
    path, by_name = project_path(project)
    return Request(
        what=f"remove member {member} of project {project}",
        method="DELETE",
        path=f"{path}/members/{member}",
        by_name=by_name,
        read=nothing,
    )
