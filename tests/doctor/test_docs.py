"""docs/doctor.md lists every check as it is. `SLIPWAY_WRITE_DOCS=1` (`make rules`) writes the table anew."""

import os
from pathlib import Path

from slipway.doctor.catalogue import CHECKS
from slipway.doctor.check import SECONDS

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
MARK = "<!-- checks -->\n"


def table() -> str:
    rows = ["| check | what is so when it is ok | otherwise | needs |", "|---|---|---|---|"]
    for check in CHECKS:
        needs = ", ".join(f"`{one}`" for one in check.needs) or "–"
        limit = f" ({check.seconds:g} s)" if check.seconds != SECONDS else ""
        without = "" if check.environment else ", also without ENV"
        rows.append(f"| `{check.id}`{limit}{without} | {check.shows} | {check.fix} | {needs} |")
    return "\n".join(rows) + "\n"


def test_every_check_is_on_the_page():
    head, _, written = PAGE.read_text().partition(MARK)
    if os.environ.get("SLIPWAY_WRITE_DOCS"):
        PAGE.write_text(f"{head}{MARK}\n{table()}")
        return

    assert written.strip() == table().strip(), "run `make rules`"
