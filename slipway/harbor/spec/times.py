"""Schedules as Harbor takes them: a word, or a cron expression of six fields whose first is 0.

schedule: Daily              # 0 0 0 * * *
schedule: "0 30 2 * * *"     # seconds first
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from values.cron import MONTHS, WEEKDAYS, fits

#: What the words mean to Harbor's portal.
WORDS: Mapping[str, str] = {"Hourly": "0 0 * * * *", "Daily": "0 0 0 * * *", "Weekly": "0 0 0 * * 0"}
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("seconds", 0, 59, ()),
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("days of the month", 1, 31, ()),
    ("months", 1, 12, MONTHS),
    ("days of the week", 0, 6, WEEKDAYS),
)
_LONGEST = 64


def _cron(text: str) -> str:
    """Check an expression.

    Raises:
        ValueError: saying which field is wrong.
    """
    parts = text.split()
    if len(parts) == 5:
        raise ValueError(f"five fields, and Harbor wants six, seconds first: write '0 {text}'")
    if len(parts) != 6:
        raise ValueError(f"a cron expression has six fields, seconds first; this has {len(parts)}")
    for part, (name, low, high, names) in zip(parts, _FIELDS, strict=True):
        if not all(fits(piece, low, high, names) for piece in part.split(",")):
            raise ValueError(f"{part!r} is no {name} of a cron expression ({low} to {high})")
    if parts[0] != "0":
        raise ValueError("the first field (seconds) must be 0")
    if len(whole := " ".join(parts)) > _LONGEST:
        raise ValueError(f"Harbor keeps {_LONGEST} characters of a cron expression; this has {len(whole)}")
    return whole


def _not_each_minute(text: str) -> str:
    if text.split()[1].startswith("*"):
        raise ValueError("Harbor takes no * for the minutes of a replication")
    return text


def _word_or_cron(text: str) -> str:
    return text if text in WORDS or not text else _cron(text)


Cron = Annotated[str, AfterValidator(_cron)]
#: Of a replication rule.
SlowCron = Annotated[str, AfterValidator(_cron), AfterValidator(_not_each_minute)]
#: Hourly, Daily, Weekly, a cron expression, or empty for never.
Times = Annotated[str, AfterValidator(_word_or_cron)]


def as_cron(text: str | None) -> str:
    """Give what Harbor keeps of a word or an expression."""
    return WORDS.get(text or "", text or "")


def as_word(cron: str) -> str:
    """Give the word for an expression; the expression where there is none."""
    return next((word for word, meant in WORDS.items() if meant == cron), cron)


def moment(value: object) -> object:
    """Give a time as a browser writes it, from text, or from what YAML makes of a date; of anything else itself."""
    try:
        found = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if isinstance(found, dt.date) and not isinstance(found, dt.datetime):
        found = dt.datetime.combine(found, dt.time())
    if not isinstance(found, dt.datetime):
        return value
    found = found.replace(tzinfo=found.tzinfo or dt.UTC).astimezone(dt.UTC)
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(value: object) -> object:
    text = moment(value)
    if not isinstance(text, str) or not re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{3}Z", text):
        raise ValueError("write a day as 2027-01-31, or a time as 2027-01-31T08:00:00Z")
    return text


#: A day or a time; without a zone it is UTC.
Day = Annotated[str, BeforeValidator(_moment), WithJsonSchema({"type": "string"})]
