"""Kafka as a destination, at the brokers that librdkafka plays."""

import json
import subprocess
import sys
import time

import pytest

from segue.errors import DestinationError, ParcelRefusedError
from segue.spec.edge import DestinationSpec
from tests.fleet.destinations.drain import drain
from tests.fleet.destinations.killing import ROOT, drain_killed
from tests.fleet.destinations.spools import fill, read_all


@pytest.fixture
def servers():
    pytest.importorskip("confluent_kafka")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fleet.destinations.mock_kafka"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.communicate()


def spec(servers, **options):
    return DestinationSpec("events", "kafka", {"servers": servers[0], **options})


def consume(servers, topic, messages):
    from confluent_kafka import Consumer

    consumer = Consumer(
        {
            "bootstrap.servers": servers[0],
            "group.id": "readers",
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
    )
    consumer.subscribe([topic])
    found, deadline = [], time.monotonic() + 60
    while len(found) < messages and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            found.append(message)
    consumer.close()
    return found


def test_a_message_for_each_row_with_headers(tmp_path, servers):
    epoch = fill(tmp_path / "spool.db", batches=4)
    drain(tmp_path / "spool.db", [spec(servers, key="text")])
    found = consume(servers, "clean", 20)
    assert sorted(json.loads(each.value())["n"] for each in found) == [*range(20)]
    seventh = next(each for each in found if json.loads(each.value())["n"] == 7)
    assert seventh.key() == b"t7"
    assert dict(seventh.headers()) == {
        "node": b"node-1",
        "epoch": epoch.encode(),
        "sequence": b"2",
        "row": b"2",
    }


def test_arrow_as_a_message(tmp_path, servers):
    import pyarrow as pa

    fill(tmp_path / "spool.db", batches=4)
    drain(tmp_path / "spool.db", [spec(servers, format="arrow", topic="arrow.{node}")])
    (message,) = consume(servers, "arrow.node-1", 1)
    assert pa.ipc.open_stream(message.value()).read_all().num_rows == 20


def test_killed_before_it_is_acknowledged_rows_can_be_told_apart(tmp_path, servers):
    numbers = drain_killed(tmp_path / "spool.db", spec(servers), "deliver.written", rounds=1)
    rows = {}
    for each in consume(servers, "clean", 60):
        told = dict(each.headers())
        rows[int(told["sequence"]), int(told["row"])] = json.loads(each.value())["n"]
    assert [rows[key] for key in sorted(rows)] == numbers


def test_brokers_that_go_are_an_error_that_can_be_tried_again(tmp_path, servers):
    from segue.agent.destinations.kafka import KafkaDestination
    from segue.agent.destinations.parcels import Origin, make_parcel

    fill(tmp_path / "spool.db", batches=1)
    parcel = make_parcel(read_all(tmp_path / "spool.db", "events"), Origin("n", {}))
    target = KafkaDestination().open(spec(servers, timeout="2s"))
    target.deliver(parcel)
    servers[1].kill()
    with pytest.raises(DestinationError) as told:
        target.deliver(parcel)
    assert not isinstance(told.value, ParcelRefusedError)
    target.close()
    with pytest.raises(DestinationError, match="Kafka"):
        KafkaDestination().open(spec(servers, timeout="1s"))


def test_a_message_beyond_what_a_broker_takes_is_refused(tmp_path, servers):
    from segue.agent.destinations.kafka import KafkaDestination
    from segue.agent.destinations.parcels import Origin, make_parcel

    fill(tmp_path / "spool.db", batches=1, rows=3000)
    parcel = make_parcel(read_all(tmp_path / "spool.db", "events"), Origin("n", {}))
    small = {"message.max.bytes": 20_000}
    target = KafkaDestination().open(spec(servers, format="arrow", settings=small))
    with pytest.raises(ParcelRefusedError):
        target.deliver(parcel)
    target.close()
