import uuid
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from segue.frames.arrow_types import (
    conform,
    conform_batch,
    from_arrow,
    from_arrow_type,
    to_arrow,
    to_arrow_type,
)
from segue.spec.types import Column, TableSchema, parse_schema, parse_type
from tests.unit.frames.every_type import SCHEMA, cells, make_table

ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)
IDS = pa.array([ONE.bytes, None, TWO.bytes], pa.uuid())


def cast(array, type_):
    return conform(pa.table({"x": array}), parse_schema(f"x: {type_}"))["x"].to_pylist()


def refusal(array, type_):
    with pytest.raises(ValueError, match="column 'x'") as caught:
        cast(array, type_)
    return str(caught.value)


def test_every_type_goes_to_arrow_and_back():
    assert from_arrow(to_arrow(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("column", SCHEMA.columns, ids=str)
def test_missing_values_take_any_type(column):
    schema = TableSchema((Column("x", column.type),))
    table = conform(pa.table({"x": pa.nulls(2)}), schema)
    assert table.schema == to_arrow(schema)
    assert table["x"].null_count == 2


def test_a_table_that_fits_is_returned_as_it_is():
    table = make_table()
    assert cells(conform(table, SCHEMA)) == cells(table)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (pa.large_string(), "string"),
        (pa.string_view(), "string"),
        (pa.large_binary(), "binary"),
        (pa.binary_view(), "binary"),
        (pa.binary(3), "binary"),
        (pa.float16(), "float32"),
        (pa.date64(), "date"),
        (pa.time32("s"), "time"),
        (pa.time64("ns"), "time"),
        (pa.large_list(pa.int8()), "list<int8>"),
        (pa.list_(pa.int8(), 2), "list<int8>"),
        (pa.list_view(pa.int8()), "list<int8>"),
        (pa.large_list_view(pa.int8()), "list<int8>"),
        (pa.dictionary(pa.int8(), pa.large_string()), "categorical<string>"),
        (pa.run_end_encoded(pa.int32(), pa.int64()), "int64"),
        (pa.decimal32(5, 2), "decimal(5,2)"),
        (pa.decimal256(38, 2), "decimal(38,2)"),
        (pa.decimal128(5, -2), "decimal(7,0)"),
        (pa.uuid(), "string"),
        (pa.bool8(), "bool"),
        (pa.json_(), "string"),
    ],
)
def test_layouts_of_the_same_values_are_one_type(type_, expected):
    assert str(from_arrow_type(type_)) == expected


@pytest.mark.parametrize("type_", [pa.month_day_nano_interval(), pa.decimal256(39, 0)])
def test_a_type_that_no_table_holds_names_its_column(type_):
    with pytest.raises(ValueError, match="column 'span'"):
        from_arrow(pa.schema([("span", type_)]))


def test_a_name_twice_is_refused():
    with pytest.raises(ValueError, match="'a' comes twice"):
        from_arrow(pa.schema([("a", pa.int8()), ("a", pa.int8())]))


def test_columns_are_matched_by_name():
    table = conform(pa.table({"b": ["x"], "a": [1]}), parse_schema("a: int8, b: string"))
    assert table.to_pylist() == [{"a": 1, "b": "x"}]
    assert table.schema.field("a").type == pa.int8()


@pytest.mark.parametrize("columns", [{"a": [1]}, {"a": [1], "b": [2], "c": [3]}, {}])
def test_missing_and_unknown_columns_are_refused(columns):
    with pytest.raises(ValueError, match="the columns differ"):
        conform(pa.table(columns), parse_schema("a: int64, b: int64"))


@pytest.mark.parametrize(
    ("array", "type_", "expected"),
    [
        (pc.run_end_encode(pa.array([1, 1, 2])), "int32", [1, 1, 2]),
        (pa.array([1.0, None]), "int64", [1, None]),
        (pa.array([1, None]), "decimal(3,1)", [Decimal("1.0"), None]),
        (pa.array([0, 1, None]), "bool", [False, True, None]),
        (pa.array([1, 0], pa.int8()).cast(pa.bool8()), "bool", [True, False]),
        (pa.array([1.5, float("inf"), None]), "float32", [1.5, float("inf"), None]),
        (pa.array(["a", None, "a"]), "categorical<string>", ["a", None, "a"]),
        (pa.array(["a", None]).dictionary_encode(), "string", ["a", None]),
        (pa.array([["a"]]), "list<categorical<string>>", [["a"]]),
        (pa.array([5], pa.decimal256(40, 0)), "decimal(38,0)", [Decimal(5)]),
        (IDS, "string", [str(ONE), None, str(TWO)]),
        (
            pa.StructArray.from_arrays([IDS], ["id"]),
            "struct<id: string>",
            [{"id": str(ONE)}, {"id": None}, {"id": str(TWO)}],
        ),
    ],
)
def test_values_are_cast_where_nothing_is_lost(array, type_, expected):
    assert cast(array, type_) == expected


def test_extension_types_inside_sliced_lists_and_maps():
    offsets = pa.array([0, 2, 2, 3], pa.int32())
    missing = pa.array([False, True, False])
    lists = pa.ListArray.from_arrays(offsets, IDS, mask=missing)
    maps = pa.MapArray.from_arrays(offsets, pa.array(["a", "b", "c"]), IDS, mask=missing)
    assert cast(lists[1:], "list<string>") == [None, [str(TWO)]]
    assert cast(maps[1:], "map<string, string>") == [None, [("c", str(TWO))]]


@pytest.mark.parametrize(
    ("array", "type_", "told"),
    [
        (pa.array(["1", "x", None]), "int32", "is string and can't be int32: row 2 holds 'x'"),
        (pa.array([1, 2**40]), "int32", "row 2 holds 1099511627776"),
        (pa.array([1, 2000]), "decimal(3,1)", "row 2 holds 2000"),
        (pa.array([1.0, 1e300]), "float32", "row 2 holds 1e+300"),
        (pa.array([0, 2]), "bool", "row 2 holds 2"),
        (pa.array([0, 1], pa.timestamp("us")), "date", "row 2"),
        (pa.array([1000, 1], pa.timestamp("ns")), "timestamp", "row 2"),
        (pa.array([[1.5]]), "list<int64>", "row 1 holds [1.5]"),
        (pa.array([1, 2]), "timestamp", "a number is not a time"),
        (pa.array([{"a": 1}]), "struct<a: int64, b: int64>", "the fields differ: 'b'"),
    ],
)
def test_a_loss_is_refused_with_the_first_bad_value(array, type_, told):
    assert told in refusal(array, type_)


def test_a_batch_conforms_as_a_table_does():
    batch = conform_batch(pa.RecordBatch.from_pylist([{"a": 1}]), parse_schema("a: int8"))
    assert batch.schema.field("a").type == pa.int8()


def test_a_table_without_rows_keeps_its_types():
    table = conform(pa.table({"x": pa.chunked_array([], pa.int8())}), parse_schema("x: int64"))
    assert table.schema.field("x").type == to_arrow_type(parse_type("int64"))
