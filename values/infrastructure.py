"""What Flux installs before Harbor: controllers as pinned releases, with the roles that layer 1 made for them.

    files = infrastructure_files(facts, Composition.of(facts))
    files["infrastructure/external-dns.yaml"]

A cluster without AWS gets none of it. What a team has already is left out (`harbor.infrastructure` in the stack file).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from values.composition import Composition
from values.facts import Facts
from values.fill import fill

_TABLE = Path(__file__).parents[1] / "tables" / "controllers.yaml"
#: Controller → namespace, as in layer 1's Pod Identity associations (a test holds them equal); its service account has
#: the controller's own name.
NAMESPACES: Mapping[str, str] = {
    "aws-load-balancer-controller": "kube-system",
    "external-dns": "external-dns",
    "external-secrets": "external-secrets",
}
_TITLES = {
    "aws-load-balancer-controller": "AWS Load Balancer Controller: makes the load balancer of Harbor's Ingress.",
    "external-dns": "external-dns: keeps the registry's record.",
    "external-secrets": "External Secrets: brings Secrets from AWS Secrets Manager.",
}
#: Where a restart of a controller is no interruption, it has two pods.
_REPLICAS = {"dev": 1, "ha": 2, "large": 2}


@dataclass(frozen=True, kw_only=True)
class Controller:
    """A controller as one environment installs it.

    Attributes:
        name: of release, chart and service account.
        namespace: where it runs.
        makes_namespace: nobody else made it.
        title: what it is for.
        repository: of its chart, or the mirror of it.
        version: of its chart.
        image: repository of its image where a mirror stands in; empty for the chart's own.
        replicas: pods, where the controller can have several.
    """

    name: str
    namespace: str
    makes_namespace: bool
    title: str
    repository: str
    version: str
    image: str
    replicas: int


@cache
def table() -> Mapping[str, Any]:
    """Give ``tables/controllers.yaml`` as plain data."""
    return yaml.safe_load(_TABLE.read_text())


def controllers(facts: Facts, composition: Composition) -> Sequence[Controller]:
    """Give the controllers that Flux installs: none without AWS, and none that the cluster has from somebody else."""
    if facts.aws is None:
        return ()
    options = facts.harbor.infrastructure
    wanted = {
        # Ingresses of class alb are all that Harbor needs it for. Whoever puts an NLB before an ingress-nginx or a
        # Gateway of his own says so in the settings.
        "aws-load-balancer-controller": composition.expose == "alb"
        if options.load_balancer_controller is None
        else options.load_balancer_controller,
        "external-dns": options.external_dns,
        "external-secrets": options.external_secrets,
    }
    return [_controller(name, facts) for name in NAMESPACES if wanted[name]]


def _controller(name: str, facts: Facts) -> Controller:
    options, row = facts.harbor.infrastructure, table()[name]
    image = row["images"][0].rpartition(":")[0]
    registry, _, path = image.partition("/")
    mirror = options.registries.get(registry)
    return Controller(
        name=name,
        namespace=NAMESPACES[name],
        makes_namespace=NAMESPACES[name] == name,
        title=_TITLES[name],
        repository=options.chart_repository or row["repository"],
        version=row["version"],
        image=f"{mirror}/{path}" if mirror else "",
        replicas=_REPLICAS[facts.profile],
    )


def infrastructure_files(facts: Facts, composition: Composition) -> dict[str, str]:
    """Render ``infrastructure/``.

    Args:
        facts: of the environment.
        composition: of the same.

    Returns:
        Path below the environment's folder → text; nothing without AWS, or where the cluster has all of it.
    """
    if facts.aws is None:
        return {}
    files = {}
    if composition.has("trivy"):
        files["storage.yaml"] = fill("flux/infrastructure/storage.yaml.j2", {"facts": facts})
    for controller in controllers(facts, composition):
        context = {"facts": facts, "composition": composition, "controller": controller}
        files[f"{controller.name}.yaml"] = fill(f"flux/infrastructure/{controller.name}.yaml.j2", context)
    if not files:
        return {}
    context = {"facts": facts, "resources": list(files)}
    files["kustomization.yaml"] = fill("flux/infrastructure/kustomization.yaml.j2", context)
    return {f"infrastructure/{name}": text for name, text in files.items()}


def images(facts: Facts, composition: Composition) -> Sequence[str]:
    """Give every image that the controllers' pods pull, mirrors applied."""
    mirrors = facts.harbor.infrastructure.registries
    found = (image for one in controllers(facts, composition) for image in table()[one.name]["images"])
    parts = (image.partition("/") for image in found)
    return [f"{mirrors.get(registry, registry)}/{path}" for registry, _, path in parts]
