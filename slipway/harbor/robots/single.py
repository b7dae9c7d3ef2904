"""One robot without a second: its secret in an order that a kill cannot break, and a renewal that really extends.

    await hand_out(harbor, 7, "robot$payments+ci", store)
    await renew(harbor, robot, days=90, store=store)

Harbor counts the end of a robot from its creation: another secret does not move it, nor does the same duration.
"""

import asyncio
import datetime as dt
import math

from pydantic import SecretStr

from infra.errors import Problem, SecretStoreError
from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import robots
from slipway.harbor.client.models import Robot
from slipway.harbor.robots.issue import prove
from slipway.harbor.robots.secret import new_secret
from slipway.harbor.robots.stores.store import Credential, Store


async def hand_out(
    harbor: HarborClient, number: int, name: str, store: Store, *, secret: SecretStr | None = None, anew: bool = False
) -> None:
    """Give a robot a secret of ours, unless the stored one works: stored, set, proven, and only then current.

    Args:
        name: of the robot, with the prefix.
        secret: that Harbor has chosen, of a robot that the sender may not change.
        anew: also if the stored one works.

    Raises:
        SecretStoreError: another's secret is there, or it cannot be kept.
        HarborError: Harbor said no.
    """
    current, pending = await asyncio.to_thread(lambda: (store.current(), store.pending()))
    if current and current.username != name:
        what = f"holds the secret of {current.username}, and would lose it"
        raise SecretStoreError(Problem(where=store.name, what=what, fix="name another place for this one"))
    if pending and pending.username == name and await _works(harbor, pending):
        await asyncio.to_thread(store.promote)  # what an interrupted run left
        return
    if not anew and current and await _works(harbor, current):
        return
    credential = Credential(username=name, password=secret or new_secret(), registry=registry_of(harbor))
    await asyncio.to_thread(store.stage, credential)
    if secret is None:
        await harbor.send(robots.refresh(number, credential.password))
    await prove(harbor, credential)
    await asyncio.to_thread(store.promote)


async def renew(harbor: HarborClient, robot: Robot, *, days: int, store: Store) -> None:
    """Let a robot live so many days from now, and replace its secret.

    Raises:
        SecretStoreError, HarborError: as `hand_out`.
    """
    await asyncio.to_thread(store.check)
    duration = duration_for(robot.creation_time, days, now_of(harbor))
    await harbor.send(robots.update(robot.model_copy(update={"duration": duration})))
    await hand_out(harbor, robot.id, robot.name, store, anew=True)


def duration_for(created: str | None, days: int, now: dt.datetime) -> int:
    """Give the duration with which a robot lives so many days from now; one made today has just those."""
    return days if days == -1 else days + age(created, now)


def age(created: str | None, now: dt.datetime) -> int:
    """Give how many days ago a robot was made; part of one, but more than an hour, counts."""
    made = dt.datetime.fromisoformat(created) if created else now
    return max(math.ceil((now - made - dt.timedelta(hours=1)) / dt.timedelta(days=1)), 0)


def now_of(harbor: HarborClient) -> dt.datetime:
    """Give Harbor's own time, as it was at the login."""
    said = harbor.info.current_time
    return dt.datetime.fromisoformat(said) if said else dt.datetime.now(dt.UTC)


def registry_of(harbor: HarborClient) -> str:
    """Give host and port of the registry that the secret opens."""
    return harbor.registry


async def _works(harbor: HarborClient, credential: Credential) -> bool:
    return await harbor.accepts(credential.username, credential.password.get_secret_value())
