"""Cron expressions as Harbor takes them: six fields, the first of which is 0.

cron.check("0 0 2 * * *", "scheduled gc")
"""

import re

from tests.harbor.server.answers import bad

_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_NAMES = re.compile(r"^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)$", re.IGNORECASE)
NEXT = "2126-01-01T00:00:00.000Z"


def check(expression: str, purpose: str) -> None:
    """Refuse an expression that Harbor refuses."""
    problem = _problem(expression)
    if problem:
        raise bad(f"invalid cron string for {purpose}: {expression}, error: {problem}")


def _problem(expression: str) -> str:
    if not expression:
        return "empty cron string is invalid"
    parts = expression.split()
    if len(parts) != 6:
        return f"expected exactly 6 fields, found {len(parts)}: {parts}"
    for part, (low, high) in zip(parts, _RANGES, strict=True):
        if not all(_fits(piece, low, high) for piece in part.split(",")):
            return f"failed to parse int from {part}"
    if parts[0] != "0":
        return "the 1st field (indicating Seconds of time) of the cron setting must be 0"
    return ""


def _fits(piece: str, low: int, high: int) -> bool:
    span, _, step = piece.partition("/")
    if step and not step.isdigit():
        return False
    if span in {"*", "?"}:
        return True
    ends = span.split("-")
    return len(ends) <= 2 and all(
        _NAMES.match(end) is not None or (end.isdigit() and low <= int(end) <= high) for end in ends
    )
