"""Layer 2: facts and a profile become the files that Flux reads. Pure: no clock, no random, no network, no git.

    files = render(facts, overrides={"mail": "core: {…}"})
    files["apps/harbor/prod/release/values/core.yaml"]

Which files there are depends only on the environment's name, `gitops_path`, the profile, the kind of storage, database
and cache, and the names of the overrides; never on an address. Two runs are byte-identical.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from values import contract, pools, promises
from values.composition import Composition, profile
from values.errors import Finding, ValuesError
from values.facts import EfsStorage, Facts, S3Storage
from values.fill import fill
from values.infrastructure import controllers, infrastructure_files
from values.layer3 import findings as layer3_findings
from values.lint import duplicate_keys
from values.order import cluster_file
from values.revisions import revision_sources, revisions
from values.secrets import INTERNAL_TLS_SERVICES, REFERENCES, REGISTRY_USERNAME, HarborSecret, secrets_for
from values.support import support_files

FOLDER = Path(__file__).parent
#: One values document for each, in the order in which Helm merges them.
COMPONENTS = ("common", "core", "portal", "registry", "jobservice", "trivy")
NAMESPACE = "harbor"
#: Deployments that serve requests → the container that must stay while it is drained.
_DRAINED = MappingProxyType({"core": "core", "portal": "portal", "registry": "registry"})
_HELD = MappingProxyType(
    {
        "harbor-redis": "User and password of Redis, from Secrets Manager",
        "harbor-db-internal": "The password of the chart's own database, made once in the cluster",
        "harbor-revisions": "A digest of the Secrets that each component reads, so that a rotation rolls its pods",
    }
)
_OVERRIDE_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")


_NOTHING: Mapping[str, str] = MappingProxyType({})


def render(
    facts: Facts, overrides: Mapping[str, str] = _NOTHING, inside: Mapping[str, str] = _NOTHING, *, check: bool = True
) -> dict[str, str]:
    """Render everything that is committed for one environment.

    Args:
        facts: of the environment.
        overrides: a team's own values documents, name → YAML text; merged last, in the order of their names.
        inside: the files of harbor.yaml, name → text; only where the jobs of `harbor.layer3` read them.
        check: hold every values document against the chart's contract.

    Returns:
        Path in the GitOps repository → text, in a stable order.

    Raises:
        ValuesError: with every key that the chart does not know and every value of a wrong type.
    """
    if check and (found := (*promises.fact_findings(facts), *layer3_findings(facts, inside))):
        raise ValuesError(*found)
    context = _context(facts, overrides)
    root = f"{facts.gitops_path}/" if facts.gitops_path else ""
    home = f"{root}apps/harbor/{facts.environment}"
    composition = context["composition"]
    parts = infrastructure_files(facts, composition) | support_files(facts, composition, inside)
    files = {f"{home}/{path}": text for path, text in parts.items()}
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
    yield from _pool_findings(facts)
    for component in COMPONENTS:
        # Without the comment that names the environment most documents are those of many environments, checked once.
        _, _, body = files[f"{values}{component}.yaml"].partition("\n\n")
        yield from contract.findings(f"{component}.yaml", body, facts.chart_version)
    for name, text in overrides.items():
        path = f"stacks/{facts.environment}/values/{name}.yaml"
        if not _OVERRIDE_NAME.match(name):
            hint = "its name becomes a ConfigMap's: lower-case letters, digits and dashes"
            yield Finding(path=path, key="", message="has a name that Kubernetes does not take", suggestion=hint)
        yield from contract.findings(path, text, facts.chart_version) or duplicate_keys(path, text)
    yield from promises.findings(facts, overrides, files)


def _pool_findings(facts: Facts) -> Iterator[Finding]:
    if not facts.database:
        return
    accepts, most = facts.database.max_connections, Composition.of(facts).most
    if (each := pools.max_open_connections(accepts, most)) < pools.FEWEST:
        pods = pools.pods_at_most(most)
        yield Finding(
            path=f"stacks/Pulumi.{facts.environment}.yaml",
            key="sizes.databaseClass",
            message=f"accepts {accepts} connections, which is {max(each, 0)} for each of up to {pods} pods; "
            f"{pools.FEWEST} at least",
            suggestion="take a larger database class, fewer replicas, or a lower harbor.autoscaling.core",
        )


def _context(facts: Facts, overrides: Mapping[str, str]) -> dict[str, Any]:
    """Give what the templates see; the same names in all of them."""
    composition = Composition.of(facts)
    secrets = [secret for secret in secrets_for(composition.parts) if not secret.late]
    return {
        "facts": facts,
        "namespace": NAMESPACE,
        "scheme": _scheme(facts, composition),
        "profile": _written(facts.profile),
        "composition": composition,
        "components": COMPONENTS,
        "overrides": sorted(overrides),
        "prerequisites": _prerequisites(facts),
        "accounts": composition.accounts,
        "drained": _DRAINED if _written(facts.profile)["drainSeconds"] else {},
        "secrets": secrets,
        "secret": REFERENCES,
        "revision_sources": revision_sources(secrets),
        "revisions": revisions(secrets, composition),
        "values_secrets": _values_secrets(secrets, facts),
        "internal_tls_services": [name for name in INTERNAL_TLS_SERVICES if composition.has(name)],
        "internal_redis_image": _internal_redis(facts.chart_version),
        "registry_username": REGISTRY_USERNAME,
        # Harbor's registry logs in to Redis with a user name since 2.15 (goharbor/harbor-helm#2320).
        "registry_knows_cache_users": contract.harbor(facts.chart_version) >= (2, 15),
        "proxied": [name for name in facts.harbor.proxy.components if composition.has(name)],
        "no_proxy": ",".join(_direct(facts)),
        "pool_components": " and ".join(
            ", ".join(name for name in pools.COMPONENTS if composition.has(name)).rsplit(", ", 1)
        ),
        "max_open_connections": facts.database
        and pools.max_open_connections(facts.database.max_connections, composition.most),
        # What Flux's alerts speak of.
        "release_namespaces": [NAMESPACE, *(one.namespace for one in controllers(facts, composition))],
    }


def _scheme(facts: Facts, composition: Composition) -> str:
    """A laptop's registry has TLS only where somebody gives it a certificate."""
    options = facts.harbor.expose
    plain = composition.expose == "nodePort" or (
        composition.expose == "ingress" and not (options.tls_secret or options.cluster_issuer)
    )
    return "http" if plain else "https"


