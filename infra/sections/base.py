"""What every section is made of: the strict model, a refusal with its fix, and the checks that several share."""

import re
from ipaddress import IPv4Network

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from values.errors import Refused

_LABEL = re.compile(r"^(?!-)[a-z0-9-]{1,63}(?<!-)$")


class Setting(BaseModel):
    """Frozen, strict about names, camelCase in the stack file; the text below a field is its description everywhere."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        defer_build=True,  # on first use: a nested model's own schema is never needed, and start-up pays for each
    )


def domain_name(value: str) -> str:
    """Give the value back if it is a fully qualified domain name in lower case.

    Raises:
        Refused: it is not.
    """
    labels = value.split(".")
    if len(value) > 253 or len(labels) < 2 or not all(_LABEL.match(label) for label in labels) or labels[-1].isdigit():
        raise Refused("is not a domain name", "use lower-case labels joined by dots, like harbor.example.com")
    return value


def ipv4_network(value: str) -> str:
    """Give an IPv4 network in its canonical CIDR notation.

    Raises:
        Refused: it is none, or has host bits set.
    """
    try:
        network = IPv4Network(value)
    except ValueError as error:
        raise Refused(f"is not an IPv4 network in CIDR notation ({error})", "use something like 10.0.0.0/16") from error
    return str(network)
