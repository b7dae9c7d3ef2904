"""The difference between what is wanted and what is: pure, exact, field by field.

plan = difference(wanted, world, ledger, secrets=secrets, consent=Consent())
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from infra.errors import Problem
from infra.layers import did_you_mean
from slipway.harbor.kinds.base import Object, Ref, World
from slipway.harbor.kinds.order import KINDS
from slipway.harbor.ledger import Entry, Ledger
from slipway.harbor.plan.action import Action, Change, Consent, Plan
from slipway.harbor.plan.want import Wanted

#: Object → secret field → fingerprint of the value now; None where the value cannot be had here.
Fingerprints = Mapping[Ref, Mapping[str, str | None]]


def difference(wanted: Wanted, world: World, ledger: Ledger, *, secrets: Fingerprints, consent: Consent) -> Plan:
    """Give what has to be done; of kinds that could not be read, nothing."""
    return _Comparison(
        wanted=wanted,
        present={each.ref: each for each in world},
        unread=world.unread,
        ledger=ledger,
        secrets=secrets,
        consent=consent,
    ).plan()


@dataclass
class _Comparison:
    wanted: Wanted
    present: Mapping[Ref, Object]
    unread: Collection[str]
    ledger: Ledger
    secrets: Fingerprints
    consent: Consent
    problems: list[Problem] = field(default_factory=list)
    claims: list[Object] = field(default_factory=list)
    foreign: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    same: int = 0

    def plan(self) -> Plan:
        writes = [action for each in self.wanted if each.kind not in self.unread and (action := self._of(each))]
        deletes = list(self._deletes())
        self._check_needs()
        self._check_count(deletes)
        places = {name: place for place, name in enumerate(KINDS)}
        writes.sort(key=lambda action: places[action.ref.kind])
        deletes.sort(key=lambda action: -places[action.ref.kind])
        return Plan(
            actions=[*writes, *deletes],
            problems=self.problems,
            claims=self.claims,
            foreign=dict(self.foreign),
            same=self.same,
            warnings=list(self._warnings()),
            unread=sorted(self.unread),
        )

    # --- what is declared

    def _of(self, wanted: Object) -> Action | None:
        there = self.present.get(wanted.ref)
        if there is None:
            changes = tuple(Change(name, None, value) for name, value in wanted.fields.items())
            changes += tuple(Change(name, None, str(ref), secret=True) for name, ref in wanted.secrets.items())
            changes += tuple(_made(name, place) for name, place in wanted.made.items())
            if missing := KINDS[wanted.kind].required - {each.field for each in changes} - wanted.seed.keys():
                what = f"{wanted.ref} is not there yet, and cannot be made without {', '.join(sorted(missing))}"
                self._wrong(wanted, what, "add it")
            return Action(verb="create", ref=wanted.ref, changes=changes, wanted=wanted)
        changes, unknown = self._changes(wanted, there)
        if not KINDS[wanted.kind].singleton and not self.ledger.owns(there):
            return self._adopted(wanted, there, changes, unknown)
        if self._fixed(wanted, there, changes):
            return None
        self._claim(wanted, there)
        if changes:
            return Action(verb="update", ref=wanted.ref, changes=changes, unknown=unknown, wanted=wanted, present=there)
        self.same += 1
        return None

    def _claim(self, wanted: Object, there: Object) -> None:
        """Note what the ledger does not say yet: an id, or another protection."""
        if KINDS[wanted.kind].singleton:
            return
        entry = self.ledger.entries[wanted.ref]
        if (entry.id, entry.protect, entry.keep) != (there.id, wanted.protect, wanted.keep):
            self.claims.append(wanted)

    def _changes(self, wanted: Object, there: Object) -> tuple[tuple[Change, ...], tuple[str, ...]]:
        changes = [
            Change(name, there.fields.get(name), value)
            for name, value in wanted.fields.items()
            if there.fields.get(name) != value
        ]
        known = self.ledger.entries.get(wanted.ref, Entry()).secrets
        now, unknown = self.secrets.get(wanted.ref, {}), []
        for name, ref in wanted.secrets.items():
            if now.get(name) is None:
                unknown.append(name)
            elif now[name] != self._known(there, name, known):
                changes.append(Change(name, None, str(ref), secret=True))
        changes += [
            Change(name, known.get(name), value) for name, value in wanted.noted.items() if known.get(name) != value
        ]
        if self.ledger.owns(there):  # of what is adopted, somebody has it already
            changes += [_made(name, place) for name, place in wanted.made.items() if known.get(name) != place]
        return tuple(changes), tuple(unknown)

    def _known(self, there: Object, name: str, known: Mapping[str, str]) -> str | None:
        """Give the fingerprint of what Harbor has: of what it shows, else of what we set."""
        if name in there.shown:
            return self.ledger.fingerprint(there.shown[name].get_secret_value())
        return known.get(name)

    def _adopted(
        self, wanted: Object, there: Object, changes: tuple[Change, ...], unknown: tuple[str, ...]
    ) -> Action | None:
        policy = "always" if self.consent.adopt or there.free else wanted.adopt or self.wanted.spec.policy.adopt
        visible = [each.field for each in changes if not each.secret]
        if policy == "never" or (policy == "matching" and visible):
            how = f"it differs in {', '.join(visible)}" if visible else "policy.adopt is never"
            self._wrong(
                wanted,
                f"{wanted.ref} is there already and is not ours; {how}",
                "take it over with --adopt (or adopt: always), or give it another name",
            )
            return None
        if self._fixed(wanted, there, changes):
            return None
        why = "as declared" if not changes else "differs"
        return Action(
            verb="adopt", ref=wanted.ref, changes=changes, unknown=unknown, why=why, wanted=wanted, present=there
        )

    def _fixed(self, wanted: Object, there: Object, changes: Sequence[Change]) -> bool:
        """Tell whether something differs that nobody can change, and say so."""
        kind, found = KINDS[wanted.kind], False
        for each in changes:
            what = f"{each.field} of {wanted.ref} is {each.before!r} and cannot become {each.after!r}"
            if each.field in kind.fixed:
                fix = "set it back, or delete the object and let it be made again"
                self._wrong(wanted, what, fix, each.field)
            elif each.field in there.locked:
                self._wrong(wanted, what, there.locked[each.field], each.field)
            else:
                continue
            found = True
        return found

    # --- what is not

    def _deletes(self) -> Iterator[Action]:
        for ref, entry in self.ledger.entries.items():
            if ref in self.wanted.objects or ref.kind not in KINDS or ref.kind in self.unread:
                continue
            if KINDS[ref.kind].singleton:
                continue
            there = self.present.get(ref)
            if there is None:
                yield Action(verb="forget", ref=ref, why="gone from Harbor")
            elif not entry.intent and entry.id != there.id:
                yield Action(verb="forget", ref=ref, why="somebody else made it anew", present=there)
        gone = {each.key for each in self.present.values() if each.kind == "project" and self._is_gone(each)}
        for ref, there in self.present.items():
            # With a project goes what is in it.
            if ref not in self.wanted.objects and not KINDS[ref.kind].singleton and there.parent not in gone:
                yield from self._not_declared(there)

    def _is_gone(self, there: Object) -> bool:
        return there.ref not in self.wanted.objects and self.ledger.owns(there)

    def _not_declared(self, there: Object) -> Iterator[Action]:
        policy, ours = self.wanted.spec.policy, self.ledger.owns(there)
        empty = self.wanted.lists.get(there.kind, {}).get(there.list)
        managed, told = empty is not None, bool(empty and there.parent)
        if ours and (there.guard or not managed or policy.prune == "none"):
            why = there.guard or ("policy.prune is none" if managed else "no longer managed")
            yield Action(verb="forget", ref=there.ref, why=why, present=there)
        elif ours:
            yield from self._deleted(there, "ours, and gone from the file")
        elif managed and not there.guard:
            if policy.prune != "none" and told:
                yield from self._deleted(there, "not ours, and the list is to be empty")
            elif policy.prune == "all":
                yield from self._deleted(there, "not ours, and policy.prune is all")
            else:
                self.foreign[there.kind].append(there.key)

    def _deleted(self, there: Object, why: str) -> Iterator[Action]:
        entry = self.ledger.entries.get(there.ref, Entry())
        keep = (entry.keep or self.wanted.spec.policy.project_deletion) if there.kind == "project" else ""
        if keep == "retain":
            yield Action(verb="forget", ref=there.ref, why="it is to be retained", present=there)
        elif entry.protect:
            what = f"{there.ref} is gone from the file and protected"
            fix = "bring it back with protect: false and apply that, then take it away"
            self.problems.append(Problem(where="policy", what=what, fix=fix))
        elif there.content and not (keep == "force" and there.key in self.consent.delete_content):
            self.problems.append(_full(there, keep))
        else:
            lost = f"; with {there.content}" if there.content else ""
            yield Action(verb="delete", ref=there.ref, why=f"{why}{lost}", present=there)

    # --- what somebody should know

    def _warnings(self) -> Iterator[Problem]:
        for each in self.wanted:
            there = self.present.get(each.ref)
            for what in filter(None, (each.warning, there.warning if there else "")):
                yield Problem(where=self.wanted.spec.place(each.at), what=f"{each.ref}: {what}")

    # --- what stands in the way

    def _check_needs(self) -> None:
        for each in self.wanted:
            for need in each.needs:
                known = need.kind in KINDS and need.kind not in self.unread
                if known and need not in self.wanted.objects and need not in self.present:
                    names = [ref.key for ref in (*self.wanted.objects, *self.present) if ref.kind == need.kind]
                    what = f"there is no {need}, in the file or in Harbor{did_you_mean(need.key, names)}"
                    self._wrong(each, what, f"declare the {need.kind}, or name another")

    def _check_count(self, deletes: Sequence[Action]) -> None:
        count, most = sum(each.verb == "delete" for each in deletes), self.wanted.spec.policy.max_deletes
        if count > most:
            what = f"{count} things would be deleted, and at most {most} may be"
            fix = "see whether the right file is read; if so, raise policy.max_deletes"
            self.problems.append(Problem(where=self.wanted.spec.place(("policy", "max_deletes")), what=what, fix=fix))

    def _wrong(self, wanted: Object, what: str, fix: str, name: str = "") -> None:
        where = self.wanted.spec.place((*wanted.at, name) if name else wanted.at)
        self.problems.append(Problem(where=where, what=what, fix=fix))


def _made(name: str, place: str) -> Change:
    return Change(name, None, f"slipway, which makes it and keeps it in {place}", secret=True)


def _full(there: Object, keep: str) -> Problem:
    what = f"{there.ref} is gone from the file and holds {there.content}"
    if keep == "force":
        fix = f"all of it would be lost; say so to the command as well: --delete-content {there.key}"
    else:
        fix = "bring it back, empty it, or set policy.project_deletion to retain (or to force, and say so twice)"
    return Problem(where="policy", what=what, fix=fix)
