"""Networks break in every way that a proxy can arrange, and heal; nobody helps."""

import json
import socket
import time
from itertools import pairwise

import pytest

from segue.agent.status import read_status
from segue.cli.agent import describe_status
from segue.testing.processes import running, wait_until
from tests.fleet.link.little_hub import serve

ROWS = list(range(300))
FAST = {"patience": 1.0}


def start_slow(bench, home, **link):
    """Start an agent that makes its rows while the test does something to the network."""
    slot = bench.make_slot(rows=300, batch=2, pause=0.005)
    return running(bench.start(home, slot, **(link or FAST)))


def has_rows(bench, count):
    return lambda: len(bench.numbers()) >= count


@pytest.mark.parametrize("how", ["cut", "blackhole", "swallow_answers", "swallow_requests"])
def test_a_partition_heals_and_its_first_rows_are_there(bench, how):
    home = bench.enrol()
    with start_slow(bench, home) as agent:
        wait_until(has_rows(bench, 20), "the first rows")
        if how in ("cut", "blackhole"):
            getattr(bench.proxy, how)()
        else:
            setattr(bench.proxy.weather, how, True)
        before = len(bench.numbers())
        wait_until(lambda: not linked(home), "the agent to see it")
        assert len(bench.numbers()) <= before + 150
        wait_until(lambda: made(home) == 300, "the worker to make all meanwhile")
        bench.proxy.mend()
        assert agent.wait().code == 0
    assert bench.numbers() == ROWS


@pytest.mark.parametrize("how", ["blackhole", "swallow_answers"])
def test_a_hub_that_keeps_silent_is_told_before_its_time_is_over(bench, how):
    """What waits was as it had been when the request began that nobody answers."""
    home = bench.enrol()
    with start_slow(bench, home, patience=60.0):
        wait_until(has_rows(bench, 20), "the first rows")
        if how == "blackhole":
            bench.proxy.blackhole()
        else:
            bench.proxy.weather.swallow_answers = True
        wait_until(lambda: made(home) == 300, "the worker to make all meanwhile")
        wait_until(lambda: waiting(home) == 300, "the status to tell what waits")
        first = read_status(home)
        wait_until(lambda: "has not answered for" in told_of_hub(home), "the silence")
        wait_until(lambda: read_status(home)["status"]["lag"] > first["status"]["lag"], "the age")


def told_of_hub(home):
    return dict(describe_status(read_status(home)))["hub"]


def waiting(home):
    told = read_status(home)
    return told["sent_rows"] + told["status"]["unsent"]


def linked(home):
    try:
        return json.loads((home / "status.json").read_text())["link_error"] == ""
    except FileNotFoundError:
        return True


def made(home):
    return json.loads((home / "worker.json").read_text())["rows"].get("readings", 0)


def test_connections_that_are_cut_again_and_again(bench):
    home = bench.enrol()
    pause = 0.05
    with start_slow(bench, home) as agent:
        while agent.runs:
            bench.proxy.reset()
            time.sleep(pause)
            pause *= 1.05  # a busy machine may need longer than the first for one request
        assert agent.wait().code == 0
    assert bench.numbers() == ROWS


def test_answers_that_get_lost(bench):
    home = bench.enrol()
    bench.hub.faults.lose_answers = 3
    with start_slow(bench, home) as agent:
        assert agent.wait().code == 0
    assert bench.hub.faults.lose_answers == 0
    assert bench.numbers() == ROWS


def test_a_slow_network(bench):
    home = bench.enrol()
    bench.proxy.weather.delay = 0.05
    bench.proxy.weather.rate = 20_000
    with start_slow(bench, home) as agent:
        assert agent.wait().code == 0
    assert bench.numbers() == ROWS


def test_requests_that_come_twice_or_late_change_nothing(bench):
    home = bench.enrol()
    with start_slow(bench, home) as agent:
        wait_until(has_rows(bench, 100), "some rows")
        twice = [bytes(heard) for heard in bench.proxy.heard]
        replay(bench, twice)
        assert agent.wait().code == 0
    replay(bench, [bytes(heard) for heard in bench.proxy.heard if b"/v1/records" in heard])
    assert any("seen before" in told for told in bench.hub.refusals)
    assert bench.numbers() == ROWS


