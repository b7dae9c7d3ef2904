"""An existing Harbor as a harbor.yaml that plans empty.

    exported = run_export(environment, projects=(), robot_secrets=None, tell=tell)
    exported.files(folder=False)          # {"harbor.yaml": "# Made by slipway harbor export …"}

Each kind writes its own part (`Kind.declare`, the inverse of `desired`); make.py holds what they wrote against what was
read and leaves out what the file cannot say; compact.py finds what projects share; text.py writes it for people.
"""

from slipway.harbor.export.exported import Exported
from slipway.harbor.export.run import run_export

__all__ = ["Exported", "run_export"]
