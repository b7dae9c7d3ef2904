"""What `slipway harbor plan` takes: a file with the projects, which stays, and one with the rules, which does not.

for name, text in fragments(migration, needs, credentials=credentials_of("env", kind)).items(): …
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from infra.errors import MigrationError, Problem
from slipway.harbor.migrate.model import ECR, Migration, Rule, Wave
from slipway.harbor.migrate.units import counted, duration, size

PROJECTS, RULES = "migration-projects.yaml", "migration.yaml"
_GIB = 1 << 30
_MOST = 1024 << 10  # GiB: what Harbor takes
#: Of ECR, what Harbor logs in with.
KEY, SECRET = "MIGRATION_AWS_ACCESS_KEY_ID", "MIGRATION_AWS_SECRET_ACCESS_KEY"
#: Of another Harbor: who reads it, also for this command.
USERNAME, PASSWORD = "SLIPWAY_SOURCE_USERNAME", "SLIPWAY_SOURCE_PASSWORD"


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a project needs.

    Attributes:
        declared: it stands in another file of this environment, so not in ours.
        quota: bytes to declare; None where what it has is enough, or another file says it.
    """

    project: str
    bytes: int
    quota: int | None
    declared: bool = False


def quota_of(needed: int, headroom: int) -> int:
    """Give a quota in bytes: what is needed and so many per cent more, in whole GiB, one at least."""
    return min(max(math.ceil(needed * (100 + headroom) / 100 / _GIB), 1), _MOST) * _GIB


def credentials_of(text: str, kind: str, *, username: str = "") -> Mapping[str, Any]:
    """Give how Harbor logs in at the source, as harbor.yaml says it.

    Args:
        text: `env`, `role` (ECR only: that of Harbor's pods), or `awsSecretsManager:NAME`, a JSON with
            `access_key` and `access_secret`.
        username: who reads another Harbor; a name is no secret.

    Raises:
        MigrationError: it is none of these.
    """
    if text == "env":
        key = {"secretRef": {"env": KEY}} if kind == ECR else username
        return {"access_key": key, "access_secret": {"secretRef": {"env": SECRET if kind == ECR else PASSWORD}}}
    if text == "role" and kind == ECR:
        return {}
    way, _, name = text.partition(":")
    if way == "awsSecretsManager" and name:
        keys = ("access_key", "access_secret")
        return {key: {"secretRef": {"awsSecretsManager": name, "key": key}} for key in keys}
    what = "role is for ECR only" if text == "role" else f"{text!r} is none that is known"
    fix = "write env, role (ECR: the role of Harbor's pods), or awsSecretsManager:NAME"
    raise MigrationError(Problem(where="--credentials", what=what, fix=fix))


def fragments(migration: Migration, needs: Sequence[Need], *, credentials: Mapping[str, Any]) -> Mapping[str, str]:
    """Give the texts by the names of their files."""
    projects = {
        need.project: {} if need.quota is None else {"storage_quota": f"{need.quota // _GIB}Gi"}
        for need in sorted(needs, key=lambda need: need.project)
        if not need.declared
    }
    head = (
        f"# Projects that come from {migration.origin}. This file stays: without it they would be taken away again.\n"
    )
    texts = {PROJECTS: head + _yaml({"projects": projects})} if projects else {}
    return texts | {RULES: _rules_text(migration, credentials)}


def _rules_text(migration: Migration, credentials: Mapping[str, Any]) -> str:
    registry: dict[str, Any] = {
        "name": migration.registry,
        "type": migration.origin.kind,
        "url": migration.origin.url,
        "description": f"Source of the migration of {migration.environment}",
    }
    if credentials:
        registry["credential"] = dict(credentials)
    lines = [
        f"# The migration from {migration.origin}, planned {migration.made}. docs/migration.md says how it ends.",
        "# Nothing runs by itself: slipway harbor migrate run starts the rules of a wave.",
        _yaml({"registries": [registry]}).rstrip(),
        "replication_policies:",
    ]
    for wave in migration.waves:
        about = f"{counted(len(wave.moves), 'repository', 'repositories')}, at most {size(wave.bytes)}"
        lines.append(f"  # wave {wave.number}: {about}, about {duration(migration.hours(wave.bytes))}")
        lines += [_entry(rule, wave, migration) for rule in wave.rules]
    return "\n".join(lines) + "\n"


def _entry(rule: Rule, wave: Wave, migration: Migration) -> str:
    body: dict[str, Any] = {
        "name": rule.name,
        "description": f"Wave {wave.number} of the migration from {migration.origin}",
        "src_registry": migration.registry,
        "filters": [{"type": "name", "value": rule.pattern}],
        "trigger": {"type": "manual"},
        "override": True,  # a tag that moved at the source moves here, as long as the source counts
        "enabled": True,
        "deletion": False,
    }
    if rule.namespace:
        body |= {"dest_namespace": rule.namespace, "dest_namespace_replace_count": rule.count}
    text = yaml.safe_dump(body, default_flow_style=True, sort_keys=False, width=1 << 20, allow_unicode=True).strip()
    return f"  - {text}"


def _yaml(data: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(data), sort_keys=False, width=120, allow_unicode=True)
