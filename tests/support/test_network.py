"""Network policies, judged against the pods, Services and URLs of the official chart with the same choices."""

import re
from base64 import b64decode
from itertools import product

import pytest

from tests.support.conftest import EVERYTHING, INSIDE, environment, objects_of, values_of
from tests.support.policies import End, allowed, selecting
from tests.values.conftest import exposed
from tests.values.test_chart import REDIS
from values.composition import Composition
from values.facts import SUPPORTED_CHART_VERSIONS
from values.helm import all_objects, rendered
from values.merge import harbor_values, merged
from values.render import render

#: profile, exposure, options, chart: each exposure with and without TLS inside, Trivy and metrics; each supported chart.
CHOICES = [
    *((profile, expose, {"internalTls": tls, "trivy": {"enabled": trivy}, "monitoring": {"metrics": metrics}}, "1.19.1")
      for (profile, expose), tls, trivy, metrics in product(
          [("ha", "alb"), ("ha", "route"), ("ha", "nginx"), ("kind", "nodePort"), ("kind", "ingress")],
          (False, True), (False, True), (False, True))),
    *(("large", "alb", EVERYTHING, version) for version in SUPPORTED_CHART_VERSIONS),
]  # fmt: skip
NAMES = [
    "-".join([profile, expose, version if options is EVERYTHING else "".join("ny"[bool(on)] for on in (options["internalTls"], options["trivy"]["enabled"], options["monitoring"]["metrics"]))])
    for profile, expose, options, version in CHOICES
]  # fmt: skip
#: Which component reads which ConfigMap or Secret of the chart's.
READERS = {
    "harbor-core": "core",
    "harbor-jobservice": "jobservice",
    "harbor-jobservice-env": "jobservice",
    "harbor-registry": "registry",
    "harbor-exporter-env": "exporter",
    "harbor-nginx": "nginx",
    "harbor-trivy": "trivy",
}
#: Beside the component's own address: what others are told to call, and where a web server listens.
NOT_CALLED = {"EXT_ENDPOINT", "CORE_LOCAL_URL"}
URL = re.compile(r"\b(http|https|redis|rediss)://(?:[^\s\"'@/]*@)?([\w.-]+)(?::(\d+))?")
SERVER = re.compile(r"\bserver\s+([\w.-]+):(\d+);|\baddr:\s*([\w.-]+):(\d+)")
DEFAULT_PORTS = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379}
DATA = "10.0.201.7"
INTERNET = End(name="internet", address="93.184.216.34")


class World:
    """Official pods and Services, our policies, and what is around them."""

    def __init__(self, facts, official) -> None:
        self.policies = [item for item in objects_of(values_of(facts)) if item["kind"] == "NetworkPolicy"]
        values = harbor_values(render(facts, inside=INSIDE))
        values = merged(values, REDIS) if facts.cache else values
        self.items = all_objects(rendered(official, values, kubernetes_version="1.33"))
        workloads = [item for item in self.items if item["kind"] in {"Deployment", "StatefulSet"}]
        self.pods = {
            (labels := item["spec"]["template"]["metadata"]["labels"])["component"]: self._pod(
                item["metadata"]["name"], labels, number
            )
            for number, item in enumerate(workloads, start=10)
        }
        for number, name in enumerate(("database-job", "layer3"), start=100):
            self.pods[name] = self._pod(name, {"app": "harbor-support", "component": name}, number)
        self.services = {item["metadata"]["name"]: item["spec"] for item in self.items if item["kind"] == "Service"}

    @staticmethod
    def _pod(name: str, labels: dict, number: int) -> End:
        return End(name=name, address=f"10.0.1.{number}", namespace="harbor", labels=labels)

    def end(self, name: str) -> End:
        """A pod of Harbor's by component, ``namespace/`` for a pod elsewhere, or an address."""
        if name.endswith("/"):
            return End(name=name, address="10.0.2.99", namespace=name[:-1], labels={"app": "any"})
        if name == "dns":
            return End(name=name, address="10.0.2.53", namespace="kube-system", labels={"k8s-app": "kube-dns"})
        return self.pods.get(name) or End(name=name, address=name)

    def allows(self, source: str, target: str, port: int, protocol: str = "TCP") -> bool:
        return allowed(self.policies, self.end(source), self.end(target), port, protocol)

    def behind(self, host: str, port: int) -> tuple[End, int]:
        """Give what answers at a host's port: a Service's pod at its own port, or somebody in or beyond the VPC."""
        if host in self.services:
            service = self.services[host]
            (found,) = (one for one in service["ports"] if one["port"] == port)
            (pod,) = (pod for pod in self.pods.values() if service["selector"].items() <= pod.labels.items())
            return pod, found.get("targetPort", found["port"])
        inside = host.endswith((".rds.amazonaws.com", ".cache.amazonaws.com"))
        return (End(name=host, address=DATA) if inside else INTERNET), port

    def _is_there(self, host: str) -> bool:
        """The chart names Trivy's Service to core even where there is none."""
        return host != "localhost" and (host in self.services or "." in host)

    def calls(self):
        """Every (component, host, port) that the chart's configuration names."""
        for item in self.items:
            reader = READERS.get(item["metadata"]["name"])
            if item["kind"] not in {"ConfigMap", "Secret"} or not reader:
                continue
            data = {
                key: b64decode(value).decode() if item["kind"] == "Secret" else value
                for key, value in (item.get("data") or {}).items()
            }
            for key, text in data.items():
                # The exporter is given the proxy with jobservice, and calls nobody but core, which is never proxied.
                if key not in NOT_CALLED and not (reader == "exporter" and key.endswith("_PROXY")):
                    yield from ((reader, host, port) for host, port in _addresses(text) if self._is_there(host))
            for prefix in ("POSTGRESQL", "HARBOR_DATABASE", "HARBOR_SERVICE"):
                if f"{prefix}_HOST" in data:
                    yield reader, data[f"{prefix}_HOST"], int(data[f"{prefix}_PORT"])


