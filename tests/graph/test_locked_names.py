"""What Pulumi's state and other stacks remember: type tokens, logical names, exports, dynamic module paths.

A change here needs an alias in the same commit and a line in docs/UPGRADE.md; then `pytest --snapshot-update`.
"""

import importlib

import pytest

from tests.graph.graphs import ENVIRONMENTS, READY, recorded


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_type_tokens_and_logical_names(environment, snapshot):
    graph = recorded(environment, preview=False)

    assert "\n".join(sorted(node.urn.split("::", 2)[2] for node in graph)) == snapshot


def test_names_do_not_depend_on_what_is_known(graph):
    assert len({node.urn for node in graph}) == len(graph.nodes)


def test_exports(graph):
    assert set(graph.exports) == {"facts", "url", "nameServers", "clusterName", "commit"}


@pytest.mark.parametrize(
    ("module", "provider"),
    [
        ("infra.aws.delegation", "DelegationProvider"),
        ("infra.delivery.commit", "CommitProvider"),
        ("infra.delivery.wait", "DeliveredProvider"),
    ],
)
def test_dynamic_providers_stay_where_the_state_looks_for_them(module, provider):
    assert getattr(importlib.import_module(module), provider).__module__ == module


@pytest.mark.parametrize("environment", READY)
def test_no_resource_has_an_alias_of_ours_before_the_first_release(environment):
    # The SDK's own aliases (of S3's former types) are in none of these stacks.
    assert [node.urn for node in recorded(environment, preview=False) if node.aliases] == []
