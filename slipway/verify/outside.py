"""What can be seen through the registry's address, without changing anything.

selected = select(outside.CHECKS, only=["outside.health"])
"""

import asyncio
import base64
import datetime as dt
import json
import re

from infra.errors import NotAllowedNow, RightMissing
from slipway.harbor.client import Connection, Patience, connect
from slipway.harbor.client.api import scanners, schedules, system
from slipway.harbor.client.request import Raw
from slipway.harbor.client.session import basic
from slipway.verify.check import Check, Failed, Skipped
from slipway.verify.scene import Scene

#: Of every Harbor; trivy besides where it is on.
COMPONENTS = frozenset({"core", "database", "jobservice", "portal", "redis", "registry", "registryctl"})
_ADVICE = {
    "core": "kubectl -n harbor logs deploy/harbor-core",
    "database": "look at the database's state and connections, and at core's log for `too many clients`",
    "jobservice": "kubectl -n harbor logs deploy/harbor-jobservice; its queue is in Redis",
    "portal": "kubectl -n harbor logs deploy/harbor-portal",
    "redis": "look at the cache's state and password: a failover needs a restart of the job service",
    "registry": "kubectl -n harbor logs deploy/harbor-registry -c registry: storage, or Redis without TLS",
    "registryctl": "kubectl -n harbor logs deploy/harbor-registry -c registryctl",
    "trivy": "kubectl -n harbor logs statefulset/harbor-trivy: its volume, its cache's lock",
}
LOGINS = 20
_LOGINS_AT_ONCE = 5
#: A job service that is alive writes it every 10 seconds.
_HEARTBEAT_SECONDS = 60
#: What is up to ten seconds old may still tell of the time before.
_HEALTH_LOOKS, _HEALTH_PAUSE = 3, 0.3
_SERVICE = "harbor-registry"


async def reach(scene: Scene) -> str:
    raw = await scene.web.get("/api/v2.0/ping")
    if 300 <= raw.status < 400:
        place = raw.headers.get("location", "elsewhere")
        raise Failed(f"redirects to {place}", "give the address at which Harbor itself answers, if that one is yours")
    if raw.status != 200 or raw.body.strip().strip(b'"') != b"Pong":
        raise Failed(f"/api/v2.0/ping is answered with {_words(raw)}, not with Pong")
    return "/api/v2.0/ping answers Pong"


async def health(scene: Scene) -> str:
    expected = scene.target.expected
    for look in range(_HEALTH_LOOKS):
        sick, names = await _components(scene)
        missing = (expected.components if expected else COMPONENTS) - names
        if not sick and not missing:
            break
        if look + 1 < _HEALTH_LOOKS:
            await asyncio.sleep(_HEALTH_PAUSE)
    if sick:
        says = "; ".join(f"{name}: {error}" for name, error in sorted(sick.items()))
        raise Failed(says, "; ".join(_ADVICE.get(name, f"look at {name}'s log") for name in sorted(sick)))
    if missing:
        fix = "its address is not set in core, or another environment answers: slipway status"
        raise Failed(f"not in the health check: {', '.join(sorted(missing))}", fix)
    if expected and (more := names - expected.components):
        raise Failed(f"not in the settings, yet there: {', '.join(sorted(more))}", "publish the settings: slipway diff")
    return f"healthy: {', '.join(sorted(names))}"


async def _components(scene: Scene) -> tuple[dict[str, str], set[str]]:
    raw = await scene.web.get("/api/v2.0/health")
    if raw.status != 200:
        raise Failed(f"/api/v2.0/health is answered with {_words(raw)}")
    try:
        answer = json.loads(raw.body)
        parts = {part["name"]: part for part in answer["components"]}
        sick = {
            name: part.get("error") or str(part["status"])
            for name, part in parts.items()
            if part["status"] != "healthy"
        }
        if not sick and answer["status"] != "healthy":
            sick = {"core": f"the whole is {answer['status']}"}
    except (ValueError, KeyError, TypeError) as error:
        raise Failed(f"/api/v2.0/health gives no components: {error!r}") from error
    return sick, set(parts)


async def realm(scene: Scene) -> str:
    raw = await scene.web.get("/v2/")
    challenge = raw.headers.get("www-authenticate", "")
    if raw.status != 401 or not challenge.lower().startswith("bearer "):
        raise Failed(f"/v2/ is answered with {_words(raw)} and {challenge or 'no challenge'}, not with 401 and Bearer")
    parts = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    given, wanted = parts.get("realm", ""), f"{scene.target.url}/service/token"
    if given != wanted:
        raise Failed(f"clients are sent to {given or 'nowhere'} for their token, not to {wanted}")
    if parts.get("service") != _SERVICE:
        raise Failed(f"the token is for service {parts.get('service')!r}, not for {_SERVICE!r}")
    return f"clients get their token at {given}"


async def login(scene: Scene) -> str:
    target = scene.target
    if target.password is None:
        raise Skipped(target.no_password)
    connection = Connection(
        url=target.url,
        name=target.username,
        secret=target.password,
        robot=target.robot,
        ca_file=target.ca_file,
        allow_http=target.allow_http,
        patience=Patience(attempts=3, answer=scene.options.seconds),
    )
    scene.harbor = await scene.stack.enter_async_context(connect(connection))
    kind = "robot" if connection.is_robot else "user"
    return f"{kind} {target.username} is logged in; Harbor {scene.harbor.info.harbor_version}"


