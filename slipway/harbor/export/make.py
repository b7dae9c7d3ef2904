"""From what was read to the data of a file that declares exactly that.

draft = make(world, robot_secrets=None)

The kinds write a draft; it is read as a harbor.yaml is, and what comes of it is compared with what there is. A field
that the file cannot say, or would say otherwise, is taken from its object, and a draft is written without it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from infra.yaml_file import Location
from slipway.harbor.kinds.base import Object, Ref, World
from slipway.harbor.kinds.draft import Draft
from slipway.harbor.kinds.order import KINDS
from slipway.harbor.plan.want import Wanted
from slipway.harbor.spec import HarborSpec
from slipway.harbor.spec.checks import contradictions
from slipway.harbor.spec.robots import PlaceSpec

#: Object → field → why the file cannot say it. Under the empty field: the object as a whole.
_Wrong = Mapping[Ref, Mapping[str, str]]


def make(world: World, *, robot_secrets: PlaceSpec | None = None, only: Collection[str] = ()) -> Draft:
    """Write all that is there into a draft.

    Args:
        robot_secrets: where secrets of robots are to be kept.
        only: projects; these and what is in them. All there is where none is named.
    """
    left: list[tuple[Ref, str]] = []
    missing: list[Location] = []
    while True:
        draft = _written(world, robot_secrets, only)
        wrong = _wrong(draft)
        if not wrong:
            break
        places = {ref: at for at, ref in draft.owners.items()}
        for ref, fields in wrong.items():
            left += [(ref, f"{name}: {why}" if name else why) for name, why in fields.items()]
            missing += [(*places[ref], *filter(None, name.split("."))) for name in fields if ref in places]
        world = World(_without(world, wrong))
    draft.left = [*left, *draft.left]
    for at in missing:
        draft.miss(at)
    return draft


def _written(world: World, robot_secrets: PlaceSpec | None, only: Collection[str]) -> Draft:
    draft = Draft(world=world, robot_secrets=robot_secrets)
    by_kind: dict[str, list[Object]] = defaultdict(list)
    for each in sorted(world, key=lambda each: each.key):
        if not only or each.parent in only or (each.kind == "project" and each.key in only):
            by_kind[each.kind].append(each)
    for name, kind in KINDS.items():
        kind.declare(by_kind[name], draft)
    return draft


def _without(world: World, wrong: _Wrong) -> Iterator[Object]:
    for each in world:
        names = wrong.get(each.ref, {})
        if "" not in names:
            fields = {name: value for name, value in each.fields.items() if name not in names}
            yield replace(each, fields=fields) if names else each


# --- what the file cannot say


def _wrong(draft: Draft) -> _Wrong:
    try:
        spec = HarborSpec.model_validate(draft.data)
    except ValidationError as error:
        return _collected(draft, (_refused(draft, each) for each in error.errors(include_url=False)))
    return _collected(draft, _against_itself(draft, spec)) or _collected(draft, _otherwise(draft, Wanted.of(spec)))


def _refused(draft: Draft, error: ErrorDetails) -> tuple[Ref, str, str]:
    """Give whose field it is that a model refuses."""
    at = tuple(part for part in error["loc"] if part != "[key]")
    ends = range(len(at), 0, -1)
    owner = next((at[:end] for end in ends if at[:end] in draft.owners), None)
    why = error["msg"].removeprefix("Value error, ")
    if owner is None:
        raise RuntimeError(f"nobody wrote {'.'.join(map(str, at))}, which harbor.yaml refuses: {why}")
    return draft.owners[owner], ".".join(map(str, at[len(owner) :])), f"harbor.yaml cannot say it ({why})"


def _against_itself(draft: Draft, spec: HarborSpec) -> Iterator[tuple[Ref, str, str]]:
    """Find things that the file may each say, and not together."""
    for place, why in contradictions(spec):
        at = place if isinstance(place, tuple) else ("projects", place)
        yield draft.owners[at], "", f"harbor.yaml cannot say it ({why})"


def _otherwise(draft: Draft, wanted: Wanted) -> Iterator[tuple[Ref, str, str]]:
    """Find fields that the file would declare as something else than they are."""
    for each in wanted:
        there = draft.world.get(*each.ref)
        if there is None:
            raise RuntimeError(f"{each.ref} was written, and was not read")
        for name, value in each.fields.items():
            if there.fields.get(name) != value:
                yield each.ref, name, "Harbor keeps it in a way that harbor.yaml cannot say"


def _collected(draft: Draft, found: Iterable[tuple[Ref, str, str]]) -> _Wrong:
    """Give the fields by their object; an object as a whole where no field can be taken from it."""
    wrong: dict[Ref, dict[str, str]] = defaultdict(dict)
    for ref, path, why in found:
        there = draft.world.get(*ref)
        names = _fields_at(there, path) if there else []
        wrong[ref] |= dict.fromkeys(names or [""], why)
    return wrong


def _fields_at(there: Object, path: str) -> list[str]:
    """Give an object's fields for a key of the file: of that name, below it, or what it is a part of."""
    if path in there.fields:
        return [path]
    first = path.partition(".")[0]
    return [name for name in there.fields if path and (name == first or name.startswith(f"{first}."))]
