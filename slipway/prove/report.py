"""The report of a proof, as data and as a page that can be sent back.

data = report_of(record, facts, versions)
markdown(data)
"""

import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from slipway.prove.record import Played, Record
from values import contract

_ASKED_SECONDS = 20
_MARKS = {
    "passed": "✓", "failed": "✗", "interrupted": "✗", "stopped": "✗", "left out": "·", "running": "…",
}  # fmt: skip
_PACKAGES = ("pulumi", "pulumi-aws", "lightkube", "pydantic", "typer")


def report_of(record: Record, facts: Mapping[str, Any], versions: Mapping[str, str]) -> dict[str, Any]:
    """Give the report as data."""
    return {
        "schema": 1,
        "verdict": verdict(record),
        "environment": record.environment,
        "on": record.on,
        "name": record.name,
        "began": record.begun,
        "ended": record.ended,
        "runs": record.runs,
        "facts": dict(facts),
        "charts": {
            "before": record.charts[0],
            "after": record.charts[1],
            "harbor": [contract.harbor_version(chart) for chart in record.charts],
        },
        "cost": {
            "hourly": round(record.hourly, 4),
            "limit": record.limit,
            "hours": round(_billed_hours(record), 2),
            "expected": round(_billed_hours(record) * record.hourly, 2),
        },
        "versions": dict(versions),
        "steps": [_step(step) for step in record.steps],
        "leftOut": sorted({step.name for step in record.steps if step.result == "left out"}),
        "remains": record.remains,
        "finish": finish(record),
    }


def verdict(record: Record) -> str:
    """Give it in a word: ``passed`` stands for every step that was to be played, and for nothing that is left."""
    last = {step.name: step.result for step in record.steps}
    if any(result in {"interrupted", "running"} for result in last.values()):
        return "interrupted"
    if "stopped" in last.values():
        return "stopped by the limit"
    if record.status != "over" or record.remains or not last:
        return "not finished" if record.remains or record.status != "over" else "failed"
    return "failed" if "failed" in last.values() else "passed"


def finish(record: Record) -> str:
    """Give the command that ends what is left; empty where nothing is."""
    if record.status == "over":
        return ""
    return f"slipway prove {record.environment} --on {record.on} --teardown"


def versions_of(root: Path, programs: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Ask every program that takes part for its version; what is not there is said."""
    found = {
        "slipway": _slipway(root),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    for package in _PACKAGES:
        try:
            found[f"python {package}"] = version(package)
        except PackageNotFoundError:
            continue
    return found | {name: _first_line(command, root) for name, command in programs.items()}


def _slipway(root: Path) -> str:
    try:
        said = version("slipway")
    except PackageNotFoundError:
        said = "not installed"
    commit = _first_line(("git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"), root)
    return f"{said} {commit}".strip() if " " not in commit else said


def _first_line(command: Sequence[str], root: Path) -> str:
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=_ASKED_SECONDS)
    except FileNotFoundError:
        return "not on PATH"
    except subprocess.TimeoutExpired:
        return "did not answer"
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return lines[0] if lines and not done.returncode else f"asked in vain: {lines[-1] if lines else done.returncode}"


def _billed_hours(record: Record) -> float:
    if not record.billed_since:
        return 0.0
    end = datetime.fromisoformat(record.ended) if record.ended else datetime.fromisoformat(record.steps[-1].began)
    return max((end - datetime.fromisoformat(record.billed_since)).total_seconds(), 0.0) / 3600


def _step(step: Played) -> dict[str, Any]:
    return {**vars(step), "tail": list(step.tail)}


# --- the page


def markdown(data: Mapping[str, Any]) -> str:
    """Give the report as a page."""
    return "\n".join(_lines(data)).rstrip() + "\n"


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    charts, cost = data["charts"], data["cost"]
    yield f"# Slipway proved on {data['on']}: {data['verdict']}"
    yield ""
    yield f"{data['environment']} as {data['name']}, {data['began']} to {data['ended'] or 'now'}."
    yield f"Chart {charts['before']} (Harbor {charts['harbor'][0]}) → {charts['after']} (Harbor {charts['harbor'][1]})."
    if cost["limit"] is not None:
        yield (
            f"Cost: ${cost['hourly']:.2f} an hour, about ${cost['expected']:.2f} in {cost['hours']:g} h; "
            f"limit ${cost['limit']:.2f}."
        )
    yield from ("", "| | step | result | seconds | says |", "|---|---|---|---|---|")
    for step in data["steps"]:
        says = step["says"].replace("|", "\\|").replace("\n", " ")
        yield f"| {_MARKS[step['result']]} | {step['name']} | {step['result']} | {step['seconds']:.1f} | {says} |"
    yield from ("", "## What is left", "")
    yield from [f"- {one}" for one in data["remains"]] or ["Nothing."]
    if data["finish"]:
        yield from ("", f"To end it: `{data['finish']}`")
    yield from ("", "## Commands", "", "```")
    yield from [step["command"] for step in data["steps"] if step["command"]]
    yield "```"
    for step in data["steps"]:
        if step["tail"]:
            yield from ("", f"## Last words of {step['name']}", "", "~~~~", *step["tail"], "~~~~")
    yield from ("", "## Where", "")
    yield from [f"- {name}: {value}" for name, value in {**data["facts"], **data["versions"]}.items()]
    yield f"- run by: {Path(sys.executable).name}, taken up {data['runs']} times"
