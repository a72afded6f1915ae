"""The MQTT source at a real Mosquitto: what the broker has is read once, through kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from segue.errors import SourceError
from tests.fleet.brokers.mosquitto import Mosquitto, Publisher
from tests.fleet.brokers.taking import Taken, make_source, open_reader, take, take_chunk

VERSIONS = ["5", "3.1.1"]


@pytest.fixture
def taken(tmp_path):
    with closing(Taken(tmp_path / "taken.db")) as file:
        yield file


def options(broker, **more):
    return {"url": broker.url, "topics": "hall/#", **more}


def numbers(begin, end):
    return [json.dumps({"n": n}) for n in range(begin, end)]


def count(lines):
    return lambda found: len(found) >= lines


def poll(reader, most=2**20, seconds=20.0):
    """Read until a chunk comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        chunk = reader.read(most, 0.2)
        if chunk is not None:
            return chunk
    pytest.fail("nothing came")


@pytest.mark.parametrize("version", VERSIONS)
def test_messages_come_once_and_in_their_order(tmp_path, broker, publisher, taken, version):
    source = make_source("mqtt", options(broker, version=version, topic="topic"))
    with closing(open_reader(source, taken, tmp_path)) as reader:
        publisher.publish("hall/1", numbers(0, 500))
        take(reader, taken, count(500), most=1000)
        assert [json.loads(line) for line in taken.lines()] == [
            {"topic": "hall/1", "n": n} for n in range(500)
        ]
        time.sleep(0.6)  # the time for which a broker must be quiet
        assert reader.read(100, 0) is None
        assert reader.exhausted()


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_published_while_the_node_is_away_is_kept(
    tmp_path, broker, publisher, taken, version
):
    source = make_source("mqtt", options(broker, version=version))
    open_reader(source, taken, tmp_path).close()
    publisher.publish("hall/1", numbers(0, 100))
    with closing(open_reader(source, taken, tmp_path)) as reader:
        take(reader, taken, count(100))
    assert taken.lines() == numbers(0, 100)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("passes", [1, 4])
def test_killed_between_spool_and_acknowledgement_nothing_comes_twice(
    tmp_path, broker, publisher, taken, version, passes
):
    told = {
        "path": str(tmp_path / "taken.db"),
        "scratch": str(tmp_path),
        "kind": "mqtt",
        "options": options(broker, version=version),
        "schema": "n: int64",
        "lines": 300,
        "most": 200,
    }
    open_reader(make_source("mqtt", told["options"]), taken, tmp_path).close()
    publisher.publish("hall/1", numbers(0, 300))
    for _ in range(3):
        process = subprocess.run(
            [sys.executable, "-m", "tests.fleet.brokers.taking", json.dumps(told)],
            env={**os.environ, "SEGUE_FAILPOINT": f"deliver.written=kill@{passes}"},
            cwd=Path(__file__).parents[3],
            check=False,
        )
        assert process.returncode == -signal.SIGKILL
    with closing(open_reader(make_source("mqtt", told["options"]), taken, tmp_path)) as reader:
        take(reader, taken, count(300))
        assert reader.read(100, 0.5) is None
    assert taken.lines() == numbers(0, 300)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_broker_that_is_killed_and_comes_back(tmp_path, broker, publisher, taken, version):
    source = make_source("mqtt", options(broker, version=version))
    with closing(open_reader(source, taken, tmp_path)) as reader:
        publisher.publish("hall/1", numbers(0, 100))
        chunk = poll(reader, most=300)
        broker.save()
        broker.kill()
        take_chunk(reader, taken, chunk)  # the acknowledgement goes nowhere
        broker.start()
        take(reader, taken, count(100))
        with closing(Publisher(broker.port)) as again:
            again.publish("hall/1", numbers(100, 200))
        take(reader, taken, count(200))
        assert reader.read(100, 0.5) is None
    assert taken.lines() == numbers(0, 200)


def test_a_broker_without_the_session_is_subscribed_anew(tmp_path, broker, publisher, taken):
    source = make_source("mqtt", options(broker))
    with closing(open_reader(source, taken, tmp_path)) as reader:
        publisher.publish("hall/1", numbers(0, 10))
        take(reader, taken, count(10))
        broker.kill()
        (tmp_path / "mosquitto" / "mosquitto.db").unlink(missing_ok=True)
        broker.start()
        deadline = time.monotonic() + 30
        while True:  # until it is subscribed again
            try:
                assert reader.read(100, 0.1) is None
            except SourceError:
                assert time.monotonic() < deadline
                continue
            break
        with closing(Publisher(broker.port)) as again:
            again.publish("hall/1", numbers(10, 20))
        take(reader, taken, count(20))
    assert taken.lines() == numbers(0, 20)


def test_topics_that_change_are_subscribed_and_left(tmp_path, broker, publisher, taken):
    open_reader(make_source("mqtt", options(broker)), taken, tmp_path).close()
    source = make_source("mqtt", options(broker, topics=["yard/#"]))
    with closing(open_reader(source, taken, tmp_path)) as reader:
        publisher.publish("hall/1", numbers(0, 10))
        publisher.publish("yard/1", numbers(10, 20))
        take(reader, taken, count(10))
    assert taken.lines() == numbers(10, 20)


def test_qos_0_beyond_the_queue_is_counted(tmp_path, broker, publisher, taken):
    source = make_source("mqtt", options(broker, queue=1000), format_="text")
    with closing(open_reader(source, taken, tmp_path)) as reader:
        publisher.publish("hall/1", [b"x" * 99] * 50, qos=0)
        publisher.publish("hall/2", [b"end"])
        take(reader, taken, lambda lines: "end" in lines)
        while (chunk := reader.read(10_000, 0)) is not None:
            take_chunk(reader, taken, chunk)
    lost = sum(number for number, _ in taken.lost())
    assert lost > 0
    assert len(taken.lines()) - 1 + lost == 50
    assert {reason for _, reason in taken.lost()} == {"QoS 0, and no room"}


def test_a_message_that_is_too_long_is_counted_and_goes(tmp_path, broker, publisher, taken):
    source = make_source("mqtt", options(broker), format_="text")
    with closing(open_reader(source, taken, tmp_path)) as reader:
        publisher.publish("hall/1", [b"x" * 2000, b"", b"short"])
        take(reader, taken, count(1), most=100)
    assert taken.lines() == ["short"]
    assert taken.lost() == [(1, "record too long")]


def test_who_may_not_read_is_told_so(tmp_path, taken):
    folder = tmp_path / "closed"
    folder.mkdir()
    server = Mosquitto(folder, users={"ann": "hunter2"}).start()
    try:
        kind = options(server)
        with pytest.raises(SourceError, match="Not authorized"):
            open_reader(make_source("mqtt", kind), taken, tmp_path, seconds=0)
        kind["url"] = kind["url"].replace("://", "://ann:hunter2@")
        open_reader(make_source("mqtt", kind), taken, tmp_path, seconds=0).close()
    finally:
        server.stop()


def test_no_broker_is_an_error_that_can_be_tried_again(tmp_path, taken):
    from tests.receivers import find_port

    source = make_source("mqtt", {"url": f"mqtt://127.0.0.1:{find_port()}", "topics": "a"})
    with pytest.raises(SourceError, match="no subscription at 127"):
        open_reader(source, taken, tmp_path, seconds=0)
