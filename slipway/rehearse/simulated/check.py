"""Refuse what the SDK's classes do not have: unknown properties, missing ones, values of another type.

Values are plain JSON as `wire.plain` gives them; what is not known yet has every type.
"""

import collections.abc
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from pulumi._types import input_type_types, is_input_type

from slipway.rehearse.simulated.schema import UnknownTypeError, did_you_mean, required_properties, schema_of
from slipway.rehearse.simulated.wire import is_unknown

Failure = tuple[str, str]


def failures(token: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """Give all that is wrong with a resource's inputs: (property, reason) of each problem."""
    try:
        schema = schema_of(token)
    except UnknownTypeError as error:
        return [("", str(error))]
    return list(_object(schema.inputs, schema.required, inputs, ""))


def _object(
    known: Mapping[str, Any], required: frozenset[str], values: Mapping[str, Any], at: str
) -> Iterator[Failure]:
    for key in sorted(required - values.keys()):
        yield f"{at}{key}", "is required"
    for key, value in values.items():
        if key in known:
            yield from _value(known[key], value, f"{at}{key}")
        elif not key.startswith("__"):
            yield f"{at}{key}", f"is no property of this type{did_you_mean(key, known)}"


def _value(wanted: Any, value: Any, at: str) -> Iterator[Failure]:  # noqa: ANN401  # a type annotation and JSON
    if value is None or is_unknown(value):
        return
    origin = typing.get_origin(wanted)
    if origin in {typing.Union, types.UnionType}:
        yield from _union(typing.get_args(wanted), value, at)
    elif origin in {list, collections.abc.Sequence}:
        if not isinstance(value, list):
            yield at, f"must be a list, got {value!r}"
            return
        for index, item in enumerate(value):
            yield from _value(typing.get_args(wanted)[0], item, f"{at}[{index}]")
    elif origin in {dict, collections.abc.Mapping}:
        if not isinstance(value, dict):
            yield at, f"must be a map, got {value!r}"
            return
        for key, item in value.items():
            yield from _value(typing.get_args(wanted)[1], item, f"{at}.{key}")
    elif isinstance(wanted, type):
        yield from _class(wanted, value, at)


def _class(wanted: type, value: Any, at: str) -> Iterator[Failure]:  # noqa: ANN401
    if is_input_type(wanted):
        if isinstance(value, dict):
            yield from _object(input_type_types(wanted), required_properties(wanted), value, f"{at}.")
        else:
            yield at, f"must be an object, got {value!r}"
    elif reason := _primitive(wanted, value):
        yield at, reason


def _primitive(wanted: type, value: Any) -> str:  # noqa: ANN401
    # The wire has no integers, and the real providers take "true" and "5" where they want a boolean or a number.
    if issubclass(wanted, Enum | str):
        good, name = isinstance(value, str), "a string"
    elif wanted is bool:
        good, name = isinstance(value, bool) or value in {"true", "false"}, "a boolean"
    elif wanted is int:
        good = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
        good, name = good or (isinstance(value, str) and value.lstrip("-").isdigit()), "a whole number"
    elif wanted is float:
        good, name = isinstance(value, int | float) and not isinstance(value, bool), "a number"
    else:
        return ""
    return "" if good else f"must be {name}, got {value!r}"


def _union(members: tuple[Any, ...], value: Any, at: str) -> Iterator[Failure]:  # noqa: ANN401
    """Pass where any member does; else report the first member's reasons. Awaitables and Outputs never arrive here."""
    reasons = [
        list(_value(member, value, at))
        for member in members
        if typing.get_origin(member) is not collections.abc.Awaitable and not _is_output(member)
    ]
    if reasons and all(reasons):
        yield from reasons[0]


def _is_output(member: Any) -> bool:  # noqa: ANN401
    return getattr(typing.get_origin(member), "__name__", "") == "Output"
