"""Every engine gives the rows and types of `tests/cases/engine.yaml`."""

import datetime as dt
import math
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from segue import registry
from segue.errors import SegueError
from segue.frames.arrow_types import conform, to_arrow
from segue.spec.nearest import find_storage
from segue.spec.scan import Scan
from segue.spec.step import PlaceSpec
from segue.spec.types import Column, TableSchema, parse_type

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "engine.yaml").read_text())["cases"]
SHORT = {"i32": "int32", "i64": "int64", "f64": "float64", "str": "string", "ts": "timestamp"}
SETS = {
    "union": "union",
    "union_all": "union all",
    "subtract": "except",
    "subtract_all": "except all",
    "intersect": "intersect",
    "intersect_all": "intersect all",
}


@pytest.fixture(params=registry.names(registry.ENGINES))
def session(request, tmp_path):
    engine = registry.load_engine(request.param)
    with engine.open(PlaceSpec("here", threads=2), tmp_path / "scratch") as opened:
        yield opened


def read_columns(text):
    pairs = (part.rsplit(":", 1) for part in text.split(","))
    return TableSchema(
        tuple(Column(name.strip("`"), parse_type(SHORT.get(type_, type_))) for name, type_ in pairs)
    )


def make_table(text, rows):
    schema = read_columns(text)
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [
        pa.array([read_value(value, column.type.kind) for value in values])
        for column, values in zip(schema, columns, strict=True)
    ]
    return conform(pa.table(arrays, names=list(schema.names)), schema)


def read_value(value, kind):
    if value is None:
        return None
    readers = {"date": dt.date.fromisoformat, "timestamp": dt.datetime.fromisoformat}
    return readers.get(kind, float if kind == "float64" else lambda same: same)(value)


def count_rows(table):
    def show(value):
        return "nan" if isinstance(value, float) and math.isnan(value) else repr(value)

    return Counter(tuple(map(show, row.values())) for row in table.to_pylist())


def quote(name):
    return f'"{name}"'


def join(case, tables):
    schemas = [read_columns(text) for text, _ in case["in"]]
    shared = [name for name in schemas[0].names if all(s.find(name) for s in schemas[1:])]
    using = "" if case["how"] == "cross" else f" using ({', '.join(map(quote, shared))})"
    joins = (f" {case['how']} join {table}{using}" for table in tables[1:])
    return f"select * from t0{''.join(joins)}"


def drop_nulls(case, _):
    names = map(quote, read_columns(case["in"][0][0]).names)
    present = " + ".join(f"({name} is not null)::int" for name in names)
    return f"select * from t0 where {present} >= {case['args']['thresh']}"


def fill_nulls(case, _):
    values = case["args"]["value"].items()
    filled = (f"coalesce({quote(name)}, {value}) as {quote(name)}" for name, value in values)
    return f"select * replace ({', '.join(filled)}) from t0"


def take(case, _):
    args = case["args"]
    if "by" not in args:
        return f"select * from t0 order by {args['order']} limit {args['n']}"
    window = f"partition by {', '.join(args['by'])} order by {args['order']}"
    return f"select * from t0 qualify row_number() over ({window}) <= {args['n']}"


WRITERS = {
    "sql": lambda case, _: case["q"].replace("`", '"'),
    "roundtrip": lambda *_: "select * from t0",
    "cast": lambda *_: "select * from t0",
    "distinct": lambda *_: "select distinct * from t0",
    "join": join,
    "dropna": drop_nulls,
    "fillna": fill_nulls,
    "take": take,
}


def write_query(case):
    tables = [f"t{position}" for position in range(len(case["in"]))]
    if case["op"] in SETS:
        return f" {SETS[case['op']]} ".join(f"select * from {table}" for table in tables)
    return WRITERS[case["op"]](case, tables)


def expect_schema(case):
    if case["op"] != "cast":
        return None
    target = read_columns(case["to"])
    return TableSchema(
        tuple(target.find(column.name) or column for column in read_columns(case["in"][0][0]))
    )


def store(session, query, folder, schema=None):
    schema = schema or session.describe(query)
    files = session.write(query, folder, "part", schema, find_storage)
    paths = tuple(str(folder / file.path) for file in files)
    return Scan("parquet", paths, schema=schema)


def check(found, case):
    expected = make_table(*case["out"])
    assert found.schema == expected.schema
    if case.get("ordered"):
        assert found.to_pylist() == expected.to_pylist()
    else:
        assert count_rows(found) == count_rows(expected)


def named(cases):
    return [pytest.param(case, id=case["id"]) for case in cases]


@pytest.mark.parametrize("case", named(case for case in CASES if case["op"] != "cast"))
def test_rows_and_types_from_memory(session, case):
    for position, (text, rows) in enumerate(case["in"]):
        session.bind(f"t{position}", make_table(text, rows))
    query = write_query(case)
    check(session.fetch(query), case)
    check(session.stream(query, 1).read_all(), case)
    assert to_arrow(session.describe(query)) == make_table(*case["out"]).schema


@pytest.mark.parametrize("case", named(CASES))
def test_rows_and_types_through_files(session, case, tmp_path):
    for position, (text, rows) in enumerate(case["in"]):
        folder = tmp_path / f"in{position}"
        folder.mkdir()
        session.bind("raw", make_table(text, rows))
        session.bind(f"t{position}", store(session, "select * from raw", folder))
    folder = tmp_path / "out"
    folder.mkdir()
    if case.get("error"):
        with pytest.raises(SegueError):
            store(session, write_query(case), folder, expect_schema(case))
        assert not list(folder.iterdir())
        return
    session.bind("result", store(session, write_query(case), folder, expect_schema(case)))
    check(session.fetch("select * from result"), case)
