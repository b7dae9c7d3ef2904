"""What is copied together: critical ones first, then small before large, a project in one wave wherever it fits.

waves, warnings = in_waves(moves, Limit(bytes=500 << 30), first=["payments/*"])
"""

import fnmatch
from collections.abc import Iterator, Sequence

from slipway.harbor.migrate.model import Move, Wave
from slipway.harbor.migrate.units import Limit, counted, size


def in_waves(moves: Sequence[Move], limit: Limit, *, first: Sequence[str] = ()) -> tuple[Sequence[Wave], Sequence[str]]:
    """Pack everything into waves, and say what did not fit into one.

    Args:
        first: patterns of the source's names that go before all others.
    """
    warnings: list[str] = []
    groups = sorted(_groups(moves, limit, warnings), key=lambda group: _rank(group, first))
    packed: list[list[Move]] = []
    critical = False
    for group in groups:
        own = _rank(group, first)[0] == 0
        # What is critical has waves of its own, so that it is done and checked before all else begins.
        if packed and own == critical and _fits([*packed[-1], *group], limit):
            packed[-1].extend(group)
        else:
            packed.append(list(group))
        critical = own
    return [Wave(number=number, moves=each) for number, each in enumerate(packed, start=1)], warnings


def _groups(moves: Sequence[Move], limit: Limit, warnings: list[str]) -> Iterator[list[Move]]:
    """Give what stays together: a project, or each repository of one that is larger than a wave."""
    projects: dict[str, list[Move]] = {}
    for move in sorted(moves, key=lambda move: (move.bytes, move.source.name)):
        projects.setdefault(move.target.project, []).append(move)
    for project, own in projects.items():
        if _fits(own, limit):
            yield own
            continue
        if len(own) > 1:
            total = f"{counted(len(own), 'repository', 'repositories')}, {size(sum(move.bytes for move in own))}"
            warnings.append(f"project {project} ({total}) is larger than a wave ({limit}) and is split")
        for move in own:
            if not _fits([move], limit):
                text = f"{move.source.name} ({size(move.bytes)}) is larger than a wave ({limit}) and has its own"
                warnings.append(text)
            yield [move]


def _rank(group: Sequence[Move], first: Sequence[str]) -> tuple[int, int, str]:
    critical = any(fnmatch.fnmatchcase(move.source.name, pattern) for move in group for pattern in first)
    return (0 if critical else 1, sum(move.bytes for move in group), group[0].source.name)


def _fits(moves: Sequence[Move], limit: Limit) -> bool:
    if limit.repositories is not None:
        return len(moves) <= limit.repositories
    return sum(move.bytes for move in moves) <= (limit.bytes or 0)
