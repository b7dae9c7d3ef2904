"""The ledger: what inside a Harbor is ours. Projects can carry no mark, so it stands beside Harbor.

ledger.owns(Ref("project", "payments"), id="12")

An entry is written before its object is made, as an intent, and completed afterwards: a run that is killed between
leaves an object that the next run knows as its own. Name and id count: a project that somebody deleted and made again
is not ours.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from slipway.harbor.kinds.base import Object, Ref, none

FORMAT = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One object of ours.

    Attributes:
        id: Harbor's; empty while it is an intent.
        parent: the project that it is in.
        protect, keep: what the file said of its deletion when it was still in there.
        secrets: field → fingerprint of the value that was set; of one that we made ourselves, where it is stored.
    """

    id: str = ""
    parent: str = ""
    protect: bool = False
    keep: str = ""
    secrets: Mapping[str, str] = field(default_factory=none)

    @property
    def intent(self) -> bool:
        """Whether it may or may not have been made."""
        return not self.id


@dataclass(kw_only=True)
class Ledger:
    """All entries of one instance.

    Attributes:
        instance: whose; two environments that share a place by mistake are told apart by it.
        salt: of the fingerprints.
        serial: how often it was written.
    """

    instance: str
    salt: str = field(default_factory=lambda: secrets.token_hex(16))
    serial: int = 0
    entries: dict[Ref, Entry] = field(default_factory=dict)

    def owns(self, present: Object) -> bool:
        """Tell whether what is there is ours."""
        entry = self.entries.get(present.ref)
        return entry is not None and (entry.intent or entry.id == present.id)

    def owned(self, kind: str) -> Iterator[tuple[str, str]]:
        """Give key and parent of each entry of a kind."""
        for ref, entry in self.entries.items():
            if ref.kind == kind:
                yield ref.key, entry.parent
            elif kind == "project" and entry.parent:
                yield entry.parent, ""  # to be found, for what of ours is in it

    # --- writing

    def intend(self, wanted: Iterable[Object]) -> None:
        """Note what is about to be made."""
        for each in wanted:
            self.entries[each.ref] = Entry(parent=each.parent, protect=each.protect, keep=each.keep)

    def own(self, wanted: Object, id: str, fingerprints: Mapping[str, str]) -> bool:  # noqa: A002  # Harbor's word
        """Note what is ours; gives whether that is news."""
        before = self.entries.get(wanted.ref)
        known = {**before.secrets, **fingerprints} if before else dict(fingerprints)
        after = Entry(id=id, parent=wanted.parent, protect=wanted.protect, keep=wanted.keep, secrets=known or none())
        self.entries[wanted.ref] = after
        return after != before

    def forget(self, ref: Ref) -> None:
        """Note that something is no longer ours, and with a project what is in it."""
        self.entries.pop(ref, None)
        if ref.kind == "project":
            for each in [each for each, entry in self.entries.items() if entry.parent == ref.key]:
                del self.entries[each]

    def fingerprint(self, value: str) -> str:
        """Give what tells whether a secret is still the same, and nothing else of it."""
        return _fingerprint(value, self.salt)

    # --- as text

    def to_text(self) -> Iterator[str]:
        """Give it as JSON, stably ordered: the head, then a line for each object, so that a diff is one of objects."""
        head = {"format": FORMAT, "instance": self.instance, "serial": self.serial, "salt": self.salt}
        yield json.dumps(head, indent=1).removesuffix("\n}") + ',\n "objects": {'
        comma = ""
        for ref, entry in sorted(self.entries.items()):
            yield f"{comma}\n  {json.dumps(str(ref))}: {json.dumps(_written(entry))}"
            comma = ","
        yield "\n }\n}\n"

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Ledger":
        """Read plain data.

        Raises:
            ValueError, KeyError, TypeError: it is no ledger.
        """
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r}, and this Slipway knows {FORMAT}")
        entries = {}
        for name, entry in data["objects"].items():
            kind, _, key = name.partition(" ")
            entries[Ref(kind, key)] = Entry(**entry)
        return cls(instance=data["instance"], serial=data["serial"], salt=data["salt"], entries=entries)

    def copy(self) -> "Ledger":
        """Give one that changes on its own."""
        return replace(self, entries=dict(self.entries))


@lru_cache(maxsize=4096)
def _fingerprint(value: str, salt: str) -> str:
    """Give a slow hash; many objects share one secret, and each would cost ten milliseconds."""
    return hashlib.scrypt(value.encode(), salt=salt.encode(), n=1 << 12, r=8, p=1, dklen=16).hex()


def _written(entry: Entry) -> dict[str, Any]:
    """Give what is not as usual, so that a thousand projects stay readable."""
    return {
        name: dict(value) if name == "secrets" else value for name in Entry.__slots__ if (value := getattr(entry, name))
    }
