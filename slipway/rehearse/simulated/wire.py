"""Values as they travel between engine and provider: JSON with marks for secrets and for what is not known yet."""

from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct  # ty: ignore[missing-module-member]
from pulumi.runtime import rpc

#: A string that stands for a value which only `up` will know.
UNKNOWN = rpc.UNKNOWN
_SIGNATURE = rpc._special_sig_key  # noqa: SLF001  # the protocol's constants; the SDK has no public name for them
_SECRET = rpc._special_secret_sig  # noqa: SLF001


def unpack(struct: Struct) -> dict[str, Any]:
    """Give a message's content as it is, marks included."""
    return MessageToDict(struct)


def pack(values: dict[str, Any]) -> Struct:
    """Give a message with this content."""
    return ParseDict(values, Struct())


def is_unknown(value: Any) -> bool:  # noqa: ANN401  # JSON
    """Tell whether a value will only be known in `up`."""
    return isinstance(value, str) and value == UNKNOWN


def secret(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Mark a value as secret."""
    return {_SIGNATURE: _SECRET, "value": value}


def plain(value: Any) -> Any:  # noqa: ANN401
    """Give a value without secret marks."""
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return plain(value["value"])
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
