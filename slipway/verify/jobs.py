"""What Harbor does by itself: its scanner, its job service, its queues and its schedules.

selected = select(jobs.CHECKS, only=["outside.jobs"])
"""

import asyncio
import datetime as dt
import re

from infra.errors import HarborError, NotAllowedNow, RightMissing
from slipway.harbor.client.api import scanners, schedules, system
from slipway.verify.advice import COMPONENTS
from slipway.verify.check import Check, Failed, Skipped
from slipway.verify.scene import Scene

#: A job service that is alive writes it every 10 seconds.
_HEARTBEAT_SECONDS = 60


async def scanner(scene: Scene) -> str:
    expected = scene.target.expected
    every = [one for one in await scene.api.all(scanners.every()) if not one.disabled]
    if not every and not (expected and "trivy" in expected.components):
        raise Skipped("no scanner is registered")
    default = next((one for one in every if one.is_default), None)
    if default is None:
        raise Failed("no scanner is the default", "make one the default: Interrogation Services in the portal")
    try:
        await scene.api.send(scanners.metadata(default.uuid))
    except HarborError as error:
        raise Failed(f"{default.name} at {default.url} is unhealthy: {error.problems[0].what}") from error
    scene.scanner = default.name
    return f"{default.name} is the default, and healthy"


async def pools(scene: Scene) -> str:
    found, now = await asyncio.gather(scene.api.send(system.pools()), _now(scene))
    if not found:
        raise Failed("no job service has reported: nothing is scanned, replicated or collected")
    ages = {pool.worker_pool_id: (now - _time(pool.heartbeat_at)).total_seconds() for pool in found}
    fresh = [age for age in ages.values() if age <= _HEARTBEAT_SECONDS]
    wanted = scene.target.expected.job_replicas if scene.target.expected else 0
    if not fresh:
        raise Failed(f"the last sign of life of a job service is {min(ages.values()):.0f} s old")
    if wanted and len(fresh) < wanted:
        raise Failed(f"{len(fresh)} of {wanted} replicas of the job service give a sign of life")
    if stale := len(ages) - len(fresh):
        raise Failed(f"{stale} of {len(ages)} pools give no sign of life", "a replica died or hangs; restart it")
    return f"{len(fresh)} alive, youngest sign of life {max(min(fresh), 0):.0f} s old"


async def _now(scene: Scene) -> dt.datetime:
    """Give Harbor's own time: this machine's clock may be wrong."""
    return _time((await scene.api.send(system.info())).current_time) or dt.datetime.now(dt.UTC)


def _time(text: str | None) -> dt.datetime:
    if not text:
        return dt.datetime.fromtimestamp(0, dt.UTC)
    # Harbor writes nanoseconds; Python 3.11 reads six digits.
    try:
        found = dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        raise Failed(f"Harbor gives {text[:40]!r} for a time") from None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


async def queues(scene: Scene) -> str:
    found = await scene.api.send(system.queues())
    if paused := sorted(queue.job_type for queue in found if queue.paused):
        raise Failed(f"paused: {', '.join(paused)}")
    waiting = sum(queue.count for queue in found)
    return f"{len(found)} queues, none paused, {waiting} jobs wait"


async def schedule(scene: Scene) -> str:
    paused, gc, purge = await asyncio.gather(
        scene.api.send(system.schedules_paused()), scene.api.send(schedules.gc()), scene.api.send(schedules.purge())
    )
    if paused.paused:
        raise Failed("the scheduler is paused: nothing runs by itself")
    try:
        scan = await scene.api.send(schedules.scan_all())
    except (NotAllowedNow, RightMissing):  # there is no scanner
        scan = None
    given = {"garbage collection": gc, "purge of the audit log": purge, "scan of everything": scan}
    found = [
        f"{name} {one.schedule.cron or one.schedule.type if one and one.schedule else 'has no schedule'}"
        for name, one in given.items()
    ]
    return f"not paused; {'; '.join(found)}"


CHECKS = (
    Check(
        id="outside.scanner",
        proves="the default scanner is there and healthy",
        reading="images are not scanned, and where unscanned images are blocked, they cannot be pulled",
        fix=COMPONENTS["trivy"],
        do=scanner,
        needs=("outside.login",),
    ),
    Check(
        id="outside.jobs",
        proves="each replica of the job service gives a sign of life",
        reading="the job service is down, hangs, or lost Redis after a failover",
        fix="kubectl -n harbor rollout restart deploy/harbor-jobservice, and look at its log for Redis",
        do=pools,
        needs=("outside.login",),
    ),
    Check(
        id="outside.queues",
        proves="no queue of jobs is paused",
        reading="jobs of that kind are taken and never begun",
        fix="resume it: Administration, Job Service Dashboard, Job Queues",
        do=queues,
        needs=("outside.login",),
    ),
    Check(
        id="outside.schedules",
        proves="the scheduler is not paused; says what is scheduled",
        reading="garbage collection, purge, retention and replication do not begin by themselves",
        fix="resume it: Administration, Job Service Dashboard, Schedules; after a loss of Redis set schedules again",
        do=schedule,
        needs=("outside.login",),
    ),
)
