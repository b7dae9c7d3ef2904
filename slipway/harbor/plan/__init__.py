"""What has to be done for Harbor to be as harbor.yaml says."""

from slipway.harbor.plan.action import Action, Change, Consent, Plan
from slipway.harbor.plan.make import make_plan
from slipway.harbor.plan.want import Wanted

__all__ = ["Action", "Change", "Consent", "Plan", "Wanted", "make_plan"]
