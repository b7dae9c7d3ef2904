"""Whether what is at the source is here too: digests by tag, with what was planned as the third witness.

rows, good = compare(move, now={"v1": "sha256:a…"}, there={"v1": "sha256:b…"})     # one row: different
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from slipway.harbor.client import HarborClient
from slipway.harbor.kinds.parts import all_good
from slipway.harbor.migrate.model import Migration, Move, Wave
from slipway.harbor.migrate.target import references

#: What cosign names a signature by; Harbor shows such a one beside its image and in no list of tags.
_ATTACHED = re.compile(r"^sha256-[0-9a-f]{64}(\.[a-z]+)?$")
MISSING, DIFFERENT, NEWER, EXTRA, GONE = "missing", "different", "newer", "extra", "gone"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One reference that is not the same on both sides.

    Attributes:
        state: missing or different here; newer: it came or moved at the source after the plan; extra: it is only
            here; gone: the repository is at the source no more.
        expected: digest at the source; `found` the one here.
    """

    wave: int
    source: str
    target: str
    reference: str
    state: str
    expected: str = ""
    found: str = ""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check found.

    Attributes:
        good: references that are the same.
        new: repositories at the source that the plan does not know.
    """

    good: int
    rows: Sequence[Row]
    new: Sequence[str] = ()

    @property
    def differs(self) -> bool:
        """Whether something is not as at the source."""
        return bool(self.rows or self.new)

    def count(self, state: str) -> int:
        """How many rows are in a state."""
        return sum(row.state == state for row in self.rows)


def compare(
    move: Move, *, wave: int, now: Mapping[str, str] | None, there: Mapping[str, str] | None
) -> tuple[Sequence[Row], int]:
    """Compare one repository; gives what differs, and how many references do not.

    Args:
        now: of the source as it is; None where it is there no more.
        there: tags and digests here.
    """
    row = partial(Row, wave=wave, source=move.source.name, target=move.target.name)
    if now is None:
        return [row(reference="", state=GONE)], 0
    here, rows = there or {}, []
    for reference, digest in sorted(now.items()):
        found = here.get(reference, "")
        if not found and _ATTACHED.match(reference) and digest in here:
            found = digest
        if found != digest:
            same = move.source.references.get(reference) == digest
            state = (DIFFERENT if found else MISSING) if same else NEWER
            rows.append(row(reference=reference, state=state, expected=digest, found=found))
    good = len(now) - len(rows)
    rows += [
        row(reference=reference, state=EXTRA, found=digest)
        for reference, digest in sorted(here.items())
        if reference not in now and not reference.startswith("sha256:")
    ]
    return rows, good


def known_of(migration: Migration, number: int | None) -> Iterator[tuple[Wave, Move]]:
    """Give the moves of a wave, or of all."""
    for wave in migration.waves:
        if number in {None, wave.number}:
            yield from ((wave, move) for move in wave.moves)


async def check(
    harbor: HarborClient,
    moves: Sequence[tuple[Wave, Move]],
    now: Mapping[str, Mapping[str, str]],
    *,
    new: Sequence[str] = (),
) -> Checked:
    """Read the target, and compare.

    Args:
        now: the source's references by repository, as they are.
        new: repositories that the plan does not know.
    """
    async with harbor.proven():
        read = await harbor.each(
            lambda move=move: references(harbor, move.target.project, move.target.repository) for _, move in moves
        )
        there = all_good(read)
    rows, good = [], 0
    for (wave, move), here in zip(moves, there, strict=True):
        different, same = compare(move, wave=wave.number, now=now.get(move.source.name), there=here)
        rows += different
        good += same
    return Checked(good=good, rows=rows, new=new)
