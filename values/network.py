"""Which flows cross the border of Harbor's namespace: who comes in, and where components go.

    [flow.why for flow in outward(facts, Composition.of(facts))]   # ["database", "cache", …]

Flows inside the namespace are Harbor's own architecture, and stand in charts/support/templates/network-policies.yaml.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from values.composition import Composition
from values.facts import Facts

#: What the chart's Services and pods use: plain, and with TLS between the components.
_WEB, _WEB_TLS, _METRICS = 8080, 8443, 8001
_DATABASE_CLIENTS = ("core", "jobservice", "exporter")
_CACHE_CLIENTS = ("core", "jobservice", "registry", "trivy", "exporter")
_SCHEME_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One kind of traffic over the border.

    Attributes:
        components: the ends inside.
        ports: of the end that is called; none for any.
        peer: the end outside: ``cidr``, ``namespace``, or ``anywhere``.
        why: for the reader of the policy.
    """

    components: tuple[str, ...]
    ports: tuple[int, ...]
    peer: Mapping[str, str | bool]
    why: str


def inward(facts: Facts, composition: Composition) -> Iterator[Flow]:
    """Give who may call Harbor's pods."""
    web = _WEB_TLS if facts.harbor.internal_tls else _WEB
    yield _clients(facts, composition, web)
    if (adapter := facts.harbor.scanner_adapter) and (namespace := _namespace(urlsplit(adapter.url).hostname or "")):
        yield Flow(
            components=("core",),
            ports=(web,),
            peer={"namespace": namespace},
            why=f"the scanner {adapter.name} pulls the image",
        )
    if composition.metrics:
        serving = tuple(name for name in ("core", "registry", "jobservice", "exporter") if composition.has(name))
        peer = {"namespace": facts.harbor.monitoring.namespace}
        yield Flow(components=serving, ports=(_METRICS,), peer=peer, why="Prometheus")


def _clients(facts: Facts, composition: Composition, web: int) -> Flow:
    expose = facts.harbor.expose
    if facts.aws and composition.expose == "alb":
        peer, why = {"cidr": facts.aws.vpc_cidr}, "clients, by the load balancer in the VPC, whose targets are the pods"
        return Flow(components=("core", "portal"), ports=(web,), peer=peer, why=why)
    if composition.expose == "nodePort":
        return Flow(components=("nginx",), ports=(_WEB,), peer={"anywhere": True}, why="clients, by a port of the node")
    default = expose.gateway.namespace if expose.gateway else "ingress-nginx"
    peer = {"namespace": expose.proxy_namespace or default}
    why = "clients, by the Gateway's pods" if expose.gateway else "clients, by the ingress controller's pods"
    return Flow(components=("core", "portal"), ports=(web,), peer=peer, why=why)


def outward(facts: Facts, composition: Composition) -> Iterator[Flow]:
    """Give where Harbor's pods may go."""
    if facts.aws and facts.database:
        clients = (
            *_running(_DATABASE_CLIENTS, composition),
            *(("database-job",) if facts.database.admin_secret_name else ()),
        )
        peer = {"cidr": facts.aws.vpc_cidr}
        yield Flow(components=clients, ports=(facts.database.port,), peer=peer, why="database")
    if facts.aws and facts.cache:
        clients, peer = _running(_CACHE_CLIENTS, composition), {"cidr": facts.aws.vpc_cidr}
        yield Flow(components=clients, ports=(facts.cache.port,), peer=peer, why="cache")
    yield from _internet(facts, composition)
    yield from _to_chosen_hosts(facts)


def _running(names: Iterable[str], composition: Composition) -> tuple[str, ...]:
    return tuple(name for name in names if composition.has(name))


def _internet(facts: Facts, composition: Composition) -> Iterator[Flow]:
    """Hosts that are known only inside Harbor, by those who call them."""
    ports, anywhere = facts.harbor.egress_ports, {"anywhere": True}
    if ports:  # a policy without ports lets all of them out
        why = "sign-in, proxy caches, and the health of registries that are copied"
        yield Flow(components=("core",), ports=ports, peer=anywhere, why=why)
        yield Flow(components=("jobservice",), ports=ports, peer=anywhere, why="replication and webhooks")
        if composition.has("trivy"):
            yield Flow(components=("trivy",), ports=ports, peer=anywhere, why="vulnerability databases")
    if "s3" in composition.parts:
        yield Flow(components=("registry",), ports=(443,), peer=anywhere, why="S3")
        if 443 not in ports:
            # Core follows the redirects of its own reads.
            yield Flow(components=("core",), ports=(443,), peer=anywhere, why="S3")
    proxy = facts.harbor.proxy
    if proxy_ports := sorted({_port(url) for url in (proxy.http, proxy.https) if url}):
        yield Flow(
            components=_running(proxy.components, composition),
            ports=tuple(proxy_ports),
            peer=anywhere,
            why="the HTTP proxy",
        )


def _to_chosen_hosts(facts: Facts) -> Iterator[Flow]:
    """Hosts that the settings name."""
    options = facts.harbor
    if options.logging.audit_forward:
        yield from _to(f"tcp://{options.logging.audit_forward}", ("core",), "the audit log's syslog server")
    if options.trace:
        url = options.trace.endpoint if "://" in options.trace.endpoint else f"tcp://{options.trace.endpoint}"
        yield from _to(url, ("core", "jobservice", "registry"), "traces")
    if options.scanner_adapter:
        why = f"the scanner {options.scanner_adapter.name}"
        yield from _to(options.scanner_adapter.url, ("core", "jobservice"), why, inside=True)


def _to(url: str, components: tuple[str, ...], why: str, *, inside: bool = False) -> Iterator[Flow]:
    host = urlsplit(url).hostname or ""
    if namespace := _namespace(host):
        # A Service's port need not be that of its pods, which is the one that counts.
        yield Flow(components=components, ports=(), peer={"namespace": namespace}, why=f"{why}, in the cluster")
    # A name of two parts may just as well be a host outside (example.com), so it is let out both ways.
    if not namespace or (len(host.split(".")) == 2 and not inside):
        yield Flow(components=components, ports=(_port(url),), peer={"anywhere": True}, why=why)


def _namespace(host: str) -> str:
    """Give the namespace of a Service's name, ``adapter.scanning`` or ``adapter.scanning.svc…``; else an empty one."""
    parts = host.split(".")
    return parts[1] if len(parts) == 2 or parts[2:3] == ["svc"] else ""


def _port(url: str) -> int:
    split = urlsplit(url)
    return split.port or _SCHEME_PORTS[split.scheme]
