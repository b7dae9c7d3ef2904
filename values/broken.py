"""What merged values break: pinned keys, and values that do not go together. Pure.

[broken.keys[0] for broken in all_broken(facts, before, after)]   # ["core.secretName"]
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from values import contract, pools, revisions
from values.composition import COMPONENTS, Composition
from values.endpoints import cache_refusal
from values.facts import Facts
from values.merge import at
from values.pins import CHART_DEFAULTS, PINS, PINS_IF_WRITTEN

#: From what is checked least.
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
#: Pods with their place in the values that an image tag or environment variables have.
_CONTAINERS = (
    "core",
    "portal",
    "jobservice",
    "registry.registry",
    "registry.controller",
    "trivy",
    "exporter",
    "nginx",
    "database.internal",
    "redis.internal",
)
_VERSION = re.compile(r"^v?(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One promise that the merged values break.

    Attributes:
        keys: dotted keys that it depends on.
        message, instead: as in a finding.
    """

    keys: tuple[str, ...]
    message: str
    instead: str


def all_broken(facts: Facts, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Broken]:
    """Give every promise that `after` breaks.

    Args:
        facts: of the environment.
        before: the values as generated.
        after: with the overrides merged in.
    """
    yield from _pinned(before, after)
    yield from _external_url(before, after)
    yield from _endpoint(before, after)
    yield from _ssl_mode(before, after)
    yield from _cache_password(facts, after)
    yield from _pools(facts, after)
    for component in COMPONENTS:
        yield from _revision(component, after)
        yield from _budget(component, after, facts.chart_version)
        yield from _spread(component, after)
    for container in _CONTAINERS:
        yield from _lost_variables(container, before, after)
        yield from _older_image(container, after, facts.chart_version)
    yield from _job_logs(after)


def _pinned(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Broken]:
    for pin in (*PINS, *PINS_IF_WRITTEN):
        for key in pin.keys:
            was, now = at(before, key), at(after, key)
            known = CHART_DEFAULTS.get(key) if was is None else was
            free = pin in PINS_IF_WRITTEN and was is None
            if now != known and not free and not (_is_empty(known) and _is_empty(now)):
                must = "must stay unset" if _is_empty(was) else f"must stay {json.dumps(was)}"
                got = "and is deleted" if now is None else f"got {json.dumps(now, default=str)}"
                yield Broken(keys=(key,), message=f"{must}, {got}: {pin.reason}", instead=pin.instead)


def _is_empty(value: Any) -> bool:  # noqa: ANN401  # any YAML value
    return value is None or value == ""


def _external_url(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Broken]:
    was, now = at(before, "externalURL"), at(after, "externalURL")
    instead = "leave it out: it follows domain in the stack file"
    if isinstance(now, str) and re.match(r"^https?://[^/]+/", now):
        message = f"must be scheme and host, got {json.dumps(now)}: a path or a slash at its end breaks every login"
        yield Broken(keys=("externalURL",), message=message, instead=instead)
    elif now != was:
        got = json.dumps(now, default=str)
        message = f"must stay {json.dumps(was)}, got {got}: certificate and DNS record are the domain's"
        yield Broken(keys=("externalURL",), message=message, instead=instead)
    if at(after, "expose.externalURL") is not None:
        message = "is ignored below expose: externalURL is a key of the top level (goharbor/harbor#18483)"
        yield Broken(keys=("expose.externalURL",), message=message, instead=instead)


def _endpoint(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Broken]:
    key = "redis.external.addr"
    was, now = at(before, key), at(after, key)
    if now == was:
        return
    got = json.dumps(now, default=str)
    if isinstance(now, str) and (refused := cache_refusal(now)):
        yield Broken(keys=(key,), message=f"{got} {refused.fact}", instead=refused.fix)
    else:
        message = (
            f"must stay {json.dumps(was)}, got {got}: it is a fact, and the password in harbor-redis is this cache's"
        )
        yield Broken(keys=(key,), message=message, instead="leave it out")


def _ssl_mode(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Broken]:
    key = "database.external.sslmode"
    was, now = at(before, key), at(after, key)
    if was in _SSL_MODES and now != was and (now not in _SSL_MODES or _SSL_MODES.index(now) < _SSL_MODES.index(was)):
        message = (
            f"must be {was} or stricter, got {json.dumps(now, default=str)}: the way to the database would be open"
        )
        yield Broken(keys=(key,), message=message, instead=f"one of {', '.join(_SSL_MODES[_SSL_MODES.index(was) :])}")


def _cache_password(facts: Facts, after: Mapping[str, Any]) -> Iterator[Broken]:
    """Keep what is merged after harbor-redis from emptying it; a password that is written out is the contract's."""
    key = "redis.external.password"
    external = at(after, "redis.external")
    if facts.cache and isinstance(external, Mapping) and external.get("password", key) in ("", None):
        message = "is merged after harbor-redis, and would leave the cache's password empty"
        yield Broken(keys=(key,), message=message, instead="leave it out")


