"""Bring Harbor to what a plan says."""

from slipway.harbor.apply.apply import Applied, apply
from slipway.harbor.apply.outcome import Outcome

__all__ = ["Applied", "Outcome", "apply"]
