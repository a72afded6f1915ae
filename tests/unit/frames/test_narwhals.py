from collections.abc import Iterator

import duckdb
import narwhals as nw
import narwhals.stable.v1 as nw1
import narwhals.typing as nwt
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import segue
from segue.declare.annotations import Annotations
from segue.errors import OutputError
from segue.frames.arrow_types import conform, to_arrow
from segue.frames.convert import from_frame, open_slices, to_frame
from segue.frames.kinds import find_kind
from segue.spec.step import FrameKind, FrameSpec
from segue.testing.engines.project import run_steps
from tests.unit.frames.every_type import BIG, SCHEMA, cells, make_table

ROWS = pa.table({"k": ["a", "b", "a"], "n": [BIG, None, 2]})
DATA = {
    "pandas": ROWS.to_pandas(types_mapper=pd.ArrowDtype),
    "polars": pl.from_arrow(ROWS),
    "polars-lazy": pl.from_arrow(ROWS).lazy(),
    "arrow": ROWS,
    "rows": ROWS.to_pylist(),
}
KINDS = [*DATA, "relation"]
INSIDE = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "polars-lazy": pl.DataFrame,
    "arrow": pa.Table,
    "relation": pa.Table,
    "rows": pa.Table,
}


def give(kind):
    return duckdb.connect().from_arrow(ROWS) if kind == "relation" else DATA[kind]


def count(given: nw.DataFrame) -> nw.DataFrame:
    return given.group_by("k").agg(nw.len().alias("rows")).sort("k")


def count_lazily(given: nw.LazyFrame) -> nw.LazyFrame:
    return given.group_by("k").agg(nw.len().alias("rows")).sort("k")


def count_native(given: nwt.IntoFrameT) -> nwt.IntoFrameT:
    return count_lazily(nw.from_native(given).lazy()).to_native()


def count_stably(given: nw1.DataFrame) -> nw1.DataFrame:
    return given.group_by("k").agg(nw1.len().alias("rows")).sort("k")


@nw.narwhalify
def count_either(given: nwt.FrameT) -> nwt.FrameT:
    return given.group_by("k").agg(nw.len().alias("rows")).sort("k")


@pytest.mark.parametrize("over", [FrameKind.PANDAS, FrameKind.POLARS, FrameKind.ARROW])
@pytest.mark.parametrize("kind", [FrameKind.NARWHALS, FrameKind.NARWHALS_LAZY, FrameKind.NATIVE])
def test_every_type_survives_the_way_in_and_out(kind, over):
    frame = to_frame(make_table(), FrameSpec(kind, over=over), SCHEMA)
    back = conform(from_frame(frame, kind, SCHEMA), SCHEMA)
    assert cells(back) == cells(make_table())
    assert back.schema == to_arrow(SCHEMA)


@pytest.mark.parametrize("over", [FrameKind.PANDAS, FrameKind.POLARS, FrameKind.ARROW])
@pytest.mark.parametrize("kind", [FrameKind.NARWHALS, FrameKind.NARWHALS_LAZY])
def test_slices_are_narwhals_frames_over_the_same_library(kind, over):
    part = open_slices(ROWS, FrameSpec(kind, over=over))(1, 3)
    assert isinstance(part, nw.DataFrame if kind is FrameKind.NARWHALS else nw.LazyFrame)
    assert from_frame(part, kind).to_pylist() == ROWS.to_pylist()[1:]


@pytest.mark.parametrize(
    "fn", [count, count_lazily, count_native, count_stably, count_either], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("data", KINDS)
def test_functions_for_narwhals_work_on_every_frame(data, fn):
    found = segue.transform(give(data), fn, returns="rows")
    assert found == [{"k": "a", "rows": 2}, {"k": "b", "rows": 1}]


@pytest.mark.parametrize("data", KINDS)
def test_the_frame_inside_is_the_one_that_is_given(data):
    seen = []

    def note(given: nw.DataFrame) -> nw.DataFrame:
        seen.append(type(given.to_native()))
        return given

    segue.transform(give(data), note, by="k")
    assert seen == [INSIDE[data]] * 2


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("data", ["pandas", "polars", "arrow"])
def test_narwhals_frames_are_data_and_come_back_as_what_they_were(data, lazy):
    given = nw.from_native(DATA[data])
    found = segue.transform(given.lazy() if lazy else given, lambda frame: frame, by="k")
    assert type(found) is type(given.lazy() if lazy else given)
    eager = found.collect() if lazy else found
    assert eager.implementation is given.implementation
    assert sorted(eager.to_arrow()["n"].to_pylist(), key=str) == [2, BIG, None]


def test_iterators_of_narwhals_frames_go_in_and_out():
    def through(parts: Iterator[nw.DataFrame]) -> Iterator[nw.DataFrame]:
        for part in parts:
            yield part.select("n")

    found = segue.transform(DATA["polars"], through)
    assert found["n"].to_list() == [BIG, None, 2]


def test_a_list_is_no_frame_for_narwhals():
    def rows(given: nw.DataFrame) -> nw.DataFrame:
        return given.rows(named=True)

    with pytest.raises(OutputError, match=r"returned list, where narwhals.DataFrame is"):
        segue.transform(ROWS, rows)


def test_kinds_of_narwhals_frames_tell_what_is_inside():
    found = find_kind(nw.from_native(DATA["polars-lazy"]))
    assert found == FrameSpec(FrameKind.NARWHALS_LAZY, over=FrameKind.POLARS_LAZY)
    assert find_kind(nw.from_native(pl.Series([1]), series_only=True)) is None


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (nw.DataFrame, FrameKind.NARWHALS),
        (nw.DataFrame[pa.Table], FrameKind.NARWHALS),
        (nw1.LazyFrame, FrameKind.NARWHALS_LAZY),
        (nwt.DataFrameT, FrameKind.NARWHALS),
        (nwt.FrameT, FrameKind.NARWHALS),
        (nw.DataFrame | nw.LazyFrame, FrameKind.NARWHALS),
        (nwt.IntoFrame, FrameKind.NATIVE),
        (nwt.IntoDataFrame, FrameKind.NATIVE),
        (nwt.IntoFrameT, FrameKind.NATIVE),
        ("nw.DataFrame", FrameKind.NARWHALS),
        ("nw.DataFrame[Any]", FrameKind.NARWHALS),
        ("nwt.IntoFrameT", FrameKind.NATIVE),
        ("nwt.IntoDataFrame", FrameKind.NATIVE),
    ],
    ids=str,
)
def test_annotations_that_ask_for_narwhals(annotation, kind):
    for names, imports in (
        ({"nw": nw, "nwt": nwt}, {}),
        ({}, {"nw": "narwhals", "nwt": "narwhals.typing"}),
    ):
        assert Annotations(names, imports).read_frame(annotation) == FrameSpec(kind)


STEP = """
import narwhals as nw

from segue import step


@step(by="k")
def counts(given: nw.DataFrame) -> nw.DataFrame:
    return given.select("k", rows=nw.len(), inside=nw.lit(str(given.implementation))).head(1)


@step
def lazily(given: nw.LazyFrame) -> nw.LazyFrame:
    return given.filter(nw.col("n") > 2)
"""


def test_steps_of_a_project_are_given_narwhals_frames_over_arrow(tmp_path):
    steps = {"counts.py": STEP}
    found = run_steps(tmp_path, {"engine": "duckdb"}, {"given": ROWS}, steps)["counts"]
    assert sorted(found.to_pylist(), key=str) == [
        {"k": "a", "rows": 2, "inside": "pyarrow"},
        {"k": "b", "rows": 1, "inside": "pyarrow"},
    ]
