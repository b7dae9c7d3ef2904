"""What a team chooses about Harbor itself: the section `harbor` of a stack file, and a part of the facts.

    options = HarborOptions.model_validate({"expose": {"type": "alb", "internal": True}})

One model for both, so nothing is copied between them. What is left out is the profile's (values/profiles/), or off.
No secret is among them: Secrets are named, and their values stay in Secrets Manager.
"""

import re
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from values.cron import kubernetes_schedule
from values.errors import Refused

#: How clients reach the registry: on AWS the first three, on a laptop the last two.
ExposeType = Literal["alb", "route", "nginx", "nodePort", "ingress"]
CLOUD_EXPOSURES: tuple[ExposeType, ...] = ("alb", "route", "nginx")
LOCAL_EXPOSURES: tuple[ExposeType, ...] = ("nodePort", "ingress")

#: The largest count of pods of one component that we have reason to believe in.
_MOST_PODS = 50
_HOST_PORT = re.compile(r"^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?:(?P<port>\d{1,5})$")
_REPOSITORY = re.compile(r"^[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)+(:[\w.-]+)?$")
_PLAIN_URL = re.compile(r"^https?://[^\s/@:]+(:(?P<port>\d+))?(/\S*)?$")
_LAST_PORT = 65535
_LABEL_KEY = re.compile(r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$", re.ASCII)
_LABEL_VALUE = re.compile(r"^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$", re.ASCII)
_REGISTRY = re.compile(r"^[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9._-]+)*$")
#: Where the controllers' images come from; a test holds it equal to tables/controllers.yaml.
UPSTREAM_REGISTRIES = ("ghcr.io", "public.ecr.aws", "registry.k8s.io")

Replicas = Annotated[int, Field(ge=1, le=_MOST_PODS)]
Percent = Annotated[int, Field(ge=10, le=95)]
Port = Annotated[int, Field(ge=1, le=_LAST_PORT)]
_IMAGE = r"[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)+(:[\w.-]+(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})"
#: An image with its registry and a tag, a digest or both.
ImageName = Annotated[str, Field(pattern=f"^{_IMAGE}$")]
MaybeImage = Annotated[str, Field(pattern=f"^({_IMAGE})?$")]
#: An object's name that may have dots (RFC 1123 subdomain), or none.
MaybeName = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$")]
#: Key of a label, with or without a prefix.
LabelKey = Annotated[str, Field(pattern=_LABEL_KEY.pattern)]
#: Time of a job, as Kubernetes' cron writes it.
Schedule = Annotated[str, AfterValidator(kubernetes_schedule)]
MaybeSchedule = Annotated[str, AfterValidator(lambda text: text and kubernetes_schedule(text))]
Severities = Annotated[
    str, Field(pattern=r"^(UNKNOWN|LOW|MEDIUM|HIGH|CRITICAL)(,(UNKNOWN|LOW|MEDIUM|HIGH|CRITICAL))*$")
]
Repositories = Annotated[tuple[str, ...], Field(min_length=1)]
#: Key of a toleration → what Kubernetes takes there; None for any text.
_TOLERATION: dict[str, tuple[str, ...] | None] = {
    "key": None,
    "operator": ("Exists", "Equal"),
    "value": None,
    "effect": ("", "NoSchedule", "PreferNoSchedule", "NoExecute"),
    "tolerationSeconds": None,
}
#: A Kubernetes object name (RFC 1123 label).
ObjectName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class _Option(BaseModel):
    """Frozen, strict about names, camelCase outside; the text below a field is its description everywhere."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        defer_build=True,  # on first use: start-up pays for each
    )


def _is_network(text: str) -> bool:
    try:
        return "/" in text and bool(IPv4Network(text))
    except ValueError:
        return False


def _is_address(value: str, form: re.Pattern[str]) -> bool:
    """Tell whether a text has the form, and a port that there is."""
    found = form.match(value)
    return bool(found) and 0 < int(found["port"] or 1) <= _LAST_PORT


def _labels(values: dict[str, str]) -> dict[str, str]:
    if wrong := [
        f"{key}: {value}" for key, value in values.items() if not (_LABEL_KEY.match(key) and _LABEL_VALUE.match(value))
    ]:
        raise Refused(f"{', '.join(wrong)} is no label", "letters, digits, - _ and . only, at most 63")
    return _in_order(values)


def _in_order(values: dict[str, Any]) -> dict[str, Any]:
    """Facts in Git have their keys in order, so files that are made from settings must have them as well."""
    return dict(sorted(values.items()))


class GatewayOptions(_Option):
    """The Gateway (Gateway API) that the registry's HTTPRoute is attached to; TLS ends at its listener."""

    name: ObjectName
    """Name of the Gateway."""
    namespace: ObjectName
    """Its namespace."""
    section: MaybeName = ""
    """Listener of the Gateway; empty for every one that takes the route."""


class ExposeOptions(_Option):
    """How clients reach the registry."""

    type: ExposeType | None = None
    """`alb` (default), `route` (Gateway API), `nginx` (an ingress-nginx that is there); kind: `nodePort`, `ingress`."""
    internal: bool = False
    """alb: reachable from the VPC and what is routed to it only."""
    allowed_cidrs: tuple[str, ...] = ()
    """alb: networks whose clients are let in; empty for all."""
    gateway: GatewayOptions | None = None
    """route: the Gateway. Needed there."""
    tls_secret: MaybeName = ""
    """nginx, ingress: Secret of type kubernetes.io/tls in the namespace harbor. Default `harbor-tls`."""
    cluster_issuer: MaybeName = ""
    """nginx, ingress: cert-manager's ClusterIssuer that keeps `tlsSecret`; empty: somebody else keeps it."""
    proxy_namespace: ObjectName | None = None
    """nginx, ingress, route: namespace of the pods that pass requests on, which network policies let in."""

    @field_validator("allowed_cidrs")
    @classmethod
    def _are_networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [value for value in values if not _is_network(value)]:
            raise Refused(f"{', '.join(wrong)} is no IPv4 network in CIDR notation", "use something like 10.0.0.0/8")
        return values

    @model_validator(mode="after")
    def _gateway_belongs_to_a_route(self) -> "ExposeOptions":
        if (self.type == "route") != (self.gateway is not None):
            raise Refused("type route and the section gateway belong together", "give both or neither")
        return self

    @model_validator(mode="after")
    def _says_nothing_in_vain(self) -> "ExposeOptions":
        """A key that another exposure reads would be ignored, and a registry left open that somebody closed."""
        answering = self.type or "alb"
        vain = [
            to_camel(name)
            for name, types in _READ_BY.items()
            if getattr(self, name) != type(self).model_fields[name].default and answering not in types
        ]
        if vain:
            what = f"{' and '.join(vain)} {'is' if len(vain) == 1 else 'are'} not read by type {answering}"
            raise Refused(what, "leave it out, or choose the type that reads it")
        return self


#: Key of `expose` → the types that read it.
_READ_BY: dict[str, tuple[ExposeType, ...]] = {
    "internal": ("alb",),
    "allowed_cidrs": ("alb",),
    "tls_secret": ("nginx", "ingress"),
    "cluster_issuer": ("nginx", "ingress"),
    "proxy_namespace": ("nginx", "ingress", "route"),
}


class ReplicaOptions(_Option):
    """Pods of each component. What is left out is the profile's."""

    core: Replicas | None = None
    """API and tokens; every push and pull passes it."""
    portal: Replicas | None = None
    """Web interface."""
    registry: Replicas | None = None
    """Blobs and manifests."""
    jobservice: Replicas | None = None
    """Garbage collection, replication, scans."""
    trivy: Replicas | None = None
    """Scanner; each has a volume of its own."""
    exporter: Replicas | None = None
    """Metrics."""


class AutoscalingOptions(_Option):
    """Horizontal pod autoscaling of core, registry and portal; `replicas` is then the least."""

    enabled: bool = False
    """Needs the metrics-server, which every cluster of ours has."""
    cpu_percent: Percent = 70
    """Of the requested CPU, at which pods are added."""
    core: Replicas = 8
    """Most pods of core; the database's connections are shared by so many."""
    registry: Replicas = 8
    """Most pods of the registry."""
    portal: Replicas = 4
    """Most pods of the portal."""


class MonitoringOptions(_Option):
    """What the Prometheus operator and Grafana find. Each needs its CRD, so each is off until you say it is there."""

    metrics: bool | None = None
    """Serve metrics at all. Default by profile."""
    service_monitors: bool = False
    """ServiceMonitors for the Prometheus operator."""
    rules: bool = False
    """PrometheusRules: alerts with links to runbooks."""
    dashboard: bool = False
    """A ConfigMap with a Grafana dashboard, for Grafana's sidecar."""
    labels: dict[str, str] = {}  # pydantic copies it
    """Labels that your Prometheus selects ServiceMonitors and PrometheusRules by, like `release: prometheus`."""
    namespace: ObjectName = "monitoring"
    """Namespace of Prometheus, which network policies let in."""
    runbooks: str = ""
    """Address of docs/monitoring.md in your own repository: alerts link to it; their lower-case name is the anchor."""

    _are_labels = field_validator("labels")(_labels)

    @field_validator("runbooks")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and not _is_address(value, _PLAIN_URL):
            raise Refused("is not an http URL without credentials", "the address of the page, as a browser shows it")
        return value


class TraceOptions(_Option):
    """Traces of core, jobservice and registryctl."""

    provider: Literal["otel", "jaeger"] = "otel"
    """Protocol."""
    endpoint: str
    """otel: host:port without scheme (4318); jaeger: the collector's URL."""
    sample_rate: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of requests that are traced."""

    @model_validator(mode="after")
    def _endpoint_fits_the_provider(self) -> "TraceOptions":
        wanted = _HOST_PORT if self.provider == "otel" else _PLAIN_URL
        if not _is_address(self.endpoint, wanted):
            form = "host:port without a scheme" if self.provider == "otel" else "an http URL without credentials"
            raise Refused(f"endpoint {self.endpoint!r} is not {form}", "see the chart's trace.otel and trace.jaeger")
        return self


class CacheLayerOptions(_Option):
    """Harbor's cache of manifests and projects in Redis: fewer queries where many clients pull."""

    enabled: bool = False
    """Use it, in a Redis database of its own."""
    expire_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """How long an entry lives."""


class ProxyOptions(_Option):
    """The way out through an HTTP proxy."""

    http: str = ""
    """Proxy for http URLs."""
    https: str = ""
    """Proxy for https URLs."""
    no_proxy: tuple[str, ...] = ()
    """Hosts and domains besides ours (cluster, database, cache, metadata), which are always direct."""
    components: tuple[Literal["core", "jobservice", "trivy", "registry"], ...] = ("core", "jobservice", "trivy")
    """Who uses it."""

    @field_validator("no_proxy")
    @classmethod
    def _are_hosts(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [value for value in values if not value or re.search(r"[\s,]|://", value)]:
            raise Refused(
                f"{', '.join(wrong) or 'an empty text'} is no host, domain or network", "one of them an entry"
            )
        return values

    @field_validator("http", "https")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and not _is_address(value, _PLAIN_URL):
            raise Refused("is not a proxy URL without credentials", "use http://host:port; what is in Git is no secret")
        return value


class LoggingOptions(_Option):
    """Logs of the components, and where the audit log goes."""

    level: Literal["debug", "info", "warning", "error", "fatal"] = "info"
    """Log level of all components."""
    audit_forward: str = ""
    """host:port of a syslog server (TCP) that gets the audit log; set in Harbor by layer 3, let out by our policies."""

    @field_validator("audit_forward")
    @classmethod
    def _is_host_and_port(cls, value: str) -> str:
        if value and not _is_address(value, _HOST_PORT):
            raise Refused("is not host:port", "like syslog.example.com:514")
        return value


class TrivyOptions(_Option):
    """The scanner that comes with Harbor."""

    enabled: bool = True
    """Install it. Off: no scanner, or your own (`scannerAdapter`)."""
    severity: Severities = "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL"
    """Severities that are reported."""
    ignore_unfixed: bool = False
    """Leave out what has no fix yet."""
    timeout: Annotated[str, Field(pattern=r"^(\d+h(\d+m)?(\d+s)?|\d+m(\d+s)?|\d+s)$")] = "10m0s"
    """Time for one image."""
    offline: bool = False
    """Ask no host for details while scanning; the databases must then be in the mirrors below."""
    db_repositories: Repositories = (
        "mirror.gcr.io/aquasec/trivy-db",
        "ghcr.io/aquasecurity/trivy-db",
        "public.ecr.aws/aquasecurity/trivy-db",
    )
    """Where the vulnerability database is pulled from, in order."""
    java_db_repositories: Repositories = (
        "mirror.gcr.io/aquasec/trivy-java-db",
        "ghcr.io/aquasecurity/trivy-java-db",
        "public.ecr.aws/aquasecurity/trivy-java-db",
    )
    """The same for Java."""
    cache_size: Annotated[str, Field(pattern=r"^[1-9]\d*(Gi|Ti)$")] | None = None
    """Volume of each pod. Default by profile."""

    @field_validator("db_repositories", "java_db_repositories")
    @classmethod
    def _are_repositories(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [value for value in values if not _REPOSITORY.match(value)]:
            raise Refused(f"{', '.join(wrong)} is no repository", "no scheme: registry.example.com/trivy-db:2")
        return values


class ScannerAdapter(_Option):
    """Another scanner with an adapter for Harbor, which runs in the cluster already."""

    name: str
    """Its name in Harbor."""
    url: str
    """Adapter's URL inside the cluster, http://adapter.namespace:8080."""

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if not _is_address(value, _PLAIN_URL):
            raise Refused("is not an http URL without credentials", "like http://scanner.scanning:8080")
        return value


class ImageOptions(_Option):
    """Where Harbor's own images come from."""

    registry: str = ""
    """Registry and path that stand in for docker.io/goharbor, like registry.example.com/docker-hub/goharbor."""
    pull_secret: MaybeName = ""
    """Secret of type kubernetes.io/dockerconfigjson in the namespace harbor that opens it; ECR needs none."""
    psql: ImageName = "public.ecr.aws/docker/library/postgres:17.6-alpine"
    """Image with psql for the job that makes Harbor's database; pin a digest with `name:tag@sha256:…`."""

    @field_validator("registry")
    @classmethod
    def _is_image_prefix(cls, value: str) -> str:
        if value and not re.match(r"^[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9._-]+)+$", value):
            raise Refused("is not registry/path", "no scheme and no tag: registry.example.com/goharbor")
        return value


class SchedulingOptions(_Option):
    """Which nodes Harbor runs on."""

    node_selector: dict[str, str] = {}  # pydantic copies it
    """Labels of the nodes; amd64 is always among them."""
    tolerations: tuple[dict[str, Any], ...] = ()
    """Tolerations, as Kubernetes writes them."""
    priority_class: MaybeName = ""
    """PriorityClass of every pod; it must be there."""

    _are_labels = field_validator("node_selector")(_labels)

    @field_validator("tolerations")
    @classmethod
    def _are_tolerations(cls, values: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for key, value in ((key, value) for one in values for key, value in one.items()):
            if key not in _TOLERATION:
                raise Refused(f"{key} is no key of a toleration", f"known: {', '.join(_TOLERATION)}")
            known = _TOLERATION[key]
            if known and value not in known:
                raise Refused(f"{key} {value!r} is not known", f"one of {', '.join(filter(None, known))}")
        return tuple(map(_in_order, values))


class PullSecretOptions(_Option):
    """Image pull secrets for the namespaces that ask for one by a label, kept fresh by External Secrets."""

    enabled: bool = False
    """Write them. The robot's credentials are a Secrets Manager secret below our prefix, `pull/<name>`."""
    label: LabelKey = "slipway.dev/harbor-pull"
    """A namespace with this label and the value `true` gets the Secret."""
    robots: tuple[ObjectName, ...] = ("default",)
    """One Secret each, `harbor-pull-<name>`, from Secrets Manager's `<prefix>/pull/<name>`."""

    @field_validator("robots")
    @classmethod
    def _are_different(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not values or len(set(values)) != len(values):
            raise Refused(f"{', '.join(values) or 'none'}: each robot is named once", "the default is [default]")
        return values


class Layer3Options(_Option):
    """The jobs in the cluster that watch what lives inside Harbor, and renew its robots."""

    enabled: bool = False
    """Run them. They need an image and `stacks/ENV/harbor.yaml`; `slipway harbor install-runner` makes their robot."""
    image: MaybeImage = ""
    """Image of the slipway command with its tag or digest, from `docker/harbor/Dockerfile`."""
    schedule: Schedule = "17 * * * *"
    """When Harbor is compared with harbor.yaml: five fields, in UTC."""
    rotate: MaybeSchedule = ""
    """When robots with `rotation` are renewed, `23 4 * * *` for each day; empty: never."""
    notify: bool = False
    """Post differences to the URL that somebody puts into the Secret `harbor-layer3-notify`, key `address`."""

    @model_validator(mode="after")
    def _has_an_image(self) -> "Layer3Options":
        if self.enabled and not self.image:
            raise Refused("layer3 is enabled without an image", "build and push one, then name it in layer3.image")
        if self.image.endswith(":latest"):
            raise Refused(f"layer3.image: {self.image} is another one each day", "name a version or a digest")
        return self


class NotifyOptions(_Option):
    """Where Flux tells of a failed or finished delivery."""

    provider: Literal["slack", "msteams", "googlechat", "discord", "generic", "alertmanager"]
    """Kind of receiver, as Flux's notification-controller knows it."""
    channel: str = ""
    """Channel, where the receiver has some."""
    severity: Literal["info", "error"] = "error"
    """`error` for failures only."""


class InfrastructureOptions(_Option):
    """Controllers that Flux installs beside Harbor. Off: the cluster has one already, and its owner keeps it."""

    load_balancer_controller: bool | None = None
    """AWS Load Balancer Controller. Default: with exposure `alb`, the only one that needs it."""
    external_dns: bool = True
    """external-dns, which keeps the registry's record."""
    external_secrets: bool = True
    """External Secrets, with its CRDs. Off needs External Secrets 1.0 or newer, allowed to read our prefix."""
    chart_repository: str = ""
    """Helm repository that mirrors the charts of all three; empty for their own (tables/controllers.yaml)."""
    registries: dict[str, str] = {}  # pydantic copies it
    """Image registry → what stands in for it, like `ghcr.io: registry.example.com/github`."""

    @field_validator("chart_repository")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and not _is_address(value, _PLAIN_URL):
            raise Refused(
                "is not an http URL without credentials", "the address of a Helm repository, as in helm repo add"
            )
        return value

    @field_validator("registries")
    @classmethod
    def _are_registries(cls, values: dict[str, str]) -> dict[str, str]:
        if wrong := [f"{name}: {mirror}" for name, mirror in values.items() if not _REGISTRY.match(mirror)]:
            raise Refused(
                f"{', '.join(wrong)} is no registry", "no scheme, no tag: ghcr.io: registry.example.com/github"
            )
        if unknown := sorted(values.keys() - UPSTREAM_REGISTRIES):
            known = ", ".join(UPSTREAM_REGISTRIES)
            raise Refused(f"no controller's image comes from {', '.join(unknown)}", f"they come from {known}")
        return _in_order(values)


class HarborOptions(_Option):
    """Everything a team decides about Harbor itself. See docs/harbor.md."""

    expose: ExposeOptions = ExposeOptions()
    """Exposure: load balancer, Gateway or ingress."""
    replicas: ReplicaOptions = ReplicaOptions()
    """How many pods of what."""
    autoscaling: AutoscalingOptions = AutoscalingOptions()
    """More pods under load."""
    scheduling: SchedulingOptions = SchedulingOptions()
    """Nodes that Harbor runs on."""
    monitoring: MonitoringOptions = MonitoringOptions()
    """Metrics, alerts, dashboard."""
    trace: TraceOptions | None = None
    """Traces; none by default."""
    cache_layer: CacheLayerOptions = CacheLayerOptions()
    """Harbor's own cache of manifests."""
    proxy: ProxyOptions = ProxyOptions()
    """The way out through a proxy."""
    internal_tls: bool = False
    """TLS between the components, with certificates that the program makes."""
    logging: LoggingOptions = LoggingOptions()
    """Log level, audit forwarding."""
    trivy: TrivyOptions = TrivyOptions()
    """Trivy, the scanner."""
    scanner_adapter: ScannerAdapter | None = None
    """Another scanner."""
    images: ImageOptions = ImageOptions()
    """Image registry, or a mirror."""
    s3_redirect: bool = True
    """storage s3: clients download blobs from S3 itself. Off where they cannot reach it."""
    network_policies: bool = True
    """Default deny in Harbor's namespace, with each flow named."""
    egress_ports: tuple[Port, ...] = (443,)
    """Ports outside that core, jobservice and Trivy may call: copied registries, webhooks, sign-in, databases. Empty:
    none."""
    pull_secrets: PullSecretOptions = PullSecretOptions()
    """Pull secrets for other namespaces."""
    layer3: Layer3Options = Layer3Options()
    """The job that watches Harbor's projects and robots."""
    notify: NotifyOptions | None = None
    """Flux's alerts."""
    infrastructure: InfrastructureOptions = InfrastructureOptions()
    """Controllers beside Harbor: which of them are yours already."""

    @model_validator(mode="after")
    def _belongs_together(self) -> "HarborOptions":
        if self.monitoring.metrics is False and self.monitoring.service_monitors:
            raise Refused(
                "monitoring.serviceMonitors without metrics finds nothing", "turn metrics on, or monitors off"
            )
        return self
