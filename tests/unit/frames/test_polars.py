import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from segue.frames.arrow_types import conform, from_arrow
from segue.frames.convert import from_frame
from segue.frames.polars_ import from_polars, read_dtype, to_polars
from segue.spec.step import FrameKind
from tests.unit.frames.every_type import BIG

KEPT = {
    "int8": (pl.Int8, [1, None, -128]),
    "int64": (pl.Int64, [BIG, None]),
    "uint64": (pl.UInt64, [2**64 - 1, None]),
    "float32": (pl.Float32, [1.5, None]),
    "decimal(18,2)": (pl.Decimal(18, 2), [Decimal("1.20"), None]),
    "categorical<string>": (pl.Categorical, ["a", None, "b"]),
    "duration(ns)": (pl.Duration("ns"), [dt.timedelta(1), None]),
    "duration(ms)": (pl.Duration("ms"), [dt.timedelta(1), None]),
    "time": (pl.Time, [dt.time(1, 2, 3, 4), None]),
    "date": (pl.Date, [dt.date(1, 1, 1), None]),
    "timestamp(ms, Europe/Rome)": (
        pl.Datetime("ms", "Europe/Rome"),
        [dt.datetime.fromisoformat("2020-01-01T00:00"), None],
    ),
    "timestamp(ns)": (pl.Datetime("ns"), [dt.datetime.fromisoformat("2020-01-01T00:00")]),
    "binary": (pl.Binary, [b"\xff", None]),
    "null": (pl.Null, [None, None]),
    "struct<a: int64, b: null>": (
        pl.Struct({"a": pl.Int64, "b": pl.Null}),
        [{"a": BIG, "b": None}, None],
    ),
    "list<struct<a: list<categorical<string>>>>": (
        pl.List(pl.Struct({"a": pl.List(pl.Categorical)})),
        [[{"a": ["x"]}], None, []],
    ),
    "struct<>": (pl.Struct([]), [{}]),
}
NEAREST = {
    "categorical<string>": (pl.Enum(["z", "b", "a"]), ["a", None, "b"], pl.Categorical),
    "list<int8>": (pl.Array(pl.Int8, 2), [[1, 2], None], pl.List(pl.Int8)),
    "list<list<int8>>": (pl.Array(pl.Int8, (1, 2)), [[[1, 2]], None], pl.List(pl.List(pl.Int8))),
}


def through(frame):
    table = from_polars(frame)
    return table, to_polars(conform(table, from_arrow(table.schema)))


@pytest.mark.parametrize("rows", [3, 0])
@pytest.mark.parametrize("type_", KEPT)
def test_types_and_values_are_kept(type_, rows):
    dtype, values = KEPT[type_]
    frame = pl.DataFrame({"x": pl.Series("x", values[:rows], dtype)})
    table, back = through(frame)
    assert str(from_arrow(table.schema)) == f"x: {type_}"
    assert str(read_dtype(dtype)) == type_
    assert back.schema == frame.schema
    assert back["x"].to_list() == frame["x"].to_list()


@pytest.mark.parametrize("type_", NEAREST)
def test_types_that_are_polars_own_become_the_nearest(type_):
    dtype, values, nearest = NEAREST[type_]
    table, back = through(pl.DataFrame({"x": pl.Series("x", values, dtype)}))
    assert str(from_arrow(table.schema)) == f"x: {type_}"
    assert back["x"].to_list() == values
    assert back["x"].dtype == nearest


@pytest.mark.parametrize("dtype", [pl.Int128, pl.List(pl.Int128), pl.Struct({"a": pl.UInt128})])
def test_types_that_can_not_be_stored_name_their_column(dtype):
    with pytest.raises(ValueError, match=r"column 'x' is of polars' type U?Int128"):
        from_polars(pl.DataFrame(schema={"x": dtype}))
    with pytest.raises(ValueError, match=r"polars' type U?Int128 can't be stored"):
        read_dtype(dtype)


def test_null_and_nan_are_apart():
    _, back = through(pl.DataFrame({"x": [1.0, None, float("nan")]}))
    assert str(back["x"].to_list()) == "[1.0, None, nan]"


def test_nanoseconds_of_times_of_day_are_refused():
    table = from_polars(pl.DataFrame({"x": pl.Series([1]).cast(pl.Time)}))
    with pytest.raises(ValueError, match="column 'x' is time and can't be time"):
        conform(table, from_arrow(table.schema))


def test_nanoseconds_of_a_time_of_day_are_refused_with_the_column():
    frame = pl.DataFrame({"t": pl.Series([3], dtype=pl.Time)})
    with pytest.raises(ValueError, match="column 't' has a time of day with nanoseconds"):
        from_frame(frame, FrameKind.POLARS)
