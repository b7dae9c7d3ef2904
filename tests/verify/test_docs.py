"""docs/verify.md lists every check as it is. `SLIPWAY_WRITE_DOCS=1` (`make rules`) writes the tables anew."""

import os
from pathlib import Path

from slipway.verify.catalogue import CHECKS
from slipway.verify.check import GROUPS

PAGE = Path(__file__).parents[2] / "docs" / "verify.md"
MARK = "<!-- checks -->\n"
TITLES = {
    "cluster": "In the cluster",
    "certificate": "Name and certificate",
    "outside": "From outside",
    "round-trip": "The round trip",
}


def tables() -> str:
    parts = []
    for group in GROUPS:
        parts += [f"### {TITLES[group]}", "", "| check | proves | a failure means | what to do |", "|---|---|---|---|"]
        for check in (one for one in CHECKS if one.group == group):
            cells = (check.proves, check.reading, check.fix)
            parts.append(f"| `{check.id}` | {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
        parts.append("")
    return "\n".join(parts)


def test_every_check_is_on_the_page():
    head, _, written = PAGE.read_text().partition(MARK)
    if os.environ.get("SLIPWAY_WRITE_DOCS"):
        PAGE.write_text(head + MARK + "\n" + tables().rstrip() + "\n")
        return

    assert written.strip() == tables().strip(), "run `make rules`"


def test_the_page_tells_of_every_option():
    import typer.main

    from slipway.cli import app

    page = PAGE.read_text()
    command = typer.main.get_command(app).commands["verify"]
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}

    assert {name for name in options if f"`{name}" not in page and f" {name}" not in page} == {"--help"} & options
