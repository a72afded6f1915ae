"""A whole worker: from a broker through a step to two destinations, killed again and again."""

import json
import os
import random
import subprocess
import sys

import pytest

from segue.agent.heartbeat import read_report
from segue.spec.edge import DestinationSpec, EdgeSource
from segue.spec.types import parse_schema
from segue.wire.messages import WIRE
from tests.edge_slots import sql_step, write_slot
from tests.fleet.brokers.conftest import broker, publisher  # noqa: F401  # fixtures
from tests.fleet.destinations.receivers import ingest
from tests.fleet.waiting import wait_for

MESSAGES, ROUNDS = 200, 4


def ask(address, query):
    import psycopg

    with psycopg.connect(address) as connection:
        return connection.execute(query).fetchall()


def count(address):
    there = ask(address, "select to_regclass('clean')")[0][0]
    return ask(address, "select count(*) from clean")[0][0] if there else 0


def is_ready(home, worker):
    report = read_report(home, worker.pid)
    return report is not None and report.ready


@pytest.fixture
def start(tmp_path):
    """Start workers of one node; what still runs at the end is killed."""
    home, started = tmp_path / "home", []
    home.mkdir()
    identity = {"node": "north-7", "project": "plant", "hub": "", "labels": {"role": "shop"}}
    (home / "identity.json").write_text(json.dumps({**identity, "wire": WIRE}))

    def begin(slot, **environ):
        command = [sys.executable, "-m", "segue.agent.worker", "--home", home, "--slot", slot]
        log = (tmp_path / "log").open("ab")
        process = subprocess.Popen(
            [*command, "--generation", "1"], env={**os.environ, **environ}, stderr=log, stdout=log
        )
        log.close()
        started.append(process)
        return process

    yield begin
    for each in started:
        each.kill()
        each.wait()


def test_messages_stand_in_two_places_once(
    tmp_path,
    broker,  # noqa: F811
    publisher,  # noqa: F811
    live_postgres,
    start,
):
    base = live_postgres.address(live_postgres.make_database())
    schema = "topic: string, n: int64, value: float64"
    options = {"url": broker.url, "topics": ["hall/#"], "topic": "topic"}
    source = EdgeSource("readings", "mqtt", options, "json", {}, parse_schema(schema))
    step = sql_step("clean", "select * from readings where value >= 0", schema)
    with ingest() as (kept, port):
        hook = DestinationSpec("hook", "http", {"url": f"http://127.0.0.1:{port}/"})
        slot = write_slot(
            tmp_path / "slots" / "1",
            [source],
            [step],
            destinations=[DestinationSpec("base", "postgres", {"url": "${BASE}"}), hook],
            secrets=["BASE"],
        )
        part = json.loads((slot / "edge.json").read_text())
        part["sent"][0]["destinations"] = ["base", "hook"]
        (slot / "edge.json").write_text(json.dumps(part))
        begin = random.Random(7)
        worker = start(slot, BASE=base)
        wait_for(lambda: list((tmp_path / "home").rglob("topics.json")))
        for round_ in range(ROUNDS):
            numbers = range(round_ * MESSAGES, (round_ + 1) * MESSAGES)
            publisher.publish(
                f"hall/{round_}",
                [json.dumps({"n": n, "value": -1.0 if n % 10 == 9 else n / 2}) for n in numbers],
            )
            goal = round_ * MESSAGES * 9 // 10 + begin.randrange(MESSAGES * 9 // 10)
            wait_for(lambda goal=goal: count(base) > goal)
            worker.kill()
            worker.wait()
            worker = start(slot, BASE=base)
        expected = [n for n in range(ROUNDS * MESSAGES) if n % 10 != 9]
        wait_for(lambda: count(base) >= len(expected))
        wait_for(lambda: len(kept.lines()) >= len(expected))
        wait_for(lambda: is_ready(tmp_path / "home", worker))
        worker.terminate()
        assert worker.wait(30) == 0
    assert [n for (n,) in ask(base, "select n from clean order by n")] == expected
    assert sorted(json.loads(line)["n"] for line in kept.lines()) == expected
    assert ask(base, "select distinct topic from clean order by 1") == [
        (f"hall/{round_}",) for round_ in range(ROUNDS)
    ]
    assert ask(base, "select distinct _node, _labels from clean") == [("north-7", {"role": "shop"})]
