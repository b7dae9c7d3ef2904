"""Users and groups.

await harbor.all(people.users())
"""

from slipway.harbor.client.models import Administrator, Group, Password, User, UserProfile, UserReq
from slipway.harbor.client.request import Created, Pages, Request, created, nothing, one, page_of

_USERS, _GROUPS, _USER = page_of(User), page_of(Group), one(User)


def users() -> Pages[User]:
    """List users."""
    return Pages(
        first=Request(what="list users", method="GET", path="/users", query={"sort": "user_id"}, read=_USERS),
        identity=lambda user: user.user_id,
    )


def current() -> Request[User]:
    """Read who is logged in; a robot gets 412."""
    return Request(what="read the current user", method="GET", path="/users/current", read=_USER)


def create_user(user: UserReq) -> Request[Created]:
    return Request(what=f"create user {user.username}", method="POST", path="/users", body=user, read=created)


def update_user(number: int, profile: UserProfile) -> Request[None]:
    return Request(what=f"change user {number}", method="PUT", path=f"/users/{number}", body=profile, read=nothing)


def set_administrator(number: int, *, administrator: bool) -> Request[None]:
    return Request(
        what=f"set whether user {number} is an administrator",
        method="PUT",
        path=f"/users/{number}/sysadmin",
        body=Administrator(sysadmin_flag=administrator),
        read=nothing,
    )


def set_password(number: int, password: Password) -> Request[None]:
    """Set a password; one's own needs the old one, which no longer fits the second time."""
    return Request(
        what=f"set the password of user {number}",
        method="PUT",
        path=f"/users/{number}/password",
        body=password,
        read=nothing,
        repeatable=False,
    )


def delete_user(number: int) -> Request[None]:
    return Request(what=f"delete user {number}", method="DELETE", path=f"/users/{number}", read=nothing)


def groups() -> Pages[Group]:
    return Pages(first=Request(what="list user groups", method="GET", path="/usergroups", read=_GROUPS))


def create_group(group: Group) -> Request[Created]:
    what = f"create user group {group.group_name}"
    return Request(what=what, method="POST", path="/usergroups", body=group, read=created)


def delete_group(number: int) -> Request[None]:
    return Request(what=f"delete user group {number}", method="DELETE", path=f"/usergroups/{number}", read=nothing)