def _revision(component: str, after: Mapping[str, Any]) -> Iterator[Broken]:
    """Keep the digest of a component's Secrets, which is merged before the overrides."""
    key = f"{component}.podAnnotations"
    pods = after.get(component)
    annotations = pods.get("podAnnotations", {}) if isinstance(pods, Mapping) else {}
    if not isinstance(annotations, Mapping) or revisions.ANNOTATION in annotations:
        message = f"loses {revisions.ANNOTATION}, by which a rotated Secret rolls the pods"
        yield Broken(keys=(key,), message=message, instead="name the annotations that you add or delete, one by one")


def _pools(facts: Facts, after: Mapping[str, Any]) -> Iterator[Broken]:
    """Hold the pools of all pods, as overridden, to what the database accepts."""
    each = at(after, "database.maxOpenConns", pools.CHART_MAXIMUM)
    if not facts.database or not isinstance(each, int):
        return
    if each < 1:
        message = f"{each} is no limit at all, to Go's connection pools"
        yield Broken(keys=("database.maxOpenConns",), message=message, instead="leave it out: it is computed")
        return
    composition = Composition.of(facts)
    given = {name: at(after, f"{name}.replicas") for name in pools.COMPONENTS if composition.has(name)}
    most = {
        name: max(count, composition.most[name]) if name in composition.autoscaled else count
        for name, count in given.items()
        if isinstance(count, int)
    }
    room, pods = int(pools.SHARE * facts.database.max_connections), pools.pods_at_most(most)
    if each * pods > room:
        yield Broken(
            keys=("database.maxOpenConns", *(f"{name}.replicas" for name in most)),
            message=f"{each} connections for each of up to {pods} pods are {each * pods}, and Harbor may use {room} of "
            f"the database's {facts.database.max_connections}",
            instead="set harbor.replicas in the stack file, from which the pools are computed, or a larger "
            "sizes.databaseClass",
        )


def _budget(component: str, after: Mapping[str, Any], chart_version: str) -> Iterator[Broken]:
    key = f"{component}.podDisruptionBudget"
    budget = at(after, key)
    if not isinstance(budget, Mapping) or not contract.has(chart_version, key) or not budget.get("enabled"):
        return
    # The chart's own minAvailable is 1, until it is deleted.
    if budget.get("maxUnavailable") is not None and budget.get("minAvailable", 1) is not None:
        yield Broken(
            keys=(f"{key}.minAvailable", f"{key}.maxUnavailable"),
            message="stands beside maxUnavailable, and Kubernetes refuses a budget with both (the chart's own "
            "minAvailable is 1)",
            instead="set the one that is not meant to null",
        )


def _spread(component: str, after: Mapping[str, Any]) -> Iterator[Broken]:
    key = f"{component}.topologySpreadConstraints"
    constraints = at(after, key)
    if isinstance(constraints, list) and any(isinstance(one, dict) and "labelSelector" in one for one in constraints):
        message = "has a labelSelector, which the chart adds itself: the second is a duplicate key, and nothing renders"
        yield Broken(keys=(key,), message=message, instead="leave labelSelector out")


def _lost_variables(container: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Broken]:
    """A list replaces the one below: what Slipway put into it must be in the new one as well."""
    key = f"{container}.extraEnvVars"
    was, now = at(before, key), at(after, key)
    if was and now != was:
        kept = now if isinstance(now, list) else []
        if lost := [one for one in was if one not in kept]:
            message = f"loses {', '.join(one['name'] for one in lost)}: a list replaces the one that Slipway writes"
            yield Broken(keys=(key,), message=message, instead=f"add to your list: {json.dumps(lost)}")


def _older_image(container: str, after: Mapping[str, Any], chart_version: str) -> Iterator[Broken]:
    key, harbor = f"{container}.image.tag", contract.harbor(chart_version)
    tag = at(after, key)
    found = _VERSION.match(tag) if isinstance(tag, str) else None
    if found and tuple(int(part or 0) for part in found.groups()) < harbor:
        version = ".".join(map(str, harbor))
        message = f"{json.dumps(tag)} is older than the chart's Harbor {version}, and migrations only go forward"
        yield Broken(keys=(key,), message=message, instead="leave it out: chartVersion decides")


def _job_logs(after: Mapping[str, Any]) -> Iterator[Broken]:
    loggers, replicas = at(after, "jobservice.jobLoggers"), at(after, "jobservice.replicas", 1)
    mode = at(after, "persistence.persistentVolumeClaim.jobservice.jobLog.accessMode", "ReadWriteOnce")
    if not isinstance(loggers, list) or "file" not in loggers or mode == "ReadWriteMany":
        return
    rolls = at(after, "updateStrategy.type", "RollingUpdate") == "RollingUpdate"
    if rolls or (isinstance(replicas, int) and replicas > 1):
        why = f"{replicas} pods" if isinstance(replicas, int) and replicas > 1 else "the old pod and the new one"
        yield Broken(
            keys=("jobservice.jobLoggers", "jobservice.replicas"),
            message=f"file needs a volume that {why} share, and it is {mode}: logs answer 404 on the wrong pod, or no "
            "pod starts",
            instead="keep [database], where every pod finds every log",
        )
