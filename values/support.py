"""Our own chart beside Harbor's (charts/support), with the values of one environment, as files that Flux reads.

    files = support_files(facts, Composition.of(facts))
    files["support/release.yaml"], files["support/chart/Chart.yaml"]

The chart lies beside the release that uses it. Its version carries a digest of its files, so each change is a new one.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from values import contract, pools
from values.composition import Composition
from values.facts import Facts, VolumeStorage
from values.fill import fill
from values.layer3 import flows as layer3_flows
from values.layer3 import layer3_values
from values.network import Flow, inward, outward

CHART = Path(__file__).parents[1] / "charts" / "support"
#: What a release of the chart reads. The README stays here.
_DELIVERED = ("Chart.yaml", "values.yaml", "values.schema.json", "monitoring.yaml", "templates/*.yaml")
#: Folder with what lives inside Harbor, for the jobs that compare it.
HARBOR_FILES = "harbor"
#: Components whose pods the chart of the version gives no disruption budget; the exporter's is never missed.
_BUDGETED = ("core", "portal", "registry", "jobservice", "trivy")


def support_files(
    facts: Facts, composition: Composition, inside: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Render ``support/``.

    Args:
        facts: of the environment.
        composition: of the same.
        inside: the files of harbor.yaml, name → text.

    Returns:
        Path below the environment's folder → text.
    """
    files = chart_files()
    context = {
        "facts": facts,
        "namespace": "harbor",
        "values": support_values(facts, composition, inside),
        "chart_version": chart_version(),
        "inside": [f"{HARBOR_FILES}/{name}" for name in sorted(inside)],
        "resources": ["release.yaml"],
        "home": "/".join(filter(None, (".", facts.gitops_path, "apps/harbor", facts.environment))),
    }
    names = ["release.yaml", "values.yaml", "kustomization.yaml"]
    if context["values"]["database"]:
        context["resources"] = ["database.yaml", *context["resources"]]
        names.append("database.yaml")
    made = {name: fill(f"flux/support/{name}.j2", context) for name in sorted(names)}
    if context["values"]["layer3"]:
        made |= {f"{HARBOR_FILES}/{name}": text for name, text in inside.items()}
    made["kustomizeconfig.yaml"] = fill("flux/kustomizeconfig.yaml.j2", context)
    return {f"support/{name}": text for name, text in made.items()} | {
        f"support/chart/{name}": text for name, text in files.items()
    }


@cache
def chart_files() -> Mapping[str, str]:
    """Give the chart as it is delivered: path → text. Read once, for every environment the same."""
    paths = sorted(path for pattern in _DELIVERED for path in CHART.glob(pattern))
    texts = {path.relative_to(CHART).as_posix(): path.read_text() for path in paths}
    digest = hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest()[:8]
    version = _version(texts["Chart.yaml"])
    return texts | {
        "Chart.yaml": texts["Chart.yaml"].replace(f"version: {version}\n", f"version: {version}+{digest}\n")
    }


def chart_version() -> str:
    """Give the version of the delivered chart, ``1.0.0+0a1b2c3d``."""
    return _version(chart_files()["Chart.yaml"])


def _version(chart: str) -> str:
    return next(line.partition(": ")[2] for line in chart.splitlines() if line.startswith("version: "))


