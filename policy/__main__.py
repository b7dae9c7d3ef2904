"""The policy pack: `pulumi preview --policy-pack policy` judges by the rules of `slipway check`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Pulumi runs this file by its path, with the pack's folder in front and the project's nowhere.
sys.path.insert(0, str(ROOT))

from pulumi_policy import PolicyPack  # noqa: E402

from policy.pack import policies  # noqa: E402

PolicyPack("slipway", policies(ROOT))  # serves the engine until it hangs up
