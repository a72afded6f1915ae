"""Casts are exact or refused, in columns and in the parts of nested ones."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.frames.arrow_types import conform, to_arrow_type
from segue.frames.casts import cast_array
from segue.spec.types import parse_schema, parse_type

NAIVE = pa.array([0], pa.timestamp("us"))
ZONED = pa.array([0], pa.timestamp("us", "UTC"))
MOMENT = dt.datetime.fromisoformat("2020-01-01T05:00:00")


def cast(values, type_):
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return conform(pa.table({"x": array}), parse_schema(f"x: {type_}"))["x"].to_pylist()


def wrap(array):
    """Return the same values in lists, structs and maps, sliced and beside nulls."""
    two = pa.concat_arrays([array, array])
    ends = pa.array(range(len(two) + 1), pa.int32())
    lists = pa.ListArray.from_arrays(ends, two)
    structs = pa.StructArray.from_arrays([two], ["a"])
    maps = pa.MapArray.from_arrays(ends, pa.array(map(str, range(len(two)))), two)
    return {
        "list<{}>": lists[len(array) :],
        "struct<a: {}>": structs[len(array) :],
        "map<string, {}>": maps[len(array) :],
        "list<list<{}>>": pa.ListArray.from_arrays(ends, lists)[1:],
    }


EXACT = [
    ([1.0, None], "int64"),
    ([2**53, None], "float64"),
    ([1, 2], "decimal(3,1)"),
    ([0.1, -12.25, 0.1 + 0.2, None], "decimal(18,2)"),
    ([Decimal("0.1"), Decimal("123456.75"), None], "float64"),
    ([Decimal("2.0")], "int64"),
    (["1", None], "int64"),
    (["trUe"], "bool"),
    ([1, 0], "bool"),
    ([1.5], "float32"),
    ([dt.date(2020, 1, 1)], "timestamp"),
    (["a", None], "categorical<string>"),
]
LOSSES = [
    ([1.5], "int64"),
    ([float("nan")], "int64"),
    ([float("inf")], "int64"),
    ([2**53 + 1], "float64"),
    ([2**31], "int32"),
    ([-1], "uint8"),
    ([0.15], "decimal(3,1)"),
    ([1e300], "float32"),
    ([2], "bool"),
    ([Decimal("12345678901234567890.12")], "float64"),
    ([Decimal("1.25")], "decimal(4,1)"),
    (["x"], "int64"),
    (["1.5"], "int64"),
    ([MOMENT], "date"),
    ([MOMENT], "time"),
    (pa.array([1500], pa.timestamp("us")), "timestamp(ms)"),
    (pa.array([2**60], pa.timestamp("us")), "timestamp(ns)"),
    (pa.array([1500], pa.duration("us")), "duration(ms)"),
    (NAIVE, "timestamp(us, UTC)"),
    (ZONED, "timestamp"),
    ([dt.date(2020, 1, 1)], "timestamp(us, UTC)"),
    ([1], "timestamp"),
    ([1], "date"),
]


@pytest.mark.parametrize(("values", "type_"), EXACT, ids=str)
def test_exact_values_are_cast_in_columns_and_in_parts(values, type_):
    expected = cast(values, type_)
    array = pa.array(values)
    for outer, nested in wrap(array).items():
        flat = repr(cast(nested, outer.format(type_)))
        assert all(repr(value) in flat for value in expected)


@pytest.mark.parametrize(("values", "type_"), LOSSES, ids=str)
def test_losses_are_refused_in_columns_and_in_parts(values, type_):
    array = values if isinstance(values, pa.Array) else pa.array(values)
    with pytest.raises(ValueError, match=r"column 'x' is .* and can't be"):
        cast(array, type_)
    for outer, nested in wrap(array).items():
        with pytest.raises(ValueError, match=r"column 'x' is .* and can't be"):
            cast(nested, outer.format(type_))


def test_a_value_that_a_null_hides_is_not_looked_at():
    hidden = pa.StructArray.from_arrays([pa.array([1.5, 1.0])], ["a"], mask=pa.array([True, False]))
    assert cast(hidden, "struct<a: int64>") == [None, {"a": 1}]
    lists = pa.ListArray.from_arrays([0, 1, 2], pa.array([1.5, 1.0]), mask=pa.array([True, False]))
    assert cast(lists, "list<int64>") == [None, [1]]


def test_times_beyond_pythons_own_are_told():
    far = pa.array([0, 2**60], pa.timestamp("us"))
    with pytest.raises(ValueError, match="row 2 holds <value out of range"):
        cast(far, "timestamp(ns)")


def test_categories_keep_their_order_and_those_without_rows():
    given_ = pa.DictionaryArray.from_arrays(pa.array([2, None, 1], pa.int8()), ["z", "b", "a"])
    found = cast_array(given_[1:], pa.dictionary(pa.int32(), pa.string()))
    assert found.dictionary.to_pylist() == ["z", "b", "a"]
    assert found.to_pylist() == [None, "b"]


def test_fields_of_structs_in_lists_are_neither_dropped_nor_filled():
    two = [[{"a": 1, "b": 2}]]
    assert cast(two, "list<struct<b: int8, a: string>>") == [[{"b": 2, "a": "1"}]]
    with pytest.raises(ValueError, match="the fields differ: 'b'"):
        cast(two, "list<struct<a: int64>>")
    with pytest.raises(ValueError, match="the fields differ: 'c'"):
        cast(two, "list<struct<a: int64, b: int64, c: int64>>")


@given(st.decimals(-(10**13), 10**13, places=2))
def test_amounts_go_through_floats_unharmed(amount):
    array = pa.array([amount], pa.decimal128(18, 2))
    floats = cast_array(array, pa.float64())
    assert cast_array(floats, array.type).to_pylist() == [amount]


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_floats_become_integers_exactly_or_not_at_all(number):
    try:
        found = cast_array(pa.array([number]), to_arrow_type(parse_type("int64")))
    except (ValueError, pa.ArrowException):
        assert not number.is_integer() or abs(number) >= 2**53
    else:
        assert found.to_pylist() == [number]
