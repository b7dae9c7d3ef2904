"""docs/prove.md says what is so."""

import re
from pathlib import Path

from infra.stack_config import from_stack_file
from slipway.prove.money import money_of
from slipway.prove.stack import derived
from tests.prove.test_aws import takes

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "prove.md").read_text()


def test_its_commands_are_taken():
    commands = re.findall(r"^slipway (prove [^#\n]+)", PAGE, re.MULTILINE)

    assert len(commands) >= 5
    for command in commands:
        takes(command.split())


def test_every_setting_that_a_proof_has_otherwise_is_in_it():
    settings = from_stack_file(ROOT / "stacks" / "Pulumi.dev.yaml")

    for key in derived(settings, "prove-dev", ("1.19.1", "1.19.2")):
        assert f"`{key}`" in PAGE


def test_its_figures_are_those_of_the_forecast():
    for profile in ("dev", "ha", "large"):
        money = money_of(ROOT, profile, {"keepData": False})
        assert f"| {profile} | ${money.hourly:.2f} | ${money.planned:.2f} in {money.hours:g} h |" in PAGE
