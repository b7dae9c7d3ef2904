"""A diff as text, Markdown and JSON; all three from the same object."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from slipway.diff.diff import Diff
from slipway.diff.objects import ObjectChange, place
from values.changes import Change, hidden

if TYPE_CHECKING:  # it imports the program
    from slipway.diff.beside import Beside

#: A host takes no longer comment (GitHub: 65,536 characters).
COMMENT = 60_000
#: Of one object so many lines are shown in a comment.
OBJECT_LINES = 200
BLANKS = "differs in blanks only"


def text(found: Diff, *, lines: bool = True) -> str:
    """Give it for the terminal; `lines` with the objects' own."""
    return "\n".join(_text(found, lines=lines))


def _text(found: Diff, *, lines: bool) -> Iterator[str]:
    yield f"{found.environment} against {found.against}{_charts(found)}"
    yield f"AWS's answers: {found.facts}"
    for name, keys in found.overrides.items():
        yield f"the team's own: stacks/{found.environment}/values/{name}.yaml: {', '.join(keys)}"
    for component in components(found):
        yield ""
        yield component
        yield from (f"  {change}" for change in found.values if change.component == component)
        changes = [one for one in found.objects if one.component == component]
        for change in (one for one in changes if not _only_labels(one)):
            yield f"  {_heading(change)}"
            yield from (f"    {line}" for line in change.lines if lines)
        yield from _labels_only(changes)
    yield ""
    yield from (f"publish would stop: {one}" for one in found.refusals)
    yield from (f"note: {one}" for one in found.notes)
    yield closing(found)


def _only_labels(change: ObjectChange) -> bool:
    """Nothing but labels of the chart's version differs, and no pod rolls for it."""
    return bool(change.noise) and not (change.lines or change.rolls or change.immutable)


def _labels_only(changes: Sequence[ObjectChange]) -> Iterator[str]:
    if same := [one for one in changes if _only_labels(one)]:
        named = ", ".join(f"{one.kind} {one.name}" for one in same)
        yield f"  only labels of the chart's version: {named}"


def closing(found: Diff) -> str:
    """Give the diff in one line."""
    if not found.differs:
        return f"{found.environment}: nothing would change"
    parts = [f"{len(found.files)} files", f"{len(found.values)} values", f"{len(found.objects)} objects"]
    rolling = [change.name for change in found.objects if change.rolls]
    parts += [f"rolls {', '.join(rolling)}"] if rolling else []
    failing = [f"{change.kind}/{change.name}" for change in found.objects if change.fails]
    parts += [f"WOULD FAIL: {', '.join(failing)}"] if failing else []
    away = [f"{change.kind}/{change.name}" for change in found.objects if change.reinstalls]
    parts += [f"WOULD UNINSTALL: {', '.join(away)}"] if away else []
    return f"{found.environment}: {'; '.join(parts)}"


def components(found: Diff) -> list[str]:
    """Give the components that change, in the order in which they are shown."""
    return sorted({one.component for one in (*found.values, *found.objects)}, key=place)


def _charts(found: Diff) -> str:
    before, after = found.charts
    return f", chart {after}" if before in {"", after} else f", chart {before} → {after}"


def _heading(change: ObjectChange) -> str:
    told = [change.what]
    if change.rolls:
        told.append("its pods roll")
    if change.noise:
        told.append(f"{', '.join(change.noise)} changed")
    if change.immutable:
        told.append(f"WOULD FAIL: {', '.join(change.immutable)} cannot be changed")
    if change.reinstalls:
        told.append(f"WOULD UNINSTALL first: {', '.join(change.reinstalls)} changed")
    if not change.lines and not change.noise:
        told.append(BLANKS)
    return f"{change.kind} {change.name}: {'; '.join(told)}"


def json_value(found: Diff, others: "Beside | None" = None) -> dict[str, Any]:
    """Give it as data."""
    return {
        "environment": found.environment,
        "against": found.against,
        "facts": found.facts,
        "charts": {"before": found.charts[0] or None, "after": found.charts[1]},
        "differs": found.differs,
        "files": list(found.files),
        "values": [_value(one) for one in found.values],
        "objects": [_object(one) for one in found.objects],
        "overrides": {name: list(keys) for name, keys in found.overrides.items()},
        "refusals": list(found.refusals),
        "notes": list(found.notes),
        **(_beside_json(others) if others else {}),
    }