async def logins(scene: Scene) -> str:
    target = scene.target
    if target.password is None:
        raise Skipped(target.no_password)
    carried = {"Authorization": basic(target.username, target.password.get_secret_value())}
    places = asyncio.Semaphore(_LOGINS_AT_ONCE)

    async def once() -> str:
        async with places:
            try:
                return await _token_login(scene, carried)
            except Failed as failed:
                return failed.says

    said = await asyncio.gather(*(once() for _ in range(LOGINS)))
    bad = [one for one in said if one]
    if bad:
        raise Failed(f"{len(bad)} of {LOGINS} failed; {'; '.join(dict.fromkeys(bad))}")
    return f"{LOGINS} of {LOGINS} tokens are taken, each over connections of its own"


async def _token_login(scene: Scene, carried: dict[str, str]) -> str:
    """Get a token and use it, each over a new connection; gives what went wrong, or nothing."""
    raw = await scene.web.get(f"/service/token?service={_SERVICE}", headers=carried)
    if raw.status != 200:
        return f"the token service answers {_words(raw)}"
    try:
        token = json.loads(raw.body)["token"]
        claims = json.loads(_unpadded(token.split(".")[1]))
    except (ValueError, LookupError, TypeError, AttributeError):
        return "the token service gives no token"
    if not claims.get("sub"):
        # It never says no: what it does not know gets a token without a name.
        return f"the token service does not know {scene.target.username}"
    raw = await scene.web.get("/v2/", headers={"Authorization": f"Bearer {token}"})
    return "" if raw.status == 200 else f"a fresh token is answered with {_words(raw)}"


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def system_info(scene: Scene) -> str:
    info = await scene.api.send(system.info())
    given, wanted = (info.external_url or "").rstrip("/"), scene.target.url
    if given != wanted:
        raise Failed(f"Harbor takes {given or 'nothing'} for its address, clients use {wanted}")
    return (
        f"{given}, sign-in {info.auth_mode}, Harbor {info.harbor_version}, blobs: {info.registry_storage_provider_name}"
    )


async def writable(scene: Scene) -> str:
    if (await scene.api.send(system.info())).read_only:
        raise Failed("Harbor is in read-only mode: pulls work, nothing can be pushed")
    return "not in read-only mode"


async def scanner(scene: Scene) -> str:
    expected = scene.target.expected
    every = [one for one in await scene.api.all(scanners.every()) if not one.disabled]
    if not every and not (expected and "trivy" in expected.components):
        raise Skipped("no scanner is registered")
    default = next((one for one in every if one.is_default), None)
    if default is None:
        raise Failed("no scanner is the default", "make one the default: Interrogation Services in the portal")
    if default.health != "healthy":
        raise Failed(f"{default.name} at {default.url} is {default.health or 'of unknown health'}")
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
    return dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))


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


def _words(raw: Raw) -> str:
    """Give status and reason of an answer, short."""
    try:
        said = json.loads(raw.body)["errors"][0]["message"]
    except (ValueError, LookupError, TypeError):
        said = " ".join(re.sub(r"<[^>]*>", " ", raw.body[:300].decode(errors="replace")).split())
    return f"{raw.status} ({said[:160]})" if said else str(raw.status)


CHECKS = (
    Check(
        id="outside.reach",
        proves="Harbor's core answers at the address",
        reading="DNS, the load balancer, its targets, the certificate, or core itself: nothing further can be told",
        fix="slipway status ENV shows which link is not there; compare the address with the Ingress",
        do=reach,
    ),
    Check(
        id="outside.health",
        proves="each component that should run is healthy, by name",
        reading="the named component cannot be reached by core, or says that it is unwell; up to ten seconds old",
        fix="kubectl -n harbor get pods; slipway status ENV",
        do=health,
        needs=("outside.reach",),
    ),
    Check(
        id="outside.realm",
        proves="docker login is sent to this very address for its token, with this scheme",
        reading="externalURL is not the address that clients use, or a proxy drops Host or X-Forwarded-Proto",
        fix="set slipway:domain to the address that clients use; let the proxy pass Host and X-Forwarded-Proto on",
        do=realm,
        needs=("outside.reach",),
    ),
    Check(
        id="outside.login",
        proves="the given user or robot can log in, and Harbor knows it",
        reading="the secret is wrong, the account locked, disabled or expired, or it signs in elsewhere (OIDC)",
        fix="check --username and the password's source; the administrator's first password is in Secrets Manager",
        do=login,
        needs=("outside.reach",),
    ),
    Check(
        id="outside.logins",
        proves=f"{LOGINS} logins as docker does them, spread over replicas, all get a token that is taken",
        reading="some replicas differ: another token key, an old password, or one that is ill; all: the secret is wrong",
        fix="all core pods must read one token key (harbor-core-token) and run one revision: restart core, then run again",
        do=logins,
        needs=("outside.login",),
    ),
    Check(
        id="outside.address",
        proves="Harbor takes the address for its own: links, webhooks and sign-in use it",
        reading="externalURL differs from the address that clients use",
        fix="set slipway:domain (externalURL comes from it), or verify the address that Harbor names",
        do=system_info,
        needs=("outside.login",),
    ),
    Check(
        id="outside.writable",
        proves="Harbor takes changes",
        reading="somebody put it into read-only mode, for an upgrade or a garbage collection",
        fix="end read-only mode: Administration, Configuration, System Settings, Repository Read Only",
        do=writable,
        needs=("outside.login",),
    ),
    Check(
        id="outside.scanner",
        proves="the default scanner is there and healthy",
        reading="images are not scanned, and where unscanned images are blocked, they cannot be pulled",
        fix=_ADVICE["trivy"],
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
