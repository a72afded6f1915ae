"""MQTT as a destination, at a real Mosquitto."""

import json
import os
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from segue.agent.destinations.mqtt import MqttDestination
from segue.errors import DestinationError
from segue.spec.edge import DestinationSpec
from tests.fleet.brokers.conftest import broker  # noqa: F401  # a fixture
from tests.fleet.brokers.mosquitto import Listener
from tests.fleet.destinations.drain import Deliveries, Origin, drain, wait_drained
from tests.fleet.destinations.killing import drain_killed
from tests.fleet.destinations.spools import fill, open_spool
from tests.fleet.waiting import wait_for


def spec(broker, **options):  # noqa: F811
    return DestinationSpec("bus", "mqtt", {"url": broker.url, **options})


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_message_for_each_row(tmp_path, broker, version):  # noqa: F811
    fill(tmp_path / "spool.db", batches=50)
    with closing(Listener(broker.port)) as listener:
        drain(tmp_path / "spool.db", [spec(broker, version=version, topic="out/{node}/{stream}")])
        wait_for(lambda: len(listener.messages) >= 250)
        rows = [json.loads(each.payload) for each in listener.messages]
        assert [row["n"] for row in rows] == [*range(250)]
        assert {each.topic for each in listener.messages} == {"out/node-1/clean"}
        if version == "5":
            told = dict(listener.messages[7].properties.UserProperty)
            assert (told["node"], told["sequence"], told["row"]) == ("node-1", "2", "2")


def test_a_process_with_too_many_files_is_told_so(broker):  # noqa: F811
    """The library waits by ``select``: beyond 1,023 files it did so in silence, for ever."""
    with ExitStack() as stack:
        for _ in range(1024):
            stack.enter_context(Path(os.devnull).open())
        with pytest.raises(DestinationError, match="1024 or more files open"):
            MqttDestination().open(spec(broker))
    MqttDestination().open(spec(broker)).close()


def test_a_message_for_each_parcel(tmp_path, broker):  # noqa: F811
    fill(tmp_path / "spool.db", batches=3)
    with closing(Listener(broker.port)) as listener:
        drain(tmp_path / "spool.db", [spec(broker, message="parcel")])
        wait_for(lambda: listener.messages)
        (message,) = listener.messages
    assert len(message.payload.splitlines()) == 15


def test_killed_before_it_is_acknowledged_rows_can_be_told_apart(tmp_path, broker):  # noqa: F811
    with closing(Listener(broker.port)) as listener:
        numbers = drain_killed(tmp_path / "spool.db", spec(broker), "deliver.written")
        wait_for(lambda: len(listener.messages) >= 140)
        rows = {}
        for each in listener.messages:
            told = dict(each.properties.UserProperty)
            rows[int(told["sequence"]), int(told["row"])] = json.loads(each.payload)["n"]
        assert [rows[key] for key in sorted(rows)] == numbers


def test_a_broker_that_is_killed_and_comes_back_gets_everything(tmp_path, broker):  # noqa: F811
    path = tmp_path / "spool.db"
    broker.kill()
    fill(path, batches=4)
    deliveries = Deliveries(lambda: open_spool(path), tmp_path / "d", Origin("node-1", {}))
    deliveries.start([spec(broker)])
    try:
        wait_for(lambda: "Connection refused" in deliveries.status()[0]["error"])
        broker.start()
        with closing(Listener(broker.port)) as listener:
            wait_drained(path, ["bus"])
            broker.kill()
            fill(path, batches=4, begin=4)
            broker.start()
            with closing(Listener(broker.port)) as later:
                wait_drained(path, ["bus"])
                wait_for(lambda: len(listener.messages) + len(later.messages) >= 20)
    finally:
        assert deliveries.close()
