"""What the wall clock says is never believed without a look at one that nobody can set."""

import pytest

from segue.agent.clock import RELEASED, SETTLE, ClockWatch


class Clocks:
    def __init__(self, wall):
        self.wall, self.steady = wall, 1000.0

    def watch(self):
        return ClockWatch(wall=lambda: self.wall, steady=lambda: self.steady)

    def sleep(self, seconds, jump=0.0):
        self.steady += seconds
        self.wall += seconds + jump


def test_a_clock_that_was_never_set_is_unsure():
    clocks = Clocks(wall=5.0)
    watch = clocks.watch()
    assert watch.quality() == "unsure"
    clocks.sleep(3600)
    assert watch.quality() == "unsure"


@pytest.mark.parametrize("years", [-1, 6, 10])
def test_a_clock_that_is_years_off_is_unsure(years):
    assert Clocks(wall=RELEASED + years * 365 * 86400.0).watch().quality() == "unsure"


@pytest.mark.parametrize("jump", [-7200.0, 3.0, 365 * 86400.0])
def test_a_clock_that_jumps_is_stepped_for_a_while(jump):
    clocks = Clocks(wall=RELEASED + 10**6)
    watch = clocks.watch()
    clocks.sleep(60)
    assert watch.quality() == "ok"
    clocks.sleep(1, jump)
    assert watch.quality() == "stepped"
    clocks.sleep(SETTLE - 1)
    assert watch.quality() == "stepped"
    clocks.sleep(2)
    assert watch.quality() == "ok"


def test_a_clock_that_is_set_after_the_start_is_stepped_and_then_ok():
    clocks = Clocks(wall=5.0)
    watch = clocks.watch()
    clocks.sleep(10, RELEASED + 10**6)
    assert watch.quality() == "stepped"
    clocks.sleep(SETTLE + 1)
    assert watch.quality() == "ok"


def test_a_clock_that_is_brought_in_line_slowly_stays_ok():
    clocks = Clocks(wall=RELEASED + 10**6)
    watch = clocks.watch()
    for _ in range(100):
        clocks.sleep(60, 0.03)
        assert watch.quality() == "ok"
