"""One environment's forecast, and what a change of profile or setting does to it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from policy.judge import Verdict, judge
from policy.rule import Context
from policy.rules import RULES
from slipway.forecast.cost import Cost, Line, cost
from slipway.forecast.duration import Duration, duration
from slipway.forecast.prices import Prices, prices_in
from slipway.forecast.usage import Usage, usage_of
from slipway.graph.environment import Recorded, record_environment

HALF_A_CENT = 0.005


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What is expected of an environment.

    Attributes:
        name: of the environment, with the settings that were changed for the forecast.
        profile: its profile.
        prices, usage: what the figures rest on.
        cost, duration: dollars a month, minutes to a serving registry.
        violated: rules that the environment violates, with their subjects.
    """

    name: str
    profile: str
    prices: Prices
    usage: Usage
    cost: Cost
    duration: Duration
    violated: Sequence[Verdict]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What is paid for in both forecasts, at another price, or in one of them.

    Attributes:
        service, what: of the lines.
        before, after: the lines, one for each size; none where a forecast does not have it.
    """

    service: str
    what: str
    before: Sequence[Line]
    after: Sequence[Line]

    @property
    def monthly(self) -> float:
        """US dollars a month that it brings."""
        return sum(line.monthly for line in self.after) - sum(line.monthly for line in self.before)


def forecast(
    root: Path,
    environment: str,
    *,
    changes: Mapping[str, Any] | None = None,
    said: Mapping[str, float | None] | None = None,
) -> Forecast:
    """Forecast an environment.

    Args:
        root: the project's folder.
        environment: name of the stack file.
        changes: settings as dotted keys, changed for this forecast alone.
        said: usage as in `usage_of`; the rest is assumed by profile.

    Raises:
        SettingsError: the stack file, a changed setting, or the usage is not usable.
        GraphError: the program failed.
    """
    recorded = record_environment(root, environment, changes=changes)
    said_so = (
        f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in (changes or {}).items()
    )
    name = " ".join([environment, *said_so])
    return forecast_of(recorded, name=name, said=said, today=datetime.now(UTC).date())


def forecast_of(recorded: Recorded, *, name: str, said: Mapping[str, float | None] | None, today: date) -> Forecast:
    """Forecast a recorded environment; as `forecast`."""
    settings = recorded.settings
    prices, usage = prices_in(settings.region), usage_of(settings.profile, **(said or {}))
    verdicts = judge(Context(graph=recorded.graph, profile=settings.profile, today=today), RULES)
    return Forecast(
        name=name,
        profile=settings.profile,
        prices=prices,
        usage=usage,
        cost=cost(recorded.graph, prices, usage, today),
        duration=duration(recorded.graph),
        violated=[verdict for verdict in verdicts if verdict.state == "violated"],
    )


def differences(before: Forecast, after: Forecast) -> list[Difference]:
    """Give the lines that two forecasts do not share, the dearest first."""
    old, new = _by_what(before), _by_what(after)
    found = [
        Difference(service=key[0], what=key[1], before=old.get(key, ()), after=new.get(key, ()))
        for key in dict.fromkeys([*old, *new])
    ]
    return sorted((one for one in found if abs(one.monthly) >= HALF_A_CENT), key=lambda one: -abs(one.monthly))


def _by_what(found: Forecast) -> dict[tuple[str, str], list[Line]]:
    lines: dict[tuple[str, str], list[Line]] = {}
    for line in found.cost.lines:
        lines.setdefault((line.service, line.what), []).append(line)
    return lines
