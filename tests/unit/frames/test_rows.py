import pandas as pd
import pyarrow as pa
import pytest

from segue.frames.rows import from_rows

NOTHING_KNOWN = pa.schema([])


def test_a_key_that_a_row_lacks_is_null():
    table = from_rows([{"a": 1}, {"b": "x", "a": None}], NOTHING_KNOWN)
    assert table.to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": "x"}]


def test_nan_and_null_are_apart():
    table = from_rows([{"a": float("nan")}, {"a": None}], NOTHING_KNOWN)
    assert str(table["a"].to_pylist()) == "[nan, None]"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"a": 1}, 2], "a row is of type int, not a dict"),
        ([{1: 1}], "column names are text, 1 is of type int"),
        ([{"a": 1}, {"a": "x"}], "column 'a' mixes int and str"),
        ([{"a": 1.5}, {"a": True}], "column 'a' mixes bool and float"),
    ],
)
def test_rows_that_make_no_table_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        from_rows(rows, NOTHING_KNOWN)


def test_what_pandas_calls_missing_is_null():
    table = from_rows([{"a": pd.NA}, {"a": 2**53 + 1}, {"a": None}], NOTHING_KNOWN)
    assert table["a"].to_pylist() == [None, 2**53 + 1, None]
    assert from_rows([{"a": pd.NA}], NOTHING_KNOWN)["a"].to_pylist() == [None]
