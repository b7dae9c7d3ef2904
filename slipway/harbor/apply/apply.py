"""Bring Harbor to what the file says, round by round while a round may do better than the one before.

applied = await apply(harbor, wanted, store, …)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.errors import Problem, ReadOnlyMode
from slipway.harbor.apply.outcome import Outcome
from slipway.harbor.apply.run import Run, Tell
from slipway.harbor.client import HarborClient
from slipway.harbor.kinds.base import Ref, World
from slipway.harbor.ledger import Ledger, LedgerStore
from slipway.harbor.plan.action import Consent, Plan
from slipway.harbor.plan.make import make_plan
from slipway.harbor.plan.want import Wanted
from slipway.harbor.secret_values import SecretValues

_ROUNDS = 4


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What an apply came to."""

    outcomes: Sequence[Outcome]

    @property
    def good(self) -> bool:
        """Whether all was done."""
        return all(each.state == "done" for each in self.outcomes)


def _silent(_: Outcome) -> None: ...


async def apply(  # what a run works with, once
    harbor: HarborClient,
    wanted: Wanted,
    *,
    ledger: Ledger,
    store: LedgerStore,
    secrets: SecretValues,
    planned: tuple[World, Plan],
    consent: Consent,
    tell: Tell = _silent,
) -> Applied:
    """Do a plan that has no problems; what failed and may pass is planned and tried again.

    Raises:
        ReadOnlyMode: Harbor takes no changes.
        LedgerError: the ledger cannot be kept.
    """
    outcomes: dict[Ref, Outcome] = {}
    world, plan = planned
    _refuse_read_only(harbor, plan)
    for round_ in range(_ROUNDS):
        if round_:
            world, plan = await make_plan(harbor, wanted, ledger, secrets, consent)
        run = Run(
            harbor=harbor,
            wanted=wanted,
            ledger=ledger,
            store=store,
            world=world,
            secrets=secrets,
            delete_content=consent.delete_content,
            tell=tell,
        )
        left = [each for each in plan.actions if each.ref not in outcomes or outcomes[each.ref].again]
        tried = {each.action.ref: each for each in await run.do(Plan(actions=left, claims=plan.claims))}
        for ref, before in outcomes.items():
            if before.again and ref not in tried:  # as wanted already: the answer was lost, not the change
                outcomes[ref] = Outcome(action=before.action, state="done")
        outcomes |= tried
        if not any(each.again for each in outcomes.values()):
            break
    return Applied(outcomes=list(outcomes.values()))


def _refuse_read_only(harbor: HarborClient, plan: Plan) -> None:
    ends = any(
        each.ref.kind == "config"
        and any(change.field == "read_only" and change.after is False for change in each.changes)
        for each in plan.actions
    )
    if harbor.info.read_only and plan.actions and not ends:
        fix = "end it in the portal or by read_only: false in system.config, then try again"
        raise ReadOnlyMode(Problem(where="Harbor", what="it is in read-only mode, so nothing was changed", fix=fix))
