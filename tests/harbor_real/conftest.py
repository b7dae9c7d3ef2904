"""Skips everything with one line where no Harbor is named to run against."""

import pytest

from tests.harbor_real.beside import beside
from tests.harbor_real.real import HOST, PASSWORD, URL, Api, Before, RealPlace


@pytest.fixture(scope="session")
def there():
    """Give what Harbor may ask for; and put Harbor back at the end as it was."""
    if not URL or not PASSWORD:
        pytest.skip("HARBOR_TEST_URL and HARBOR_TEST_PASSWORD name no Harbor to run against")
    before = Before(Api())
    with beside(HOST) as found:
        try:
            yield found
        finally:
            before.put_back()


@pytest.fixture
def place(there, tmp_path):
    """Give a harbor.yaml and a ledger for a Harbor in which nothing has the prefix, before and after."""
    before = Before(Api())
    before.put_back()
    yield RealPlace(tmp_path)
    before.put_back()
