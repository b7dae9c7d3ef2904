"""The registry: its name, its certificate, its parts' health, a login, its version. Nothing is written to it."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from slipway.doctor.check import Check, Failed, Skipped, Warned
from slipway.doctor.scene import ANSWER_SECONDS, Scene, refusal

if TYPE_CHECKING:
    from pydantic import SecretStr

#: ACM renews 60 days before the end, cert-manager 30: with less, nobody does.
DAYS = 30
_AUTHORITY = "trust your authority with --ca-file, or serve a certificate of one that clients trust, with its chain"
#: OpenSSL's reason → what to do; anything else is a matter of the authority.
_FIXES = {
    9: "its time has not come: look at the clock of this machine, then at the certificate",
    10: "renew it: ACM does so by itself while the validation record is in DNS",
    62: "the certificate is another host's: set slipway:domain, or let the load balancer serve the right one",
    64: "the certificate is another host's: set slipway:domain, or let the load balancer serve the right one",
}
_AWAY = "slipway status shows whether it is delivered; then look at the load balancer, the firewall and the proxy"


def name(scene: Scene) -> str:
    """Resolve the host; before the first delivery nobody has made its record."""
    host = urlsplit(scene.url).hostname or ""
    if not host:
        raise Failed(f"{scene.url!r} is no address", "give --registry https://HOST[:PORT]")
    if _is_proxied(scene.url):
        return f"a proxy is between, which asks its own DNS for {host}"
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Warned(
            f"{host} has no address ({error.strerror}); before the first delivery that is so",
            "afterwards: does the parent zone delegate to ours (docs/aws.md), and does external-dns run?",
        ) from error
    return f"{host} is {', '.join(dict.fromkeys(str(one[4][0]) for one in found))}"


def certificate(scene: Scene) -> str:
    """Shake hands with the host, through a proxy where there is one, and count the days that its certificate has."""
    import httpx2  # noqa: PLC0415  # 150 ms

    _skip_absent(scene)
    if scene.url.startswith("http://"):
        raise Warned(f"{scene.url} is not encrypted: there is no certificate", "serve it over https")
    try:
        with (
            httpx2.Client(verify=scene.trust(), timeout=ANSWER_SECONDS) as client,
            client.stream("GET", f"{scene.url}/api/v2.0/ping") as answer,
        ):
            shown = answer.extensions["network_stream"].get_extra_info("ssl_object").getpeercert()
    except httpx2.HTTPError as error:
        if refused := refusal(error):
            fix = _FIXES.get(refused.verify_code, _AUTHORITY)
            raise Failed(refused.verify_message.rstrip("."), fix) from error
        raise Failed(f"{scene.url}: no TLS connection: {error or type(error).__name__}", _AWAY) from error
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
    days = (end - datetime.now(UTC)).days
    if days < DAYS:
        raise Warned(f"ends in {days} days, on {end:%Y-%m-%d}: nobody renews it")
    return f"{days} days left, until {end:%Y-%m-%d}"


def health(scene: Scene) -> str:
    """Ask every part of Harbor; its answer is 200 whatever it says."""
    import httpx2  # noqa: PLC0415
    from pydantic import ValidationError  # noqa: PLC0415

    from slipway.harbor.client.models import Health  # noqa: PLC0415

    _skip_absent(scene)
    try:
        with httpx2.Client(verify=scene.trust(), timeout=ANSWER_SECONDS) as client:
            answer = client.get(f"{scene.url}/api/v2.0/health")
    except httpx2.HTTPError as error:
        raise Failed(f"{scene.url} gives no answer: {error or type(error).__name__}", _AWAY) from error
    if answer.is_redirect:
        fix = "give the address at which Harbor itself answers"
        raise Failed(f"{scene.url} sends to {answer.headers.get('Location')}", fix)
    if answer.status_code != HTTPStatus.OK:
        raise Failed(f"{scene.url} answers {answer.status_code}: no part of Harbor does", _AWAY)
    try:
        found = Health.model_validate_json(answer.content)
    except ValidationError:
        raise Failed(
            f"what answers at {scene.url} is no Harbor", "correct slipway:domain, or give --registry"
        ) from None
    if sick := [one for one in found.components if one.status != "healthy"]:
        told = "\n".join(f"{one.name}: {one.error or one.status}" for one in sick)
        raise Failed(told, "\n".join(_look_at(one.name) for one in sick))
    return f"healthy: {', '.join(sorted(one.name for one in found.components))}"


def login(scene: Scene) -> str:
    """Log in and out again, which tells the version too."""
    from infra.errors import FeatureMissing  # noqa: PLC0415

    _skip_absent(scene)
    try:
        version = asyncio.run(_version(scene))
    except FeatureMissing:  # known, and too old: registry.version tells it
        return f"as {scene.username}"
    return f"as {scene.username}, to Harbor {version}"


def version(scene: Scene) -> str:
    """Hold Harbor's version against what this client was made for."""
    from slipway.harbor.client.features import NEWEST, OLDEST, version_of, written  # noqa: PLC0415

    told = asyncio.run(_version(scene))  # too old is an error of the client's
    if version_of(told)[:2] > NEWEST[:2]:
        supported = f"{written(OLDEST)} to {written(NEWEST)} are supported"
        raise Warned(f"Harbor {told} is newer than any that was looked at: {supported}", "look for a newer Slipway")
    return f"Harbor {told}"


