"""Every ledger and lake that the registry knows is held to the same promises."""

from functools import partial

import pytest

from segue import registry
from tests.publications import open_site

POSTGRES = pytest.param("sql on postgres", marks=pytest.mark.xdist_group("postgres"))


@pytest.fixture(params=[*registry.names(registry.LEDGERS), POSTGRES])
def open_again(request, tmp_path):
    """Return what opens the same ledger, as often as it is called."""
    name, _, server = request.param.partition(" on ")
    url = ""
    if server:
        live = request.getfixturevalue("live_postgres")
        url = live.address(live.make_database())
    return partial(open_site, tmp_path, ledger=name, url=url)


@pytest.fixture
def site(open_again):
    made = open_again()
    yield made
    made.ledger.close()


@pytest.fixture(params=registry.names(registry.LAKES))
def lake(request, tmp_path):
    return registry.load(registry.LAKES, request.param)(str(tmp_path / "lake"))
