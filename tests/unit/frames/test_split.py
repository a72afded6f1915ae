import datetime as dt
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from segue.frames.arrow_types import to_arrow_type
from segue.frames.split import split_rows
from segue.spec.types import Column, parse_schema, parse_type

VALUES = {
    "null": [None, None],
    "bool": [True, False, None],
    "int8": [1, -1, 127, None],
    "uint64": [2**64 - 1, 0, None],
    "int64": [2**53 + 1, 2**53, -(2**63), None],
    "float32": [0.5, float("nan"), None, 0.0],
    "float64": [0.1, float("inf"), float("nan"), None, 0.0],
    "string": ["", "a", "ä", "a\0b", None, "a longer text than twelve bytes"],
    "binary": [b"", b"\0\xff", None],
    "date": [dt.date(1, 1, 1), dt.date(2020, 2, 29), None],
    "time": [dt.time(1, 2, 3, 4), dt.time(0), None],
    "timestamp": [dt.datetime.fromisoformat("2020-01-01T03:04:05.678901"), None],
    "timestamp(ns)": [dt.datetime.fromisoformat("2020-01-01"), None],
    "timestamp(s, Europe/Rome)": [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), None],
    "timestamp(ns, UTC)": [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), None],
    "duration(ns)": [dt.timedelta(days=1, microseconds=1), dt.timedelta(-1), None],
    "duration(s)": [dt.timedelta(days=31), dt.timedelta(days=30), None],
    "decimal(38,2)": [Decimal("1.50"), Decimal("123456789012345678901234567890.12"), None],
    "decimal(9,2)": [Decimal("1.50"), None],
    "categorical<string>": ["a", "b", None],
    "list<int64>": [[1, 2], [], None, [None]],
    "list<duration(us)>": [[dt.timedelta(1)], None],
    "struct<a: int64, b: list<string>>": [{"a": 1, "b": ["x"]}, {"a": None, "b": None}, None],
    "map<string, float64>": [[("a", 1.0)], [], None],
}


def split_one(array, text, parts=7):
    """Return each value's part, by its text."""
    key = Column("k", parse_type(text))
    pieces = split_rows(pa.table({"k": array, "row": range(len(array))}), [key], parts)
    assert len(pieces) == parts
    return {row: n for n, piece in enumerate(pieces) for row in piece["row"].to_pylist()}


@pytest.mark.parametrize("text", VALUES)
def test_equal_keys_meet_whatever_the_layout(text):
    arrow = to_arrow_type(parse_type(text))
    values = VALUES[text]
    found = split_one(pa.array(values * 3, arrow), text)
    count = len(values)
    for row in range(count):
        assert found[row] == found[row + count] == found[row + 2 * count]
    backwards = split_one(pa.chunked_array([pa.array([v], arrow) for v in reversed(values)]), text)
    assert [backwards[count - 1 - row] for row in range(count)] == [found[r] for r in range(count)]


@pytest.mark.parametrize(
    ("text", "arrays"),
    [
        ("int64", [pa.array([1, None], pa.int8()), pa.array([1, None], pa.uint32())]),
        ("float64", [pa.array([0.0, 1.0]), pa.array([-0.0, 1.0]), pa.array([0, 1], pa.int16())]),
        ("string", [pa.array(["a", None]), pa.array(["a", None]).dictionary_encode()]),
        ("categorical<string>", [pa.array(["a"], pa.large_string()), pa.array(["a"])]),
        ("decimal(12,2)", [pa.array([Decimal("1.5")]), pa.array([Decimal("1.50")])]),
        ("timestamp(ns)", [pa.array([5], pa.timestamp("s")), pa.array([5000], pa.timestamp("ms"))]),
        ("duration(ns)", [pa.array([5], pa.duration("s")), pa.array([5000], pa.duration("ms"))]),
        ("list<float64>", [pa.array([[0.0]]), pa.array([[-0.0]])]),
        ("int64", [pa.nulls(2), pa.array([None, None], pa.int32())]),
    ],
)
def test_keys_of_different_types_meet_in_the_common_one(text, arrays):
    first, *others = (split_one(array, text) for array in arrays)
    assert all(other == first for other in others)


def test_dictionaries_of_the_same_values_split_alike():
    one = pa.array(["b", "a"]).dictionary_encode()
    other = pa.DictionaryArray.from_arrays([1, 0], ["a", "b"])
    text = "categorical<string>"
    assert split_one(one, text) == split_one(other, text)


def test_several_keys_odd_names_and_the_order_of_rows():
    keys = parse_schema('"segue": int64, "SEGUE": string, "a "" b": float64').columns
    count = 1_000
    table = pa.table(
        {
            "segue": [n % 3 for n in range(count)],
            "SEGUE": [str(n % 5) for n in range(count)],
            'a " b': [None if n % 7 else float("nan") for n in range(count)],
            "row": range(count),
        }
    )
    pieces = split_rows(table, keys, 4)
    assert sum(piece.num_rows for piece in pieces) == count
    seen = [{tuple(map(str, row.values())) for row in p.drop("row").to_pylist()} for p in pieces]
    assert sum(map(len, seen)) == len(set.union(*seen)) == 30
    assert all(p["row"].to_pylist() == sorted(p["row"].to_pylist()) for p in pieces)
    assert all(piece.schema == table.schema for piece in pieces)


def test_no_rows_no_keys_and_one_part():
    table = pa.table({"k": pa.array([], pa.int64())})
    assert [p.num_rows for p in split_rows(table, parse_schema("k: int64").columns, 3)] == [0] * 3
    table = pa.table({"k": [1, 2]})
    assert [p.num_rows for p in split_rows(table, [], 3)] == [2, 0, 0]
    assert split_rows(table, parse_schema("k: int64").columns, 1) == [table]


def test_parts_hold_no_more_than_their_rows():
    table = pa.table({"k": range(10_000), "v": ["x" * 100] * 10_000})
    pieces = split_rows(table, parse_schema("k: int64").columns, 10)
    assert sum(p.get_total_buffer_size() for p in pieces) < 1.2 * table.get_total_buffer_size()


def test_a_key_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"300"):
        split_rows(pa.table({"k": [1, 300]}), parse_schema("k: int8").columns, 2)


def test_other_processes_split_alike():
    script = (
        "import pyarrow as pa\n"
        "from segue.frames.split import split_rows\n"
        "from segue.spec.types import parse_schema\n"
        "table = pa.table({'k': [f'key {n}' for n in range(100)]})\n"
        "pieces = split_rows(table, parse_schema('k: string').columns, 5)\n"
        "print([p['k'].to_pylist() for p in pieces])\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": str(seed)},
            cwd=Path(__file__).parent,
        ).stdout
        for seed in (1, 2)
    }
    assert len(outputs) == 1