def support_values(
    facts: Facts, composition: Composition, inside: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """Give the chart's values: plain data, every key written out."""
    options = facts.harbor
    components = [*composition.replicas, *_own_pods(facts, composition)]
    return {
        "components": components,
        "parts": list(_parts(facts, composition)),
        "internalTLS": options.internal_tls,
        "network": {
            "enabled": options.network_policies,
            "solver": bool(options.expose.cluster_issuer),
            "in": [_flow(flow, "to", "from") for flow in inward(facts, composition)],
            "out": [_flow(flow, "from", "to") for flow in (*outward(facts, composition), *layer3_flows(facts, inside))],
        },
        "alerts": {
            "enabled": options.monitoring.rules,
            "labels": options.monitoring.labels,
            "runbooks": options.monitoring.runbooks,
            "numbers": _numbers(facts, composition) if options.monitoring.rules else {},
        },
        "dashboard": {"enabled": options.monitoring.dashboard},
        "database": _database(facts),
        "budgets": [
            name
            for name in _BUDGETED
            if composition.has(name)
            and composition.most[name] > 1
            and not contract.has(facts.chart_version, f"{name}.podDisruptionBudget")
        ],
        "autoscaling": [
            {
                "component": name,
                "least": composition.replicas[name],
                "most": composition.most[name],
                "cpu": options.autoscaling.cpu_percent,
            }
            for name in composition.autoscaled
        ],
        "pullSecrets": _pull_secrets(facts),
        "layer3": layer3_values(facts, inside),
        "scheduling": {
            "pullSecret": options.images.pull_secret,
            "nodeSelector": dict(composition.node_selector),
            "tolerations": list(options.scheduling.tolerations),
            "priorityClass": options.scheduling.priority_class,
        },
    }


def _own_pods(facts: Facts, composition: Composition) -> Iterator[str]:
    """Pods of the official chart beside the components: what AWS has elsewhere, and its own way in."""
    if not facts.database:
        yield "database"
    if not facts.cache:
        yield "redis"
    if composition.expose == "nodePort":
        yield "nginx"


def _parts(facts: Facts, composition: Composition) -> Iterator[str]:
    there = {
        "metrics": composition.metrics,
        "rds": facts.database,
        "database-job": facts.database and facts.database.admin_secret_name,
        "aws": facts.aws,
        "volumes": _volumes(facts, composition),
        "autoscaling": composition.autoscaled,
        "layer3": facts.harbor.layer3.enabled,
    }
    return (name for name, is_there in there.items() if is_there)


def _volumes(facts: Facts, composition: Composition) -> list[str]:
    """Claims, as regular expressions, of the volumes that have an end; EFS has none."""
    claims = {
        "data-harbor-trivy-.+": composition.has("trivy"),
        "harbor-registry": isinstance(facts.storage, VolumeStorage),
        "database-data-harbor-database-.+": not facts.database,
        "data-harbor-redis-.+": not facts.cache,
    }
    return [claim for claim, is_there in claims.items() if is_there]


def _numbers(facts: Facts, composition: Composition) -> dict[str, str | int]:
    numbers: dict[str, str | int] = {"volumes": "|".join(_volumes(facts, composition))}
    if facts.database:
        accepts = facts.database.max_connections
        numbers["pool"] = pools.max_open_connections(accepts, composition.most)
        numbers["budget"] = int(pools.SHARE * accepts)
    return numbers


def _flow(flow: Flow, inside: str, outside: str) -> dict[str, Any]:
    return {"why": flow.why, inside: list(flow.components), "ports": list(flow.ports), outside: dict(flow.peer)}


def _database(facts: Facts) -> dict[str, Any] | None:
    database = facts.database
    if not database or not database.admin_secret_name:
        return None
    return {
        "image": _mirrored(facts.harbor.images.psql, facts.harbor.infrastructure.registries),
        "host": database.host,
        "port": database.port,
        "name": database.name,
        "role": database.username,
        "verified": bool(database.ca_bundle),
    }


def _mirrored(image: str, mirrors: Mapping[str, str]) -> str:
    registry, _, path = image.partition("/")
    return f"{mirrors.get(registry, registry)}/{path}"


def _pull_secrets(facts: Facts) -> dict[str, Any] | None:
    options = facts.harbor.pull_secrets
    if not options.enabled or not facts.aws:
        return None
    return {
        "region": facts.aws.region,
        "prefix": facts.secrets_prefix,
        "host": facts.host,
        "label": options.label,
        "robots": list(options.robots),
    }


def images(facts: Facts) -> list[str]:
    """Give the images that the chart's jobs pull, mirrors applied."""
    jobs = (_database(facts), layer3_values(facts, {}))
    return [job["image"] for job in jobs if job]
