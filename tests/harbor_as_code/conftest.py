"""The contract server, with a folder for harbor.yaml and the ledger."""

import pytest

from tests.harbor.conftest import api, contract_server, harbor  # noqa: F401  # fixtures
from tests.harbor_as_code.world import Place


@pytest.fixture
def place(api, tmp_path):  # noqa: F811
    return Place(api, tmp_path)
