import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import segue

LEFT = pa.table({"k": pa.array([1, None, 3, 1], pa.int32()), "a": [1, 2, 3, 4]})
RIGHT = pa.table({"b": ["x", "y", "z"], "k": pa.array([1, None, 2], pa.int64())})
THIRD = pa.table({"k": pa.array([None, 1.0, 1.0, 9.0]), "a": [5, 6, 7, 8]})

HOWS = {
    "inner": {(1, 2, 1), (None, 1, 1)},
    "left": {(1, 2, 1), (3, 1, 0), (None, 1, 1)},
    "right": {(1, 2, 1), (2, 0, 1), (None, 1, 1)},
    "full": {(1, 2, 1), (2, 0, 1), (3, 1, 0), (None, 1, 1)},
}
THREE = {
    "inner": {(1, 2, 1, 2), (None, 1, 1, 1)},
    "left": {(1, 2, 1, 2), (3, 1, 0, 0), (None, 1, 1, 1)},
    "right": {(1, 2, 1, 2), (9, 0, 0, 1), (None, 1, 1, 1)},
    "full": {(1, 2, 1, 2), (2, 0, 1, 0), (3, 1, 0, 0), (9, 0, 0, 1), (None, 1, 1, 1)},
}


def count_all(*tables: pa.Table) -> list[dict]:
    keys = [key for table in tables for key in table["k"].to_pylist()]
    sizes = {f"n{number}": table.num_rows for number, table in enumerate(tables)}
    return [{"k": None if keys[0] is None else int(keys[0]), **sizes}]


def rows_of(made):
    return {tuple(row.values()) for row in made.to_pylist()}


@pytest.fixture(params=["here", "shared", "files", "mixed", "ordered"])
def give(request, parquet, monkeypatch):
    """Return a function that gives tables in each way in which they can be worked on."""
    way = request.param
    if way != "here":
        request.getfixturevalue("shared")
    if way == "ordered":
        monkeypatch.setattr("segue.engines.duckdb.apply.LARGEST_HELD", 1)

    def give(*tables):
        files = {"files": len(tables), "ordered": len(tables), "mixed": 1}.get(way, 0)
        return tuple(
            parquet(table, f"t{number}") if number < files else table
            for number, table in enumerate(tables)
        )

    return give


@pytest.mark.parametrize("how", HOWS)
def test_keys_of_two_inputs_meet(give, how):
    made = segue.transform(
        give(LEFT, RIGHT), count_all, by="k", how=how, schema="k: int64, n0: int64, n1: int64"
    )
    assert rows_of(made) == HOWS[how]


@pytest.mark.parametrize("how", THREE)
def test_keys_of_three_inputs_meet(give, how):
    made = segue.transform(
        give(LEFT, RIGHT, THIRD),
        count_all,
        by="k",
        how=how,
        schema="k: int64, n0: int64, n1: int64, n2: int64",
    )
    assert rows_of(made) == THREE[how]


def test_sort_orders_the_inputs_that_have_the_column(give):
    def show(left: pa.Table, right: pa.Table, third: pa.Table) -> list[dict]:
        return [{"left": left["a"].to_pylist(), "third": third["a"].to_pylist()}]

    made = segue.transform(give(LEFT, RIGHT, THIRD), show, by="k", sort="-a")
    assert [row for row in made.to_pylist() if row["left"] == [4, 1]] == [
        {"left": [4, 1], "third": [7, 6]}
    ]


def test_empty_sides_have_their_columns_and_types(give):
    def show(left: pd.DataFrame, right: pl.DataFrame) -> list[dict]:
        return [{"left": str(left.dtypes["a"]), "right": str(right.schema["b"])}]

    made = segue.transform(give(LEFT, RIGHT), show, by="k", how="full")
    assert {row["right"] for row in made.to_pylist()} == {"String"}
    assert {row["left"] for row in made.to_pylist()} == {"int64"}


def test_cross_gives_all_rows_of_each():
    def count(left, right):
        return [{"left": len(left), "right": len(right)}]

    for tables, sizes in (((LEFT, RIGHT), (4, 3)), ((LEFT, RIGHT[:0]), (4, 0))):
        made = segue.transform(tables, count, how="cross")
        assert rows_of(made) == {sizes}


def test_errors_show_every_input():
    def fail(left, right):
        raise ValueError("no")

    with pytest.raises(segue.SegueError) as raised:
        segue.transform((LEFT, RIGHT), fail, by="k", how="right")
    assert raised.value.group == "k=1"
    titles = [line.strip() for line in raised.value.sample.splitlines() if line.endswith(":")]
    assert titles == ["data 1:", "data 2:"]
