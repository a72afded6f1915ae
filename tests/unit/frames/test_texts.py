"""Texts are as DuckDB writes them."""

import datetime as dt

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.frames.casts import cast_array

FLOATS = [1.0, -0.0, 0.1, 1e7, 1e15, 1e16, 1e-4, 1e-5, float("nan"), float("inf"), None, 1 / 3]
MOMENTS = [
    dt.datetime.fromisoformat(f"2020-01-02 03:04:05.{micros:06}")
    for micros in (0, 1, 10, 500_000, 120_000)
]
VALUES = {
    pa.float64(): [*FLOATS, 5e-324, -1.7976931348623157e308],
    pa.float32(): FLOATS,
    pa.timestamp("us"): [*MOMENTS, None, -(2**55), 2**57],
    pa.timestamp("s"): [MOMENTS[0], None],
    pa.timestamp("ns"): [MOMENTS[0], MOMENTS[1]],
    pa.time64("us"): [*(moment.time() for moment in MOMENTS), None],
    pa.date32(): [dt.date(1, 1, 1), None],
    pa.int64(): [2**53 + 1, None],
    pa.bool_(): [True, None, False],
    pa.decimal128(5, 2): [1, None],
}


def ask_duckdb(array):
    table = pa.table({"v": array})
    with duckdb.connect() as connection:
        connection.register("t", table)
        found = connection.sql("select v::varchar as v from t").to_arrow_table()
    return found["v"].to_pylist()


@pytest.mark.parametrize("type_", VALUES, ids=str)
def test_cast_to_text(type_):
    array = pa.array(VALUES[type_], type_)
    assert cast_array(array, pa.string()).to_pylist() == ask_duckdb(array)


@pytest.mark.parametrize("type_", [pa.float64(), pa.float32()], ids=str)
@given(values=st.lists(st.none() | st.floats(width=32, allow_nan=False), min_size=20, max_size=20))
def test_floats_as_text(type_, values):
    array = pa.array(values, type_)
    assert cast_array(array, pa.string()).to_pylist() == ask_duckdb(array)


def test_nothing_is_written_of_no_rows():
    for type_ in VALUES:
        assert cast_array(pa.array([], type_), pa.string()).type == pa.string()
