"""What the file wants, of every kind, and what follows from it for reading.

wanted = Wanted.of(spec)
wanted.scope("member", owned=ledger.keys("member"))
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from infra.errors import Problem, SpecError
from slipway.harbor.kinds.base import Object, Ref, Scope
from slipway.harbor.kinds.order import KINDS
from slipway.harbor.spec import HarborSpec


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """All that the file declares.

    Attributes:
        objects: by what they are called.
        lists: kind → parent → whether its list is declared empty.
    """

    spec: HarborSpec
    objects: Mapping[Ref, Object]
    lists: Mapping[str, Mapping[str, bool]]

    @classmethod
    def of(cls, spec: HarborSpec) -> "Wanted":
        """Ask each kind.

        Raises:
            SpecError: two things of one name.
        """
        objects: dict[Ref, Object] = {}
        lists, problems = {}, []
        for kind in KINDS.values():
            desired = kind.desired(spec)
            lists[kind.name] = desired.lists
            for each in desired.objects:
                if each.ref in objects:
                    where = f"{spec.place(each.at)}"
                    what = f"{each.ref} is declared twice, first at {spec.place(objects[each.ref].at)}"
                    problems.append(Problem(where=where, what=what, fix="keep one of them"))
                objects[each.ref] = each
        if problems:
            raise SpecError(*problems)
        return cls(spec=spec, objects=objects, lists=lists)

    def of_kind(self, kind: str) -> Mapping[str, Object]:
        """Give what is declared of a kind, by key."""
        return self._by_kind.get(kind, {})

    @cached_property
    def _by_kind(self) -> Mapping[str, Mapping[str, Object]]:
        found: dict[str, dict[str, Object]] = defaultdict(dict)
        for each in self.objects.values():
            found[each.kind][each.key] = each
        return found

    @cached_property
    def _needed(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for each in self.objects.values():
            for need in each.needs:
                found[need.kind].add(need.key)
        return {kind: frozenset(keys) for kind, keys in found.items()}

    def scope(self, kind: str, owned: Iterable[tuple[str, str]]) -> Scope | None:
        """Give what to read of a kind; None where nobody cares.

        Args:
            owned: key and parent of each of ours.
        """
        wanted, lists = self.of_kind(kind), self.lists.get(kind, {})
        owned = [] if KINDS[kind].singleton else list(owned)
        keys = frozenset(wanted) | self._needed.get(kind, frozenset()) | {key for key, _ in owned}
        inside = (name.partition("/")[0] for name in lists)
        parents = frozenset(filter(None, (*inside, *(parent for _, parent in owned))))
        if not keys and not parents and "" not in lists:
            return None
        return Scope(keys=keys, parents=parents, wanted=wanted)

    def __iter__(self) -> Iterator[Object]:
        return iter(self.objects.values())