def replay(bench, requests):
    """Send what was heard again, as somebody who listens could; wait until it was answered."""
    seen = len(bench.hub.requests)
    for request in requests:
        with socket.create_connection(bench.proxy.server) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    assert len(bench.hub.requests) > seen


def test_a_hub_that_is_busy_is_left_alone(bench):
    home = bench.enrol()
    bench.hub.faults.busy = 1
    with start_slow(bench, home) as agent:
        wait_until(lambda: made_all(home), "the worker to make all meanwhile")
        asked = len(bench.hub.requests)
        # Two connections, each with at least a second between its tries.
        assert asked < 40
        bench.hub.faults.busy = 0
        assert agent.wait().code == 0
    assert bench.numbers() == ROWS


def made_all(home):
    return (home / "worker.json").exists() and made(home) == 300


@pytest.mark.parametrize("slow", [0.2, 2.0])
def test_a_slow_hub(bench, slow):
    """It answers late, or later than an agent waits, when all was done."""
    home = bench.enrol()
    bench.hub.faults.slow = slow
    with start_slow(bench, home) as agent:
        wait_until(lambda: made_all(home), "the worker to make all meanwhile")
        if slow > FAST["patience"]:
            wait_until(lambda: not linked(home), "the agent to give up")
            bench.hub.faults.slow = 0.0
        assert agent.wait().code == 0
    assert bench.numbers() == ROWS


def test_back_pressure_in_a_good_answer_is_heeded(bench):
    home = bench.enrol()
    bench.hub.faults.wait = 0.4
    with start_slow(bench, home, patience=10.0) as agent:  # what it gives up has no answer
        assert agent.wait().code == 0
    times = [at for at, path in bench.hub.requests if path == "/v1/records"]
    assert all(later - earlier >= 0.39 for earlier, later in pairwise(times))
    assert bench.numbers() == ROWS


def test_requests_that_are_too_large_become_smaller(bench):
    home = bench.enrol()
    bench.hub.faults.too_large = 2_000
    with running(bench.start(home, bench.make_slot(rows=300, batch=10))) as agent:
        assert agent.wait().code == 0
    assert bench.numbers() == ROWS


def test_a_hub_that_starts_anew_forgets_sessions_and_loses_nothing(bench):
    home = bench.enrol()
    with start_slow(bench, home) as agent:
        wait_until(has_rows(bench, 50), "some rows")
        bench.hub.sessions = type(bench.hub.sessions)()
        assert agent.wait().code == 0
    assert any("no such session" in told for told in bench.hub.refusals)
    assert bench.numbers() == ROWS


def test_a_hub_that_was_set_back_is_filled_again(bench):
    home = bench.enrol()
    with start_slow(bench, home) as agent:
        wait_until(has_rows(bench, 200), "some rows")
        with bench.hub.lock:
            bench.hub.incarnation = "second"
            for kept in bench.hub.lanes.values():
                del kept.records[10:]
        assert agent.wait().code == 0
    assert bench.numbers() == ROWS


def test_an_agent_collects_from_its_cache_while_the_hub_is_down(bench):
    home = bench.enrol()
    slot = bench.make_slot(rows=300)
    bench.proxy.cut()
    began = time.monotonic()
    with running(bench.start(home, slot, **FAST)) as agent:
        wait_until(lambda: made_all(home), "rows")
        assert time.monotonic() - began < 10
        wait_until(lambda: read_status(home)["status"]["unsent"] == 300, "its status")
        assert read_status(home)["running"]
        bench.proxy.mend()
        assert agent.wait().code == 0
    assert bench.numbers() == ROWS
    assert not read_status(home)["running"]


def test_a_hub_that_moves_is_found_again(bench):
    """The address stays; the server behind it is another process at another port."""
    home = bench.enrol()
    with start_slow(bench, home) as agent:
        wait_until(has_rows(bench, 50), "some rows")
        with serve(bench.hub) as address:
            bench.proxy.server = "127.0.0.1", int(address.rpartition(":")[2])
            bench.proxy.reset()
            assert agent.wait().code == 0
    assert bench.numbers() == ROWS
