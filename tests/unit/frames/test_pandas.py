import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.frames.arrow_types import conform, from_arrow, to_arrow
from segue.frames.convert import from_frame, to_frame
from segue.frames.pandas_ import from_pandas, to_pandas
from segue.spec.step import FrameKind, FrameSpec
from segue.spec.types import parse_schema
from tests.unit.frames.every_type import BIG, cells, make_table

NOTHING_KNOWN = pa.schema([])


def read(frame, hints=NOTHING_KNOWN):
    return from_pandas(frame, hints)


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        ("int", "int64"),
        ("int or null", "Int64"),
        ("int8", "Int8"),
        ("uint64", "UInt64"),
        ("flag", "bool"),
        ("flag or null", "boolean"),
        ("float", "float64"),
        ("float or null", "float64"),
        ("NaN or null", "Float64"),
        ("float32", "Float32"),
        ("text", pd.Series(["a"]).dtype),
        ("money", "object"),
        ("day", "object"),
        ("stamp", "datetime64[us]"),
        ("nanos", "datetime64[ns]"),
        ("rome", "datetime64[us, Europe/Rome]"),
        ("span", "timedelta64[us]"),
        ("ints", pd.ArrowDtype(pa.list_(pa.int64()))),
    ],
)
def test_types_that_a_function_gets(column, dtype):
    frame = to_pandas(make_table())
    assert frame[column].dtype == dtype
    assert list(frame.index) == [0, 1, 2]


def test_values_that_a_function_gets():
    frame = to_pandas(make_table())
    assert frame["int or null"][2] == BIG
    assert frame["money"][0] == Decimal("1.20")
    assert frame["day"][2] == dt.date(9999, 12, 31)
    assert list(frame["NaN or null"].isna()) == [False, True, False]
    assert frame["ints"][0] == [1, None, BIG]


def test_missing_values_of_plain_floats_are_null():
    table = read(pd.DataFrame({"a": [1.0, np.nan]}))
    assert table["a"].to_pylist() == [1.0, None]


@pytest.mark.parametrize("value", [None, np.nan, pd.NA, pd.NaT])
def test_missing_values_among_objects_are_null(value):
    table = read(pd.DataFrame({"a": pd.Series(["x", value], dtype=object)}))
    assert table["a"].to_pylist() == ["x", None]
    table = read(pd.DataFrame({"a": pd.Series([dt.date(2020, 1, 1), value], dtype=object)}))
    assert table["a"].to_pylist() == [dt.date(2020, 1, 1), None]


def test_index_with_a_name_becomes_columns_and_others_are_dropped():
    frame = pd.DataFrame({"k": ["a", "b", "a"], "n": [1, 2, 3]})
    assert read(frame.groupby("k").sum()).to_pylist() == [{"k": "a", "n": 4}, {"k": "b", "n": 2}]
    assert read(frame[frame["n"] > 1]).column_names == ["k", "n"]
    assert read(frame.set_index("k", drop=False)).column_names == ["k", "n"]
    two = frame.set_index(["k", pd.Index([5, 6, 7])])
    assert read(two).column_names == ["k", "n"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, "x"], "column 'a b' mixes int and str"),
        ([b"x", "x"], "column 'a b' mixes bytes and str"),
        (
            [dt.date(2020, 1, 1), dt.datetime.fromisoformat("2020-01-01T05:00")],
            "column 'a b' mixes date and datetime",
        ),
        ([object()], "column 'a b' holds values of type object, which can't be stored"),
        ([[1], ["x"]], "column 'a b' holds list whose parts differ"),
        ([1 << 70], "column 'a b' holds values of type int, which can't be stored"),
    ],
)
def test_objects_without_a_common_type_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        read(pd.DataFrame({"a b": pd.Series(values, dtype=object)}))


def test_columns_that_can_not_be_stored_are_refused():
    with pytest.raises(ValueError, match="column 'z' is of pandas' type complex128"):
        read(pd.DataFrame({"z": [1j]}))
    with pytest.raises(ValueError, match="column names are text, 0 is of type int"):
        read(pd.DataFrame([[1]]))
    with pytest.raises(ValueError, match="column 'a' comes twice"):
        read(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_hints_settle_what_objects_leave_open():
    hints = pa.schema([("d", pa.decimal128(18, 2)), ("e", pa.string()), ("l", pa.list_(pa.int8()))])
    frame = pd.DataFrame(
        {"d": [Decimal("1.5")], "e": [None], "l": [[1]], "n": [None]}, dtype=object
    )
    assert read(frame, hints).schema.types == [*hints.types, pa.null()]


def test_hints_never_change_values():
    hints = pa.schema([("d", pa.date32()), ("m", pa.decimal128(4, 1)), ("t", pa.string())])
    values = {
        "d": [dt.datetime.fromisoformat("2020-01-01T05:00")],
        "m": [Decimal("1.25")],
        "t": [7],
    }
    table = read(pd.DataFrame(values, dtype=object), hints)
    assert table.to_pylist() == [{"d": values["d"][0], "m": Decimal("1.25"), "t": 7}]


def test_nanoseconds_of_timestamp_objects_survive():
    table = read(pd.DataFrame({"t": pd.Series([pd.Timestamp(1)], dtype=object)}))
    assert table["t"].cast(pa.int64()).to_pylist() == [1]


def test_sparse_columns_are_filled():
    table = read(pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 1])}))
    assert table["s"].to_pylist() == [0, 0, 1]


