"""What can be seen through the registry's address, without changing anything.

selected = select(outside.CHECKS, only=["outside.health"])
"""

import asyncio
import base64
import json
import re

from slipway.harbor.client import Connection, Patience, connect
from slipway.harbor.client.api import system
from slipway.harbor.client.request import Raw
from slipway.harbor.client.session import basic
from slipway.verify.advice import COMPONENTS, EVERY_HARBOR
from slipway.verify.check import Check, Failed, Skipped
from slipway.verify.scene import Scene

LOGINS = 20
_LOGINS_AT_ONCE = 5
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
        missing = (expected.components if expected else EVERY_HARBOR) - names
        if not sick and not missing:
            break
        if look + 1 < _HEALTH_LOOKS:
            await asyncio.sleep(_HEALTH_PAUSE)
    if sick:
        says = "; ".join(f"{name}: {error}" for name, error in sorted(sick.items()))
        raise Failed(says, "; ".join(COMPONENTS.get(name, f"look at {name}'s log") for name in sorted(sick)))
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
        reading="some replicas differ: another token key, an old password, or an ill one; all: a wrong secret",
        fix="all core pods must read one token key (harbor-core-token) and run one revision: restart core",
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
)
