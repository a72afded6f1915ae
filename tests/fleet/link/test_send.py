"""Rows arrive once each and in order, whatever happens to agents and to the network."""

import pytest

ROWS = list(range(500))


def test_an_agent_sends_all_and_ends(bench):
    home, slot = bench.enrol(), bench.make_slot(rows=500)
    ended = bench.start(home, slot).wait()
    assert ended.code == 0
    told = ("node till-7 runs; ", "nothing is deployed to it yet", "the hub answers")
    assert all(line.startswith(told) for line in ended.err.splitlines()), ended.err
    assert bench.numbers() == ROWS


@pytest.mark.parametrize("point", ["agent.send.before", "agent.sent", "agent.acknowledged"])
@pytest.mark.parametrize("times", [1, 3])
def test_an_agent_killed_while_it_sends_loses_and_doubles_nothing(bench, point, times):
    home, slot = bench.enrol(), bench.make_slot(rows=500, batch=3, pause=0.002)
    assert bench.start(home, slot, failpoints=f"{point}=kill@{times}").wait().killed
    assert bench.start(home, slot, failpoints=f"{point}=kill").wait().killed
    assert bench.start(home, slot).wait().code == 0
    assert bench.numbers() == ROWS


def test_a_worker_killed_at_random_goes_on_where_it_was(bench):
    home, slot = bench.enrol(), bench.make_slot(rows=400, batch=3, pause=0.002, how="die", after=60)
    ended = bench.start(home, slot).wait()
    assert ended.code == 0
    assert bench.numbers() == ROWS[:400]
    assert len((home / "starts").read_text().splitlines()) == 3
