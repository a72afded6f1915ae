"""A column of a result that holds nothing but nulls tells no type of its own."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest

import segue

KEYS = {
    "text": pa.array(["a", None, "b"]),
    "zone": pa.array([dt.datetime(2020, 1, n, tzinfo=dt.UTC) if n else None for n in (1, 0, 2)]),
    "date": pa.array([dt.date(2020, 1, 1), None, dt.date(2020, 1, 2)]),
    "int": pa.array([2**53 + 1, None, 2]),
}


def rebuild(given: pd.DataFrame) -> pd.DataFrame:
    """Make a frame anew, of which pandas says float64 or datetime64 where the key is null."""
    return pd.DataFrame({"k": [given["k"].iloc[0]], "n": [len(given)]})


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("first", [False, True], ids=["null-last", "null-first"])
@pytest.mark.parametrize("schema", [None, "*"], ids=["found", "declared"])
def test_a_key_that_is_null_keeps_its_type(name, first, schema):
    keys = KEYS[name].take(pa.array([1, 0, 2])) if first else KEYS[name]
    given = pa.table({"k": keys, "n": pa.array([1, 2, 3])})
    found = segue.transform(given, rebuild, by="k", schema=schema)
    assert found.schema.types == [keys.type, pa.int64()]
    assert sorted(map(str, found["k"].to_pylist())) == sorted(map(str, keys.to_pylist()))


def test_whole_numbers_stay_whole_beside_a_group_without_any():
    def measure(given: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"m": [float("nan") if given["v"].iloc[0] < 2 else 2**53 + 1]})

    found = segue.transform(pa.table({"v": [1, 2, 3]}), measure, by="v")
    assert found["m"].to_pylist() == [None, 2**53 + 1, 2**53 + 1]


def test_a_column_that_no_group_fills_keeps_what_the_library_gave_it():
    def measure(given: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"m": [float("nan")]})

    found = segue.transform(pa.table({"v": [1, 2]}), measure, by="v")
    assert found.schema.field("m").type == pa.float64()


def test_values_of_two_kinds_are_told_as_before():
    def measure(given: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"m": [1.5 if given["v"].iloc[0] < 2 else "x"]})

    with pytest.raises(segue.errors.OutputError, match="column 'm' is string, not float64"):
        segue.transform(pa.table({"v": [1, 2]}), measure, by="v")
