"""Robots.

RobotCreate(name="ci", level="project", duration=90, permissions=[Permission(kind="project", namespace="payments", …)])
"""

from typing import Annotated

from slipway.harbor.client.models.base import NULL_IS_EMPTY, Model, Secret


class Access(Model):
    """One right."""

    resource: str
    action: str
    effect: str | None = None


class Permission(Model):
    """Rights in one project (`*` for all), or on the system (kind system, namespace /)."""

    kind: str
    namespace: str
    access: Annotated[list[Access], NULL_IS_EMPTY] = []


class Robot(Model):
    """A robot as Harbor shows it: its name with the prefix, its permissions in any order."""

    id: int
    name: str
    level: str = ""
    description: str = ""
    duration: int | None = None
    disable: bool = False
    editable: bool = True
    expires_at: int = -1
    creation_time: str | None = None
    update_time: str | None = None
    permissions: Annotated[list[Permission], NULL_IS_EMPTY] = []
    creator_type: str = ""
    creator_ref: int = 0


class RobotCreate(Model):
    """A robot to make, named without the prefix. Harbor ignores a secret here, and `disable`."""

    name: str
    level: str
    duration: int
    description: str = ""
    permissions: Annotated[list[Permission], NULL_IS_EMPTY]


class RobotCreated(Model):
    """A new robot, with the only secret that Harbor ever tells."""

    id: int
    name: str
    secret: Secret
    creation_time: str | None = None
    expires_at: int = -1


class RobotSec(Model):
    """A secret to set, or the one that Harbor made because none was sent."""

    secret: Secret | None = None
