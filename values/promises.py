"""Refuse overrides that break what the generated values promise, and facts that Harbor cannot run on. Pure.

    list(findings(facts, {"mine": "core: {secretName: other}"}, files))
    # stacks/prod/values/mine.yaml core.secretName: must stay "harbor-token-service", got "other": the secret table …

The overrides are judged as Helm would merge them: two that are harmless alone may break a promise together, and the
finding then names both.
"""

import json
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import yaml
from pydantic.alias_generators import to_camel

from values.broken import all_broken
from values.endpoints import cache_refusal, database_refusal
from values.errors import Finding
from values.facts import SUPPORTED_CHART_VERSIONS, Facts
from values.leaks import leaks
from values.merge import LOADER, harbor_values, merged
from values.options import CLOUD_EXPOSURES, LOCAL_EXPOSURES


def findings(facts: Facts, overrides: Mapping[str, str], files: Mapping[str, str]) -> Iterator[Finding]:
    """Give everything by which a team's overrides break a promise.

    Args:
        facts: of the environment.
        overrides: name → YAML text. What is no mapping is left to the contract's check.
        files: all rendered files of the environment, path → text.
    """
    documents = dict(_documents(facts.environment, overrides))
    if not documents:
        return
    for path, document in documents.items():
        for key, what in leaks("", document):
            hint = "take it out of Git's history and change it; then name a Secret, with valueFrom.secretKeyRef"
            yield Finding(path=path, key=key, message=f"holds what looks like {what}", suggestion=hint)
    generated = {path: text for path, text in files.items() if "/override-" not in path}
    before = harbor_values(generated)
    after = reduce(merged, documents.values(), before)
    for broken in all_broken(facts, before, after):
        setters = {key: [path for path, one in documents.items() if _sets(one, key)] for key in broken.keys}
        last = {key: paths[-1] for key, paths in setters.items() if paths}
        if last:  # what nobody overrides is what we wrote
            yield Finding(
                path=" and ".join(sorted(set(last.values()))),
                key=" and ".join(last),
                message=broken.message,
                suggestion=broken.instead,
            )


def fact_findings(facts: Facts) -> Iterator[Finding]:
    """Give what is missing in the facts for a part that is on, and endpoints that Harbor cannot use."""
    path = f"facts of {facts.environment}"
    if facts.chart_version not in SUPPORTED_CHART_VERSIONS:
        yield Finding(
            path=path,
            key="chartVersion",
            message=f"there is no contract of the chart {facts.chart_version}",
            suggestion=f"supported: {', '.join(SUPPORTED_CHART_VERSIONS)}; charts/harbor/README.md says how to add one",
        )
    yield from _missing(facts, path)
    if facts.cache and (refused := cache_refusal(facts.cache.host)):
        yield Finding(path=path, key="cache.host", message=refused.fact, suggestion=refused.fix)
    if facts.database and (refused := database_refusal(facts.database.host)):
        yield Finding(path=path, key="database.host", message=refused.fact, suggestion=refused.fix)


def _missing(facts: Facts, path: str) -> Iterator[Finding]:
    hint = "take the facts that `pulumi stack output facts` prints"
    for key in _empty(facts):
        yield Finding(path=path, key=key, message="is empty, and what is on reads it", suggestion=hint)
    kinds = LOCAL_EXPOSURES if facts.profile == "kind" else CLOUD_EXPOSURES
    if facts.harbor.expose.type not in {None, *kinds}:
        message = f"{facts.harbor.expose.type} does not go with profile {facts.profile}"
        yield Finding(path=path, key="harbor.expose.type", message=message, suggestion=f"one of {', '.join(kinds)}")
    if facts.profile == "kind" and facts.aws:
        yield Finding(path=path, key="profile", message="kind is a laptop's, and has no aws", suggestion=hint)
    if facts.profile != "kind":
        for key in ("aws", "database", "cache", "secretsPrefix"):
            if not getattr(facts, "secrets_prefix" if key == "secretsPrefix" else key):
                message = f"is missing: profile {facts.profile} runs on it"
                yield Finding(path=path, key=key, message=message, suggestion=hint)
        if facts.storage.type == "volume":
            message = f"volume is a laptop's; profile {facts.profile} shares its storage between pods"
            yield Finding(path=path, key="storage.type", message=message, suggestion=hint)


def _empty(facts: Facts) -> Iterator[str]:
    """Give the facts that are there without saying anything, by their dotted keys."""
    free = {"database.caBundle", "database.adminSecretName"}
    if facts.harbor.expose.type not in {None, "alb"}:
        free.add("aws.certificateArn")
    if not facts.harbor.infrastructure.external_dns:
        free.add("aws.hostedZoneId")
    if not facts.host:
        yield "host"
    for name in ("aws", "database", "cache", "storage"):
        section = getattr(facts, name)
        for field, value in section or ():
            key = f"{name}.{to_camel(field)}"
            if value in ("", (), 0) and key not in free:
                yield key


def _documents(environment: str, overrides: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, text in sorted(overrides.items()):
        try:
            document = yaml.load(text, Loader=LOADER)  # noqa: S506  # both are safe loaders
            if isinstance(document, dict):
                json.dumps(document, default=str, skipkeys=True)
                yield f"stacks/{environment}/values/{name}.yaml", document
        except (yaml.YAMLError, ValueError, RecursionError):
            continue  # no YAML, or an alias that leads back to itself: the contract's check says so


def _sets(document: Mapping[str, Any], key: str) -> bool:
    """Tell whether a document says anything about a key; ``core: null`` deletes all that is below core."""
    found: Any = document
    for part in key.split("."):
        if not isinstance(found, Mapping):
            return True
        if part not in found:
            return False
        found = found[part]
    return True
