"""What one environment consists of, once options and profile are put together.

    composition = Composition.of(facts)
    composition.replicas["core"], composition.most["core"], composition.has("trivy")

A component that is off is in none of the fields, so whoever asks here leaves no trace of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from values.facts import Facts
from values.options import ExposeType, HarborOptions

_PROFILES = Path(__file__).parent / "profiles"
#: In the order in which they are shown.
COMPONENTS = ("core", "portal", "registry", "jobservice", "trivy", "exporter")
#: Whose pods the autoscaler may add: the others have a queue or a volume each.
SCALABLE = ("core", "registry", "portal")


@cache
def profile(name: str) -> Mapping[str, Any]:
    """Give ``values/profiles/<name>.yaml`` as plain data."""
    return yaml.safe_load((_PROFILES / f"{name}.yaml").read_text())


@dataclass(frozen=True, kw_only=True)
class Composition:
    """The parts of one environment.

    Attributes:
        expose: how clients reach it.
        replicas: component → pods, the least where it is scaled.
        most: component → pods at most, without the one that a rolling update adds.
        autoscaled: components whose pods are added and taken away under load.
        metrics: components serve metrics.
        node_selector: labels of the nodes that pods go to.
        parts: what Secrets depend on (`values.secrets.Part`).
    """

    expose: ExposeType
    replicas: Mapping[str, int]
    most: Mapping[str, int]
    autoscaled: tuple[str, ...]
    metrics: bool
    node_selector: Mapping[str, str]
    parts: frozenset[str]

    @property
    def accounts(self) -> tuple[str, ...]:
        """Service accounts, ``harbor-<name>``: every component, and the chart's nginx where it answers."""
        return (*self.replicas, *(("nginx",) if self.expose == "nodePort" else ()))

    def has(self, component: str) -> bool:
        """Tell whether a component runs."""
        return component in self.replicas

    @classmethod
    def of(cls, facts: Facts) -> "Composition":
        """Put options and profile together."""
        options, defaults = facts.harbor, profile(facts.profile)
        metrics = defaults["metrics"] if options.monitoring.metrics is None else options.monitoring.metrics
        on = {"trivy": options.trivy.enabled, "exporter": metrics}
        replicas = {
            name: getattr(options.replicas, name) or defaults["replicas"][name]
            for name in COMPONENTS
            if on.get(name, True)
        }
        autoscaled = SCALABLE if options.autoscaling.enabled else ()
        most = {
            name: max(count, getattr(options.autoscaling, name)) if name in autoscaled else count
            for name, count in replicas.items()
        }
        return cls(
            expose=options.expose.type or ("alb" if facts.aws else "nodePort"),
            replicas=replicas,
            most=most,
            autoscaled=autoscaled,
            metrics=metrics,
            # Harbor's images are amd64 up to 2.15; a laptop's node may have another name for what it can run.
            node_selector=options.scheduling.node_selector | ({"kubernetes.io/arch": "amd64"} if facts.aws else {}),
            parts=parts_of(
                options, database=bool(facts.database), cache=bool(facts.cache), s3=facts.storage.type == "s3"
            ),
        )


def parts_of(options: HarborOptions, *, database: bool, cache: bool, s3: bool) -> frozenset[str]:
    """Give the parts that Secrets depend on.

    Args:
        options: what the team chose.
        database, cache: they are AWS's, not the chart's own.
        s3: blobs are in a bucket.
    """
    there = {
        "database": database,
        "internal-database": not database,
        "cache": cache,
        "s3": s3,
        "internal-tls": options.internal_tls,
        "trivy": options.trivy.enabled,
        "notify": options.notify is not None,
        "layer3": options.layer3.enabled,
        "layer3-notify": options.layer3.enabled and options.layer3.notify,
    }
    return frozenset(name for name, is_there in there.items() if is_there)
