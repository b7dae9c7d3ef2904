"""What all models of Harbor's API share: unknown fields are kept, nothing is changed in place, secrets never show.

class Robot(Model):
    secret: Secret | None = None      # repr: **********; only `wire` has the value
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, SecretStr, SerializationInfo

#: The context in which secrets are written out: the body of a request, nothing else.
_WIRE = object()
MASK = "**********"


def _write(value: SecretStr, info: SerializationInfo) -> str:
    return value.get_secret_value() if info.context is _WIRE else MASK


#: A secret of a request or an answer.
Secret = Annotated[SecretStr, PlainSerializer(_write, return_type=str)]


#: For lists in answers: Harbor writes an empty one as null where it never had a row.
NULL_IS_EMPTY = BeforeValidator(lambda value: [] if value is None else value)


class Model(BaseModel):
    """One object of the API, named as the API names it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="allow", frozen=True, validate_by_name=True, validate_by_alias=True, defer_build=True
    )

    def wire(self) -> bytes:
        """Give the JSON that goes to Harbor: what is None stays out, secrets are in."""
        return self.model_dump_json(by_alias=True, exclude_none=True, context=_WIRE).encode()

    def secrets(self) -> Iterator[str]:
        """Give every secret in the object, so that it can be blotted out of messages."""
        for name in type(self).model_fields:
            yield from _secrets(getattr(self, name))


def _secrets(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case Model():
            yield from value.secrets()
        case list() | tuple():
            for each in value:
                yield from _secrets(each)
        case dict():
            yield from _secrets(list(value.values()))