def test_frame_without_columns_keeps_its_rows():
    assert read(pd.DataFrame(index=range(3))).num_rows == 3
    assert to_pandas(pa.table({})).shape == (0, 0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pd.period_range("2020-01", periods=1, freq="M"), "pandas' periods can't be stored"),
        (pd.cut(pd.Series([1]), [0, 3]), "pandas' intervals can't be stored: make them text"),
        (pd.interval_range(0, 1), "pandas' intervals can't be stored"),
    ],
)
def test_types_that_are_pandas_own_are_refused(values, message):
    with pytest.raises(ValueError, match=f"column 'p': {message}"):
        from_arrow(read(pd.DataFrame({"p": values})).schema)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([pd.Timestamp(0), pd.Timestamp(0, tz="UTC")], "mixes times with and without a time zone"),
        ([np.datetime64("2020-01-01")], "type datetime64, which can't be stored"),
        (["\ud800"], "type str, which can't be stored"),
        ([Decimal("Infinity")], "type Decimal, which can't be stored"),
        ([dt.time(1, tzinfo=dt.UTC)], "times of day with a time zone"),
        ([[dt.date(2020, 1, 1), dt.datetime.fromisoformat("2020-01-01T05:00")]], "mixes date and"),
    ],
)
def test_objects_that_arrow_would_change_are_refused(values, message):
    with pytest.raises(ValueError, match=f"column 'x' .*{message}"):
        read(pd.DataFrame({"x": pd.Series(values, dtype=object)}))


def test_dates_and_times_in_fields_of_their_own_are_no_mixture():
    moment = dt.datetime.fromisoformat("2020-01-01T05:00")
    rows = [{"d": moment.date(), "t": moment}, None]
    table = read(pd.DataFrame({"x": pd.Series(rows, dtype=object)}))
    assert table["x"].to_pylist() == rows


@pytest.mark.parametrize("dtype", [">i8", ">f8", ">u2"])
def test_numbers_of_another_byte_order_are_turned(dtype):
    assert read(pd.DataFrame({"x": np.array([1, 2], dtype)}))["x"].to_pylist() == [1, 2]


def test_categories_keep_their_order_and_those_without_rows():
    values = pd.Categorical(["a", None, "b"], categories=["z", "b", "a"], ordered=True)
    table = read(pd.DataFrame({"c": values}))
    back = to_pandas(conform(table, from_arrow(table.schema)))
    assert list(back["c"].cat.categories) == ["z", "b", "a"]
    assert back["c"].astype(object).where(back["c"].notna(), None).to_list() == ["a", None, "b"]


def test_two_levels_of_an_index_with_one_name_are_refused():
    level = pd.Index([1], name="z")
    with pytest.raises(ValueError, match="column 'z' comes twice"):
        read(pd.DataFrame({"a": [1]}, index=[level, level]))


@pytest.mark.parametrize("name", [None, 1, ("a", "x"), pd.Timestamp(0), True])
def test_names_that_are_no_text_are_refused(name):
    frame = pd.DataFrame({"a": [1]})
    frame.columns = pd.Index([name], dtype=object)
    with pytest.raises(ValueError, match="column names are text"):
        read(frame)


@pytest.mark.parametrize("names", [("a", "A"), ("", "a b"), ("ü.`x", '"'), ("a\n", "select")])
def test_odd_names_survive(names):
    frame = pd.DataFrame([[1, 2]], columns=list(names))
    assert list(to_pandas(read(frame)).columns) == list(names)


COLUMNS = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "float64": st.floats(),
    "bool": st.booleans(),
    "string": st.text(),
    "binary": st.binary(),
    "decimal(38,4)": st.decimals(-(10**12), 10**12, places=4),
    "date": st.dates(),
    "time": st.times(),
    "timestamp": st.datetimes(),
    "timestamp(us, Europe/Rome)": st.datetimes(
        dt.datetime.fromisoformat("1900-01-01"),
        dt.datetime.fromisoformat("2200-01-01"),
        timezones=st.just(dt.UTC),
    ),
    "timestamp(ns)": st.integers(-(2**62), 2**62),
    "duration(us)": st.timedeltas(dt.timedelta(days=-(10**6)), dt.timedelta(days=10**6)),
    "categorical<string>": st.sampled_from(["a", "ü", ""]),
    "list<int64>": st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=3),
    "struct<a: int64, b: string>": st.fixed_dictionaries(
        {"a": st.none() | st.integers(0, 9), "b": st.none() | st.text(max_size=2)}
    ),
}


@pytest.mark.parametrize("type_", COLUMNS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_column_survives_pandas_polars_and_dicts(type_, data):
    values = data.draw(st.lists(st.none() | COLUMNS[type_], max_size=6))
    schema = parse_schema(f"x: {type_}")
    table = pa.table([pa.array(values, to_arrow(schema).field(0).type)], to_arrow(schema))
    for kind in (FrameKind.PANDAS, FrameKind.POLARS, FrameKind.ROWS, FrameKind.NARWHALS):
        if kind is FrameKind.ROWS and not values:
            continue
        frame = to_frame(table, FrameSpec(kind), schema)
        back = conform(from_frame(frame, kind, schema), schema)
        assert cells(back) == cells(table)
        assert back.schema == table.schema
