"""How bounds are written, and how values are held against them."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest

from segue.judge.metric_bounds import is_within, read_bounds, say_bounds

READ = [
    ([0, 10], 0, 10),
    ([None, "0.10"], None, "0.10"),
    ({"min": 1}, 1, None),
    ({"between": [1, None]}, 1, None),
    ({"equals": 0}, 0, 0),
    (5, 5, 5),
    ({}, None, None),
    ({"max": date(2026, 1, 31)}, None, "2026-01-31"),
    ({"min": "5%", "max": "50%"}, "5%", "50%"),
    (["10", "9.5e1"], "10", "9.5e1"),
]
WRONG = [
    (None, "expected bounds"),
    ({"equals": None}, "expected bounds"),
    ([1], "expected \\[min, max\\]"),
    ([5, 1], "nothing is between 5 and 1"),
    ({"between": 5}, "expected \\[min, max\\]"),
    ({"min": 1, "equals": 2}, "not both"),
    ({"between": [1, 2], "max": 3}, "not both"),
    ({"between": [1, 2], "equals": 3}, "not both"),
    ({"mim": 1}, "unknown key 'mim': expected min, max, between, equals"),
    ([None, None], "at least one bound"),
    ([1, "b"], "different kinds"),
    (["50%", "5%"], "nothing is between"),
    ({"max": "500%"}, "between 0% and 100%"),
    ({"max": float("nan")}, "no bound"),
    ({"max": True}, "have no order"),
    ({"max": [1]}, "expected a number, a text"),
]


@pytest.mark.parametrize(("value", "low", "high"), READ)
def test_reads(value, low, high):
    assert read_bounds(value) == {"min": low, "max": high}


@pytest.mark.parametrize(("value", "message"), WRONG)
def test_refuses(value, message):
    with pytest.raises(ValueError, match=message):
        read_bounds(value)


EAST = timezone(timedelta(hours=5))
WITHIN = [
    (3, [3, 3]),
    (0.1, [0.1, 0.1]),
    (float("inf"), [0, float("inf")]),
    (2**63, [0, 2**63]),
    (2**63, [0, float("inf")]),
    (Decimal("100000000000000000.01"), ["100000000000000000.01", None]),
    (Fraction(1, 20), [None, "5%"]),
    (Fraction(0), ["0%", "0%"]),
    ("b", ["a", "c"]),
    (date(2026, 1, 31), ["2026-01-31", "2026-01-31"]),
    (datetime(2026, 1, 31, 2, tzinfo=EAST), [None, "2026-01-30T21:00:00"]),
    (datetime(2026, 1, 31, 2, tzinfo=UTC), [None, "2026-01-31T07:00:00+05:00"]),
    (time(10), ["09:00", "10:00"]),
]
OUTSIDE = [
    (float("nan"), [0, None]),
    (float("nan"), [None, None]),
    (float("inf"), [None, 10]),
    (-1, [float("-inf"), "-1.5"]),
    (2**53 + 1, [None, 2**53]),
    (Decimal("100000000000000000.01"), [None, "100000000000000000.00"]),
    (Fraction(1, 3), ["33.34%", None]),
    (date(2026, 1, 31), [None, "2026-01-30"]),
    (datetime(2026, 1, 31, 2), [None, "2026-01-31"]),  # noqa: DTZ001  # as a table has it
]


@pytest.mark.parametrize(("value", "bounds"), WITHIN)
def test_within(value, bounds):
    assert is_within(value, dict(zip(("min", "max"), bounds, strict=True)))


@pytest.mark.parametrize(("value", "bounds"), OUTSIDE)
def test_outside(value, bounds):
    assert not is_within(value, dict(zip(("min", "max"), bounds, strict=True)))


@pytest.mark.parametrize(
    ("value", "bound"),
    [(1, "x"), (1.5, True), (True, 1), ("a", 5), (date(2026, 1, 1), 5), (time(1), "x"), ([], "x")],
)
def test_bound_of_another_kind(value, bound):
    with pytest.raises(ValueError, match="and the bound is"):
        is_within(value, {"min": bound})


def test_says():
    said = [say_bounds(read_bounds(value)) for value in ([0, 1_000], {"max": "5%"}, 2.5, {})]
    assert said == ["between 0 and 1,000", "at most 5%", "exactly 2.5", ""]
