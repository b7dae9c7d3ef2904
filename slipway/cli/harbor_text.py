"""Plans and what became of them, as people read them: like a good diff, coloured on a terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from slipway.harbor.apply import Outcome
    from slipway.harbor.plan import Action, Plan

_MARKS = {
    "create": ("+", "green"),
    "adopt": (">", "cyan"),
    "update": ("~", "yellow"),
    "delete": ("-", "red"),
    "forget": (".", ""),
}
_COUNTED = {
    "create": "to make",
    "adopt": "to adopt",
    "update": "to change",
    "delete": "to delete",
    "forget": "to let go",
}
#: So many objects are shown; --output json has all.
_LISTED = 200
_LONGEST = 100
_FEW = 5


def plan_lines(plan: "Plan") -> Iterator[str]:
    """Give a plan line by line."""
    noted: dict[str, list[str]] = {}
    for action in (each for each in plan.actions if each.is_note):
        noted.setdefault(action.ref.kind, []).append(action.ref.key)
    for kind, keys in noted.items():
        yield typer.style(f"> {kind} {_few(keys)}  (as declared)", fg="cyan")
    shown = [each for each in plan.actions if not each.is_note]
    for action in shown[:_LISTED]:
        yield from _action(action)
    if len(shown) > _LISTED:
        yield f"and {len(shown) - _LISTED} more; --output json has all of them"
    for kind, keys in sorted(plan.foreign.items()):
        yield f"left alone, since not ours: {kind} {_few(keys)}"
    for each in plan.warnings:
        yield f"warning: {each}"
    if plan.unread:
        yield f"not looked at, since this robot may not read it: {', '.join(plan.unread)}"
    yield summary(plan)


def _few(keys: Sequence[str]) -> str:
    return ", ".join(sorted(keys)[:_FEW]) + (f" and {len(keys) - _FEW} more" if len(keys) > _FEW else "")


def summary(plan: "Plan") -> str:
    """Give a plan in one line."""
    counts = plan.counts
    if plan.actions and not plan.differs:
        return f"nothing to do: {plan.same + len(plan.actions)} as declared, {len(plan.actions)} of them not ours yet"
    said = [f"{counts[verb]} {words}" for verb, words in _COUNTED.items() if counts.get(verb)]
    return f"{', '.join(said)}; {plan.same} as declared" if said else f"nothing to do: {plan.same} as declared"


def _action(action: "Action") -> Iterator[str]:
    mark, colour = _MARKS[action.verb]
    why = f"  ({action.why})" if action.why else ""
    line = f"{mark} {action.ref}{why}"
    yield typer.style(line, fg=colour) if colour else line
    for change in action.changes:
        if change.secret:
            yield f"    {change.field}: from {change.after}"
        elif action.verb == "create":
            if change.after not in (None, "", []):
                yield f"    {change.field}: {_shown(change.field, change.after)}"
        else:
            before, after = (_shown(change.field, value) for value in (change.before, change.after))
            yield f"    {change.field}: {before} → {after}"
    for name in action.unknown:
        yield f"    {name}: known when it is applied"


def _shown(name: str, value: Any) -> str:  # noqa: ANN401  # any field
    if name.startswith("storage_") and isinstance(value, int):
        return _size(value)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    text = ", ".join(map(_plain, value)) if isinstance(value, list) else _plain(value)
    text = text.replace("\n", "⏎") or "empty"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _plain(value: Any) -> str:  # noqa: ANN401  # any field, or a part of one
    if not isinstance(value, dict):
        return str(value).lower() if isinstance(value, bool) else str(value)
    parts = (
        f"{key}: {'[' + ', '.join(map(_plain, each)) + ']' if isinstance(each, list) else _plain(each)}"
        for key, each in value.items()
        if each not in (None, "", [])
    )
    return f"{{{', '.join(parts)}}}"


def _size(value: int) -> str:
    if value < 0:
        return "unlimited"
    unit = next(((name, bits) for name, bits in _UNITS if value and value % (1 << bits) == 0), ("", 0))
    return f"{value >> unit[1]}{unit[0]}"


_UNITS = (("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10))


def outcome_lines(outcomes: "Sequence[Outcome]") -> Iterator[str]:
    """Give what failed, and the count of what was done."""
    for each in outcomes:
        if each.state != "done":
            mark = typer.style("✗" if each.state == "failed" else "·", fg="red" if each.state == "failed" else "")
            yield f"{mark} {each.action.ref}: {'; '.join(map(str, each.problems))}"
    states = [each.state for each in outcomes]
    said = [f"{states.count(state)} {state}" for state in ("done", "failed", "skipped") if state in states]
    yield ", ".join(said) or "nothing to do"
