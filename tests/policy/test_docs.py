"""docs/policy.md lists every rule as it is. `SLIPWAY_WRITE_DOCS=1` (`make rules`) writes the table anew."""

import os
from pathlib import Path

from policy.rule import ALL_PROFILES
from policy.rules import RULES

PAGE = Path(__file__).parents[2] / "docs" / "policy.md"
MARK = "<!-- rules -->\n"


def table() -> str:
    rows = ["| rule | severity | profiles | why | fix | maps to |", "|---|---|---|---|---|---|"]
    for rule in RULES:
        profiles = "all" if rule.profiles == ALL_PROFILES else ", ".join(sorted(rule.profiles))
        severity = f"{rule.severity}, recorded" if rule.recorded_only else rule.severity
        rows.append(f"| `{rule.id}` | {severity} | {profiles} | {rule.reason} | {rule.fix} | {', '.join(rule.maps)} |")
    return "\n".join(rows) + "\n"


def test_every_rule_is_on_the_page():
    head, _, written = PAGE.read_text().partition(MARK)
    if os.environ.get("SLIPWAY_WRITE_DOCS"):
        PAGE.write_text(head + MARK + "\n" + table())
        return

    assert written.strip() == table().strip(), "run `make rules`"