def _addresses(text: str):
    for scheme, host, port in URL.findall(text):
        # nginx's own names of its upstreams, and links in comments.
        if host not in {"core", "portal", "github.com", "raymii.org"}:
            yield host, int(port or DEFAULT_PORTS[scheme])
    for server, port, address, number in SERVER.findall(text):
        yield server or address, int(port or number)


@pytest.fixture(scope="module", params=CHOICES, ids=NAMES)
def choice(request, official):
    profile, expose, options, version = request.param
    settings = exposed(expose, **options)
    facts = environment(profile, chartVersion=version, **settings)
    return facts, World(facts, official(version))


def test_each_pod_is_selected_by_the_policy_of_its_component_and_no_other(choice):
    _, world = choice
    general = {"harbor-default-deny", "harbor-dns"}
    named = {
        name: {policy["metadata"]["name"] for policy in selecting(world.policies, pod)} - general
        for name, pod in world.pods.items()
    }
    deployed = {policy["metadata"]["name"] for policy in world.policies} - general

    ours = {name for name in ("database-job", "layer3") if f"harbor-{name}" in deployed}
    running = {name for name in world.pods if name not in ("database-job", "layer3")} | ours
    assert {name: names for name, names in named.items() if name in running} == {
        name: {f"harbor-{name}"} for name in running
    }
    assert deployed == {f"harbor-{name}" for name in running}


def test_everything_that_the_configuration_calls_is_allowed(choice):
    _, world = choice
    calls = set(world.calls())
    denied = [
        (component, host, port)
        for component, host, port in sorted(calls)
        if not allowed(world.policies, world.end(component), *world.behind(host, port))
    ]

    assert len(calls) >= 12
    assert denied == []


def test_every_flow_inside_finds_its_service_where_the_vpc_cni_looks(choice):
    """It adds a Service's own address only for a policy with the Service's selector and the number of a pod's port."""
    _, world = choice
    known = {
        (tuple(sorted(spec["selector"].items())), port.get("targetPort", port["port"]))
        for spec in world.services.values()
        for port in spec["ports"]
    }
    named = {
        (tuple(sorted(peer["podSelector"]["matchLabels"].items())), port["port"])
        for policy in world.policies
        for rule in policy["spec"].get("egress") or ()
        for peer in rule["to"]
        if "podSelector" in peer and "namespaceSelector" not in peer
        for port in rule["ports"]
    }

    assert named - known == set()


