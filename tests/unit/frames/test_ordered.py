import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from segue.frames.arrow_types import from_arrow, to_arrow
from segue.frames.ordered import feed_staged, stage_tables, stream_ordered
from segue.registry import load_local_engine
from segue.spec.layout import Layout
from segue.spec.step import PlaceSpec
from segue.spec.types import parse_schema

MOMENT = dt.datetime(2020, 1, 1, 3, 4, 5, 678901)  # noqa: DTZ001  # without a zone is meant


@pytest.fixture
def session(tmp_path):
    with load_local_engine().open(PlaceSpec("local", threads=1), tmp_path) as session:
        yield session


def feed(session, name, table, folder):
    schema = from_arrow(table.schema)
    scan = stage_tables([table.slice(0, 1), table.slice(1)], schema, folder / name)
    return feed_staged(session, name, scan, schema)


def test_one_input_comes_by_key_and_sorted_inside(session, tmp_path):
    table = pa.table({"k": [2, None, 1, None, 2], "v": [1.0, 2.0, None, 3.0, float("nan")]})
    layout = Layout(by=parse_schema("k: int64").columns, sort=("-v",))
    rows = list(stream_ordered(session, [feed(session, "t", table, tmp_path)], layout))
    found = pa.Table.from_batches(rows)
    assert found.schema == table.schema
    assert found["k"].to_pylist() == [1, 2, 2, None, None]
    assert [str(v) for v in found["v"].to_pylist()] == ["None", "nan", "1.0", "3.0", "2.0"]


@pytest.mark.parametrize("plain", [True, False])
def test_every_type_comes_back(session, tmp_path, plain):
    types = {
        "a": (pa.int64(), 2**53 + 1),
        "A": (pa.uint64(), 2**64 - 1),
        'odd "name"': (pa.string(), "è"),
        "n": (pa.null(), None),
        "tz": (pa.timestamp("us", "Europe/Rome"), MOMENT.astimezone(dt.UTC)),
        "s": (pa.timestamp("s"), MOMENT.replace(microsecond=0)),
        "ns": (pa.timestamp("ns"), MOMENT),
        "d": (pa.duration("ns"), dt.timedelta(microseconds=1)),
        "t": (pa.time64("us"), MOMENT.time()),
        "m": (pa.map_(pa.string(), pa.int64()), [("x", 1)]),
        "l": (pa.list_(pa.struct([("p", pa.int32())])), [{"p": 1}, None]),
        "dec": (pa.decimal128(38, 2), Decimal("123456789012345678901234567890123456.78")),
        "twins": (pa.list_(pa.struct({"A": pa.int64(), "a": pa.string()})), [{"A": 1, "a": "x"}]),
        "c": (pa.dictionary(pa.int32(), pa.string()), "red"),
        "b": (pa.binary(), b"\0\xff"),
    }
    if not plain:
        types["odd"] = (pa.list_(pa.duration("ms")), [dt.timedelta(seconds=1)])
    table = pa.table({name: pa.array([v, None], t) for name, (t, v) in types.items()})
    layout = Layout(by=parse_schema("a: int64").columns)
    rows = stream_ordered(session, [feed(session, "t", table, tmp_path)], layout)
    found = pa.Table.from_batches(rows)
    assert found.schema == table.schema
    assert found.to_pylist() == table.to_pylist()


def test_several_inputs_travel_tagged(session, tmp_path):
    left = pa.table({"k": pa.array([1, 2, None], pa.int32()), "v": ["a", "b", "c"]})
    right = pa.table({"w": [10, 20, 30], "k": pa.array([2, 2, None], pa.int64())})
    layout = Layout(by=parse_schema("k: int64").columns, sort=("-w",))
    feeds = [feed(session, "l", left, tmp_path), feed(session, "r", right, tmp_path)]
    found = pa.Table.from_batches(stream_ordered(session, feeds, layout))
    assert found.schema.names == ["segue: key 0", "segue: input", "segue: row 0", "segue: row 1"]
    assert found.schema.field(0).type == pa.int64()
    assert found.schema.field(2).type == pa.struct(to_arrow(from_arrow(left.schema)))
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        (1, 0, {"k": 1, "v": "a"}, None),
        (2, 0, {"k": 2, "v": "b"}, None),
        (2, 1, None, {"w": 20, "k": 2}),
        (2, 1, None, {"w": 10, "k": 2}),
        (None, 0, {"k": None, "v": "c"}, None),
        (None, 1, None, {"w": 30, "k": None}),
    ]
