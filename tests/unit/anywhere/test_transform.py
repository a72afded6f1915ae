import datetime as dt
import math
from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import segue
from segue.errors import OutputError, StepError

BIG = 2**53 + 1
NAN = float("nan")
SALES = pa.table(
    {"store": [2, 1, None, 2, None, 1], "day": [1, 1, 1, 3, 2, 2], "n": [BIG, 2, 3, 4, 5, None]}
)

GIVEN = {
    "pandas": lambda: SALES.to_pandas(types_mapper=pd.ArrowDtype),
    "nullable": lambda: pd.DataFrame(
        {name: pd.array(SALES[name].to_pylist(), dtype="Int64") for name in SALES.column_names}
    ),
    "polars": lambda: pl.from_arrow(SALES),
    "lazy": lambda: pl.from_arrow(SALES).lazy(),
    "arrow": lambda: SALES,
    "batch": lambda: SALES.to_batches()[0],
    "reader": SALES.to_reader,
    "rows": SALES.to_pylist,
    "duckdb": lambda: duckdb.connect().from_arrow(SALES),
    "iterator of pandas": lambda: iter([GIVEN["nullable"]()[:2], GIVEN["nullable"]()[2:]]),
    "iterator of polars": lambda: iter([pl.from_arrow(SALES[:3]), pl.from_arrow(SALES[3:])]),
    "iterator of rows": lambda: iter([SALES.to_pylist()[:1], SALES.to_pylist()[1:]]),
    "iterator of batches": lambda: iter(SALES.to_batches(max_chunksize=2)),
}


def identity(frame):
    return frame


def count_rows(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["store"]].head(1).assign(rows=len(frame))


@pytest.mark.parametrize("given", GIVEN)
def test_every_frame_goes_in_and_comes_back(given):
    made = segue.transform(GIVEN[given](), identity, by="store", sort="-day", returns="arrow")
    assert made.to_pydict() == {
        "store": [1, 1, 2, 2, None, None],
        "day": [2, 1, 3, 1, 2, 1],
        "n": [None, 2, 4, BIG, 5, 3],
    }
    assert set(made.schema.types) == {pa.int64()}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("pandas", pd.DataFrame),
        ("polars", pl.DataFrame),
        ("lazy", pl.LazyFrame),
        ("arrow", pa.Table),
        ("batch", pa.RecordBatch),
        ("reader", pa.RecordBatchReader),
        ("rows", list),
        ("duckdb", duckdb.DuckDBPyRelation),
        ("iterator of pandas", Iterator),
    ],
)
def test_the_result_is_of_the_kind_that_was_given(given, kind):
    assert isinstance(segue.transform(GIVEN[given](), identity), kind)


RETURNS = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "arrow": pa.Table, "rows": list}
RETURNS |= {"duckdb": duckdb.DuckDBPyRelation, "polars.LazyFrame": pl.LazyFrame}


@pytest.mark.parametrize("returns", RETURNS)
def test_another_kind_can_be_asked_for(returns):
    kind = RETURNS[returns]
    for asked in (returns, kind):
        assert isinstance(segue.transform(SALES, identity, returns=asked), kind)


def test_a_function_without_annotations_is_given_what_the_data_is():
    kinds = []
    for given in ("pandas", "polars", "lazy", "arrow", "rows", "duckdb"):
        segue.transform(GIVEN[given](), lambda frame: kinds.append(type(frame)))
    frames = [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.Table, list]
    assert kinds == [*frames, duckdb.DuckDBPyRelation]


ANNOTATED = [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.Table, duckdb.DuckDBPyRelation]
ANNOTATED += [list[dict], Iterator[pd.DataFrame], Iterator[pa.RecordBatch], Iterator[list[dict]]]


@pytest.mark.parametrize("annotation", ANNOTATED, ids=str)
@pytest.mark.parametrize("by", [None, "store"])
def test_every_annotation_is_served(annotation, by):
    def function(frame: annotation) -> annotation:
        assert annotation in (type(frame), list[dict]) or isinstance(frame, Iterator)
        return frame

    made = segue.transform(SALES, function, by=by)
    assert sorted(map(str, made.to_pylist())) == sorted(map(str, SALES.to_pylist()))
    assert made.schema == SALES.schema


