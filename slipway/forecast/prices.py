"""The dated price list (tables/prices.yaml), asked by what AWS calls things."""

from dataclasses import dataclass
from typing import Any

from infra import tables


class NoPriceError(LookupError):
    """The table has no price for it."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Prices in one region, US dollars.

    Attributes:
        region: of the environment.
        factor: of the region over us-east-1.
        table: as the file has it.
    """

    region: str
    factor: float
    table: dict[str, Any]

    @property
    def hours(self) -> int:
        """Hours in a month."""
        return self.table["hours-per-month"]

    def node_hour(self, instance_type: str) -> float:
        """Give the hour of an EC2 instance type.

        Raises:
            NoPriceError: the table does not have its family or its size.
        """
        family, _, size = instance_type.partition(".")
        try:
            return self.table["node-large-hour"][family] * self.table["node-sizes"][size]
        except KeyError:
            raise NoPriceError(instance_type) from None

    def of(self, group: str, name: str) -> float:
        """Give a price: group ``hour``, ``month``, ``gigabyte``, ``database-hour`` or ``cache-hour``.

        Raises:
            NoPriceError: the table does not have it.
        """
        try:
            return self.table[group][name]
        except KeyError:
            raise NoPriceError(name) from None

    def is_free(self, token: str) -> bool:
        """Tell whether AWS charges nothing for this type by itself."""
        return token in self.table["free"]


def prices_in(region: str) -> Prices:
    """Give the prices of a region; one that the table does not name is taken at the common factor."""
    table = tables.read("prices")
    return Prices(region=region, factor=table["regions"].get(region, table["other-regions"]), table=table)
