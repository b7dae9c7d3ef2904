"""What the commands do: plan, apply, and look for drift; each connects, does it, and gives one result.

planned = run_plan(environment, Consent())
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slipway.harbor.apply import Applied, apply
from slipway.harbor.apply.run import Tell
from slipway.harbor.client import connect
from slipway.harbor.environment import Environment
from slipway.harbor.plan import Consent, Plan, make_plan
from slipway.harbor.plan.file import as_file, check_file


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan, and what it cost.

    Attributes:
        file: as a plan file holds it, if one is wanted.
        requests: that were sent.
        version: of Harbor.
    """

    # No repr: asyncio.run makes one of its result, which for a thousand projects takes half a second.
    plan: Plan = field(repr=False)
    file: Mapping[str, Any] | None = field(repr=False)
    requests: int
    version: str


@dataclass(frozen=True, kw_only=True)
class Done:
    """What an apply came to; `applied` is None where the plan has problems, or nobody wanted it."""

    plan: Plan = field(repr=False)
    applied: Applied | None = field(repr=False)
    requests: int


def run_plan(environment: Environment, consent: Consent, *, to_file: bool = False) -> Planned:
    """Read and compare; change nothing, the ledger neither."""
    return asyncio.run(_plan(environment, consent, to_file))


async def _plan(environment: Environment, consent: Consent, to_file: bool) -> Planned:
    ledger = environment.ledger().load()
    async with connect(environment.connection()) as harbor:
        world, plan = await make_plan(harbor, environment.wanted, ledger, environment.secrets, consent)
        file = None
        if to_file:
            file = as_file(
                plan, wanted=environment.wanted, world=world, ledger=ledger, url=environment.url, consent=consent
            )
        return Planned(plan=plan, file=file, requests=harbor.sent, version=harbor.info.harbor_version or "")


def run_apply(
    environment: Environment,
    consent: Consent,
    *,
    agreed: Callable[[Plan], bool],
    tell: Tell,
    file: tuple[Mapping[str, Any], str] | None = None,
) -> Done:
    """Plan, ask, apply.

    Args:
        agreed: shows the plan and tells whether to go on; not asked where nothing is to be done.
        file: a plan file and its name: only what it says is done.

    Raises:
        PlanStale: the plan file is not of here and now.
        HarborError, LedgerError: nothing could be read or noted.
    """
    return asyncio.run(_apply(environment, consent, agreed, tell, file))


async def _apply(
    environment: Environment,
    consent: Consent,
    agreed: Callable[[Plan], bool],
    tell: Tell,
    file: tuple[Mapping[str, Any], str] | None,
) -> Done:
    store, secrets, wanted = environment.ledger(), environment.secrets, environment.wanted
    ledger = store.load()
    connection = environment.connection()
    async with connect(connection) as harbor:
        world, plan = await make_plan(harbor, wanted, ledger, secrets, consent)
        if file is not None:
            check_file(file[0], plan, wanted=wanted, world=world, ledger=ledger, url=environment.url, where=file[1])
        if plan.problems or (plan.actions and not agreed(plan)):
            return Done(plan=plan, applied=None, requests=harbor.sent)
        applied = await apply(
            harbor,
            wanted,
            ledger=ledger,
            store=store,
            secrets=secrets,
            planned=(world, plan),
            consent=consent,
            tell=tell,
        )
        return Done(plan=plan, applied=applied, requests=harbor.sent)
