"""Every ledger and lake that the registry knows is held to the same promises."""

import pytest

from segue import registry
from tests.publications import open_site


@pytest.fixture(params=registry.names(registry.LEDGERS))
def site(request, tmp_path):
    made = open_site(tmp_path, ledger=request.param)
    yield made
    made.ledger.close()


@pytest.fixture(params=registry.names(registry.LAKES))
def lake(request, tmp_path):
    return registry.load(registry.LAKES, request.param)(str(tmp_path / "lake"))
