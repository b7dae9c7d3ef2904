"""Name, certificate and the way from plain HTTP: what a client meets before it meets Harbor.

Every address that DNS gives is looked at: one of several load balancers may still have the old certificate.
"""

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from slipway.verify.check import Check, Failed, Skipped
from slipway.verify.scene import Scene, Target
from slipway.verify.web import AWAY, opened, proxy_of

DAYS = 30
_MOST_ADDRESSES = 8
_HOST, _IP, _EXPIRED, _NOT_YET, _SELF_SIGNED, _CHAIN_SELF_SIGNED, _ISSUER, _LEAF = 62, 64, 10, 9, 18, 19, 20, 21
_ANOTHER = "the certificate is another host's: set slipway:domain, or let the load balancer serve the right one"
_FIXES = {
    _EXPIRED: "renew it: on AWS the certificate's DNS validation record must be there, then ACM renews by itself",
    _NOT_YET: "its time has not come: look at the clock of this machine and at the certificate",
    _HOST: _ANOTHER,
    _IP: _ANOTHER,
    _SELF_SIGNED: "trust your authority with --ca-file, or serve a certificate of one that clients trust",
    _CHAIN_SELF_SIGNED: "trust your authority with --ca-file, or serve a certificate of one that clients trust",
    _ISSUER: "serve the intermediate certificates as well, or trust your authority with --ca-file",
    _LEAF: "serve the intermediate certificates as well, or trust your authority with --ca-file",
}


async def names(scene: Scene) -> str:
    try:
        found = await _addresses(scene.target)
    except Failed as unknown:
        if proxy_of(scene.target.url):
            raise Skipped("a proxy is between, which asks its own DNS") from unknown
        raise
    return f"{_host(scene.target)} is {', '.join(found)}"


async def trusted(scene: Scene) -> str:
    _skip_http(scene.target)
    found = await _addresses(scene.target)
    if proxy_of(scene.target.url):
        raise Skipped("a proxy is between: outside.reach has looked at the certificate that it gives")
    ends = await asyncio.gather(*(_ends(scene.target, address) for address in found))
    return f"accepted at {len(found)} address{'es'[: 2 * (len(found) > 1)]}, until {min(ends):%Y-%m-%d}"


async def expiry(scene: Scene) -> str:
    found = await _addresses(scene.target)
    end = min(await asyncio.gather(*(_ends(scene.target, address) for address in found)))
    days = (end - dt.datetime.now(dt.UTC)).days
    if days < DAYS:
        raise Failed(f"ends in {days} days, on {end:%Y-%m-%d}")
    return f"{days} days left"


async def redirect(scene: Scene) -> str:
    _skip_http(scene.target)
    parts = urlsplit(scene.target.url)
    port = scene.options.http_port
    if parts.port not in {None, 443} and port == 80:
        raise Skipped(f"the address has port {parts.port}: what answers on port 80 is something else")
    plain = f"http://{_bracketed(parts.hostname or '')}{'' if port == 80 else f':{port}'}"
    async with opened(plain, trust=True, seconds=min(scene.options.seconds, 10)) as web:
        try:
            raw = await web.get("/api/v2.0/ping")
        except Failed as closed:
            if "no connection" in closed.says or "no answer" in closed.says:
                return f"{plain} answers nothing: no secret can be sent there by mistake"
            raise
    place = raw.headers.get("location", "")
    if raw.status not in {301, 302, 307, 308} or not place.startswith("https://"):
        raise Failed(
            f"{plain} is answered with {raw.status} in clear text" + (f" and sent to {place}" if place else "")
        )
    if urlsplit(place).hostname != parts.hostname:
        raise Failed(f"{plain} is sent to {place}")
    return f"{plain} is sent to {place}"


def _skip_http(target: Target) -> None:
    if target.url.startswith("http://"):
        raise Skipped("the address is http: there is no certificate")


async def _addresses(target: Target) -> Sequence[str]:
    """Give the addresses of the host.

    Raises:
        Failed: DNS has none.
    """
    host, loop = _host(target), asyncio.get_running_loop()
    if host == "localhost":
        return ("127.0.0.1",)  # a port of a laptop's cluster is seldom open at ::1 as well
    try:
        # Only kinds of addresses that this machine has itself.
        found = await loop.getaddrinfo(
            host, _port(target), type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG if "." in host else 0
        )
    except socket.gaierror as error:
        raise Failed(f"{host}: {error.strerror}") from error
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))[:_MOST_ADDRESSES]


async def _ends(target: Target, address: str) -> dt.datetime:
    """Shake hands with one address; gives the end of its certificate.

    Raises:
        Failed: the certificate is not accepted, or there is no connection.
    """
    context = ssl.create_default_context()
    if target.ca_file:
        context.load_verify_locations(cafile=target.ca_file)
    try:
        async with asyncio.timeout(10):
            _, writer = await asyncio.open_connection(
                address, _port(target), ssl=context, server_hostname=_host(target)
            )
    except ssl.SSLCertVerificationError as error:
        fix = _FIXES.get(error.verify_code, "")
        raise Failed(f"{address}: {error.verify_message.rstrip('.')}", fix) from error
    except (ssl.SSLError, ConnectionError) as error:
        raise Failed(f"{address}: no TLS on port {_port(target)}: {error}", AWAY) from error
    except (OSError, TimeoutError) as error:
        raise Failed(f"{address}: no connection: {str(error) or 'no answer within 10 s'}", AWAY) from error
    certificate = writer.get_extra_info("peercert")
    writer.transport.abort()
    return dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), dt.UTC)


def _host(target: Target) -> str:
    return urlsplit(target.url).hostname or ""


def _port(target: Target) -> int:
    parts = urlsplit(target.url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


CHECKS = (
    Check(
        id="certificate.dns",
        proves="the host name leads somewhere",
        reading="external-dns has made no record, the parent zone does not delegate, or this machine asks another DNS",
        fix="dig NAME; kubectl -n external-dns logs deploy/external-dns; docs/aws.md on the delegation of the zone",
        do=names,
    ),
    Check(
        id="certificate.trusted",
        proves="every address serves a certificate of a trusted authority, for this host, within its time",
        reading="docker, containerd and browsers refuse the registry",
        fix="serve a certificate of a trusted authority for this host, with its intermediates",
        do=trusted,
        needs=("certificate.dns",),
    ),
    Check(
        id="certificate.expiry",
        proves=f"the certificate lasts more than {DAYS} days",
        reading="nobody renews it: ACM does so 60 days before its end, so something is in its way",
        fix="look at the certificate's renewal status and its validation record in DNS (CAA too), and renew it",
        do=expiry,
        needs=("certificate.trusted",),
    ),
    Check(
        id="certificate.redirect",
        proves="plain HTTP is sent to HTTPS, or answers nothing",
        reading="a client with a wrong address sends its password in clear text",
        fix="redirect port 80 to 443 at the load balancer (the annotation ssl-redirect), or close port 80",
        do=redirect,
        needs=("certificate.dns",),
    ),
)