def _beside_json(others: "Beside") -> dict[str, Any]:
    from slipway.forecast.written import json_value as forecast_json  # noqa: PLC0415  # it imports the program

    rules = [
        {"rule": one.rule.id, "severity": one.rule.severity, "resource": one.subject, "state": one.state}
        for one in others.checked.verdicts
        if one.state != "passed"
    ]
    return {"forecast": forecast_json(others.forecast), "rules": rules}


def _value(change: Change) -> dict[str, Any]:
    """Values are JSON text, so that null and nothing can be told apart."""
    before, after = (hidden(change.key, one) for one in (change.before, change.after))
    return {"component": change.component, "key": change.key, "before": before, "after": after}


def _object(change: ObjectChange) -> dict[str, Any]:
    return {
        "component": change.component,
        "kind": change.kind,
        "namespace": change.namespace,
        "name": change.name,
        "what": change.what,
        "rolls": change.rolls,
        "noise": list(change.noise),
        "immutable": list(change.immutable),
        "reinstalls": list(change.reinstalls),
        "diff": list(change.lines),
    }


def markdown(found: Diff, others: "Beside | None" = None) -> str:
    """Give it as a comment of a pull request, with what is beside it; as much as a comment takes."""
    parts = list(_markdown(found, others))
    shown, size = [], 0
    for part in parts:
        size += len(part) + 1
        if size > COMMENT:
            shown.append(f"\n> The rest does not fit into a comment: `slipway diff {found.environment}` shows it.")
            break
        shown.append(part)
    return "\n".join(shown)


def _markdown(found: Diff, others: "Beside | None") -> Iterator[str]:
    yield f"### {closing(found)}\n"
    yield f"Against {found.against}{_charts(found)}. AWS's answers: {found.facts}.\n"
    yield from (f"> **publish would stop**: {one}\n" for one in found.refusals)
    yield from (f"> {one}\n" for one in map(_one_line, found.notes))
    if others:
        yield from _beside(others)
    for name, keys in found.overrides.items():
        yield f"- the team's own values `stacks/{found.environment}/values/{name}.yaml`: {_codes(keys)}"
    if found.values:
        yield "\n| component | value | before | after |\n|---|---|---|---|"
        yield from (_row(one) for one in sorted(found.values, key=lambda one: place(one.component)))
    for component in components(found):
        changes = [one for one in found.objects if one.component == component]
        if changes:
            yield f"\n<details><summary>{component}: {_count(changes)}</summary>\n"
            yield from (_object_markdown(one) for one in changes if not _only_labels(one))
            yield from (line.strip() for line in _labels_only(changes))
            yield "</details>"


def _count(changes: Sequence[ObjectChange]) -> str:
    rolls = sum(one.rolls for one in changes)
    fails = sum(one.fails for one in changes)
    told = [f"{len(changes)} object{'s' if len(changes) > 1 else ''}"]
    return "; ".join([*told, *(["pods roll"] if rolls else []), *(["WOULD FAIL"] if fails else [])])


def _object_markdown(change: ObjectChange) -> str:
    lines = [*change.lines[:OBJECT_LINES], *(["…"] if len(change.lines) > OBJECT_LINES else [])]
    fence = "````" if any("```" in line for line in lines) else "```"
    block = f"\n{fence}diff\n" + "\n".join(lines) + f"\n{fence}\n" if lines else ""
    return f"**{_heading(change)}**\n{block}"


def _beside(others: "Beside") -> Iterator[str]:
    verdicts = others.checked.verdicts
    wrong = [one for one in verdicts if one.state in {"violated", "not decided"}]
    cost, minutes = others.forecast.cost.monthly, others.forecast.duration.serving
    told = f"{sum(one.state == 'passed' for one in verdicts)} of {len(verdicts)} verdicts passed"
    yield f"**Forecast** ${cost:,.0f} a month, {minutes:.0f} minutes from nothing. **Rules** {told}.\n"
    for one in wrong:
        yield f"- {one.state}: `{one.rule.id}` ({one.rule.severity}) {one.subject}: {one.rule.fix}"
    if wrong:
        yield ""


def _row(change: Change) -> str:
    before, after = (hidden(change.key, one) for one in (change.before, change.after))
    return f"| {change.component} | `{change.key}` | {_cell(before)} | {_cell(after)} |"


def _cell(value: str | None) -> str:
    return f"`{_one_line(value).replace('|', chr(92) + '|').replace('`', chr(39))}`" if value is not None else ""


def _codes(keys: Sequence[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)


def _one_line(value: str) -> str:
    return " ".join(value.split())
