import os
import warnings

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import segue
from segue.anywhere.schemas import read_schema
from segue.errors import UsageError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # it imports PySpark, which pandas 3 is new to
    import pandera.pandas as papd
    import pandera.polars as papl
    from pandera.typing import Series

os.environ.pop("PYARROW_IGNORE_TIMEZONE", None)  # it sets this for the whole process
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support:FutureWarning")


class Frame(papd.DataFrameModel):
    k: int
    name: Series[str] = papd.Field(nullable=True)
    at: pd.DatetimeTZDtype = papd.Field(dtype_kwargs={"unit": "us", "tz": "UTC"})


class PolarsFrame(papl.DataFrameModel):
    a: int
    b: pl.List(pl.Int8)


WITH_INDEX = papd.DataFrameSchema(
    {"a": papd.Column("Int64"), "c": papd.Column("category")}, index=papd.Index(str, name="k")
)


@pytest.fixture(autouse=True)
def reset_environment(monkeypatch):
    monkeypatch.setenv("PYARROW_IGNORE_TIMEZONE", "1")


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (Frame, "k: int64, name: string, at: timestamp(us, UTC)"),
        (PolarsFrame, "a: int64, b: list<int8>"),
        (papl.DataFrameSchema({"a": papl.Column(pl.Date)}), "a: date"),
        (WITH_INDEX, "k: string, a: int64, c: categorical<string>"),
    ],
)
def test_declarations(declared, expected):
    assert str(read_schema(declared, {})) == expected


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        (papd.DataFrameSchema({"a": papd.Column(None)}), "column 'a' has no type"),
        (papd.DataFrameSchema({"a.*": papd.Column(int, regex=True)}), "'a.*' is a pattern"),
        (papd.DataFrameSchema({"a": papd.Column(object)}), "pandas' type object tells no column"),
    ],
)
def test_declarations_that_can_not_be_read(declared, told):
    with pytest.raises(UsageError) as caught:
        read_schema(declared, {})
    assert told in str(caught.value)


def test_a_model_is_the_schema_of_a_result():
    def shout(given: pa.Table) -> list[dict]:
        return [{"b": [1], "a": 2.0}]

    found = segue.transform(pa.table({"x": [1]}), shout, schema=PolarsFrame)
    assert found.schema == pa.schema([("a", pa.int64()), ("b", pa.list_(pa.int8()))])
