"""The stack file of a proof: the environment's own, with what makes it a stack of its own and lets it go again.

derived(settings, "prove-dev-1f2e", charts=("1.19.1", "1.19.2"))     # {"domain": "prove-registry.dev.example.com", …}
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra import tables
from infra.errors import Problem, ProofError
from infra.settings import Settings
from infra.stack_config import PROJECT, STACKS, stack_file
from values.chart_history import refusals
from values.errors import Refused
from values.facts import SUPPORTED_CHART_VERSIONS

#: On every resource, and in the stack file: whose it is.
TAG = "slipway-proof"
#: Settings of the environment that are none of a proof's: what it would come back from.
_NOT_TAKEN = ("restore",)


def chart_versions(wanted: str) -> tuple[str, str]:
    """Give the versions to upgrade between: up to the wanted one, or from the oldest supported one to the next.

    Raises:
        ProofError: there are no two versions between which an upgrade is possible.
    """
    newest_first = SUPPORTED_CHART_VERSIONS
    older = newest_first[newest_first.index(wanted) + 1 :]
    newer = reversed(newest_first[: newest_first.index(wanted)])
    for before, after in (*((one, wanted) for one in older), *((wanted, one) for one in newer)):
        if _is_way(before, after):
            return before, after
    what = f"there is no upgrade to or from chart {wanted}"
    raise ProofError(Problem(where="chartVersion", what=what, fix="give --skip upgrade"))


def _is_way(before: str, after: str) -> bool:
    try:
        return not refusals(before, after)
    except Refused:
        return False


def derived(settings: Settings, name: str, charts: tuple[str, str]) -> dict[str, Any]:
    """Give the settings that a proof's stack has otherwise, as dotted keys."""
    return {
        "domain": own_domain(settings),
        "chartVersion": charts[0],
        "deletionProtection": False,
        "keepData": False,
        "gitops.withdrawOnDestroy": True,
        "deliver.wait": False,
        "alarms.emails": [],
        f"tags.{TAG}": name,
    }


def own_domain(settings: Settings) -> str:
    """Give the registry's name: beside the environment's own where its zone allows it, else below."""
    label, _, rest = settings.domain.partition(".")
    zone = settings.dns.existing_zone or settings.dns.delegate_from
    beside = f"prove-{label}.{rest}"
    return f"prove.{settings.domain}" if zone and not beside.endswith(f".{zone}") else beside


def refuse_unplayable(settings: Settings, where: Path) -> None:
    """Refuse an environment whose delivery needs a person in the middle.

    Raises:
        ProofError: it does; all reasons at once.
    """
    problems = []
    if settings.gitops.mode != "direct":
        what = f"is {settings.gitops.mode}: a person comes between commit and delivery"
        fix = (
            "prove an environment with gitops.mode direct; a copy of the stack file with a repository to try things in"
        )
        problems.append(Problem(where=f"{where} gitops.mode", what=what, fix=fix))
    if not (settings.dns.existing_zone or settings.dns.delegate_from):
        fix = "give dns.delegateFrom or dns.existingZone, a zone of the same account"
        what = "somebody else delegates the domain: the proof would wait for them while it costs"
        problems.append(Problem(where=f"{where} dns", what=what, fix=fix))
    if problems:
        raise ProofError(*problems)


def is_ours(path: Path, name: str) -> bool:
    """Tell whether a stack file is that of this proof."""
    try:
        document = tables.parse_yaml(path.read_text())
        return document["config"][f"{PROJECT}:tags"][TAG] == name
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return False


def refuse_taken(root: Path, name: str) -> None:
    """Refuse a stack file of that name that no proof made.

    Raises:
        ProofError: there is one.
    """
    path = stack_file(root, name)
    for there in (path, root / STACKS / name):
        if there.exists() and not is_ours(path, name):
            fix = "it is left alone: rename it, or prove an environment of another name"
            raise ProofError(Problem(where=str(there), what="is there, and no proof made it", fix=fix))


def write(root: Path, environment: str, name: str, changes: Mapping[str, Any]) -> None:
    """Write the stack file, and copy what of it is delivered and stands beside the environment's.

    What `pulumi stack init --copy-config-from` wrote is the base where it is there: its secrets are encrypted anew.
    """
    path = stack_file(root, name)
    source = path if path.exists() else stack_file(root, environment)
    document = tables.parse_yaml(source.read_text())
    config = {key: value for key, value in document["config"].items() if key not in _prefixed(_NOT_TAKEN)}
    for dotted, value in changes.items():
        first, *rest = dotted.split(".")
        key = f"{PROJECT}:{first}"
        config[key] = {**(config.get(key) or {}), rest[0]: value} if rest else value
    text = yaml.safe_dump({**document, "config": config}, sort_keys=False, allow_unicode=True)
    beside, own = root / STACKS / environment, root / STACKS / name
    for part in ("values", "harbor"):
        if (beside / part).is_dir():
            shutil.copytree(beside / part, own / part, dirs_exist_ok=True)
    if (beside / "harbor.yaml").is_file():
        own.mkdir(exist_ok=True)
        shutil.copyfile(beside / "harbor.yaml", own / "harbor.yaml")
    path.write_text(f"# Made by `slipway prove`, which removes it at the end.\n{text}")


def remove(root: Path, name: str) -> None:
    """Remove what `write` wrote."""
    stack_file(root, name).unlink(missing_ok=True)
    shutil.rmtree(root / STACKS / name, ignore_errors=True)


def facts_of(settings: Settings) -> dict[str, Any]:
    """Say what is proved, without names."""
    return {
        "profile": settings.profile,
        "region": settings.region,
        "zones": len(settings.zone_names),
        "storage": settings.storage,
        "kubernetes": settings.kubernetes_version,
        "nodeType": settings.sized.node_type,
        "nodesPerZone": settings.sized.nodes_per_zone,
        "exposure": settings.harbor.expose.type or "default of the profile",
        "content": settings.gitops.content,
        "existingNetwork": bool(settings.network.existing),
    }


def _prefixed(names: tuple[str, ...]) -> set[str]:
    return {f"{PROJECT}:{name}" for name in names}
