"""Warnings: each has a case that raises it and one that does not."""

import pytest

from tests.values.conftest import exposed, facts_of
from values.notices import notices


@pytest.mark.parametrize(
    ("word", "choices"),
    [
        ("caBundle", {}),
        ("ingress-nginx", exposed("nginx")),
        ("S3 itself", {"storage": "s3"}),
        ("runbook", {"harbor": {"monitoring": {"rules": True}}}),
        ("networkPolicies", {"harbor": {"networkPolicies": False}}),
    ],
)
def test_told(word, choices):
    assert [notice for notice in notices(facts_of("ha", **choices)) if word in notice]


def test_a_careful_environment_has_none(bundle):
    assert list(notices(facts_of("ha", database={"caBundle": bundle}))) == []
    assert (
        list(notices(facts_of("ha", storage="s3", database={"caBundle": bundle}, harbor={"s3Redirect": False}))) == []
    )


def test_a_laptop_has_none():
    assert list(notices(facts_of("kind"))) == []
