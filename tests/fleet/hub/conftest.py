import pytest

from tests.fleet.hub.hubs import OPEN, HubProcess


@pytest.fixture(autouse=True)
def closed():
    """Close connections at the end of a test."""
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture
def hub(tmp_path):
    """A hub that runs, on loopback."""
    found = HubProcess(tmp_path).start()
    yield found
    found.stop()


@pytest.fixture
def idle_hub(tmp_path):
    """A hub that does not run yet."""
    found = HubProcess(tmp_path)
    yield found
    found.stop()
