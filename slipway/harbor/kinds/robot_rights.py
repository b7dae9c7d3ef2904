"""Rights of robots as plain data: namespace → `resource:action`, in order, since Harbor gives them in none.

rights_of([GrantSpec(namespace="payments", preset="pull")])     # {"payments": ["repository:pull"]}
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from slipway.harbor.client.models import Access, Permission
from slipway.harbor.robots.presets import PRESETS
from slipway.harbor.spec.robots import EVERYWHERE, ON_SYSTEM, GrantSpec

Rights = dict[str, list[str]]


def rights_of(grants: Iterable[GrantSpec]) -> Rights:
    """Give what the file grants."""
    found: dict[str, set[str]] = {}
    for grant in grants:
        preset = PRESETS[grant.preset] if grant.preset else ()
        given = {f"{each.resource}:{each.action}" for each in (*preset, *grant.access)}
        found.setdefault(grant.namespace, set()).update(given)
    return _ordered(found)


def grants_of(rights: Iterable[str]) -> dict[str, Any]:
    """Give what the file says of rights in one namespace: the preset that they are, or each of them."""
    rights = list(rights)
    for name, preset in PRESETS.items():
        if {f"{each.resource}:{each.action}" for each in preset} == set(rights):
            return {"preset": name}
    pairs = (right.partition(":") for right in rights)
    return {"access": [{"resource": resource, "action": action} for resource, _, action in pairs]}


def rights_there(permissions: Iterable[Permission]) -> Rights:
    """Give what Harbor has granted; a right that is denied is no right, and shows as what it is."""
    found: dict[str, set[str]] = {}
    for each in permissions:
        namespace = ON_SYSTEM if each.kind == "system" else each.namespace
        given = {_written(access) for access in each.access}
        found.setdefault(namespace, set()).update(given)
    return _ordered(found)


def _written(access: Access) -> str:
    return f"{access.resource}:{access.action}" + (f" ({access.effect})" if access.effect == "deny" else "")


def _ordered(found: Mapping[str, Iterable[str]]) -> Rights:
    return {namespace: sorted(found[namespace]) for namespace in sorted(found)}


def accesses(rights: Sequence[str]) -> list[Access]:
    """Give rights of one namespace as Harbor takes them."""
    pairs = (right.removesuffix(" (deny)").split(":") for right in rights)
    effects = ("deny" if right.endswith(" (deny)") else None for right in rights)
    return [
        Access(resource=resource, action=action, effect=effect)
        for (resource, action), effect in zip(pairs, effects, strict=True)
    ]


def permissions(rights: Mapping[str, Sequence[str]]) -> list[Permission]:
    """Give rights as Harbor takes them."""
    return [
        Permission(
            kind="system" if namespace == ON_SYSTEM else "project", namespace=namespace, access=accesses(several)
        )
        for namespace, several in rights.items()
    ]


def wide(rights: Mapping[str, Sequence[str]]) -> str:
    """Give what is to be known of rights that reach further than they say; empty if they do not."""
    everywhere = [each for each in rights.get(EVERYWHERE, ()) if each.startswith("project:")]
    if not everywhere:
        return ""
    told = {
        "project:update": "set the secret of every project's robots and change every member's role",
        "project:read": "read robots, members, retention and scanner of every project",
        "project:delete": "delete every project",
    }
    can = "; ".join(told[each] for each in everywhere if each in told)
    return f"{', '.join(everywhere)} on * lets it {can}, without those rights being named"
