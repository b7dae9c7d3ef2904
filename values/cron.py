"""A job's time as Kubernetes reads it: five fields, where Harbor's own schedules have six.

kubernetes_schedule("17 * * * *")     # the same, or it is refused with what is wrong
"""

import re

from values.errors import Refused

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SHORT = frozenset({"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"})
#: Field → its lowest and highest number, and names for numbers from the lowest on.
_FIELDS: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "minute": (0, 59, ()),
    "hour": (0, 23, ()),
    "day of the month": (1, 31, ()),
    "month": (1, 12, MONTHS),
    "day of the week": (0, 6, WEEKDAYS),
}
_NUMBER = re.compile(r"[0-9]{1,2}")
_STEP = re.compile(r"[1-9][0-9]{0,2}")


def kubernetes_schedule(text: str) -> str:
    """Give the text back, if Kubernetes takes it: in the cluster it would be the whole release that fails.

    Raises:
        Refused: with the field that is wrong.
    """
    if text in _SHORT:
        return text
    fields = text.split()
    if len(fields) == len(_FIELDS) + 1:
        fix = f"leave the seconds out: {' '.join(fields[1:])!r}"
        raise Refused(f"{text!r} has six fields, as Harbor writes a time, and Kubernetes takes five", fix)
    if len(fields) != len(_FIELDS):
        fix = "write minute, hour, day of the month, month, day of the week: '17 * * * *'"
        raise Refused(f"{text!r} is no time of five fields", fix)
    for field, (name, (low, high, names)) in zip(fields, _FIELDS.items(), strict=True):
        if not all(fits(part, low, high, names) for part in field.split(",")):
            fix = f"*, {low} to {high}, a range (2-5), a step (*/6), or several with commas"
            raise Refused(f"{field!r} in {text!r} is no {name}", fix)
    return text


def fits(part: str, low: int, high: int, names: tuple[str, ...] = ()) -> bool:
    """Tell whether what stands between commas is a star, a number, a name or a range, with or without a step."""
    span, slash, step = part.partition("/")
    if slash and not _STEP.fullmatch(step):
        return False
    if span in {"*", "?"}:
        return True
    ends = [_number(each, low, names) for each in span.split("-")]
    return len(ends) <= 2 and low <= ends[0] <= ends[-1] <= high


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + low
    return int(text) if _NUMBER.fullmatch(text) else -1
