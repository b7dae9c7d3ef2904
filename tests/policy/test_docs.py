"""docs/policy.md lists every rule as it is. `SLIPWAY_WRITE_DOCS=1` (`make rules`) writes the table anew."""

import os
import re
from pathlib import Path

from policy.rule import ALL_PROFILES
from policy.rules import RULES, harbor
from tests.graph.graphs import ENVIRONMENTS, recorded

AUDIT = Path(__file__).parents[2] / "docs" / "aws.md"
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


def test_every_resource_is_audited_and_every_rule_named():
    rows = [line for line in AUDIT.read_text().splitlines() if line.startswith("| ")]
    told = {name for row in rows for name in re.findall(r"`([a-z0-9-]+/[A-Za-z]+)`", row)}
    named = {
        name
        for row in rows
        for name in re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+|tagged|durable)`", row.rpartition(" | ")[2])
    }
    types = {
        node.type.removeprefix("aws:").rpartition(":")[0]
        for environment in ENVIRONMENTS
        for node in recorded(environment, preview=False)
        if node.custom and node.type.startswith("aws:")
    }
    ids = {rule.id for rule in RULES} - {rule.id for rule in harbor.RULES}

    assert types - told == set()
    assert told - types == set()
    assert ids - named == set()
    assert named - ids == set()
