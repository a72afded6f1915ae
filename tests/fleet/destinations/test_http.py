"""HTTP as a destination: a real server that keeps each key once."""

import json
import time

import pyarrow as pa
import pytest

from segue.agent.destinations.http import HttpDestination, HttpTarget
from segue.spec.edge import DestinationSpec
from tests.fleet.destinations.drain import Deliveries, Origin, drain, wait_drained
from tests.fleet.destinations.killing import POINTS, drain_killed
from tests.fleet.destinations.receivers import ingest
from tests.fleet.destinations.spools import fill, open_spool
from tests.receivers import find_port


def spec(port, **options):
    url = f"http://127.0.0.1:{port}/in/{{stream}}?n={{node}}"
    return DestinationSpec("hook", "http", {"url": url, **options})


def test_lines_arrive_with_a_key_a_digest_and_a_token(tmp_path):
    epoch = fill(tmp_path / "spool.db", batches=2)
    with ingest() as (kept, port):
        drain(tmp_path / "spool.db", [spec(port, token="hunter2", headers={"X-Site": "9"})])
    assert kept.requests == [f'"node-1/clean/{epoch}/1-2"']
    assert kept.paths == ["/in/clean?n=node-1"]
    assert kept.headers[0]["Authorization"] == "Bearer hunter2"
    assert kept.headers[0]["X-Site"] == "9"
    assert json.loads(kept.lines()[7]) == {
        "n": 7,
        "text": "t7",
        "_node": "node-1",
        "_epoch": epoch,
        "_sequence": 2,
        "_deployment": 1,
        "_schema": "5c4e3a",
        "_clock": "ok",
        "_labels": {"role": "shop"},
    }


def test_arrow_arrives(tmp_path):
    fill(tmp_path / "spool.db", batches=2)
    with ingest() as (kept, port):
        drain(tmp_path / "spool.db", [spec(port, format="arrow", compress=False)])
    (body,) = kept.bodies.values()
    assert pa.ipc.open_stream(body).read_all().column("n").to_pylist() == [*range(10)]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_each_point_a_server_that_keeps_keys_has_rows_once(tmp_path, point):
    with ingest() as (kept, port):
        numbers = drain_killed(tmp_path / "spool.db", spec(port), point)
    assert [json.loads(line)["n"] for line in kept.lines()] == numbers


def test_a_server_that_asks_to_wait_is_left_alone(tmp_path):
    fill(tmp_path / "spool.db", batches=2)
    with ingest() as (kept, port):
        kept.answers = [(503, {"Retry-After": "1"})]
        begin = time.monotonic()
        drain(tmp_path / "spool.db", [spec(port)])
        assert time.monotonic() - begin >= 1
    assert len(kept.requests) == 2
    assert len(set(kept.requests)) == 1


def test_one_bad_batch_is_found_and_declared_and_the_rest_arrives(tmp_path):
    path = tmp_path / "spool.db"
    fill(path, batches=16)
    with ingest() as (kept, port):
        kept.judge = lambda body: 400 if b'"n":37,' in body else 200
        (status,) = drain(path, [spec(port)])
    assert status["refused"] == 5
    rows = [json.loads(line) for line in kept.lines()]
    assert [row["n"] for row in rows if "n" in row] == [
        n for n in range(80) if n not in range(35, 40)
    ]
    (gap,) = [row for row in rows if "reason" in row]
    assert (gap["first_sequence"], gap["last_sequence"], gap["rows"]) == (8, 8, 5)
    assert "answers 400" in gap["reason"]


def test_a_fault_of_a_library_ends_no_delivery(tmp_path, monkeypatch):
    faults = [RuntimeError("opened"), RuntimeError("declared")]
    path = tmp_path / "spool.db"
    fill(path, batches=4)
    real_open, real_deliver = HttpDestination.open, HttpTarget.deliver

    def fail_once(why):
        if faults and faults[0].args == (why,):
            raise faults.pop(0)

    def open_(self, destination):
        fail_once("opened")
        return real_open(self, destination)

    def deliver(self, parcel):
        if parcel.stream.endswith("__gaps"):
            fail_once("declared")
        real_deliver(self, parcel)

    monkeypatch.setattr(HttpDestination, "open", open_)
    monkeypatch.setattr(HttpTarget, "deliver", deliver)
    with ingest() as (kept, port):
        kept.judge = lambda body: 400 if b'"n":7,' in body else 200
        (status,) = drain(path, [spec(port)])
    assert not faults
    assert (status["unsent"], status["refused"]) == (0, 5)


def test_one_that_is_away_neither_blocks_nor_starves_another(tmp_path):
    path, port = tmp_path / "spool.db", find_port()
    fill(path, batches=8)
    away = spec(port)
    with ingest() as (kept, there):
        near = DestinationSpec("near", "http", {"url": f"http://127.0.0.1:{there}/"})
        deliveries = Deliveries(lambda: open_spool(path), tmp_path / "d", Origin("node-1", {}))
        deliveries.start([away, near])
        try:
            wait_drained(path, ["near"])
            fill(path, batches=8, begin=8)
            deliveries.wake()
            wait_drained(path, ["near"])
            waiting = deliveries.status()[0]
            assert "Connection refused" in waiting["error"]
            assert waiting["unsent"] in (40, 80)
            with open_spool(path) as spool:
                assert [each.acknowledged for each in spool.streams("hook")] == [0]
            with ingest(port) as (late, _):
                wait_drained(path, ["hook"])
        finally:
            assert deliveries.close()
    numbers = [*range(80)]
    assert [json.loads(line)["n"] for line in kept.lines()] == numbers
    assert [json.loads(line)["n"] for line in late.lines()] == numbers
