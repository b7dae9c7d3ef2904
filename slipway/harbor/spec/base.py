"""What all models of harbor.yaml share: strict, nothing unknown, and a key that is absent is not managed.

spec.storage_quota, "storage_quota" in spec.model_fields_set   # None because of null, or because it is not there
"""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

#: What Harbor takes as a name of a project, and we for all names that stand in paths.
NAME = r"^[a-z0-9]+(?:[._-][a-z0-9]+)*$"
Name = Annotated[str, StringConstraints(pattern=NAME, min_length=1, max_length=255)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=255)]
#: As Harbor keeps the names of groups in LDAP: trimmed, and in small letters.
_IN_LDAP = AfterValidator(lambda text: text.strip().lower())
Lower = Annotated[str, _IN_LDAP]
Dn = Annotated[Text, _IN_LDAP]

_UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
_SIZE = re.compile(r"^(\d+)(Ki|Mi|Gi|Ti)?$")
_WRITTEN = r"^(\d+(Ki|Mi|Gi|Ti)?|unlimited)$"
MOST_BYTES = 1024 << 40


class Spec(BaseModel):
    """One mapping of harbor.yaml."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", strict=True, frozen=True, validate_by_name=True, defer_build=True
    )

    def given(self) -> Iterator[tuple[str, Any]]:
        """Give what stands in the file, null included; what is absent is not managed."""
        return ((name, getattr(self, name)) for name in type(self).model_fields if name in self.model_fields_set)

    def has(self, name: str) -> bool:
        """Tell whether a key stands in the file."""
        return name in self.model_fields_set


def refuse_twice(items: Iterable[Any] | None, key: str) -> None:
    """Refuse a list in which two have one name.

    Raises:
        ValueError: naming those.
    """
    names = [getattr(each, key) for each in items or ()]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(map(repr, twice))} stands here twice")


def _bytes(value: object) -> object:
    if value in (-1, "unlimited"):
        return -1
    if isinstance(value, str) and (found := _SIZE.match(value)):
        value = int(found[1]) * _UNITS[found[2] or ""]
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(  # noqa: TRY004  # the one that pydantic reports
            "write a size as 50Gi (Ki, Mi, Gi, Ti), bytes as a number, or unlimited"
        )
    if not 0 < value <= MOST_BYTES:
        raise ValueError("a size is more than nothing and at most 1024Ti; unlimited (-1) is the other way")
    return value


def size_text(size: int) -> int | str:
    """Give bytes as a person writes them; what no unit fits stays a number."""
    if size < 0:
        return "unlimited"
    units = (unit for unit in reversed(_UNITS) if unit and size and size % _UNITS[unit] == 0)
    unit = next(units, "")
    return f"{size // _UNITS[unit]}{unit}" if unit else size


#: Bytes, written 50Gi; -1 or `unlimited` for no limit.
Size = Annotated[
    int,
    BeforeValidator(_bytes),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": -1}, {"type": "string", "pattern": _WRITTEN}]}),
]


class Named(Spec):
    """Something with a life of its own.

    Attributes:
        adopt: for this one, another answer than policy.adopt.
        protect: never delete it, also when it is gone from the file; take the mark away first, and apply.
    """

    adopt: str | None = Field(default=None, pattern="^(never|matching|always)$", description="Overrides policy.adopt.")
    protect: bool = Field(default=False, description="Never delete it, even if it is gone from the file.")
