"""Metrics are what Python computes exactly, of any numbers."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from math import floor

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.judge.measure import measure_table
from tests.unit.judge.judging import make_check, make_contract

PLENTY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
INTEGERS = st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), max_size=12)
CENTS = st.lists(st.integers(-(10**14), 10**14) | st.none(), max_size=12)


def measure(session, *checks):
    schema = session.describe("select * from orders")
    return measure_table(session, "orders", make_contract(*checks), schema).measurements


def interpolate(values, share):
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = ordered[floor(place)]
    high = ordered[min(floor(place) + 1, len(ordered) - 1)]
    return low + (place - floor(place)) * (high - low)


def check_both_sides(session, kind, exact):
    """Check that bounds next to a value tell it from what is a little above and below."""
    step = Decimal("1e-9")
    with localcontext(prec=80):
        number = Decimal(exact.numerator) / Decimal(exact.denominator)
        below = number.quantize(step, ROUND_FLOOR)
        above = number.quantize(step, ROUND_CEILING)
        beyond = [{"min": str(above + step)}, {"max": str(below - step)}]
    checks = [make_check(kind, {"min": str(below), "max": str(above)}, ["x"], name="inside")]
    checks += [make_check(kind, each, ["x"], name=str(each)) for each in beyond]
    found = [str(each.verdict) for each in measure(session, *checks)]
    assert found == ["pass", "fail", "fail"]


@PLENTY
@given(INTEGERS)
def test_integers(session, values):
    session.bind("orders", pa.table({"x": pa.array(values, pa.int64())}))
    known = [value for value in values if value is not None]
    counted = measure(
        session, make_check("nulls", {}, ["x"]), make_check("distinct", len(set(known)), ["x"])
    )
    assert counted[1].verdict == "pass"
    if known:
        assert counted[0].value == (len(values) - len(known)) / len(values)
        exact = {"sum": sum(known), "min": min(known), "max": max(known)}
        found = measure(session, *(make_check(*each, ["x"]) for each in exact.items()))
        assert {str(each.verdict) for each in found} == {"pass"}
        check_both_sides(session, "mean", Fraction(sum(known), len(known)))


@PLENTY
@given(CENTS)
def test_decimals(session, cents):
    values = [None if each is None else Decimal(each).scaleb(-2) for each in cents]
    session.bind("orders", pa.table({"x": pa.array(values, pa.decimal128(18, 2))}))
    known = [Fraction(value) for value in values if value is not None]
    if not known:
        return
    for kind, exact in (("sum", sum(known)), ("min", min(known)), ("max", max(known))):
        check_both_sides(session, kind, Fraction(exact))
    check_both_sides(session, "mean", sum(known) / len(known))
    check_both_sides(session, "median", interpolate(known, Fraction(1, 2)))


@PLENTY
@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=12),
    st.sampled_from(["0", "0.1", "0.25", "0.5", "0.9", "0.95", "1"]),
)
def test_quantiles(session, values, place):
    session.bind("orders", pa.table({"x": pa.array(values, pa.int64())}))
    exact = float(interpolate(values, Fraction(place)))
    near = {"at": place, "min": exact - 1e-3, "max": exact + 1e-3}

    (found,) = measure(session, make_check("quantile", near, ["x"]))

    assert found.verdict == "pass", found.message
