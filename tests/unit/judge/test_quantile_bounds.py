"""Quantiles that are held against bounds by counting."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.judge.measure import measure_table
from segue.judge.quantile_bounds import Within, decide_quantile
from segue.protocols import Context
from segue.spec.contract import Verdict
from segue.spec.output import DataFile
from segue.spec.types import DataType
from tests.unit.judge.judging import make_check, make_contract

PLACES = st.sampled_from(["0", "0.1", "0.25", "0.5", "0.9", "0.95", "1"])
ENDS = st.none() | st.integers(-20, 20)


def compute(values, place):
    """Return a quantile exactly, as it is defined."""
    ordered, at = sorted(values), Fraction(place) * (len(values) - 1)
    low = ordered[int(at)]
    return low + (ordered[-int(-at // 1)] - low) * (at % 1)


@given(st.lists(st.integers(-20, 20), min_size=1), PLACES, ENDS, ENDS)
def test_counts_never_tell_more_than_is_true(values, place, low, high):
    if low is None and high is None:
        return
    check = make_check("quantile", {"at": place, "min": low, "max": high}, ["x"]) if (
        low is None or high is None or low <= high
    ) else None  # fmt: skip
    if check is None:
        return
    counts = [len(values)]
    counts += [sum(value < low for value in values)] if low is not None else []
    counts += [sum(value > high for value in values)] if high is not None else []
    told = decide_quantile(check, DataType("int64"), place)
    exact = compute(values, place)
    within = (low is None or exact >= low) and (high is None or exact <= high)
    if told.query(counts):
        assert within
    elif within:  # only neighbours on both sides of a bound are left to be computed
        ends = [end for end in (low, high) if end is not None]
        assert any(min(values) < end < max(values) for end in ends)


@pytest.mark.parametrize(
    ("bounds", "verdict", "queries"),
    [
        ({"max": 950_000}, Verdict.PASS, 1),
        ({"min": 949_000, "max": 951_000}, Verdict.PASS, 1),
        ({"max": 949_999}, Verdict.FAIL, 2),
        ({"max": 949_999.06}, Verdict.PASS, 2),
    ],
)
def test_many_rows_are_counted_and_not_sorted(session, bounds, verdict, queries):
    session.bind("orders", "select range as x from range(1000000)")
    schema = session.describe("select * from orders")
    check = make_check("quantile", {"at": 0.95, **bounds}, ["x"])
    session.queries.clear()
    context = Context(files=[DataFile("a", 1_000_000, 1)])
    report = measure_table(session, "orders", make_contract(check), schema, context=context)
    (found,) = report.measurements
    assert found.verdict is verdict
    assert sum("quantile" not in query for query in session.queries) == 1
    assert len(session.queries) == queries
    assert (found.value is None) == (queries == 1)


def test_nan_and_no_values_are_left_to_the_quantile_itself():
    check = make_check("quantile", {"at": 0.5, "max": 1}, ["x"])
    told = decide_quantile(check, DataType("float64"), "0.5")
    assert not told.query([5, 0, 1])
    assert not told.query([0, 0, 0])
    assert told.query([5, 0, 0])
    assert told.kept == Within()
    assert decide_quantile(check, DataType("float32"), "0.5") is None