def _prerequisites(facts: Facts) -> list[str]:
    there = {
        "namespace.yaml": True,
        "ca-bundle.yaml": facts.database and facts.database.ca_bundle,
        "secret-store.yaml": facts.aws,
        "external-secrets.yaml": facts.aws,
        "volumes.yaml": isinstance(facts.storage, EfsStorage),
        "notify.yaml": facts.harbor.notify,
    }
    return [name for name, is_there in there.items() if is_there]


def _values_secrets(secrets: Sequence[HarborSecret], facts: Facts) -> dict[str, str]:
    """Give the Secrets that the release reads itself, each with what it holds, in the order of their merging."""
    read = {secret.name: _HELD[secret.name] for secret in secrets if secret.is_values}
    return read | ({"harbor-revisions": _HELD["harbor-revisions"]} if facts.aws else {})


def _direct(facts: Facts) -> list[str]:
    """Give the hosts that are never asked through a proxy, besides the chart's own services."""
    hosts = ["127.0.0.1", "localhost", ".local", ".internal", ".svc", ".cluster.local"]
    if facts.aws:
        # The instance's metadata and EKS's Pod Identity agent.
        hosts += ["169.254.169.254", "169.254.170.23"]
    hosts += [part.host for part in (facts.database, facts.cache) if part]
    if isinstance(facts.storage, S3Storage):
        hosts += [f"s3.{facts.storage.region}.amazonaws.com", f".s3.{facts.storage.region}.amazonaws.com"]
    return [*hosts, *facts.harbor.proxy.no_proxy]


def _internal_redis(chart_version: str) -> str:
    """Give the image of the chart's own Redis, which became Valkey in Harbor 2.15.2."""
    return "valkey-photon" if contract.harbor(chart_version) >= (2, 15, 2) else "redis-photon"


@cache
def _written(name: str) -> Mapping[str, Any]:
    """Give a profile with its resources as YAML text already, as a person would write them."""
    known = profile(name)
    written = {
        part: yaml.safe_dump(resources, default_flow_style=True, sort_keys=False, width=1000).strip()
        for part, resources in known["resources"].items()
    }
    return {**known, "resources": written}
