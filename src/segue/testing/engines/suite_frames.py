"""Every annotation that a function may have, and every frame that may be given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import segue
from segue.frames.arrow_types import conform, from_arrow
from segue.frames.convert import from_frame, is_frame, to_frame
from segue.spec.step import FrameKind, FrameSpec
from segue.testing.engines.bench import EngineBench
from segue.testing.engines.compare import expect_table
from segue.testing.engines.notation import make_table
from segue.testing.engines.user_code import ANNOTATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from segue.testing.engines.user_code import UserCode

BIG = 2**53 + 1
"""The first integer that a float can't hold."""

FRAMES = {
    "pandas": FrameKind.PANDAS,
    "polars": FrameKind.POLARS,
    "polars-lazy": FrameKind.POLARS_LAZY,
    "arrow": FrameKind.ARROW,
    "relation": FrameKind.DUCKDB,
    "rows": FrameKind.ROWS,
}
EAGER = ("pandas", "polars", "arrow", "rows")
ITERATED = ("pandas", "polars", "arrow", "rows")


def make_rows() -> pa.Table:
    """Return a table on which frames differ: integers beside nulls, null beside NaN, dates."""
    return make_table(
        "k:i64,v:i64,f:f64,s:str,d:date",
        [
            [1, BIG, 0.5, "", "1969-12-31"],
            [1, None, float("nan"), None, None],
            [2, -1, None, "ü", "2020-02-29"],
            [None, 3, float("inf"), "x", "0001-01-01"],
        ],
    )


def read_back(result: Any, kind: FrameKind, schema: pa.Schema) -> pa.Table:
    """Return a frame as the table that it stands for.

    Raises:
        AssertionError: It is another kind of frame.
    """
    if not is_frame(result, kind):
        raise AssertionError(f"expected {kind}, found {type(result)}")
    columns = from_arrow(schema)
    return conform(from_frame(result, kind, columns), columns)


class FrameConformance(EngineBench):
    """Functions of every frame, on every frame."""

    @pytest.mark.parametrize("annotation", ANNOTATIONS)
    def test_annotation_by_group(self, annotation: str, on: Any, user: UserCode) -> None:
        """A function gets and returns the frame that it is annotated with, for each group."""
        through = user.write_identity(ANNOTATIONS[annotation]).through
        table = make_rows()
        found = segue.transform(table, through, by="k", schema="*", on=on)
        expect_table(found, table)

    @pytest.mark.parametrize("annotation", ANNOTATIONS)
    def test_annotation_of_all(self, annotation: str, on: Any, user: UserCode) -> None:
        """A function gets and returns the frame that it is annotated with, for all rows."""
        through = user.write_identity(ANNOTATIONS[annotation]).through
        table = make_rows()
        expect_table(segue.transform(table, through, schema="*", on=on), table)

    @pytest.mark.parametrize("annotation", ANNOTATIONS)
    def test_annotation_without_rows(self, annotation: str, on: Any, user: UserCode) -> None:
        """A table without rows goes through each frame, and keeps its types."""
        through = user.write_identity(ANNOTATIONS[annotation]).through
        table = make_rows().slice(0, 0)
        expect_table(segue.transform(table, through, schema="*", on=on), table)

    @pytest.mark.parametrize("frame", FRAMES)
    def test_function_of_frame(self, frame: str, on: Any, user: UserCode) -> None:
        """What is given as one kind of frame comes back as the same kind."""
        through = user.write_identity("pyarrow.Table").through
        table, kind = make_rows(), FRAMES[frame]
        given = to_frame(table, FrameSpec(kind), from_arrow(table.schema))
        found = segue.transform(given, through, by="k", schema="*", on=on)
        expect_table(read_back(found, kind, table.schema), table)

    @pytest.mark.parametrize("frame", FRAMES)
    def test_query_of_frame(self, frame: str, on: Any) -> None:
        """A query reads each kind of frame, and its result is of the same kind."""
        table, kind = make_rows(), FRAMES[frame]
        given = to_frame(table, FrameSpec(kind), from_arrow(table.schema))
        found = segue.query("select * from given where v > 0", given=given, on=on)
        expect_table(read_back(found, kind, table.schema), table.take([0, 3]))

    @pytest.mark.parametrize("frame", ITERATED)
    def test_function_of_iterator(self, frame: str, on: Any, user: UserCode) -> None:
        """An iterator of frames is one table."""
        through = user.write_identity("pyarrow.Table").through
        table, kind = make_rows(), FRAMES[frame]
        found = segue.transform(
            _cut(table, kind), through, by="k", schema="*", on=on, returns="arrow"
        )
        expect_table(conform(found, from_arrow(table.schema)), table)

    def test_function_of_path(self, on: Any, user: UserCode, tmp_path: Path) -> None:
        """A path is read by the workers, and gives Arrow."""
        import pyarrow.parquet as pq

        through = user.write_identity("pandas.DataFrame").through
        table, path = make_rows(), tmp_path / "rows.parquet"
        pq.write_table(table, path)
        expect_table(segue.transform(path, through, by="k", schema="*", on=on), table)
        expect_table(segue.query("select * from given", given=path, on=on), table)

    @pytest.mark.parametrize("frame", EAGER)
    def test_returned_frame(self, frame: str, on: Any, user: UserCode) -> None:
        """`returns` asks for another kind of frame."""
        through = user.write_identity("pyarrow.Table").through
        table, kind = make_rows(), FRAMES[frame]
        found = segue.transform(table, through, schema="*", on=on, returns=frame)
        expect_table(read_back(found, kind, table.schema), table)

    def test_other_frame_out(self, on: Any, user: UserCode) -> None:
        """A function may return another kind of frame than it takes."""
        module = user.write(
            """
            def count(given: pandas.DataFrame) -> list[dict]:
                return [{"k": given["k"].iloc[0], "n": len(given)}]
            """
        )
        found = segue.transform(make_rows(), module.count, by="k", schema="k:int64, n:int64", on=on)
        expect_table(found, make_table("k:i64,n:i64", [[1, 2], [2, 1], [None, 1]]))


def _cut(table: pa.Table, kind: FrameKind) -> Iterator[Any]:
    schema = from_arrow(table.schema)
    for start in range(0, table.num_rows, 3):
        yield to_frame(table.slice(start, 3), FrameSpec(kind), schema)
