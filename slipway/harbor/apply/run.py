"""Do what a plan says: stage by stage, many things of a stage at the same time, whatever fails noted and all else done.

outcomes = await Run(harbor=…, wanted=…, ledger=…, store=…, world=…).do(plan)

In each stage: what will be changed or deleted is read again, and left alone if it moved; what will be made is written
into the ledger as an intent; then it is done; then the ledger learns of it. A kill between any two of these leaves
nothing that the next run does not finish.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from infra.errors import AlreadyThere, HarborError, Problem, SlipwayError
from slipway.harbor.apply.outcome import Outcome, failed
from slipway.harbor.client import HarborClient
from slipway.harbor.kinds.base import Edit, Object, Ref, Site, World
from slipway.harbor.kinds.order import KINDS, ORDER
from slipway.harbor.ledger import Ledger, LedgerStore
from slipway.harbor.plan.action import Action, Plan
from slipway.harbor.plan.read import read_again
from slipway.harbor.plan.want import Wanted
from slipway.harbor.secret_values import SecretValues

#: Told after each action.
Tell = Callable[[Outcome], None]


def _silent(_: Outcome) -> None: ...


@dataclass(kw_only=True)
class Run:
    """One run of a plan."""

    harbor: HarborClient
    wanted: Wanted
    ledger: Ledger
    store: LedgerStore
    world: World
    secrets: SecretValues
    delete_content: Collection[str] = ()
    tell: Tell = _silent
    outcomes: dict[Ref, Outcome] = field(default_factory=dict)
    _values: dict[Ref, Mapping[str, SecretStr]] = field(default_factory=dict, repr=False)

    async def do(self, plan: Plan) -> Sequence[Outcome]:
        """Do it all.

        Raises:
            LedgerError: the ledger cannot be kept, so nothing more is done.
        """
        for each in plan.claims:
            self.ledger.own(each, self.world.id(each.kind, each.key), {})
        writes = [each for each in plan.actions if each.verb in {"create", "adopt", "update"}]
        rest = [each for each in plan.actions if each.verb not in {"create", "adopt", "update"}]
        closing = [each for each in writes if KINDS[each.ref.kind].closing]
        for stage in ORDER:
            await self._stage([each for each in writes if KINDS[each.ref.kind] in stage and each not in closing])
        for stage in reversed(ORDER):
            await self._stage([each for each in rest if KINDS[each.ref.kind] in stage])
        if plan.claims and not plan.actions:
            await self._save()
        await self._read_back(set(self.outcomes))
        await self._close(closing)
        return list(self.outcomes.values())

    async def _close(self, actions: Sequence[Action]) -> None:
        """Do what ends all writing, if everything else is done and was read back."""
        bad = [each for each in self.outcomes.values() if each.state != "done"]
        for action in actions if bad else ():
            what = f"not done, because {bad[0].action.ref} was not, and nothing could be changed after it"
            problem = Problem(where=str(action.ref), what=what)
            again = all(each.again for each in bad)
            self._note(Outcome(action=action, state="skipped", problems=(problem,), again=again))
        if actions and not bad:
            await self._stage(actions)
            await self._read_back({each.ref for each in actions})

    async def _stage(self, actions: Sequence[Action]) -> None:
        todo = await self._unmoved([each for each in actions if not self._is_skipped(each)])
        if not todo:
            return
        self.ledger.intend(each.wanted for each in todo if each.verb == "create" and each.wanted)
        await self._save()
        await self._all([each for each in todo if not KINDS[each.ref.kind].one_by_one])
        await self._all([each for each in todo if KINDS[each.ref.kind].one_by_one], at_once=1)
        await self._save()

    async def _all(self, actions: Sequence[Action], *, at_once: int | None = None) -> None:
        jobs = (lambda action=action: self._one(action) for action in actions)
        results = await self.harbor.each(jobs, at_once=at_once)
        for action, result in zip(actions, results, strict=True):
            # Errors became outcomes in `_one`; this is for the one that escapes from the machinery around it.
            self.outcomes[action.ref] = failed(action, result) if isinstance(result, HarborError) else result

    async def _save(self) -> None:
        await asyncio.to_thread(self.store.save, self.ledger)

    # --- before

    def _is_skipped(self, action: Action) -> bool:
        """Tell whether something that it needs failed, and note it."""
        needs = (*action.wanted.needs, *action.wanted.after) if action.wanted else ()
        bad = next((need for need in needs if need in self.outcomes and self.outcomes[need].state != "done"), None)
        if bad is None:
            return False
        problem = Problem(where=str(action.ref), what=f"not done, because {bad} was not")
        again = self.outcomes[bad].again
        self._note(Outcome(action=action, state="skipped", problems=(problem,), again=again))
        return True

    async def _unmoved(self, actions: Sequence[Action]) -> Sequence[Action]:
        """Give those whose objects are as they were read."""
        writes = [
            each
            for each in actions
            if each.present is not None and (each.verb == "delete" or (each.changes and each.verb != "forget"))
        ]
        if not writes:
            return actions
        try:
            now = await read_again(
                self.harbor, [each.present for each in writes if each.present], self.wanted, self.world
            )
        except HarborError as error:
            for each in writes:
                self._note(failed(each, error))
            unread = {each.ref for each in writes}
            return [each for each in actions if each.ref not in unread]
        moved = set()
        for each in writes:
            there = now.get(*each.ref)
            if each.present is None or (there is not None and there.digest() == each.present.digest()):
                continue
            if there is not None and _is_as_wanted(each, there):
                self._note(Outcome(action=each, state="done"))  # another one of ours brought it about, or a person did
                moved.add(each.ref)
                continue
            what = "somebody deleted it since it was read" if there is None else "somebody changed it since it was read"
            problem = Problem(where=str(each.ref), what=what, fix="look at the plan again")
            self._note(Outcome(action=each, state="failed", problems=(problem,)))
            moved.add(each.ref)
        return [each for each in actions if each.ref not in moved]

    # --- one

    async def _one(self, action: Action) -> Outcome:
        try:
            await self._done(action)
        except SlipwayError as error:
            if isinstance(error, AlreadyThere) and action.verb == "create":
                self.ledger.forget(action.ref)  # made by somebody else since we looked
            outcome = failed(action, error)
        else:
            outcome = Outcome(action=action, state="done")
        self._note(outcome)
        return outcome

    async def _done(self, action: Action) -> None:
        kind, wanted, there = KINDS[action.ref.kind], action.wanted, action.present
        site = self._site()
        if action.verb == "delete" and there is not None:
            await kind.delete(site, there)
        if action.verb in {"delete", "forget"}:
            self.ledger.forget(action.ref)
            self.world.drop(action.ref)
        elif wanted is not None:
            # Of what is as declared, a secret that cannot be had stays the one that it has.
            values = {} if action.is_note and action.unknown else self._secrets_of(wanted)
            if there is None:
                number = await kind.create(site, wanted)
            else:
                number = there.id
                if names := frozenset() if action.is_note else self._to_send(action):
                    number = await kind.update(site, Edit(wanted=wanted, present=there, fields=names)) or number
            self.world.put(replace(wanted, id=number))
            if not kind.singleton or values or wanted.noted:
                prints = {**wanted.made, **wanted.noted}
                prints |= {name: self.ledger.fingerprint(each.get_secret_value()) for name, each in values.items()}
                self.ledger.own(wanted, number, prints)

    def _to_send(self, action: Action) -> frozenset[str]:
        """Give the fields to change. A secret of which nobody could tell whether it differs is among them."""
        return frozenset({each.field for each in action.changes} | set(action.unknown))

    def _secrets_of(self, wanted: Object) -> Mapping[str, SecretStr]:
        if wanted.secrets and wanted.ref not in self._values:
            self._values[wanted.ref] = {name: self.secrets.get(ref) for name, ref in wanted.secrets.items()}
        return self._values.get(wanted.ref, {})

    def _site(self) -> Site:
        return Site(
            harbor=self.harbor,
            world=self.world,
            secrets=self._values,
            delete_content=self.delete_content,
            folder=self.secrets.folder,
        )

    def _note(self, outcome: Outcome) -> None:
        self.outcomes[outcome.action.ref] = outcome
        self.tell(outcome)

    # --- after

    async def _read_back(self, which: Collection[Ref]) -> None:
        """Believe nothing that was not read back: kind by kind, so that no more is held than one of them."""
        done: dict[str, list[Action]] = defaultdict(list)
        for each in self.outcomes.values():
            if each.action.ref in which and each.state == "done" and each.action.verb != "forget":
                done[each.action.ref.kind].append(each.action)
        for actions in done.values():
            try:
                async with self.harbor.proven():
                    await self._compare(actions)
            except HarborError as error:
                for action in actions:
                    self._note(failed(action, error))

    async def _compare(self, actions: Sequence[Action]) -> None:
        objects = [there for each in actions if (there := each.wanted or each.present)]
        now = await read_again(self.harbor, objects, self.wanted, self.world)
        for action in actions:
            if problem := _not_kept(action, now.get(*action.ref)):
                self._note(Outcome(action=action, state="failed", problems=(problem,), again=True))


def _is_as_wanted(action: Action, there: Object) -> bool:
    """Tell whether a change came about by itself: the first scanner that is made is the default at once."""
    plain = action.verb == "update" and not action.unknown and not any(each.secret for each in action.changes)
    return plain and all(there.fields.get(each.field) == each.after for each in action.changes)


def _not_kept(action: Action, there: Object | None) -> Problem | None:
    where = str(action.ref)
    if action.wanted is None:
        return Problem(where=where, what="Harbor said that it is deleted, and it is still there") if there else None
    if there is None:
        return Problem(where=where, what="Harbor said that it is done, and it is not there", fix="run it again")
    fields = action.wanted.fields
    other = {name: there.fields.get(name) for name, value in fields.items() if there.fields.get(name) != value}
    if not other:
        return None
    told = ", ".join(f"{name} is {value!r}, not {fields[name]!r}" for name, value in other.items())
    fix = "this Harbor does not keep the value; correct it in the file"
    return Problem(where=where, what=f"Harbor said that it is done, and reads back otherwise: {told}", fix=fix)
