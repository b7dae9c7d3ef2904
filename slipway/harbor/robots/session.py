"""What the commands do with robots: connect, and report or renew.

rows = run_report(environment, within=14)
"""

import asyncio
from collections.abc import Sequence

from infra.errors import Problem, SpecError
from infra.layers import did_you_mean
from slipway.harbor.client import connect
from slipway.harbor.environment import Environment
from slipway.harbor.robots.declared import Declared, declared_robots
from slipway.harbor.robots.expiry import Row, report
from slipway.harbor.robots.renewal import Renewed, renew_all
from slipway.harbor.robots.single import now_of
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.robots import RobotSpec


def run_report(environment: Environment, *, within: int) -> list[Row]:
    """Tell when robots end.

    Raises:
        HarborError: they cannot be read.
    """
    return asyncio.run(_report(environment, within))


async def _report(environment: Environment, within: int) -> list[Row]:
    async with connect(environment.connection()) as harbor:
        found = await declared_robots(harbor, environment.spec)
        return report(found, now=now_of(harbor), within=within)


def run_rotate(environment: Environment, *, names: Sequence[str], now: bool, dry_run: bool) -> list[Renewed]:
    """Renew robots.

    Args:
        names: keys of those; none for all.

    Raises:
        SpecError: one of them is not declared with rotation.
        HarborError: Harbor cannot be read.
    """
    _refuse_unknown(environment.spec, names)
    return asyncio.run(_rotate(environment, names, now, dry_run))


async def _rotate(environment: Environment, names: Sequence[str], now: bool, dry_run: bool) -> list[Renewed]:
    async with connect(environment.connection()) as harbor:
        found = await declared_robots(harbor, environment.spec)
        chosen: list[Declared] = [
            each for each in found if each.spec and each.spec.rotation and (not names or each.key in names)
        ]
        return await renew_all(harbor, chosen, folder=environment.folder, now=now, dry_run=dry_run)


def _refuse_unknown(spec: HarborSpec, names: Sequence[str]) -> None:
    robots: dict[str, RobotSpec] = {each.name: each for each in spec.robots or ()}
    for name, project in spec.all_projects.items():
        robots |= {f"{name}/{each.name}": each for each in project.robots or ()}
    rotated = {key for key, robot in robots.items() if robot.rotation}
    problems = []
    for name in names:
        if name in rotated:
            continue
        what = f"{name} has no rotation" if name in robots else f"there is no {name!r}{did_you_mean(name, robots)}"
        problems.append(Problem(where="--robot", what=what, fix="name one that harbor.yaml declares with rotation"))
    if problems:
        raise SpecError(*problems)
