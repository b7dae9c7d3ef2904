"""The program's graph, for each ready stack."""

import pytest

from tests.graph.graphs import ENVIRONMENTS, recorded


@pytest.fixture(params=ENVIRONMENTS)
def graph(request):
    """The graph as `pulumi up` registers it."""
    return recorded(request.param, preview=False)