#: source, target, port (8080 and 5000 become the TLS ports), allowed; with everything on, behind a load balancer, on EFS.
MATRIX = [
    # Harbor's own.
    ("core", "registry", 5000, True), ("core", "registry", 8080, True), ("core", "jobservice", 8080, True),
    ("core", "portal", 8080, True), ("core", "trivy", 8080, True), ("core", "core", 8080, True),
    ("jobservice", "core", 8080, True), ("jobservice", "registry", 5000, True), ("jobservice", "registry", 8080, True),
    ("jobservice", "trivy", 8080, True), ("trivy", "core", 8080, True), ("exporter", "core", 8080, True),
    ("layer3", "core", 8080, True),
    # Nobody else's.
    ("portal", "core", 8080, False), ("portal", "registry", 5000, False), ("registry", "core", 8080, False),
    ("trivy", "registry", 5000, False), ("trivy", "jobservice", 8080, False), ("exporter", "registry", 5000, False),
    ("exporter", "jobservice", 8080, False), ("jobservice", "portal", 8080, False), ("registry", "trivy", 8080, False),
    ("layer3", "registry", 5000, False), ("database-job", "core", 8080, False), ("core", "exporter", 8001, False),
    ("core", "registry", 22, False),
    # Data.
    *((name, DATA, 5432, name in {"core", "jobservice", "exporter", "database-job"})
      for name in ("core", "portal", "registry", "jobservice", "trivy", "exporter", "database-job", "layer3")),
    *((name, DATA, 6379, name in {"core", "jobservice", "registry", "trivy", "exporter"})
      for name in ("core", "portal", "registry", "jobservice", "trivy", "exporter", "database-job", "layer3")),
    ("core", "93.184.216.34", 5432, False), ("core", "93.184.216.34", 6379, False),
    # Out.
    # Layer 3's jobs: AWS and Kubernetes' API, and the agent that gives AWS credentials, at its one port.
    *((name, "93.184.216.34", 443, name in {"core", "jobservice", "trivy", "layer3"})
      for name in ("core", "portal", "registry", "jobservice", "trivy", "exporter", "database-job", "layer3")),
    ("core", "93.184.216.34", 80, False), ("core", "169.254.169.254", 80, False), ("core", "169.254.169.254", 443, False),
    ("jobservice", "169.254.170.23", 443, False), ("jobservice", "169.254.170.23", 80, False),
    ("layer3", "169.254.170.23", 80, True), ("layer3", "169.254.170.23", 443, False),
    ("layer3", "169.254.169.254", 80, False), ("layer3", "93.184.216.34", 80, False),
    # The proxy, the syslog server, traces, the other scanner: each to those who use it.
    *((name, "93.184.216.34", 3128, name in {"core", "jobservice", "trivy"})
      for name in ("core", "jobservice", "trivy", "registry", "portal")),
    ("core", "93.184.216.34", 514, True), ("jobservice", "93.184.216.34", 514, False),
    *((name, "tracing/", 4318, name in {"core", "jobservice", "registry"})
      for name in ("core", "jobservice", "registry", "trivy", "portal")),
    *((name, "scanning/", 8080, name in {"core", "jobservice"}) for name in ("core", "jobservice", "trivy", "registry")),
    ("scanning/", "core", 8080, True), ("scanning/", "registry", 5000, False),
    # In: the load balancer in the VPC, Prometheus, and nobody from beyond.
    ("10.0.101.5", "core", 8080, True), ("10.0.101.5", "portal", 8080, True), ("10.0.101.5", "registry", 5000, False),
    ("10.0.101.5", "jobservice", 8080, False), ("10.0.101.5", "trivy", 8080, False), ("10.0.101.5", "core", 8001, False),
    ("93.184.216.34", "core", 8080, False),
    *(("monitoring/", name, 8001, True) for name in ("core", "registry", "jobservice", "exporter")),
    ("monitoring/", "registry", 5000, False), ("monitoring/", "jobservice", 8080, False), ("default/", "core", 8001, False),
]  # fmt: skip
TLS_PORTS = {8080: 8443, 5000: 5443}
#: Ours beside Harbor: ports that TLS inside does not move.
FIXED = {"scanning/", "tracing/"}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_the_matrix(official, tls):
    world = World(environment("ha", harbor=EVERYTHING | {"internalTls": tls}), official("1.19.1"))
    wrong = [
        (source, target, port)
        for source, target, port, expected in MATRIX
        if world.allows(source, target, TLS_PORTS.get(port, port) if tls and target not in FIXED else port) != expected
    ]

    assert wrong == []


def test_every_pod_asks_for_names_and_nobody_else_does_more(official):
    world = World(environment("ha", harbor=EVERYTHING), official("1.19.1"))
    stranger = End(name="stranger", address="10.0.1.200", namespace="harbor", labels={"app": "somebody"})

    assert all(world.allows(name, "dns", 53, protocol) for name in world.pods for protocol in ("UDP", "TCP"))
    assert all(world.allows(name, "169.254.20.10", 53, "UDP") for name in world.pods)
    assert not any(world.allows(name, "10.0.2.77", 53, "UDP") for name in world.pods)
    assert allowed(world.policies, stranger, world.end("dns"), 53, "UDP")
    for pod in world.pods.values():
        assert not allowed(world.policies, stranger, pod, 8080)
        assert not allowed(world.policies, pod, stranger, 8080)
    assert not allowed(world.policies, stranger, INTERNET, 443)


