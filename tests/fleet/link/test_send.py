"""Rows arrive once each and in order, whatever happens to agents and to the network."""

import pytest

from segue.testing.processes import running, wait_until

ROWS = list(range(500))


def test_an_agent_sends_all_and_ends(bench):
    home, slot = bench.enrol(), bench.make_slot(rows=500)
    ended = bench.start(home, slot).wait()
    assert (ended.code, ended.err) == (0, "")
    assert bench.numbers() == ROWS


@pytest.mark.parametrize("point", ["agent.send.before", "agent.sent", "agent.acknowledged"])
@pytest.mark.parametrize("times", [1, 3])
def test_an_agent_killed_while_it_sends_loses_and_doubles_nothing(bench, point, times):
    home, slot = bench.enrol(), bench.make_slot(rows=500, batch=3, pause=0.002)
    assert bench.start(home, slot, failpoints=f"{point}=kill@{times}").wait().killed
    assert bench.start(home, slot, failpoints=f"{point}=kill").wait().killed
    assert bench.start(home, slot).wait().code == 0
    assert bench.numbers() == ROWS
