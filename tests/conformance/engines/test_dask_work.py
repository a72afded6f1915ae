"""How Dask brings rows together for the calls of a function, whichever way it takes."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import segue.engines.dask.apply as ways
import segue.engines.dask.place as limits
from segue.errors import OutputError, StepCrashedError, StepError
from segue.frames.arrow_types import to_arrow
from segue.registry import load_engine
from segue.spec.failure import seal
from segue.spec.layout import INPUT, Layout, key_name
from segue.spec.scan import Scan
from segue.spec.step import PlaceSpec
from segue.spec.types import parse_schema

pytestmark = [pytest.mark.xdist_group("dask"), pytest.mark.timeout(300)]

KEY = parse_schema("k: int64").columns
CALLS = parse_schema("inputs: string, rows: int64, keys: string, how: string")


class Tell:
    """Work that tells of each of its calls."""

    schema = CALLS

    def __init__(self, keys=()):
        self.keys = keys

    def run_tables(self, tables):
        yield self._tell(tables, "tables")

    def run_stream(self, rows):
        table = pa.Table.from_batches(list(rows))
        if self.keys:
            by = "k" if "k" in table.column_names else key_name(0)
            keys = table.column(by).to_pylist()
            ends = [at for at, key in enumerate(keys) if at == 0 or key != keys[at - 1]]
            assert len(ends) == len(set(keys))
        yield self._tell([table], "stream")

    def _tell(self, tables, how):
        named = [table for table in tables if "k" in table.column_names]
        keys = {key for table in named for key in table.column("k").to_pylist()}
        if INPUT in tables[0].column_names:
            keys = set(tables[0].column(key_name(0)).to_pylist())
        row = {
            "inputs": "/".join(str(table.num_rows) for table in tables),
            "rows": sum(table.num_rows for table in tables),
            "keys": ",".join(sorted(map(str, keys))),
            "how": how,
        }
        return pa.Table.from_pylist([row], to_arrow(CALLS)).to_batches()[0]


class Return:
    """Work that returns its input, or a part of it."""

    def __init__(self, schema, sort=()):
        self.schema = schema
        self.sort = sort

    def run_tables(self, tables):
        yield from tables[0].to_batches()

    def run_stream(self, rows):
        yield from rows


class Fail:
    """Work that raises an error."""

    schema = CALLS

    def __init__(self, error):
        self.error = error

    def run_tables(self, tables):
        raise seal(self.error)
        yield

    run_stream = run_tables


class Die(Return):
    """Work that ends the worker which has the row 1, and no other."""

    def run_tables(self, tables):
        import os
        import signal

        if 1 in tables[0]["v"].to_pylist():
            os.kill(os.getpid(), signal.SIGKILL)
        yield from tables[0].to_batches()


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    place = PlaceSpec("dask", "dask", threads=2, memory=2_000_000_000)
    with load_engine("dask").open(place, tmp_path_factory.mktemp("scratch")) as session:
        yield session


@pytest.fixture
def session(workers):
    # another test's client may be the one that frames are computed with by themselves
    with workers.fork() as session, workers._link.client.as_current():
        yield session


@pytest.fixture
def shuffling(monkeypatch):
    """Let no task look at all rows."""
    monkeypatch.setattr(ways, "FEW_BYTES", 0)
    monkeypatch.setattr(ways, "READ_AGAIN", 0)
    monkeypatch.setattr(ways, "_TASK_ROWS", 10)


@pytest.fixture
def spilling(monkeypatch):
    """Let no part be in memory."""
    monkeypatch.setattr(limits, "PART_SHARE", 10**12)


def rows(count=1000, keys=7):
    key = [None if n % keys == 0 else n % keys for n in range(count)]
    return pa.table({"k": pa.array(key, pa.int64()), "v": pa.array(range(count), pa.int64())})


def write_files(table, folder, count=3):
    size = -(-table.num_rows // count)
    paths = []
    for number in range(count):
        paths.append(str(folder / f"{number}.parquet"))
        pq.write_table(table.slice(number * size, size), paths[-1], row_group_size=100)
    return Scan("parquet", tuple(paths))


def calls(session, inputs, layout):
    session.apply("calls", inputs, Tell(layout.keys), layout)
    return session.fetch('select * from "calls"').to_pylist()


@pytest.mark.parametrize("way", ["direct", "shuffling", "spilling", "both"])
@pytest.mark.parametrize("kind", ["table", "files", "select", "result"])
def test_rows_of_a_key_are_in_one_part(session, tmp_path, request, way, kind):
    for fixture in {"direct": (), "both": ("shuffling", "spilling")}.get(way, (way,)):
        request.getfixturevalue(fixture)
    table = rows()
    session.bind("t", write_files(table, tmp_path) if kind == "files" else table)
    name = "t"
    if kind == "select":
        session.bind("q", "select * from t")
        name = "q"
    if kind == "result":
        session.apply("r", ["t"], Return(parse_schema("k: int64, v: int64")), Layout(parts=3))
        name = "r"
    found = calls(session, [name], Layout(by=KEY, parts=4))
    assert sum(each["rows"] for each in found) == 1000
    keys = [key for each in found for key in each["keys"].split(",") if key]
    assert sorted(keys) == ["1", "2", "3", "4", "5", "6", "None"]
    assert {each["how"] for each in found if each["rows"]} == {
        "stream" if way in ("spilling", "both") else "tables"
    }


@pytest.mark.parametrize("way", ["direct", "shuffling", "spilling", "both"])
def test_inputs_are_grouped_together(session, tmp_path, request, way):
    for fixture in {"direct": (), "both": ("shuffling", "spilling")}.get(way, (way,)):
        request.getfixturevalue(fixture)
    session.bind("l", write_files(rows(500), tmp_path))
    session.bind("r", rows(300, 5).cast(pa.schema([("k", pa.int8()), ("v", pa.int64())])))
    found = calls(session, ["l", "r"], Layout(by=KEY, parts=4))
    assert sum(each["rows"] for each in found) == 800
    keys = [key for each in found for key in each["keys"].split(",") if key]
    assert sorted(keys) == ["1", "2", "3", "4", "5", "6", "None"]


def test_all_rows_are_one_call_without_keys(session, spilling):
    session.bind("t", rows())
    (call,) = calls(session, ["t"], Layout())
    assert call["rows"] == 1000
    assert call["how"] == "stream"


@pytest.mark.parametrize("table", [rows(0), pa.table({})])
def test_one_call_without_keys_needs_no_rows(session, table):
    session.bind("t", table)
    assert [each["rows"] for each in calls(session, ["t"], Layout())] == [0]


def test_large_select_reads_what_was_put_aside(session, spilling):
    table = pa.table(
        {
            "k": ["b", "a", None],
            "d": pa.array([1, 2, None], pa.duration("ms")),
            "c": pa.array(["y", "x", "y"]).dictionary_encode(),
        }
    )
    session.bind("t", table)
    session.apply(
        "r",
        ["t"],
        Return(parse_schema("k: string, d: duration(ms), c: categorical<string>")),
        Layout(),
    )
    assert session.fetch("select * from r order by k").to_pylist() == [
        {"k": "a", "d": dt.timedelta(milliseconds=2), "c": "x"},
        {"k": "b", "d": dt.timedelta(milliseconds=1), "c": "y"},
        {"k": None, "d": None, "c": "y"},
    ]


@pytest.mark.parametrize("kind", ["table", "files"])
@pytest.mark.parametrize(
    ("layout", "sizes"),
    [
        (Layout(parts=3), [333, 333, 334]),
        (Layout(parts=2, even=True), [500, 500]),
        (Layout(part_rows=400), [333, 333, 334]),
        (Layout(parts=1), [1000]),
    ],
)
def test_rows_are_split_as_asked(session, tmp_path, kind, layout, sizes):
    session.bind("t", write_files(rows(), tmp_path) if kind == "files" else rows())
    session.apply("r", ["t"], Return(parse_schema("k: int64, v: int64")), Layout(parts=4))
    for name in ("t", "r"):
        assert [each["rows"] for each in calls(session, [name], layout)] == sizes


@pytest.mark.parametrize("kind", ["table", "files"])
def test_loose_rows_keep_their_order(session, tmp_path, kind, shuffling):
    session.bind("t", write_files(rows(), tmp_path) if kind == "files" else rows())
    session.apply("r", ["t"], Return(parse_schema("k: int64, v: int64")), Layout(loose=True))
    assert session.fetch('select * from "r"').equals(rows())


@pytest.mark.parametrize("way", ["shuffling", "spilling"])
def test_every_type_survives_a_shuffle(session, request, way):
    request.getfixturevalue(way)
    table = pa.table(
        {
            "k": pa.array([1, 2, None]),
            "K": pa.array([2**53 + 1, None, 1]),
            "m": pa.array([[("x", 1)], None, []], pa.map_(pa.string(), pa.int64())),
            "l": pa.array([[1, None], [], None], pa.list_(pa.int32())),
            "b": pa.array([b"\0", b"", None]),
            "f": pa.array([float("nan"), None, 1.5]),
            "z": pa.array([1, 2, None], pa.timestamp("us", "Europe/Rome")),
            "d": pa.array([1, 2, None], pa.duration("ns")),
            "c": pa.array(["x", None, "y"]).dictionary_encode(),
            "s": pa.array([{"A": 1, "a": "x"}, None, {"A": None, "a": None}]),
            'a "b"': pa.array(["è", "", None]),
        }
    )
    session.bind("t", table)
    schema = session.describe('select * from "t"')
    session.apply("r", ["t"], Return(schema), Layout(by=KEY, parts=2))
    found = session.fetch('select * from "r"')
    assert found.schema == to_arrow(schema)
    expected = {str(row) for row in table.to_pylist()}
    assert {str(row) for row in found.to_pylist()} == expected


def test_error_arrives_whole(session):
    session.bind("t", rows())
    long = "x" * 30_000
    error = StepError("it broke", step="daily", group="k=1", sample=long, trace="line 1\nline 2")
    with pytest.raises(StepError, match="it broke") as caught:
        session.apply("r", ["t"], Fail(error), Layout(by=KEY))
    assert caught.value.engine == "dask"
    assert (caught.value.group, caught.value.sample) == ("k=1", long)


def test_kind_of_error_is_kept(session):
    session.bind("t", rows())
    with pytest.raises(OutputError):
        session.apply("r", ["t"], Fail(OutputError("no")), Layout())


@pytest.mark.parametrize("layout", [Layout(by=KEY), Layout()])
def test_dead_worker_is_told_and_replaced(session, layout):
    session.bind("t", rows())
    session.bind("q", "select k from t")
    with pytest.raises(StepCrashedError, match="process died") as caught:
        session.apply("r", ["t"], Die(parse_schema("k: int64, v: int64")), layout)
    assert "memory" in caught.value.hint
    # what had been on the worker is brought again
    assert sum(each["rows"] for each in calls(session, ["t"], Layout(by=KEY))) == 1000
    assert sum(each["rows"] for each in calls(session, ["q"], Layout(by=KEY))) == 1000


def test_what_can_not_travel_is_told(session):
    session.bind("t", rows())
    work = Return(parse_schema("k: int64, v: int64"))
    work.lock = __import__("threading").Lock()
    with pytest.raises(StepError, match="can't be sent to workers") as caught:
        session.apply("r", ["t"], work, Layout())
    assert caught.value.engine == "dask"


def test_large_work_travels_once(session):
    session.bind("t", rows())
    work = Tell()
    work.ballast = bytes(20_000_000)
    session.apply("r", ["t"], work, Layout(by=KEY, parts=8))
    assert session.fetch("select sum(rows) as n from r").to_pylist() == [{"n": 1000}]


def test_pandas_takes_what_comes_out(session):
    session.bind("t", rows(10))
    frame = session.native('select * from "t"').compute()
    assert isinstance(frame, pd.DataFrame)
    assert frame["v"].tolist() == list(range(10))
