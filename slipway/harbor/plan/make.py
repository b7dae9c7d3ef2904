"""Make a plan: read what is there, find what differs.

world, plan = await make_plan(harbor, wanted, ledger, secrets, Consent())
"""

from infra.errors import SpecError
from slipway.harbor.client import HarborClient
from slipway.harbor.kinds.base import Ref, World
from slipway.harbor.ledger import Ledger
from slipway.harbor.plan.action import Consent, Plan
from slipway.harbor.plan.difference import difference
from slipway.harbor.plan.read import read
from slipway.harbor.plan.want import Wanted
from slipway.harbor.secret_values import SecretValues
from slipway.harbor.spec import SecretRef


async def make_plan(
    harbor: HarborClient,
    wanted: Wanted,
    ledger: Ledger,
    secrets: SecretValues,
    consent: Consent,
) -> tuple[World, Plan]:
    """Read and compare.

    Raises:
        HarborError: Harbor cannot be read.
    """
    world = await read(harbor, wanted, ledger)
    prints = fingerprints(wanted, ledger, secrets)
    return world, difference(wanted, world, ledger, secrets=prints, consent=consent)


def fingerprints(wanted: Wanted, ledger: Ledger, secrets: SecretValues) -> dict[Ref, dict[str, str | None]]:
    """Give what every declared secret is now; None where its value cannot be had here."""
    return {
        each.ref: {name: _fingerprint(ref, ledger, secrets) for name, ref in each.secrets.items()}
        for each in wanted
        if each.secrets
    }


def _fingerprint(ref: SecretRef, ledger: Ledger, secrets: SecretValues) -> str | None:
    try:
        return ledger.fingerprint(secrets.get(ref).get_secret_value())
    except SpecError:
        return None
