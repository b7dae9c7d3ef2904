"""What a proof costs at most, stated before anything is made: dollars an hour times planned hours.

money = money_of(root, "dev", changes={"chartVersion": "1.19.1"})
money.planned                       # 2.31
money.seconds(limit=5.0)            # how long steps may go on, so that the teardown is still within the limit
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra import tables
from infra.errors import Problem, ProofError
from slipway.forecast.duration import removal_minutes
from slipway.forecast.forecast import forecast_of
from slipway.graph.environment import record_environment

#: What a proof stores, pushes and pulls is too little to be priced.
_SILENT = {"stored_gb": 0.0, "pushed_gb": 0.0, "pulled_gb": 0.0}


@dataclass(frozen=True, kw_only=True)
class Money:
    """What is expected.

    Attributes:
        hourly: US dollars while everything stands.
        minutes: of each step.
        teardown: minutes of it, which are kept free.
        margin: planned is so much more than expected.
    """

    hourly: float
    minutes: Mapping[str, float]
    teardown: float
    margin: float

    @property
    def hours(self) -> float:
        """Planned hours, by the quarter."""
        expected = (sum(self.minutes.values()) + self.teardown) / 60
        return math.ceil(expected * self.margin * 4) / 4

    @property
    def planned(self) -> float:
        """US dollars for the planned hours, rounded up to a cent."""
        return math.ceil(round(self.hourly * self.hours * 100, 6)) / 100

    def seconds(self, limit: float) -> float:
        """Give how long after the beginning the steps must end, so that the teardown is within the limit."""
        return limit / self.hourly * 3600 - self.teardown * self.margin * 60

    def refuse_too_little(self, limit: float) -> None:
        """Refuse a limit that the plan does not keep to.

        Raises:
            ProofError: it is too low.
        """
        if not limit >= self.planned:
            what = f"${limit:,.2f} is less than the plan's ${self.planned:,.2f} ({self.hours:g} h)"
            fix = f"give at least --limit {self.planned:.2f}, or prove a cheaper environment"
            raise ProofError(Problem(where="--limit", what=what, fix=fix))


def money_of(root: Path, environment: str, changes: Mapping[str, Any]) -> Money:
    """Forecast a proof of an environment on AWS, as `slipway forecast` does.

    Raises:
        SettingsError: the stack file, or what the proof changes in it, is not usable.
        GraphError: the program failed.
        ProofError: something has no price.
    """
    recorded = record_environment(root, environment, changes=changes)
    found = forecast_of(recorded, name=environment, said=_SILENT, today=datetime.now(UTC).date())
    if found.cost.unpriced:
        raise ProofError(
            *(
                Problem(where=one, what="has no price", fix="add it to tables/prices.yaml")
                for one in found.cost.unpriced
            )
        )
    table = tables.read("proof")
    steps, lasts = table["steps"], found.duration
    return Money(
        hourly=found.cost.monthly / found.prices.hours,
        minutes={
            "up": lasts.infrastructure,
            "status": lasts.serving - lasts.infrastructure,
            "verify": steps["verify"],
            "upgrade": steps["upgrade"],
            "verify again": steps["verify"],
        },
        teardown=removal_minutes(recorded.graph) + steps["withdraw"],
        margin=table["margin"],
    )
