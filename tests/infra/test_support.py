"""Versions near and past the end of their support."""

from datetime import date, timedelta

import pytest

from infra import tables
from infra.errors import SettingsError
from infra.stack_config import from_stack_file
from infra.support import ending_support
from tests.graph.graphs import ROOT

SETTINGS = from_stack_file(ROOT / "stacks" / "Pulumi.ha.yaml")
LAST = tables.standard_support_ends()["kubernetesVersion", SETTINGS.kubernetes_version]


def test_a_supported_version_is_not_mentioned():
    assert ending_support(SETTINGS, LAST - timedelta(days=91)) == []


@pytest.mark.parametrize("days", [0, 1, 90])
def test_the_end_is_told_ninety_days_before(days):
    (told,) = ending_support(SETTINGS, LAST - timedelta(days=days))

    assert told.startswith(
        f"kubernetesVersion {SETTINGS.kubernetes_version}: AWS's standard support ends on {LAST}, in {days} days"
    )
    assert "take 1.36" in told


def test_after_the_end_it_is_refused_with_what_to_take():
    with pytest.raises(SettingsError) as refused:
        ending_support(SETTINGS, LAST + timedelta(days=1))

    assert f"slipway:kubernetesVersion: AWS's standard support of {SETTINGS.kubernetes_version} ended on {LAST}" in str(
        refused.value
    )


def test_both_versions_are_refused_at_once():
    with pytest.raises(SettingsError) as refused:
        ending_support(SETTINGS, date(2100, 1, 1))

    assert "kubernetesVersion" in str(refused.value)
    assert "database.postgresVersion" in str(refused.value)
    assert "its tables know no newer version" in str(refused.value)
