"""What every place for a ledger can do.

store.load(), store.save(ledger)
"""

import json
from typing import Protocol

from infra.errors import LedgerError, Problem
from slipway.harbor.ledger.ledger import Ledger


class LedgerStore(Protocol):
    """A place for a ledger."""

    def load(self) -> Ledger:
        """Read it; an empty one before the first apply."""
        ...

    def save(self, ledger: Ledger) -> None:
        """Write it, if nobody else did since it was read; LedgerMoved if somebody did."""
        ...


def read_text(text: str, *, instance: str, where: str) -> Ledger:
    """Read a ledger from its text.

    Raises:
        LedgerError: it is none, or another instance's.
    """
    try:
        ledger = Ledger.from_data(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        fix = "bring back its last version: from Git, or from the bucket's versions"
        raise LedgerError(Problem(where=where, what=f"is no ledger: {error}", fix=fix)) from None
    if ledger.instance != instance:
        what = f"it is the ledger of instance {ledger.instance!r}, not of {instance!r}"
        raise LedgerError(Problem(where=where, what=what, fix="give each environment a ledger of its own"))
    return ledger
