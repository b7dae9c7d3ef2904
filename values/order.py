"""The order in which Flux applies an environment: one Kustomization for each folder, each after the one before it.

    cluster_file(facts, files)   # the text of clusters/ENV/harbor.yaml

A folder that an environment does not have (a cluster without AWS has no infrastructure) has no Kustomization either.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from values.facts import Facts
from values.fill import fill

#: Of Kubernetes kinds whose objects count as healthy without a status, or by another word than Ready: when they are.
_READY = "status.conditions.exists(e, e.type == 'Ready' && e.status == 'True')"
_CHECKED: Mapping[str, tuple[str, str]] = {
    "ExternalSecret": ("external-secrets.io/v1", _READY),
    "SecretStore": ("external-secrets.io/v1", _READY),
    "ClusterSecretStore": ("external-secrets.io/v1", _READY),
    "ClusterExternalSecret": ("external-secrets.io/v1", _READY),
    "HelmRelease": (
        "helm.toolkit.fluxcd.io/v2",
        f"status.observedGeneration == metadata.generation && {_READY}",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """A folder of an environment, and how Flux applies it.

    Attributes:
        name: of the Kustomization, for good: renamed, Flux would take its objects for another's.
        folder: below the environment's.
        timeout: minutes; longer than that of the releases in it, which must be the ones that report.
        keep: what must not go when this Kustomization does.
    """

    name: str
    folder: str
    timeout: int
    keep: str


PARTS: Sequence[Part] = (
    Part(name="harbor-infrastructure", folder="infrastructure", timeout=15, keep="take the controllers away"),
    Part(name="harbor-prerequisites", folder="prerequisites", timeout=10, keep="take volumes and Secrets away"),
    Part(name="harbor-support", folder="support", timeout=20, keep="open Harbor's network or silence its alerts"),
    Part(name="harbor", folder="release", timeout=35, keep="uninstall Harbor"),
)


@dataclass(frozen=True, kw_only=True)
class Check:
    """When objects of a kind count as healthy, in CEL."""

    kind: str
    api_version: str
    current: str


def cluster_file(facts: Facts, files: Mapping[str, str]) -> str:
    """Render ``clusters/ENV/harbor.yaml``.

    Args:
        facts: of the environment.
        files: everything else of the environment, path → text.
    """
    home = "/".join(filter(None, (facts.gitops_path, "apps/harbor", facts.environment)))
    there = [part for part in PARTS if f"{home}/{part.folder}/kustomization.yaml" in files]
    checks = {part.name: list(_checks(f"{home}/{part.folder}/", files)) for part in there}
    return fill("flux/cluster.yaml.j2", {"facts": facts, "parts": there, "checks": checks, "home": f"./{home}"})


def _checks(folder: str, files: Mapping[str, str]) -> Iterator[Check]:
    # A chart that lies in the folder is for helm to read, not for kustomize.
    texts = [text for path, text in files.items() if path.startswith(folder) and "/" not in path[len(folder) :]]
    for kind, (api_version, current) in _CHECKED.items():
        if any(f"\nkind: {kind}\n" in text for text in texts):
            yield Check(kind=kind, api_version=api_version, current=current)
