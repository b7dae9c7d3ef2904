"""Who sends a request, and whether they may: a user, a robot, or nobody.

who.may("list", "member", project)      # project None: a right on the system
"""

from dataclasses import dataclass, field

from tests.harbor.server.rights import PUBLIC, ROLES


@dataclass(frozen=True, kw_only=True)
class Who:
    """The sender.

    Attributes:
        roles: of a user, the role ids by project.
        grants: of a robot, its permissions as Harbor keeps them.
        scopes: of a registry token, the actions by repository: it counts for nothing else.
    """

    name: str = ""
    user_id: int = 0
    admin: bool = False
    robot: dict | None = None
    roles: dict[int, list[int]] = field(default_factory=dict)
    scopes: dict[str, list[str]] | None = None

    @property
    def authenticated(self) -> bool:
        return bool(self.name)

    def may(self, action: str, resource: str, project: dict | None = None) -> bool:
        """Tell whether the sender has a right, in a project or on the system."""
        if self.admin:
            return True
        if project is not None and project["metadata"].get("public") == "true" and (resource, action) in PUBLIC:
            return True
        if self.robot is not None:
            return any(_grants(grant, action, resource, project) for grant in self.robot["permissions"])
        if project is None:
            return False
        return any((resource, action) in ROLES.get(role, ()) for role in self.roles.get(project["project_id"], ()))


def _grants(grant: dict, action: str, resource: str, project: dict | None) -> bool:
    pairs = {(access["resource"], access["action"]) for access in grant["access"] if access.get("effect") != "deny"}
    if project is None:
        return grant["kind"] == "system" and (resource, action) in pairs
    if grant["kind"] != "project" or grant["namespace"] not in {"*", project["name"]}:
        return False
    # On all projects a right to the project itself is one to whatever is below it: Harbor compares paths.
    return (resource, action) in pairs or (grant["namespace"] == "*" and ("project", action) in pairs)


NOBODY = Who()
