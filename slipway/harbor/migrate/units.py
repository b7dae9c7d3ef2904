"""Sizes and bandwidths as people write them, and back.

wave_size("500GiB")      # Limit(bytes=536870912000)
bandwidth("1Gbit/s")     # 125000000 bytes a second
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.errors import MigrationError, Problem

_BYTES: Mapping[str, int] = {
    "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}  # fmt: skip
_BITS: Mapping[str, int] = {"bit": 1, "kbit": 10**3, "Mbit": 10**6, "Gbit": 10**9}
_NUMBER = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)(/s)?\s*$")
_REPOSITORIES = re.compile(r"^\s*(\d+)\s*(?:repos|repositories)?\s*$")
_SHOWN = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How large a wave may be; one of the two."""

    bytes: int | None = None
    repositories: int | None = None

    def __str__(self) -> str:
        return f"{self.repositories} repositories" if self.repositories else size(self.bytes or 0)


def bandwidth(text: str) -> int:
    """Give bytes a second.

    Raises:
        MigrationError: it is not written so, or nothing.
    """
    found = _NUMBER.match(text)
    if found and found[3]:
        unit = found[2]
        value = float(found[1]) * _BYTES[unit] if unit in _BYTES else float(found[1]) * _BITS.get(unit, 0) / 8
        if value >= 1:
            return int(value)
    fix = "write 100MiB/s, 80MB/s (bytes), or 1Gbit/s, 200Mbit/s (bits)"
    raise MigrationError(Problem(where="--bandwidth", what=f"{text!r} is no bandwidth", fix=fix))


def wave_size(text: str) -> Limit:
    """Read how large a wave may be: 500GiB, or a number of repositories.

    Raises:
        MigrationError: it is neither, or nothing.
    """
    if (found := _REPOSITORIES.match(text)) and int(found[1]) > 0:
        return Limit(repositories=int(found[1]))
    if (found := _NUMBER.match(text)) and not found[3] and (value := int(float(found[1]) * _BYTES.get(found[2], 0))):
        return Limit(bytes=value)
    fix = "write 500GiB (or MiB, TiB, GB, …), or a number of repositories: 50"
    raise MigrationError(Problem(where="--wave-size", what=f"{text!r} is no size of a wave", fix=fix))


def size(value: float) -> str:
    """Write bytes for people."""
    for one, name in _SHOWN:
        if value >= one:
            return f"{value / one:.1f} {name}"
    return f"{value:.0f} B"


def counted(number: int, one: str, many: str) -> str:
    """Write so many of something."""
    return f"{number} {one if number == 1 else many}"


def duration(hours: float) -> str:
    """Write hours for people; nothing is ever promised to be faster than a minute."""
    if hours < 1 / 60:
        return "< 1 min"
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"
