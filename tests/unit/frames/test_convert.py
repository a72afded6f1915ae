import pyarrow as pa
import pytest

from segue.frames.arrow_types import conform, from_arrow, to_arrow
from segue.frames.convert import from_frame, join_frames, open_slices, to_frame
from segue.spec.step import FrameKind, FrameSpec
from segue.spec.types import parse_schema
from tests.unit.frames.every_type import BIG, SCHEMA, cells, make_table

KINDS = [kind for kind in FrameKind if kind not in (FrameKind.NOTHING, FrameKind.DUCKDB)]
# DuckDB has no type for a few of them, as its engine tells in full
DUCKDB_LACKS = ("Text", "nothing", "kind", "span", "offset", "nanos", "rome")


@pytest.mark.parametrize("rows", [3, 0])
@pytest.mark.parametrize("kind", KINDS)
def test_every_type_survives_the_way_in_and_out(kind, rows):
    table = make_table().slice(0, rows)
    back = from_frame(to_frame(table, FrameSpec(kind), SCHEMA), kind, SCHEMA)
    if kind is FrameKind.ROWS and not rows:
        assert back.num_rows == back.num_columns == 0
        return
    assert cells(conform(back, SCHEMA)) == cells(table)
    assert conform(back, SCHEMA).schema == to_arrow(SCHEMA)


@pytest.mark.parametrize("kind", [FrameKind.ARROW, FrameKind.ARROW_BATCH])
def test_types_are_exact_without_hints(kind):
    back = from_frame(to_frame(make_table(), FrameSpec(kind), SCHEMA), kind)
    assert from_arrow(back.schema) == SCHEMA


@pytest.mark.parametrize("kind", [FrameKind.PANDAS, FrameKind.POLARS])
def test_numbers_and_nested_types_are_exact_without_hints(kind):
    back = from_arrow(from_frame(to_frame(make_table(), FrameSpec(kind), SCHEMA), kind).schema)
    unsure = {"money"}  # objects in pandas: digits as they come
    unsure |= {"offset"} if kind is FrameKind.POLARS else set()  # Etc/GMT-1, the same zone
    for column in SCHEMA:
        if column.name not in unsure:
            assert back.find(column.name) == column


def test_relation_survives():
    names = [name for name in SCHEMA.names if name not in DUCKDB_LACKS]
    table = make_table().select(names)
    schema = from_arrow(table.schema)
    frame = to_frame(table, FrameSpec(FrameKind.DUCKDB), schema)
    back = conform(from_frame(frame, FrameKind.DUCKDB), schema)
    assert cells(back) == cells(table)


def test_names_that_sql_can_not_tell_apart_are_refused():
    table = pa.table({"a": [1], "A": [2]})
    with pytest.raises(ValueError, match="columns 'a' and 'A' differ by case only"):
        to_frame(table, FrameSpec(FrameKind.DUCKDB), from_arrow(table.schema))


def test_sum_of_integers_in_a_relation_is_int64():
    table = pa.table({"a b": [1, BIG]})
    frame = to_frame(table, FrameSpec(FrameKind.DUCKDB), from_arrow(table.schema))
    result = from_frame(frame.aggregate('sum("a b") as "s x"'), FrameKind.DUCKDB)
    assert result.to_pylist() == [{"s x": BIG + 1}]
    assert result.schema.field("s x").type == pa.int64()


@pytest.mark.parametrize("kind", [*KINDS, FrameKind.DUCKDB])
def test_input_is_brought_to_its_schema(kind):
    table = pa.table({"b": pa.array(["x"]), "a": pa.array([1], pa.int8())})
    schema = parse_schema("a: int64, b: string")
    back = from_frame(to_frame(table, FrameSpec(kind), schema), kind)
    assert from_arrow(back.schema) == schema


@pytest.mark.parametrize("kind", KINDS)
def test_iterator_holds_one_batch_at_a_time(kind):
    schema = parse_schema("a: int64")
    given = []

    def batches():
        for number in range(3):
            given.append(number)
            yield pa.record_batch({"a": [number]})

    reader = pa.RecordBatchReader.from_batches(to_arrow(schema), batches())
    frames = to_frame(reader, FrameSpec(kind, iterator=True), schema)
    assert given == []
    first = from_frame(next(frames), kind)
    assert (first.to_pylist(), given) == ([{"a": 0}], [0])
    assert [from_frame(frame, kind).to_pylist() for frame in frames] == [[{"a": 1}], [{"a": 2}]]


@pytest.mark.parametrize("kind", KINDS)
def test_slices_are_frames_of_their_own(kind):
    table = make_table()
    cut = open_slices(table, FrameSpec(kind))
    part = from_frame(cut(1, 3), kind, SCHEMA)
    assert cells(conform(part, SCHEMA)) == cells(table.slice(1, 2))


def test_changing_a_frame_leaves_others_as_they_were():
    table = pa.table({"a": [1, 2, 3], "t": pa.array([1, 2, 3], pa.timestamp("us"))})
    frame = to_frame(table, FrameSpec(FrameKind.PANDAS), from_arrow(table.schema))
    frame.loc[0, "a"] = 9
    cut = open_slices(table, FrameSpec(FrameKind.PANDAS))
    part = cut(1, 3)
    part.loc[0, "a"] = 9
    part["t"] = None
    assert list(part.index) == [0, 1]
    assert list(cut(0, 3)["a"]) == [1, 2, 3]
    assert table["a"].to_pylist() == [1, 2, 3]


@pytest.mark.parametrize("kind", [FrameKind.PANDAS, FrameKind.POLARS])
def test_frames_alike_are_joined_and_others_are_not(kind):
    def frame(**columns):
        table = pa.table(columns)
        return to_frame(table, FrameSpec(kind), from_arrow(table.schema))

    joined = join_frames([frame(a=[1]), frame(a=[2])], kind)
    assert from_frame(joined, kind).to_pylist() == [{"a": 1}, {"a": 2}]
    assert join_frames([frame(a=[1]), frame(a=["x"])], kind) is None
    assert join_frames([frame(a=[1]), frame(b=[1])], kind) is None


@pytest.mark.parametrize("found", [None, [1], pa.table({"a": [1]}), 5])
def test_something_else_is_refused_by_its_name(found):
    name = {"Table": "pyarrow.Table", "NoneType": "None"}
    expected = name.get(type(found).__name__, type(found).__name__)
    with pytest.raises(TypeError, match=f"^{expected}$"):
        from_frame(found, FrameKind.PANDAS)


def test_columns_that_polars_alone_knows_are_refused():
    import polars as pl

    with pytest.raises(ValueError, match="column 'o' is of polars' type Object"):
        from_frame(pl.DataFrame({"o": [object()]}), FrameKind.POLARS)
    with pytest.raises(ValueError, match="column 'o' is of polars' type Int128"):
        from_frame(pl.DataFrame({"o": [1]}, {"o": pl.Int128}), FrameKind.POLARS)
