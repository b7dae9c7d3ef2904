"""Layer 2: facts and a profile become the files that Flux reads. Pure: no clock, no random, no network, no git.

    files = render(facts, overrides={"mail": "core: {…}"})
    files["apps/harbor/prod/release/values/core.yaml"]

Which files there are depends only on the environment's name, `gitops_path`, the profile, the kind of storage, database
and cache, and the names of the overrides; never on an address. Two runs are byte-identical.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from values import contract, pools
from values.composition import Composition
from values.errors import Finding, ValuesError
from values.facts import Facts
from values.fill import fill
from values.infrastructure import infrastructure_files
from values.order import cluster_file
from values.secrets import REGISTRY_USERNAME, secrets_for

FOLDER = Path(__file__).parent
#: One values document for each, in the order in which Helm merges them.
COMPONENTS = ("common", "core", "portal", "registry", "jobservice", "trivy")
NAMESPACE = "harbor"
_OVERRIDE_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")


def render(facts: Facts, overrides: Mapping[str, str] = MappingProxyType({}), *, check: bool = True) -> dict[str, str]:
    """Render everything that is committed for one environment.

    Args:
        facts: of the environment.
        overrides: a team's own values documents, name → YAML text; merged last, in the order of their names.
        check: hold every values document against the chart's contract.

    Returns:
        Path in the GitOps repository → text, in a stable order.

    Raises:
        ValuesError: with every key that the chart does not know and every value of a wrong type.
    """
    context = _context(facts, overrides)
    root = f"{facts.gitops_path}/" if facts.gitops_path else ""
    home = f"{root}apps/harbor/{facts.environment}"
    infrastructure = infrastructure_files(facts, Composition.of(facts))
    files = {f"{home}/{path}": text for path, text in infrastructure.items()}
    for name in context["prerequisites"]:
        files[f"{home}/prerequisites/{name}"] = fill(f"flux/{name}.j2", context)
    files[f"{home}/prerequisites/kustomization.yaml"] = fill("flux/prerequisites.yaml.j2", context)
    for name in ("kustomization.yaml", "kustomizeconfig.yaml", "release.yaml", "source.yaml"):
        files[f"{home}/release/{name}"] = fill(f"flux/{name}.j2", context)
    for component in COMPONENTS:
        files[f"{home}/release/values/{component}.yaml"] = fill(f"{component}.yaml.j2", context)
    for name, text in sorted(overrides.items()):
        files[f"{home}/release/values/override-{name}.yaml"] = text if text.endswith("\n") else f"{text}\n"
    files[f"{home}/facts.json"] = facts.to_json()
    files[f"{root}clusters/{facts.environment}/harbor.yaml"] = cluster_file(facts, files)
    if check and (found := tuple(_findings(facts, overrides, files, f"{home}/release/values/"))):
        raise ValuesError(*found)
    return files


def _findings(facts: Facts, overrides: Mapping[str, str], files: Mapping[str, str], values: str) -> Iterator[Finding]:
    for component in COMPONENTS:
        yield from contract.findings(f"{component}.yaml", files[f"{values}{component}.yaml"], facts.chart_version)
    for name, text in overrides.items():
        path = f"stacks/{facts.environment}/values/{name}.yaml"
        if not _OVERRIDE_NAME.match(name):
            hint = "its name becomes a ConfigMap's: lower-case letters, digits and dashes"
            yield Finding(path=path, key="", message="has a name that Kubernetes does not take", suggestion=hint)
        yield from contract.findings(path, text, facts.chart_version)


def _context(facts: Facts, overrides: Mapping[str, str]) -> dict[str, Any]:
    """Give what the templates see; the same names in all of them."""
    profile = _profile(facts.profile)
    parts = {"database": facts.database is not None, "cache": facts.cache is not None, "s3": facts.storage.type == "s3"}
    prerequisites = ["namespace.yaml"]
    if facts.aws:
        prerequisites += ["secret-store.yaml", "external-secrets.yaml"]
        prerequisites += ["volumes.yaml"] if facts.storage.type == "efs" else []
    return {
        "facts": facts,
        "namespace": NAMESPACE,
        "profile": profile,
        "components": COMPONENTS,
        "overrides": sorted(overrides),
        "prerequisites": prerequisites,
        "secrets": secrets_for(frozenset(name for name, there in parts.items() if there)),
        "registry_username": REGISTRY_USERNAME,
        # Harbor's registry logs in to Redis with a user name since 2.15 (goharbor/harbor-helm#2320).
        "registry_knows_cache_users": contract.harbor(facts.chart_version) >= (2, 15),
        "max_open_connections": facts.database
        and pools.max_open_connections(facts.database.max_connections, profile["replicas"]),
        "home": "/".join(filter(None, (".", facts.gitops_path, "apps/harbor", facts.environment))),
    }


@cache
def _profile(name: str) -> Mapping[str, Any]:
    """Read a profile; resources are YAML text already, as a person would write them."""
    profile = yaml.safe_load((FOLDER / "profiles" / f"{name}.yaml").read_text())
    written = {
        part: yaml.safe_dump(resources, default_flow_style=True, sort_keys=False, width=1000).strip()
        for part, resources in profile["resources"].items()
    }
    return {**profile, "resources": written}