def test_without_keys_all_rows_are_given_at_once():
    assert segue.transform(SALES, lambda rows: [{"rows": len(rows)}], returns="rows") == [
        {"rows": 6}
    ]


def test_without_keys_no_rows_are_a_call_too():
    made = segue.transform(SALES[:0], lambda table: [{"rows": len(table)}])
    assert made.to_pylist() == [{"rows": 0}]


def test_without_rows_there_is_no_group():
    def fail(rows: list[dict]) -> list[dict]:
        raise AssertionError

    made = segue.transform(SALES[:0], fail, by="store", schema="*, x: string")
    assert (made.num_rows, made.schema.names) == (0, ["store", "day", "n", "x"])
    with pytest.raises(OutputError, match="returned nothing to tell columns by") as raised:
        segue.transform(SALES[:0], fail, by="store")
    assert "schema=" in raised.value.hint


def test_a_table_without_columns():
    assert segue.transform([], lambda rows: [{"a": 1}]) == [{"a": 1}]
    assert segue.transform(pa.table({}), identity).num_columns == 0


KEYS = {
    "NaN and null": ([NAN, None, 1.0, NAN, -0.0, 0.0], pa.float64(), 4),
    "big": ([BIG, BIG - 1, None, BIG, -BIG, None], pa.int64(), 4),
    "zone": ([1, None, 1, 2, None, 2], pa.timestamp("us", "Europe/Rome"), 3),
    "category": (["b", None, "a", "b", None, "a"], pa.dictionary(pa.int8(), pa.string()), 3),
    "decimal": ([Decimal("1.10"), None, Decimal("1.1")] * 2, pa.decimal128(9, 2), 2),
    "date": ([dt.date(2020, 1, 2), None, dt.date(2020, 1, 3)] * 2, pa.date32(), 3),
    "duration": ([1, None, 1] * 2, pa.duration("ns"), 2),
    "struct": ([{"a": 1}, None, {"a": None}] * 2, pa.struct([("a", pa.int64())]), 3),
}


@pytest.mark.parametrize("case", KEYS)
@pytest.mark.parametrize("several", [False, True])
def test_keys_of_every_type(case, several, request):
    values, type_, groups = KEYS[case]
    if several:
        request.getfixturevalue("shared")
    table = pa.table({"k k": pa.array(values, type_), "K K": range(6)})
    made = segue.transform(table, lambda rows: rows.slice(0, 1), by="k k")
    assert made.schema == pa.schema([("k k", _laid_out(type_)), ("K K", pa.int64())])
    assert made.num_rows == groups


def _laid_out(type_):
    return pa.dictionary(pa.int32(), pa.string()) if pa.types.is_dictionary(type_) else type_


