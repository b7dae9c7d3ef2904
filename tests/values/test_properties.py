"""What holds for every environment that the settings admit, not only for those that somebody thought of."""

import math
import re
from functools import partial

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from infra import tables
from tests.values.conftest import PROFILES, exposed, facts_of
from values import pools
from values.composition import Composition
from values.errors import ValuesError
from values.facts import SUPPORTED_CHART_VERSIONS, Facts
from values.options import CLOUD_EXPOSURES, LOCAL_EXPOSURES
from values.render import render

#: Texts that a person might write where any text is taken, with what YAML and Go templates could take for their own.
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20) | st.sampled_from(
    ["true", "null", "1.0", "${HOME}", "{{ .x }}", "a: b", "# no comment", "'", '"', "yes", "0x1F"]
)
COUNTS = st.integers(1, 12)
LABELS = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}(\.example\.com/[a-z]{1,8})?", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}[A-Za-z0-9]", fullmatch=True)
    | st.sampled_from(["true", "null", "1.0", "yes", "0x1F", "1e3", ""]),
    max_size=3,
)
HOSTS = st.from_regex(r"[a-z]{1,8}\.[a-z]{2,5}", fullmatch=True)

OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "replicas": st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("core", "portal", "registry", "jobservice", "trivy", "exporter"), COUNTS)
        ),
        "autoscaling": st.fixed_dictionaries({"enabled": st.booleans()}, optional={"core": COUNTS, "registry": COUNTS}),
        "scheduling": st.fixed_dictionaries({}, optional={"nodeSelector": LABELS, "priorityClass": HOSTS}),
        "monitoring": st.fixed_dictionaries(
            {"metrics": st.just(True)},
            optional={
                "serviceMonitors": st.booleans(),
                "rules": st.booleans(),
                "dashboard": st.booleans(),
                "labels": LABELS,
            },
        )
        | st.just({"metrics": False}),
        "trace": HOSTS.map(lambda host: {"endpoint": f"{host}:4318"}),
        "cacheLayer": st.fixed_dictionaries({"enabled": st.booleans(), "expireHours": st.integers(1, 720)}),
        "proxy": st.fixed_dictionaries(
            {"https": HOSTS.map(lambda host: f"http://{host}:3128")}, optional={"noProxy": st.lists(HOSTS, max_size=3)}
        ),
        "internalTls": st.booleans(),
        "logging": st.fixed_dictionaries(
            {}, optional={"level": st.sampled_from(["debug", "warning"]), "auditForward": HOSTS.map("{}:514".format)}
        ),
        "trivy": st.fixed_dictionaries(
            {"enabled": st.booleans()},
            optional={
                "severity": st.sampled_from(["HIGH,CRITICAL", "UNKNOWN"]),
                "dbRepositories": st.lists(HOSTS.map("{}/trivy-db:2".format), min_size=1, max_size=2),
            },
        ),
        "scannerAdapter": TEXTS.map(lambda name: {"name": name, "url": "http://scanner.scanning:8080"}),
        "images": st.just({"registry": "registry.example.com/hub/goharbor", "pullSecret": "mirror"}),
        "s3Redirect": st.booleans(),
        "networkPolicies": st.booleans(),
        "pullSecrets": st.fixed_dictionaries({"enabled": st.booleans()}),
        "notify": TEXTS.map(lambda name: {"provider": "slack", "channel": name}),
    },
)


@st.composite
def environments(draw: st.DrawFn) -> Facts:
    """Draw the facts of an environment that the settings admit; what they refuse is not drawn."""
    profile = draw(st.sampled_from(PROFILES))
    expose = draw(st.sampled_from(LOCAL_EXPOSURES if profile == "kind" else CLOUD_EXPOSURES))
    choices = exposed(expose, **draw(OPTIONS))
    if profile != "kind":
        choices["sizes"] = {"databaseClass": draw(st.sampled_from(tables.database_classes()))}
    storage = "" if profile == "kind" else draw(st.sampled_from(["efs", "s3"]))
    try:
        return facts_of(
            profile, storage=storage, chartVersion=draw(st.sampled_from(SUPPORTED_CHART_VERSIONS)), **choices
        )
    except ValidationError:
        assume(condition=False)
        raise


