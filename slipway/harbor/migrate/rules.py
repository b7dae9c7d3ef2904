"""A wave as replication rules: as few as Harbor takes, each naming its repositories one by one.

A pattern has its {a,b} only in the last part of the path: then Harbor asks for these repositories, and for no
catalogue of the whole registry. It keeps the filters of a rule in 1,024 characters, so long ones are several.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from slipway.harbor.migrate.model import Move, Rule, Wave

_LONGEST = 900  # of a pattern; the rest is what Harbor writes around it
_NAME = 200


def with_rules(waves: Sequence[Wave]) -> Sequence[Wave]:
    """Give the waves with their rules; names tell the wave, and never come twice."""
    return [replace(wave, rules=list(_rules(wave))) for wave in waves]


def _rules(wave: Wave) -> Iterator[Rule]:
    groups: dict[tuple[str, str, int], list[Move]] = {}
    for move in wave.moves:
        parent = move.source.name.rpartition("/")[0]
        groups.setdefault((parent, move.target.namespace, move.target.count), []).append(move)
    taken: set[str] = set()
    for (parent, namespace, count), moves in sorted(groups.items()):
        for chunk in _chunks(parent, sorted(moves, key=lambda move: move.source.name)):
            base = f"migrate-w{wave.number:02}-{(parent or namespace).replace('/', '-')[:_NAME]}"
            yield Rule(
                name=_free(base, taken),
                pattern=_pattern(parent, [_last(move) for move in chunk]),
                namespace=namespace,
                count=count,
                artifacts=sum(move.source.artifacts for move in chunk),
            )


def _chunks(parent: str, moves: Sequence[Move]) -> Iterator[Sequence[Move]]:
    chunk, length = [], len(parent) + 3
    for move in moves:
        own = len(_last(move)) + 1
        if chunk and length + own > _LONGEST:
            yield chunk
            chunk, length = [], len(parent) + 3
        chunk.append(move)
        length += own
    yield chunk


def _last(move: Move) -> str:
    return move.source.name.rpartition("/")[2]


def _pattern(parent: str, names: Sequence[str]) -> str:
    last = names[0] if len(names) == 1 else f"{{{','.join(names)}}}"
    return f"{parent}/{last}" if parent else last


def _free(base: str, taken: set[str]) -> str:
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return name
