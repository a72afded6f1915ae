"""Dask dataframes in and out, and files that workers read."""

import datetime as dt

import dask
import dask.dataframe as dd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segue.errors import SourceError, SqlError
from segue.frames.arrow_types import from_arrow, to_arrow
from segue.registry import load_engine
from segue.spec.scan import Scan
from segue.spec.step import PlaceSpec
from segue.spec.types import parse_schema

pytestmark = [pytest.mark.xdist_group("dask"), pytest.mark.timeout(300)]

BIG = 2**53 + 1
MOMENT = dt.datetime(2020, 1, 1, 3, 4, 5, 678901)  # noqa: DTZ001  # without a zone is meant
EVERYTHING = pa.table(
    {
        "i": pa.array([BIG, None, 1]),
        "u": pa.array([2**64 - 1, None, 0], pa.uint64()),
        "f": pa.array([float("nan"), None, 1.5]),
        "b": pa.array([True, None, False]),
        "s": pa.array(["è", None, ""]),
        "y": pa.array([b"\0\xff", None, b""]),
        "d": pa.array([dt.date(2020, 1, 1), None, dt.date(1, 1, 1)]),
        "t": pa.array([MOMENT, None, MOMENT], pa.timestamp("us")),
        "z": pa.array([MOMENT, None, MOMENT], pa.timestamp("us", "Europe/Rome")),
        "e": pa.array([1, None, 3], pa.duration("ms")),
        "l": pa.array([[1, None], None, []], pa.list_(pa.int64())),
        "m": pa.array([[("x", BIG)], None, []], pa.map_(pa.string(), pa.int64())),
        "o": pa.array([{"A": 1}, None, {"A": None}]),
        "c": pa.array(["x", None, "y"]).dictionary_encode(),
        "n": pa.array([1, None, 3], pa.decimal128(18, 2)),
        "odd name": pa.array([1, 2, 3], pa.int8()),
    }
)


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


def all_of(session, name):
    return session.fetch(f'select * from "{name}"')


def test_frame_goes_out_and_comes_in_unchanged(session):
    session.bind("t", EVERYTHING)
    frame = session.native('select * from "t"')
    assert frame.known_divisions
    session.bind("again", frame)
    assert session.describe('select * from "again"') == from_arrow(EVERYTHING.schema)
    found = all_of(session, "again").to_pylist()
    assert str(found) == str(EVERYTHING.to_pylist())  # NaN is not equal to itself


def test_frame_tells_its_types_before_it_is_computed(session):
    session.bind("t", EVERYTHING)
    frame = session.native("select i, l, m, y from t where i is not null")
    assert [str(dtype) for dtype in frame.dtypes] == [
        "int64[pyarrow]",
        "list<item: int64>[pyarrow]",
        "map<string, int64>[pyarrow]",
        "binary[pyarrow]",
    ]
    computed = frame.compute()
    assert list(computed.dtypes) == list(frame.dtypes)
    assert computed["i"].tolist() == [BIG, 1]


def test_frame_of_parts_has_divisions(session, monkeypatch):
    monkeypatch.setattr("segue.engines.dask.place.BLOCK_BYTES", 100)
    session.bind("t", pa.table({"a": range(100)}))
    frame = session.native('select * from "t"')
    assert frame.npartitions == len(frame.divisions) - 1 > 1
    assert frame.loc[42:44]["a"].compute().tolist() == [42, 43, 44]
    assert frame["a"].sum().compute() == 4950


def test_frame_of_no_rows_has_columns(session):
    session.bind("t", EVERYTHING.slice(0, 0))
    assert list(session.native('select * from "t"').compute().columns) == EVERYTHING.column_names


def test_frame_of_files_is_read_by_workers(session, tmp_path):
    pq.write_table(pa.table({"a": [1, None, BIG]}), tmp_path / "a.parquet")
    session.bind("t", Scan("parquet", (str(tmp_path / "a.parquet"),)))
    assert session.native('select * from "t"')["a"].compute().tolist() == [1, pd.NA, BIG]


def test_partitions_agree_on_types(session):
    with dask.config.set({"dataframe.convert-string": False}):
        frame = dd.from_map(
            lambda n: pd.DataFrame(
                {"a": pd.array([n or None], "Int64"), "l": [[n] if n else None]}
            ),
            [0, BIG],
            meta=pd.DataFrame({"a": pd.array([], "Int64"), "l": pd.Series([], dtype=object)}),
        )
    session.bind("t", frame)
    assert str(session.describe('select * from "t"')) == "a: int64, l: list<int64>"
    assert all_of(session, "t").to_pylist() == [{"a": None, "l": None}, {"a": BIG, "l": [BIG]}]


