"""What a resource type takes and gives, read from the installed SDK's own classes.

    schema_of("aws:rds/instance:Instance").required

The SDK is generated from the provider's schema, so it knows every property with its type; what it does not say is
which change needs a replacement, and what the provider computes.
"""

import difflib
import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from pulumi._types import input_type_py_to_pulumi_names, input_type_types, resource_types

PACKAGES = {"aws": "pulumi_aws", "random": "pulumi_random", "tls": "pulumi_tls"}


class UnknownTypeError(Exception):
    """No class of the SDK has this type token."""


@dataclass(frozen=True, kw_only=True)
class Schema:
    """Properties of one resource type, by their wire names (camelCase) with their Python types."""

    inputs: Mapping[str, Any]
    required: frozenset[str]
    outputs: Mapping[str, Any]


@cache
def schema_of(token: str) -> Schema:
    """Give the schema of a type token such as ``aws:rds/instance:Instance``.

    Raises:
        UnknownTypeError: the SDK has no such type; the message names the nearest.
    """
    try:
        package, location, name = token.split(":")
        known = PACKAGES[package]
    except (ValueError, KeyError):
        raise UnknownTypeError(f"{token} is no type of {', '.join(PACKAGES)}") from None
    folder = location.partition("/")[0]
    module = _module(known if folder == "index" else f"{known}.{folder}")
    resource = getattr(module, name, None)
    # A token's file is part of its identity, though no Python name depends on it.
    if resource is None or resource.pulumi_type != token:
        raise UnknownTypeError(f"{token} is no type of {known}{did_you_mean(token, _tokens(module))}")
    generated = importlib.import_module(resource.__module__)
    # Where a nested type has the name …Args already, the resource's own arguments are …InitArgs.
    arguments = getattr(generated, f"{name}InitArgs", None) or getattr(generated, f"{name}Args")
    return Schema(
        inputs=input_type_types(arguments),
        required=required_properties(arguments),
        outputs=resource_types(resource),
    )


def required_properties(arguments: type) -> frozenset[str]:
    """Give the wire names of an input class that have no default."""
    names = input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments.__init__).parameters
    return frozenset(
        names.get(name, name)
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty and name not in {"__self__", "self"}
    )


def takes(token: str, key: str) -> bool:
    """Tell whether a resource type has the input property `key`."""
    return key in schema_of(token).inputs


def did_you_mean(name: str, known: Any) -> str:  # noqa: ANN401  # any iterable of names
    """Give ``; did you mean 'x'?`` where something is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _module(name: str) -> ModuleType | None:
    """Import a package's folder; it loads lazily, so its attributes are looked up in it and never in its files."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def _tokens(module: ModuleType | None) -> list[str]:
    return [item.pulumi_type for item in vars(module).values() if hasattr(item, "pulumi_type")] if module else []
