import pytest

from tests.publications import open_site


@pytest.fixture
def site(tmp_path):
    made = open_site(tmp_path)
    yield made
    made.ledger.close()
