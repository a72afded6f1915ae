import pyarrow as pa
import pytest

from segue.agent.work.poison import part_poison
from segue.errors import Location, StepError

BAD = StepError("it is bad", location=Location("steps/a.py", 3))


def failing(bad, tries):
    def run(rows):
        tries.append(rows.num_rows)
        if any(n in bad for n in rows["n"].to_pylist()):
            raise BAD
        return rows

    return run


def numbers(count):
    return pa.table({"n": range(count)})


def rows_of(parted):
    return [n for start, stop, _ in parted.bad for n in range(start, stop)]


@pytest.mark.parametrize("bad", [{0}, {99}, {3, 4, 50}, set(range(0, 100, 10))])
def test_only_the_bad_rows_are_left_out(bad):
    tries = []
    parted = part_poison(failing(bad, tries), numbers(100))
    assert rows_of(parted) == sorted(bad)
    assert parted.result["n"].to_pylist() == [n for n in range(100) if n not in bad]
    assert parted.bad[0][2] == "it is bad (steps/a.py:3)"


def test_one_bad_row_costs_two_tries_for_each_halving():
    tries = []
    part_poison(failing({777}, tries), numbers(1024))
    assert len(tries) == 1 + 2 * 10 + 1


def test_the_rest_is_one_run_so_that_a_mean_is_its_mean():
    def mean(rows):
        failing({2}, [])(rows)
        return pa.table({"mean": [sum(rows["n"].to_pylist()) / rows.num_rows]})

    assert part_poison(mean, numbers(5)).result["mean"].to_pylist() == [2.0]


def test_what_fails_only_together_goes_in_parts():
    def few(rows):
        if rows.num_rows > 3:
            raise BAD
        return rows

    parted = part_poison(few, numbers(10))
    assert parted.bad == []
    assert parted.result["n"].to_pylist() == list(range(10))
    assert parted.error is BAD


def test_tries_are_bounded_and_what_is_left_is_small():
    tries = []
    parted = part_poison(failing(set(range(0, 10_000, 2)), tries), numbers(10_000), most_tries=100)
    assert len(tries) <= 103
    assert max(stop - start for start, stop, _ in parted.bad) < 500
    assert parted.result is None


def test_a_step_that_fails_without_rows_gives_nothing():
    def never(rows):
        raise BAD

    parted = part_poison(never, numbers(0))
    assert (parted.result, parted.bad, parted.error) == (None, [], BAD)