CLIENTS = ("10.0.101.5", "ingress-nginx/", "gateways/", "passing/", "default/", "93.184.216.34")


@pytest.mark.parametrize(
    ("profile", "expose", "options", "let_in"),
    [
        ("ha", "alb", {}, {"10.0.101.5", "ingress-nginx/", "gateways/", "passing/", "default/"}),
        ("ha", "nginx", {}, {"ingress-nginx/"}),
        ("ha", "route", {}, {"gateways/"}),
        ("ha", "route", {"proxyNamespace": "passing"}, {"passing/"}),
        ("kind", "ingress", {"proxyNamespace": "passing"}, {"passing/"}),
        ("kind", "ingress", {}, {"ingress-nginx/"}),
        ("kind", "nodePort", {}, set()),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_clients_come_in_by_the_exposure_alone(official, profile, expose, options, let_in):
    """Pods have addresses of the VPC, so a load balancer's rule lets them in as well; from other networks nobody is."""
    settings = exposed(expose)
    settings["harbor"]["expose"] |= options
    world = World(environment(profile, **settings), official("1.19.1"))

    for component in ("core", "portal"):
        assert {client for client in CLIENTS if world.allows(client, component, 8080)} == let_in
    if expose == "nodePort":
        assert all(world.allows(client, "nginx", 8080) for client in CLIENTS)
        assert world.allows("nginx", "core", 8080)
        assert world.allows("nginx", "portal", 8080)
        assert not world.allows("nginx", "registry", 5000)


def test_the_charts_own_database_and_redis_are_for_those_who_use_them(official):
    world = World(environment("kind"), official("1.19.1"))
    names = [name for name in world.pods if name not in ("database-job", "layer3")]

    assert {name for name in names if world.allows(name, "database", 5432)} == {"core", "jobservice"}
    assert {name for name in names if world.allows(name, "redis", 6379)} == {"core", "jobservice", "registry", "trivy"}
    assert not any(world.allows(client, "database", 5432) for client in CLIENTS)


def test_s3_is_reached_by_the_registry_and_by_core_whatever_other_ports_are_open(official):
    world = World(environment("ha", storage="s3", harbor={"egressPorts": [8443]}), official("1.19.1"))
    out = {name for name in world.pods if world.allows(name, "93.184.216.34", 443)}

    assert out == {"core", "registry"}
    assert {name for name in world.pods if world.allows(name, "93.184.216.34", 8443)} == {"core", "jobservice", "trivy"}


def test_without_ports_nobody_calls_the_internet(official):
    world = World(environment("ha", harbor={"egressPorts": []}), official("1.19.1"))

    assert not {name for name in world.pods for port in (22, 443, 8443) if world.allows(name, "93.184.216.34", port)}


def test_cert_managers_solver_is_reached_through_the_ingress_controller(official):
    settings = exposed("nginx")
    settings["harbor"]["expose"]["clusterIssuer"] = "letsencrypt"
    world = World(environment("ha", **settings), official("1.19.1"))
    solver = End(
        name="solver", address="10.0.1.9", namespace="harbor", labels={"acme.cert-manager.io/http01-solver": "true"}
    )

    assert allowed(world.policies, world.end("ingress-nginx/"), solver, 8089)
    assert not allowed(world.policies, world.end("ingress-nginx/"), solver, 80)
    assert not allowed(world.policies, solver, INTERNET, 443)


@pytest.mark.parametrize("profile", ["ha", "kind"])
def test_without_the_option_there_is_no_policy(profile):
    items = objects_of(values_of(environment(profile, harbor={"networkPolicies": False})))

    assert not [item for item in items if item["kind"] == "NetworkPolicy"]


def test_the_judge_denies_what_no_rule_names():
    """The tests above can fail: a policy less, or a wrong port, and the judge says no."""
    facts = environment("ha")
    policies = [item for item in objects_of(values_of(facts)) if item["kind"] == "NetworkPolicy"]
    labels = {"app": "harbor", "release": "harbor"}
    core, registry = (
        End(name=name, address="10.0.1.1", namespace="harbor", labels=labels | {"component": name})
        for name in ("core", "registry")
    )
    without = [policy for policy in policies if policy["metadata"]["name"] != "harbor-registry"]

    assert Composition.of(facts).has("registry")
    assert allowed(policies, core, registry, 5000)
    assert not allowed(policies, core, registry, 5001)
    assert not allowed(without, core, registry, 5000)
    assert allowed([], core, registry, 5001)