def rendered(facts: Facts) -> dict[str, str]:
    """Render; an environment whose pods do not fit into its database is refused, which is no counterexample."""
    try:
        return render(facts)
    except ValuesError as error:
        assume(not any(found.key == "sizes.databaseClass" for found in error.findings))
        raise


every = partial(
    settings,
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)()


@every
@given(environments())
def test_always_in_contract_and_always_the_same_bytes(facts):
    assert rendered(facts) == rendered(Facts.from_json(facts.to_json()))


class Strict(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Refuses a key that is there twice, which the API server would as well."""


def _mapping(loader, node):
    keys = [key.value for key, _ in node.value]
    assert len(keys) == len(set(keys)), f"twice in one mapping: {keys}"
    return {
        loader.construct_object(key, deep=True): loader.construct_object(value, deep=True) for key, value in node.value
    }


Strict.add_constructor("tag:yaml.org,2002:map", _mapping)


@every
@given(environments())
def test_every_file_is_yaml_without_a_key_twice(facts):
    for path, text in rendered(facts).items():
        if path.endswith(".yaml") and "/chart/templates/" not in path:
            list(yaml.load_all(text, Loader=Strict))


@every
@given(environments())
def test_never_a_secret(facts):
    for path, text in rendered(facts).items():
        assert not re.search(r"PRIVATE KEY|AKIA[0-9A-Z]{16}|\$2[aby]\$|://[^/\s\"']*:[^/\s\"'{}]*@", text), path


@every
@given(environments())
def test_the_pools_never_exceed_the_server(facts):
    values = yaml.safe_load(rendered(facts)[f"apps/harbor/{facts.environment}/release/values/common.yaml"])
    if facts.database is None:
        return
    most = Composition.of(facts).most
    height = sum(
        most[name] + math.ceil(most[name] * 0.25) for name in ("core", "jobservice", "exporter") if name in most
    )

    assert values["database"]["maxOpenConns"] * height <= 0.8 * facts.database.max_connections
    assert pools.FEWEST <= values["database"]["maxOpenConns"] <= 900
    assert values["database"]["maxIdleConns"] <= values["database"]["maxOpenConns"]


#: What is off → words that are then in no file but its own switch.
TRACES = {
    "trivy": ("trivy", "harbor-gp3", "aquasec"),
    "exporter": ("exporter", "serviceAccountName: harbor-exporter", "8001"),
    "autoscaling": ("HorizontalPodAutoscaler", "path: /spec/replicas}"),
    "internal-tls": ("internal-tls", "internalTLS"),
    "notify": ("notification.toolkit", "flux-notify"),
    "database": ("harbor-db\n", "rds.amazonaws"),
    "s3": ("harbor-s3",),
    "efs": ("efs.csi", "PersistentVolume\n"),
    "cloud": ("amazonaws", "ExternalSecret", "alb.ingress", "elbv2"),
    "proxy": ("httpProxy",),
    "trace": ("sample_rate",),
}


@every
@given(environments())
def test_what_is_off_leaves_no_trace(facts):
    composition, options = Composition.of(facts), facts.harbor
    on = {
        "trivy": composition.has("trivy"),
        "exporter": composition.has("exporter"),
        "autoscaling": bool(composition.autoscaled),
        "internal-tls": options.internal_tls,
        "notify": options.notify is not None,
        "database": facts.database is not None,
        "s3": facts.storage.type == "s3",
        "efs": facts.storage.type == "efs",
        "cloud": facts.aws is not None,
        "proxy": bool(options.proxy.https),
        "trace": options.trace is not None,
    }
    home = f"apps/harbor/{facts.environment}"
    files = {
        path: text
        for path, text in rendered(facts).items()
        # Facts tell what was chosen; the chart in the repository is the same for all, its values are not.
        if path != f"{home}/facts.json" and "/support/chart/" not in path
    }
    for part, words in TRACES.items():
        if not on[part]:
            own = {
                f"{home}/release/values/{part}.yaml",
                f"{home}/release/release.yaml",
                f"{home}/release/kustomization.yaml",
            }
            left = [(path, word) for path, text in files.items() if path not in own for word in words if word in text]
            assert left == [], part
