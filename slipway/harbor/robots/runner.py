"""The robot of the jobs in the cluster: which rights it needs for what harbor.yaml declares, and no other.

    rights = together(drift_rights(environment.wanted, ledger), rotation_rights(environment.spec))
    issued = await install(harbor, runner(rights, days=90), store, …)

It is a pair of the system, so that one more run of the command renews it while the older one still works.
"""

import datetime as dt
from collections.abc import Iterable, Mapping

from slipway.harbor.client import HarborClient
from slipway.harbor.kinds.order import KINDS
from slipway.harbor.kinds.robot_rights import accesses, rights_of
from slipway.harbor.ledger import Ledger
from slipway.harbor.plan.want import Wanted as Declared
from slipway.harbor.robots.issue import Issued, Tell, rotate
from slipway.harbor.robots.pair import Rotation
from slipway.harbor.robots.stores.store import Store
from slipway.harbor.robots.wanted import RUNNER, Wanted
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.robots import EVERYWHERE, ON_SYSTEM

Rights = Mapping[str, frozenset[str]]

#: Kind → what reading it needs on the system, and on all projects. Harbor gives no robot the right to see the
#: configuration, and anybody who is logged in may read the CVE allowlist of the system.
_READS: Mapping[str, tuple[str, str]] = {
    "config": ("", ""),
    "cve-allowlist": ("", ""),
    "registry": ("registry:list", ""),
    "label": ("label:read", ""),
    "user-group": ("user-group:list", ""),
    "user": ("user:list", ""),
    "scanner": ("scanner:list", ""),
    "project": ("project:list", "project:read"),
    "default-scanner": ("scanner:list", ""),
    "member": ("", "member:list"),
    "project-label": ("", "label:list"),
    "retention": ("", "tag-retention:read"),
    "immutable-tags": ("", "immutable-tag:list"),
    "webhook": ("", "notification-policy:list"),
    "robot": ("robot:list", ""),
    "project-robot": ("", "robot:list"),
    "replication": ("replication-policy:list", ""),
    "preheat-instance": ("preheat-instance:list", ""),
    "preheat-policy": ("preheat-instance:list", "preheat-policy:list"),
    "read-only": ("", ""),
}
#: Name of a schedule → right on the system.
_SCHEDULES = {"gc": "garbage-collection:read", "purge_audit": "purge-audit:read", "scan_all": "scan-all:read"}
#: Field of a project that Harbor shows by a further request → rights on the system, and on all projects.
_FIELDS = {"storage_quota": ("quota:list", ""), "scanner": ("", "scanner:read")}
_MAKES_ROBOTS = frozenset({"robot:create", "robot:list", "robot:read", "robot:delete"})
_BEFORE = dt.timedelta(days=30)


def runner(rights: Rights, *, days: int, registry: str = "") -> Wanted:
    """Give the pair."""
    given = {namespace: accesses(sorted(own)) for namespace, own in sorted(rights.items()) if own}
    return Wanted(name=RUNNER, rights=given, days=days, registry=registry, of_system=True)


def drift_rights(declared: Declared, ledger: Ledger) -> Rights:
    """Give what comparing needs: only kinds that the file declares, and those of which something is ours."""
    system: set[str] = {"label:read"}  # a robot without any right cannot be made; this one shows nothing that is secret
    everywhere: set[str] = set()
    for kind in KINDS:
        if declared.scope(kind, ledger.owned(kind)) is None:
            continue
        if kind == "schedule":
            system |= {_SCHEDULES[key] for key in declared.of_kind(kind)}
            continue
        _add(_READS[kind], system, everywhere)
    for name, rights in _FIELDS.items():
        if any(name in each.fields for each in declared.of_kind("project").values()):
            _add(rights, system, everywhere)
    return {ON_SYSTEM: frozenset(system), EVERYWHERE: frozenset(everywhere)}


def _add(rights: tuple[str, str], system: set[str], everywhere: set[str]) -> None:
    system |= {rights[0]} - {""}
    everywhere |= {rights[1]} - {""}


def rotation_rights(spec: HarborSpec) -> Rights:
    """Give what renewing the pairs needs: to make and delete robots, and all that these may: a robot gives no more."""
    found: dict[str, set[str]] = {}
    for robot in spec.robots or ():
        if robot.is_pair:
            _grant(found, {ON_SYSTEM: _MAKES_ROBOTS}, rights_of(robot.permissions))
    for name, project in spec.all_projects.items():
        for each in project.robots or ():
            if each.is_pair:
                _grant(found, {name: _MAKES_ROBOTS | {"project:read"}}, rights_of(each.grants(name)))
                _grant(found, {ON_SYSTEM: {"project:list"}})
    return {namespace: frozenset(rights) for namespace, rights in found.items()}


def _grant(found: dict[str, set[str]], *several: Mapping[str, Iterable[str]]) -> None:
    for rights in several:
        for namespace, own in rights.items():
            found.setdefault(namespace, set()).update(own)


def together(*several: Rights) -> Rights:
    """Give all of these rights."""
    found: dict[str, set[str]] = {}
    _grant(found, *several)
    return {namespace: frozenset(rights) for namespace, rights in found.items()}


async def install(
    harbor: HarborClient, wanted: Wanted, store: Store, *, now: bool, take_over: bool, dry_run: bool, tell: Tell
) -> Issued:
    """Make the robot, mend its rights, or go one step of its rotation where it ends within a month.

    Raises:
        AlreadyThere, HarborError, SecretStoreError: as `slipway.harbor.robots.issue`.
    """
    rotation = Rotation(before=None if now else min(_BEFORE, dt.timedelta(days=wanted.days) / 3))
    return await rotate(harbor, wanted, store, rotation=rotation, take_over=take_over, dry_run=dry_run, tell=tell)
