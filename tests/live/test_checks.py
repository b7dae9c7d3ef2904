"""The checks of `slipway verify`, a test each: `-k outside.health` runs one, with what it needs."""

import pytest

from slipway.verify.catalogue import CHECKS


@pytest.mark.parametrize("check", [pytest.param(check, id=check.id) for check in CHECKS if not check.asked])
def test_it_is_so(check, outcomes):
    outcome = outcomes[check.id]
    if outcome.state == "skipped":
        pytest.skip(outcome.says)
    if outcome.state != "passed":
        unsure = "nobody can tell whether " if outcome.state == "undecided" else ""
        pytest.fail(
            f"{outcome.says}\nproves: {unsure}{check.proves}\nmeans: {check.reading}\ndo: {outcome.fix}", pytrace=False
        )
