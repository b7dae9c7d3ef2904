"""Preheating: instances of peer-to-peer networks, and which artifacts of a project are sent to them.

PreheatInstance(name="dfly", vendor="dragonfly", endpoint="https://dragonfly.example.com", auth_mode="NONE")
"""

from slipway.harbor.client.models.base import Model, Secret


class PreheatInstance(Model):
    """A network. A change replaces all of it, and goes to the one whose `id` it has.

    `auth_info` is never read back: of BASIC the user and the password as key and value, of CUSTOM the header's.
    """

    id: int | None = None
    name: str
    description: str = ""
    vendor: str
    endpoint: str
    auth_mode: str = ""
    auth_info: dict[str, Secret] | None = None
    enabled: bool = False
    default: bool = False
    insecure: bool = False


class PreheatPolicy(Model):
    """A policy; filters, trigger and what a vendor alone knows are JSON in strings. A change replaces all of it."""

    id: int | None = None
    name: str
    description: str = ""
    project_id: int | None = None
    provider_id: int
    provider_name: str | None = None
    filters: str = ""
    trigger: str = ""
    enabled: bool = False
    extra_attrs: str | None = None