def test_null_is_not_nan():
    table = pa.table({"k": [1, 1, 1], "v": [NAN, None, math.inf]})

    def copy(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.copy()

    for by in (None, "k"):
        values = segue.transform(table, copy, by=by)["v"].to_pylist()
        assert str(values) == "[nan, None, inf]"


@pytest.mark.parametrize("several", [False, True])
def test_a_group_looks_the_same_whatever_lies_beside_it(several, request):
    if several:
        request.getfixturevalue("shared")
    table = pa.table(
        {
            "k": [1, 1, 2, 3],
            "i": [BIG, 1, None, 2],
            "b": [True, False, None, True],
            "f": pa.array([1.5, None, NAN, 2.0], pa.float32()),
        }
    )

    def show(frame: pd.DataFrame) -> list[dict]:
        return [{"k": int(frame["k"][0]), "types": " ".join(map(str, frame.dtypes[1:]))}]

    made = segue.transform(table, show, by="k", returns="rows")
    assert {row["k"]: row["types"] for row in made} == {
        1: "int64 bool float32",
        2: "Int64 boolean Float32",
        3: "int64 bool float32",
    }
    same = segue.transform(table, lambda frame: frame, by="k", returns="arrow")
    assert str(same["f"].to_pylist()) == "[1.5, None, nan, 2.0]" or several
    assert set(same["i"].to_pylist()) == {BIG, 1, None, 2}


def test_several_columns_group_and_sort():
    table = pa.table({"a": ["x", "y", "x", None], "b": [1, None, 1, 2], "v": [NAN, 1.0, None, 2.0]})
    made = segue.transform(table, identity, by=["a", "b"], sort=["-v"])
    assert str(made["v"].to_pylist()) == "[nan, None, 1.0, 2.0]"


def test_settings_and_defaults():
    def function(frame: pa.Table, least: int, most: int = 5) -> list[dict]:
        return [{"least": least, "most": most}]

    assert segue.transform(SALES, function, params={"least": 2}).to_pylist() == [
        {"least": 2, "most": 5}
    ]


def test_functions_that_yield():
    def parts(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
        frame["part"] = 0
        for part in range(2):
            frame["part"] = part  # the same frame again
            yield frame

    made = segue.transform(SALES, parts, by="store")
    assert sorted(made["part"].to_pylist()) == [0] * 6 + [1] * 6

    def untold(rows):
        yield from ([row] for row in rows)

    assert segue.transform(SALES.to_pylist(), untold) == SALES.to_pylist()


def test_functions_that_return_nothing(tmp_path):
    def save(frame: pd.DataFrame) -> None:
        (tmp_path / f"{frame['store'].iloc[0]}").touch()

    made = segue.transform(SALES, save, by="store")
    assert (made.num_rows, made.num_columns) == (0, 0)
    assert {path.name for path in tmp_path.iterdir()} == {"1", "2", "<NA>"}
    assert segue.transform(SALES, lambda _: None, by="store").num_columns == 0


def test_types_of_groups_meet():
    def mixed(rows: list[dict]) -> list[dict]:
        return [{"v": 1.5 if rows[0]["store"] == 2 else BIG - 2}]

    made = segue.transform(SALES, mixed, by="store")
    assert made["v"].to_pylist() == [float(BIG - 2), 1.5, float(BIG - 2)]
    with pytest.raises(OutputError, match=r"column 'v' is string, not int64"):
        segue.transform(
            SALES, lambda rows: [{"v": "x" if rows["store"][0].as_py() == 2 else 1}], by="store"
        )


@pytest.mark.parametrize("several", [False, True])
def test_results_are_cast_to_the_schema(several, request, parquet):
    if several:
        request.getfixturevalue("shared")
    given = parquet(SALES) if several else SALES
    made = segue.transform(given, count_rows, by="store", schema="rows: int8, store: float64")
    assert made.schema == pa.schema([("rows", pa.int8()), ("store", pa.float64())])
    with pytest.raises(OutputError) as raised:
        segue.transform(given, count_rows, by="store", schema="store: int64, rows: date")
    error = raised.value
    assert "column 'rows' is int64 and can't be date" in error.message
    assert error.message.startswith("function 'count_rows': ")
    assert error.group.startswith("store=")
    assert error.sample.split()[:3] == ["store", "day", "n"]


def test_schema_of_arrow_is_exact():
    schema = pa.schema([("day", pa.int16()), ("store", pa.int64()), ("n", pa.decimal128(20, 1))])
    made = segue.transform(SALES, identity, schema=schema)
    assert made.schema == schema


@pytest.mark.parametrize("several", [False, True])
def test_errors_tell_where_and_on_what(several, request):
    if several:
        request.getfixturevalue("shared")

    def broken(frame: pd.DataFrame) -> pd.DataFrame:
        if frame["store"].eq(2).all():
            raise ZeroDivisionError("no days")
        return frame

    with pytest.raises(StepError) as raised:
        segue.transform(SALES, broken, by="store")
    error = raised.value
    assert "raised ZeroDivisionError: no days" in error.message
    assert error.location.path.endswith("tests/unit/anywhere/test_transform.py")
    assert error.location.line == broken.__code__.co_firstlineno + 2
    assert error.group == "store=2"
    assert error.sample.splitlines()[1].split() == ["2", "1", str(BIG)]
    assert "segue/execute" not in error.trace
    assert error.trace.count("in broken") == 1
    if not several:
        assert isinstance(error.__cause__, ZeroDivisionError)


def test_a_result_that_is_no_frame():
    with pytest.raises(OutputError, match=r"it returned int, which is no frame"):
        segue.transform(SALES, len)

    def wrong(frame: pa.Table) -> pd.DataFrame:
        return []

    with pytest.raises(OutputError, match=r"returned list, where pandas.DataFrame is announced"):
        segue.transform(SALES, wrong)
