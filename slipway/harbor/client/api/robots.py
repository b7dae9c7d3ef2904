"""Robots, of the system and of projects.

made = await harbor.send(robots.create(RobotCreate(…)))    # made.secret, told once
"""

from pydantic import SecretStr

from slipway.harbor.client.models import Robot, RobotCreate, RobotCreated, RobotSec
from slipway.harbor.client.request import Pages, Request, nothing, one, page_of

_PAGE, _ROBOT, _CREATED, _SECRET = page_of(Robot), one(Robot), one(RobotCreated), one(RobotSec)


def of_system() -> Pages[Robot]:
    return Pages(
        first=Request(what="list system robots", method="GET", path="/robots", query={"sort": "id"}, read=_PAGE),
        keep=lambda robot: robot.level == "system",
    )


def of_project(number: int) -> Pages[Robot]:
    """List a project's robots; Harbor knows no list across projects."""
    return Pages(
        first=Request(
            what=f"list the robots of project {number}",
            method="GET",
            path="/robots",
            query={"q": f"Level=project,ProjectID={number}", "sort": "id"},
            read=_PAGE,
        ),
        keep=lambda robot: robot.level == "project",
    )


def get(number: int) -> Request[Robot]:
    return Request(what=f"read robot {number}", method="GET", path=f"/robots/{number}", read=_ROBOT)


def create(robot: RobotCreate) -> Request[RobotCreated]:
    """Make a robot; Harbor chooses its first secret, and is not told whether it is disabled."""
    return Request(what=f"create robot {robot.name}", method="POST", path="/robots", body=robot, read=_CREATED)


def update(robot: Robot) -> Request[None]:
    """Replace a robot: what is absent is emptied. Only another duration moves its end, counted from creation."""
    what = f"change robot {robot.name}"
    return Request(what=what, method="PUT", path=f"/robots/{robot.id}", body=robot, read=nothing)


def refresh(number: int, secret: str | SecretStr | None = None) -> Request[RobotSec]:
    """Set a robot's secret, or have Harbor make one. It does not move the robot's end."""
    plain = SecretStr(secret) if isinstance(secret, str) else secret
    return Request(
        what=f"set the secret of robot {number}",
        method="PATCH",
        path=f"/robots/{number}",
        body=RobotSec(secret=plain),
        read=_SECRET,
        repeatable=plain is not None,  # the same secret twice is the same end; another that Harbor makes is not
    )


def delete(number: int) -> Request[None]:
    return Request(what=f"delete robot {number}", method="DELETE", path=f"/robots/{number}", read=nothing)
