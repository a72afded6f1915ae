"""Many nodes that lost their hub at once come back spread out."""

import random
from itertools import pairwise

from segue.agent.backoff import LONGEST, Backoff


def test_bounds_double_up_to_the_longest():
    backoff = Backoff(draw=random.Random(1))
    bounds = []
    for _ in range(12):
        bounds.append(backoff.bound)
        assert 0 <= backoff.next() <= bounds[-1]
    assert bounds[:3] == [0.5, 1.0, 2.0]
    assert bounds[-1] == LONGEST
    backoff.succeed()
    assert backoff.bound == 0.5


def test_a_wait_that_was_asked_for_is_kept_and_spread_behind():
    waits = [Backoff(draw=random.Random(each)).next(asked=30) for each in range(1000)]
    assert min(waits) >= 30
    assert max(waits) <= 60
    # All were told the same; what they do is spread over as long again.
    assert count_largest(waits, 1.0) < 70


def test_two_hundred_nodes_that_return_at_once_do_not_storm():
    """A hub is away for an hour, then answers: when do 200 nodes ask for the first time?"""
    outage = 3600.0
    returns = []
    for node in range(200):
        backoff, now = Backoff(draw=random.Random(node)), 0.0
        while now < outage:
            now += backoff.next()
        returns.append(now - outage)
    assert max(returns) <= LONGEST
    assert count_largest(returns, 1.0) <= 18
    # In the long run evenly: about half of them within the first fifth of a minute or so.
    assert 40 <= sum(each < 12 for each in returns) <= 120


def count_largest(times, window):
    """Return how many fall into the fullest window."""
    ordered, most, begin = sorted(times), 0, 0
    for end, _ in enumerate(ordered):
        while ordered[end] - ordered[begin] > window:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def test_no_two_nodes_wait_alike():
    first, second = Backoff(), Backoff()
    assert [first.next() for _ in range(5)] != [second.next() for _ in range(5)]
    assert all(first.next() != later for later, _ in pairwise([second.next(), second.next()]))
