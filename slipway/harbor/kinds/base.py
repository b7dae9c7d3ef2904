"""What the engine handles: an Object of a Kind, and what a kind has to know about it. See the package's docstring."""

import asyncio
import contextlib
import hashlib
import json
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pydantic import SecretStr

from infra.errors import NothingThere, Problem
from infra.yaml_file import Location
from slipway.harbor.client import HarborClient
from slipway.harbor.spec import HarborSpec, SecretRef

if TYPE_CHECKING:
    from slipway.harbor.kinds.draft import Draft

#: A field's value where Harbor has none, or does not show it.
MISSING = None
_JSON = json.JSONEncoder(sort_keys=True, default=str).encode
#: For all objects that have none; one each would be the larger part of a hundred thousand objects.
_NONE: Mapping[str, Any] = MappingProxyType({})


def none() -> Mapping[str, Any]:
    """Give what all that have none share."""
    return _NONE


class Ref(NamedTuple):
    """What an object is called: its kind, and its natural key in it."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Object:
    """One thing inside Harbor, as it is wanted or as it is.

    Attributes:
        kind, key: its name for the engine and for people: ``member``, ``payments/user/alice``.
        fields: plain data, normalised so that equal means equal. Of what is wanted only what is managed.
        parent: the project that it is in; empty for what belongs to the system.
        part: of the parent, where it has several lists of the kind, such as ``user``.
        id: Harbor's own; empty of what is wanted.
        secrets: field → where its value is. Never compared with Harbor, which shows no secret.
        seed: what only making it needs; never compared.
        needs: what must be there first, in the file or in Harbor.
        after: what must be done first if it is in the file.
        at: where it stands in the file.
        adopt: overrides policy.adopt; empty for no.
        protect: never to be deleted.
        keep: overrides policy.project_deletion; empty for no.
        guard: of what is: why it is never deleted, such as "built in"; empty if it may be.
        content: of what is: what would be lost with it, such as "12 repositories".
        locked: of what is: field → why nobody can change it now.
        owner: of a project that is: whose membership is never taken.
        made: secrets that we make ourselves → where we store them. They are made with it, and once more if that was
            interrupted, or if they are to be stored elsewhere.
        warning: what somebody should know of it, though it stands in nobody's way.
        free: of what is: Harbor made it by itself, so that taking it needs no consent.
        links: of what is: ids of what hangs on it, such as a project's retention policy.
        shown: of what is: secrets that Harbor reads back in clear.
        noted: fields that Harbor does not show → as set, which only the ledger knows afterwards.
    """

    kind: str
    key: str
    fields: Mapping[str, Any]
    parent: str = ""
    part: str = ""
    id: str = ""
    secrets: Mapping[str, SecretRef] = field(default_factory=none)
    seed: Mapping[str, Any] = field(default_factory=none)
    needs: tuple[Ref, ...] = ()
    after: tuple[Ref, ...] = ()
    at: Location = ()
    adopt: str = ""
    protect: bool = False
    keep: str = ""
    guard: str = ""
    content: str = ""
    locked: Mapping[str, str] = field(default_factory=none)
    owner: str = ""
    made: Mapping[str, str] = field(default_factory=none)
    warning: str = ""
    free: bool = False
    links: Mapping[str, str] = field(default_factory=none)
    shown: Mapping[str, SecretStr] = field(default_factory=none, repr=False)
    noted: Mapping[str, str] = field(default_factory=none)

    @property
    def list(self) -> str:
        """Name of the list that it stands in: the parent's, or a part of it."""
        return f"{self.parent}/{self.part}" if self.part else self.parent

    @property
    def ref(self) -> Ref:
        """What it is called."""
        return Ref(self.kind, self.key)

    @property
    def number(self) -> int:
        """Harbor's id, where it is a number."""
        return int(self.id)

    def digest(self) -> str:
        """Give what tells whether it changed. Harbor has no ETags, and its times do not move with every change."""
        return hashlib.sha256(_JSON([self.id, self.fields]).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Desired:
    """What the file says of one kind.

    Attributes:
        objects: all that is declared.
        lists: lists of these that are declared (named by the project, as in `Object.list`; empty for the system's)
            → whether declared empty, which of a project's means: empty it, whoever made what is there. What is ours
            in a list that is not declared (any more) is left alone.
    """

    objects: list[Object]
    lists: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What to read of one kind; nothing else need be given.

    Attributes:
        keys: declared, owned, or referred to.
        parents: projects whose list is declared, or in which we own something.
        wanted: what is declared, for kinds that read some fields only where somebody cares.
        everything: for the export: all there is, with all its fields; `parents` then holds every project, and `keys`
            the projects if not all of them are wanted.
        again: it is read around a write, so that what the world holds of it may have moved.
    """

    keys: frozenset[str] = frozenset()
    parents: frozenset[str] = frozenset()
    wanted: Mapping[str, Object] = field(default_factory=dict)
    everything: bool = False
    again: bool = False

    def cares(self, key: str, name: str) -> bool:
        """Tell whether a field of an object is to be read, where that costs a request."""
        return self.everything or (key in self.wanted and name in self.wanted[key].fields)


class World:
    """What is known to be in Harbor; the engine keeps it up to date while it writes.

    Attributes:
        unread: kinds that the sender, a robot, may not read; nothing is said of them.
    """

    def __init__(self, present: Iterable[Object] = ()) -> None:
        self.unread: set[str] = set()
        self._met: set[str] = set()
        self._meeting: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._objects = {each.ref: each for each in present}

    def get(self, kind: str, key: str) -> Object | None:
        """Give an object; None if it is not there, or was not read."""
        return self._objects.get(Ref(kind, key))

    def id(self, kind: str, key: str) -> str:
        """Give Harbor's id of something.

        Raises:
            NothingThere: it is not there.
        """
        found = self._objects.get(Ref(kind, key))
        if found is None:
            raise NothingThere(Problem(where="Harbor", what=f"there is no {kind} {key}", fix="declare it, or make it"))
        return found.id

    def number(self, kind: str, key: str) -> int:
        """Give Harbor's id of something, where it is a number."""
        return int(self.id(kind, key))

    @contextlib.asynccontextmanager
    async def first(self, who: str) -> AsyncGenerator[None]:
        """Let those of one name go one after the other, until one of them was successful."""
        if who in self._met:
            yield
            return
        async with self._meeting[who]:
            yield
            self._met.add(who)

    def of(self, kind: str) -> Iterator[Object]:
        """Give all objects of a kind."""
        return (each for each in self._objects.values() if each.kind == kind)

    def put(self, *objects: Object) -> None:
        """Note what is there now."""
        self._objects.update({each.ref: each for each in objects})

    def drop(self, ref: Ref) -> None:
        """Note that something is gone."""
        self._objects.pop(ref, None)

    def __iter__(self) -> Iterator[Object]:
        return iter(self._objects.values())


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a write works with.

    Attributes:
        secrets: object → field → its value.
        delete_content: projects that may be deleted with all that is in them.
        folder: of harbor.yaml, which paths in it are relative to.
    """

    harbor: HarborClient
    world: World
    secrets: Mapping[Ref, Mapping[str, SecretStr]] = field(default_factory=dict)
    delete_content: Collection[str] = ()
    folder: Path = Path()

    def secret(self, wanted: Object, name: str) -> SecretStr | None:
        """Give the value of a secret field; None where the file names none."""
        return self.secrets.get(wanted.ref, {}).get(name)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A change to make.

    Attributes:
        wanted, present: what it is to be, and what it is.
        fields: names of the fields that differ, of secrets too.
    """

    wanted: Object
    present: Object
    fields: frozenset[str]

    def value(self, name: str) -> Any:  # noqa: ANN401  # any field
        """Give a field as it is to be: as wanted if it is managed, else as it is."""
        return self.wanted.fields.get(name, self.present.fields.get(name))


class Kind(ABC):
    """One kind of object.

    Attributes:
        name: of the kind, as people read it in a plan.
        fixed: fields that can only be set when it is made.
        required: fields, secrets and seeds without which none can be made.
        singleton: there is always exactly one, so nothing is made, adopted, owned or deleted.
        closing: it ends all writing, so it is done when everything else is, and only then.
        one_by_one: never several at the same time, since Harbor looks at the others while it makes one.
        named_by: kinds whose ids it is read by; where those may not be read, nothing is known of it either.
    """

    name: ClassVar[str]
    fixed: ClassVar[frozenset[str]] = frozenset()
    required: ClassVar[frozenset[str]] = frozenset()
    singleton: ClassVar[bool] = False
    closing: ClassVar[bool] = False
    one_by_one: ClassVar[bool] = False
    named_by: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def desired(self, spec: HarborSpec) -> Desired:
        """Give what the file declares. Pure."""

    @abstractmethod
    async def read(self, harbor: HarborClient, scope: Scope, world: World) -> list[Object]:
        """Read what is there, with few requests. What this one is in ORDER before is in `world`."""

    def declare(self, present: Sequence[Object], draft: "Draft") -> None:
        """Write what is there into a draft of the file: the inverse of `desired`, which then gives the same. Pure."""
        raise NotImplementedError(f"{self.name} cannot be exported")

    async def create(self, site: Site, wanted: Object) -> str:
        """Make it, and give Harbor's id."""
        raise NotImplementedError(f"{self.name} cannot be made: {wanted.key}")

    async def update(self, site: Site, edit: Edit) -> str | None:
        """Change it; gives Harbor's id if it is another one now."""
        raise NotImplementedError(f"{self.name} cannot be changed: {edit.wanted.key}")

    async def delete(self, site: Site, present: Object) -> None:
        """Delete it. The client makes a success of one that is gone after a lost answer."""
        raise NotImplementedError(f"{self.name} cannot be deleted: {present.key}")
