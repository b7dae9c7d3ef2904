"""The portal's banner: JSON in a text of which Harbor itself reads no word, with the portal's own names and times.

to_portal({"message": "Tonight", "from_date": "2027-01-31T00:00:00.000Z"})     # … "fromDate": …
"""

from collections.abc import Mapping
from typing import Any

from slipway.harbor.spec.times import moment

UNSEEN = "the portal shows a banner only with a from_date or a to_date"
_PORTALS = {"from_date": "fromDate", "to_date": "toDate"}
_OURS = {value: key for key, value in _PORTALS.items()}


def to_portal(banner: Mapping[str, Any]) -> dict[str, Any]:
    """Give a banner as the portal reads it."""
    return {_PORTALS.get(key, key): value for key, value in banner.items()}


def from_portal(value: Any) -> Any:  # noqa: ANN401  # whatever the JSON is
    """Give a banner in our words, whoever wrote it; without a message there is none."""
    if not isinstance(value, dict):
        return value or None
    if not value.get("message"):
        return None
    plain = {_OURS.get(key, key): each for key, each in value.items() if each not in (None, "")}
    return plain | {key: moment(plain[key]) for key in _PORTALS if key in plain}
