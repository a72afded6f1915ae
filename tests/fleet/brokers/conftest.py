import shutil
import sys
from contextlib import closing

import pytest

from tests.fleet.brokers.mosquitto import Mosquitto, Publisher


@pytest.fixture
def broker(tmp_path):
    """A Mosquitto with nothing in it."""
    pytest.importorskip("paho.mqtt")
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
        pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    server = Mosquitto(folder).start()
    try:
        yield server
    finally:
        server.stop()
        sys.stderr.write((folder / "log").read_text()[-4000:])  # shown where a test fails


@pytest.fixture
def publisher(broker):
    with closing(Publisher(broker.port)) as client:
        yield client