def test_partitions_that_differ_are_refused(session):
    frame = dd.from_map(lambda x: pd.DataFrame({"a": [x]}), [1, "x"], meta={"a": object})
    with pytest.raises(SourceError, match="different types") as caught:
        session.bind("t", frame)
    assert "cast" in caught.value.hint


def test_error_in_a_users_graph_is_told(session):
    def fail(x):
        raise RuntimeError("no such thing")

    frame = dd.from_map(fail, [1], meta={"a": int})
    with pytest.raises(Exception, match="no such thing"):
        session.bind("t", frame)


def test_named_index_becomes_a_column(session):
    frame = dd.from_pandas(pd.DataFrame({"a": [1, 2]}, pd.Index([7, 8], name="k")), npartitions=2)
    session.bind("t", frame)
    assert all_of(session, "t").to_pylist() == [{"k": 7, "a": 1}, {"k": 8, "a": 2}]


def test_engine_knows_its_own():
    engine = load_engine("dask")
    frame = dd.from_pandas(pd.DataFrame({"a": [1]}), npartitions=1)
    assert engine.owns(frame)
    assert not engine.owns(frame["a"])
    assert not engine.owns(pd.DataFrame())
    assert not engine.owns(None)


@pytest.mark.parametrize("format_", ["csv", "json", "arrow"])
def test_other_files_are_read_by_a_worker(session, tmp_path, format_):
    path = tmp_path / "data"
    options = {}
    if format_ == "csv":
        path.write_text("a,b\n1,x\n2,y\n")
        options = {"names": {str(path): ["a", "b"]}, "header": True, "delimiter": ","}
    elif format_ == "json":
        path.write_text('{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n')
    else:
        table = pa.table({"a": [1, 2], "b": ["x", "y"]})
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    session.bind("t", Scan(format_, (str(path),), options))
    assert all_of(session, "t").to_pylist() == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert session.native('select * from "t"')["b"].compute().tolist() == ["x", "y"]


def test_lakes_types_come_back(session, tmp_path):
    schema = parse_schema("d: duration(s), t: time, c: categorical<string>, u: uint8")
    stored = pa.table({"d": [5, None], "t": [1_000_000, None], "c": ["x", None], "u": [255, None]})
    pq.write_table(stored, tmp_path / "a.parquet")
    session.bind("t", Scan("parquet", (str(tmp_path / "a.parquet"),), schema=schema))
    found = session.fetch("select d, t, u from t where d is not null").to_pylist()
    assert found == [{"d": dt.timedelta(seconds=5), "t": dt.time(0, 0, 1), "u": 255}]


def test_missing_file_is_told(session, tmp_path):
    with pytest.raises(SourceError):
        session.bind("t", Scan("parquet", (str(tmp_path / "no.parquet"),)))


def test_select_over_selects_and_forgotten_names(session):
    session.bind("t", pa.table({"a": [1, 2]}))
    session.bind("q", "select a + 1 as b from t")
    session.bind("t", pa.table({"a": [5, 6], "c": ["x", "y"]}))
    session.bind("p", "select b, c from q, t order by all")
    session.unbind("q")
    assert [row["b"] for row in all_of(session, "p").to_pylist()] == [2, 2, 3, 3]
    with pytest.raises(SqlError, match="no table called 'q'"):
        session.describe("select * from q")


def test_names_that_sql_can_not_tell_apart_are_refused_by_sql_alone(session):
    table = pa.table({"a": [1], "A": [2]})
    session.bind("t", table)
    assert all_of(session, "t").equals(table)
    with pytest.raises(SqlError, match="can't tell apart"):
        session.describe("select a from t")


def test_sql_errors_have_their_line(session):
    session.bind("t", pa.table({"a": [1]}))
    with pytest.raises(SqlError, match="'b'") as caught:
        session.fetch("select a,\n  b\nfrom t")
    assert caught.value.location.line == 2
    with pytest.raises(SqlError) as caught:
        session.fetch("select cast('x' || a as int) as n from t")
    assert caught.value.engine == "dask"


def test_result_streams(session):
    session.bind("t", pa.table({"a": range(250_000)}))
    reader = session.stream("select a, null::bigint as n from t", 100_000)
    assert reader.schema == to_arrow(parse_schema("a: int64, n: int64"))
    sizes = [batch.num_rows for batch in reader]
    assert sum(sizes) == 250_000
    assert max(sizes) <= 122_880
