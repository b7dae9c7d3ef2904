"""What is ours inside a Harbor, and where that is written down."""

from slipway.harbor.ledger.file import FileLedger
from slipway.harbor.ledger.ledger import Entry, Ledger
from slipway.harbor.ledger.store import LedgerStore

__all__ = ["Entry", "FileLedger", "Ledger", "LedgerStore"]
