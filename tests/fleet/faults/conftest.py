import pytest

from tests.fleet.faults.agents import join
from tests.fleet.hub.hubs import OPEN, HubProcess


@pytest.fixture(autouse=True)
def closed():
    """Close connections at the end of a test."""
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture
def hub(tmp_path):
    """A hub that runs, with TLS."""
    folder = tmp_path / "hub"
    folder.mkdir()
    made = HubProcess(folder)
    made.start("--tls")
    yield made
    made.stop()


@pytest.fixture
def home(hub, tmp_path):
    """The home of a node that is enrolled."""
    return join(hub, tmp_path / "home")


@pytest.fixture
def lines(tmp_path):
    return tmp_path / "lines.jsonl"
