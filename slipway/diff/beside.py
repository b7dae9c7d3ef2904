"""What a review wants beside a diff: what the environment costs, and what the rules say; recorded once for both."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from slipway.check import Checked, check_recorded
from slipway.forecast.forecast import Forecast, forecast_of
from slipway.graph.environment import record_environment


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Forecast and verdicts of one environment, as its stack file is now."""

    forecast: Forecast
    checked: Checked


def beside(root: Path, environment: str) -> Beside:
    """Forecast and judge an environment.

    Raises:
        SettingsError: the stack file or the waivers are not usable.
        GraphError: the program failed.
    """
    recorded = record_environment(root, environment)
    today = datetime.now(UTC).date()
    return Beside(
        forecast=forecast_of(recorded, name=environment, said=None, today=today), checked=check_recorded(recorded)
    )
