"""What people are taken to do with a registry in a month."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from infra import tables
from infra.errors import Problem, SettingsError

#: The largest registries that are known hold a few petabytes.
LARGEST_GB = 10_000_000

Gigabytes = Annotated[float, Field(ge=0, le=LARGEST_GB)]


class Usage(BaseModel):
    """A month's use; gigabytes of 10^9 bytes, as AWS bills them.

    Attributes:
        stored_gb: blobs, and the catalogue's backups follow from them.
        pushed_gb, pulled_gb: through the registry.
        standard_share: of what EFS stores, the part outside of Infrequent Access.
        egress_share: of what is pulled, the part that leaves AWS.
        zone_crossings: how often a pulled byte changes zone.
        nat_gb: through NAT gateways.
        logs_gb: taken in by CloudWatch.
        capacity_units: of the load balancer, on average.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=lambda name: name.replace("_", "-"), validate_by_name=True
    )

    stored_gb: Gigabytes
    pushed_gb: Gigabytes
    pulled_gb: Gigabytes
    standard_share: float = Field(ge=0, le=1)
    egress_share: float = Field(ge=0, le=1)
    zone_crossings: float = Field(ge=0)
    nat_gb: Gigabytes
    logs_gb: Gigabytes
    capacity_units: float = Field(ge=0)

    def to_json_value(self) -> dict[str, float]:
        """Give it for a report, keys in camelCase."""
        return {to_camel(name): value for name, value in self.model_dump().items()}


def usage_of(profile: str, **said: float | None) -> Usage:
    """Give the table's usage of a profile, with what a user said otherwise.

    Args:
        profile: of the settings.
        said: ``stored_gb``, ``pushed_gb``, ``pulled_gb``; None for the table's.

    Raises:
        SettingsError: a figure that no registry has.
    """
    known = {key: value for key, value in said.items() if value is not None}
    if problems := [
        Problem(
            where=f"--{key.replace('_', '-')}",
            what=f"{value:g} GB is not between 0 and {LARGEST_GB:,} GB",
            fix="give what a month brings",
        )
        for key, value in known.items()
        if not 0 <= value <= LARGEST_GB
    ]:
        raise SettingsError(*problems)
    assumed = Usage.model_validate(tables.read("usage")[profile])
    return assumed.model_copy(update=known)
