import datetime as dt
import os
import zoneinfo

import pandas as pd
import pyarrow as pa
import pytest

from segue.errors import UsageError
from segue.frames.pandas_ import from_pandas
from segue.frames.rows import from_rows, to_rows

NOTHING_KNOWN = pa.schema([])
NOON = dt.datetime.fromisoformat("2020-01-01T12:00")


def test_a_key_that_a_row_lacks_is_null():
    table = from_rows([{"a": 1}, {"b": "x", "a": None}], NOTHING_KNOWN)
    assert table.to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": "x"}]


def test_zones_count_after_an_import_of_pandera(monkeypatch):
    monkeypatch.setenv("PYARROW_IGNORE_TIMEZONE", "1")
    rome = NOON.replace(tzinfo=zoneinfo.ZoneInfo("Europe/Rome"))
    rows = [{"a": rome, "b": [rome]}]
    assert from_rows(rows, NOTHING_KNOWN).to_pylist() == rows
    frame = pd.DataFrame({"a": pd.Series([rome], dtype=object)})
    assert from_pandas(frame, NOTHING_KNOWN)["a"].to_pylist() == [rome]
    assert os.environ["PYARROW_IGNORE_TIMEZONE"] == "1"


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
        ([{"a": NOON}, {"a": NOON.replace(tzinfo=dt.UTC)}], "'a' mixes times with and without"),
        ([{"a": [NOON.date(), NOON]}], "column 'a' mixes date and datetime"),
        ([{"a": [{"b": NOON}, {"b": NOON.replace(tzinfo=dt.UTC)}]}], "'a' mixes times with"),
        ([{"a": NOON.time().replace(tzinfo=dt.UTC)}], "times of day with a time zone"),
        ([{"a": 2**64}], "column 'a' holds values of type int, which can't be stored"),
        ([{"a": 2**53 + 1}, {"a": 1.5}], "column 'a' mixes float and int"),
        ([int], "a row is of type type, not a dict"),
    ],
)
def test_rows_that_make_no_table_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        from_rows(rows, NOTHING_KNOWN)


def test_what_pandas_calls_missing_is_null():
    table = from_rows([{"a": pd.NA}, {"a": 2**53 + 1}, {"a": None}], NOTHING_KNOWN)
    assert table["a"].to_pylist() == [None, 2**53 + 1, None]
    assert from_rows([{"a": pd.NA}], NOTHING_KNOWN)["a"].to_pylist() == [None]


def test_times_beyond_pythons_own_make_no_dicts():
    far = pa.table({"t": pa.array([2**60], pa.timestamp("us"))})
    with pytest.raises(UsageError, match="rows can't be dicts"):
        to_rows(far)