async def _version(scene: Scene) -> str:
    from slipway.harbor.client import Connection, Patience, connect  # noqa: PLC0415

    password = _password(scene)
    connection = Connection(
        url=scene.url,
        name=scene.username,
        secret=password,
        ca_file=scene.ca_file,
        patience=Patience(attempts=2, answer=ANSWER_SECONDS, retry_after_most=1.0),
    )
    async with connect(connection) as harbor:
        return harbor.info.harbor_version or "of an untold version"


def _password(scene: Scene) -> "SecretStr":
    """Give what was given, or the administrator's from Secrets Manager: for the environment's own address alone."""
    from infra.naming import Names  # noqa: PLC0415
    from slipway.login_kit.target import WAYS, Registry, password_of  # noqa: PLC0415

    if scene.password is None and scene.registry:
        raise Skipped(f"no password was given: {WAYS}")
    prefix, region = Names(scene.environment).secrets_prefix, scene.settings.region
    registry = Registry(url=scene.url, environment=scene.environment, region=region, prefix=prefix)
    found, why = password_of(registry, scene.username, given=scene.password)
    if found is None:
        raise Skipped(f"{why}; {WAYS}")
    return found


def _look_at(component: str) -> str:
    """Give where the reason is: what is AWS's has no pod."""
    if component in {"database", "redis"}:
        service = "RDS" if component == "database" else "ElastiCache"
        logs = "kubectl -n harbor logs deploy/harbor-core"
        return f"{component}: look at {service}'s events and its security group, then {logs}"
    pod = {"trivy": "statefulset/harbor-trivy", "registryctl": "deploy/harbor-registry -c registryctl"}
    return f"{component}: kubectl -n harbor logs {pod.get(component, f'deploy/harbor-{component}')}"


def _skip_absent(scene: Scene) -> None:
    """Where the name has no address yet, nothing of the registry can be known; registry.name has said so."""
    parts = urlsplit(scene.url)
    if _is_proxied(scene.url):
        return
    try:
        socket.getaddrinfo(parts.hostname, None, type=socket.SOCK_STREAM)
    except OSError:
        raise Skipped(f"{parts.hostname} has no address yet") from None


def _is_proxied(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in getproxies() and not proxy_bypass(parts.hostname or "")


CHECKS = (
    Check(
        id="registry.name",
        shows="the registry's name has an address",
        fix="dig NAME; does the parent zone delegate to ours, and does external-dns run?",
        do=name,
        needs=("stack.settings",),
    ),
    Check(
        id="registry.certificate",
        shows=f"the certificate is trusted, for this host, and lasts {DAYS} days and more",
        fix="look at its renewal: on AWS the validation record in DNS, else cert-manager's Certificate",
        do=certificate,
        needs=("registry.name",),
    ),
    Check(
        id="registry.health",
        shows="every part of Harbor says that it is healthy",
        fix="slipway status ENV shows which workload is not ready",
        do=health,
        needs=("registry.certificate",),
    ),
    Check(
        id="registry.login",
        shows="the given name and password log in",
        fix="check the password",
        do=login,
        needs=("registry.certificate",),
        seconds=40,
    ),
    Check(
        id="registry.version",
        shows="Harbor's version is one that Slipway supports",
        fix="slipway upgrade ENV",
        do=version,
        needs=("registry.login",),
        seconds=40,
    ),
)
