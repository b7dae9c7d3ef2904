"""Migrations as text and data: the plan's table, what a wave did, what a check found."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from slipway.harbor.migrate.units import counted, duration, size

if TYPE_CHECKING:
    from slipway.harbor.migrate.check import Checked
    from slipway.harbor.migrate.run import Ran
    from slipway.harbor.migrate.session import Planned

_LISTED = 50
_STATES = {
    "missing": "not in Harbor",
    "different": "another digest in Harbor",
    "newer": "came or moved at the source after the plan",
    "extra": "only in Harbor",
    "gone": "the repository is at the source no more",
}


def plan_lines(done: "Planned") -> Iterator[str]:
    """Give the waves as a table, what it stands on, and what to know."""
    migration = done.migration
    rows = [
        (
            str(wave.number),
            str(len(wave.moves)),
            str(wave.artifacts),
            size(wave.bytes),
            duration(migration.hours(wave.bytes)),
            _shown(wave.projects),
        )
        for wave in migration.waves
    ]
    total = sum(wave.bytes for wave in migration.waves)
    artifacts, moves = sum(wave.artifacts for wave in migration.waves), len(migration.moves)
    sums = ("all", str(moves), str(artifacts), size(total), duration(migration.hours(total)), "")
    heads = ("wave", "repositories", "artifacts", "size ≤", "time ≈", "projects")
    yield f"from {migration.origin}"
    yield from _table([heads, *rows, sums])
    for text in migration.assumptions:
        yield f"assumed: {text}"
    for text in done.warnings:
        yield f"{typer.style('warning:', fg='yellow')} {text}"
    for path in done.files:
        yield f"written: {path}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if column < len(widths) - 1 else cell
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def run_lines(done: "Sequence[Ran]", wave: int) -> Iterator[str]:
    """Give what failed, and the count of what was copied."""
    for each in done:
        if not each.problem:
            continue
        yield f"{typer.style('✗', fg='red')} {each.rule} (execution {each.run}): {each.problem}"
        for task in each.failed:
            yield f"    {task.source} → {task.target}: {task.log}"
            yield from (f"      {line}" for line in task.lines)
    bad, was = sum(bool(each.problem) for each in done), sum(each.was_done for each in done)
    copied = counted(sum(each.succeeded for each in done), "repository", "repositories")
    if was == len(done):
        yield f"wave {wave} was done already, with {copied}; --again copies what was pushed since"
        return
    said = f"wave {wave}: {copied} copied by {len(done) - bad} of {len(done)} rules"
    yield said + (f", {was} of them done before" if was else "")


def run_data(done: "Sequence[Ran]") -> list[dict[str, Any]]:
    """Give the same for machines."""
    return [asdict(each) for each in done]


def check_lines(found: "Checked", environment: str) -> Iterator[str]:
    """Give what differs, by state, and what to do."""
    for row in found.rows[:_LISTED]:
        sign = "@" if row.reference.startswith("sha256:") else ":"
        name = f"{row.target}{sign}{row.reference}" if row.reference else row.target
        digests = f"  {_short(row.expected)} at the source, {_short(row.found)} here" if row.reference else ""
        colour = {"missing": "red", "different": "red"}.get(row.state, "yellow")
        yield f"{typer.style(row.state, fg=colour)} {name}{digests}"
    if len(found.rows) > _LISTED:
        yield f"and {len(found.rows) - _LISTED} more; --output json has all of them"
    for name in found.new:
        yield f"{typer.style('new', fg='yellow')} {name}: not in the plan; plan again with --force"
    counts = [f"{count} {state} ({words})" for state, words in _STATES.items() if (count := found.count(state))]
    yield "; ".join([f"{found.good} the same", *counts])
    waves = sorted({row.wave for row in found.rows if row.state in {"missing", "different", "newer"}})
    for number in waves:
        yield f"run it again: slipway harbor migrate run {environment} --wave {number} --again"


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12] or "nothing"


def check_data(found: "Checked") -> dict[str, Any]:
    """Give the same for machines."""
    rows = [asdict(row) for row in found.rows]
    return {"good": found.good, "differences": rows, "new": list(found.new)}
