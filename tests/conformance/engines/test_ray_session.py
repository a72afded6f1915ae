"""Names and SELECTs on Ray."""

import datetime as dt
import sys
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segue.engines.ray.engine import RayEngine
from segue.errors import SourceError, SqlError, StepError
from segue.spec.scan import Scan
from segue.spec.step import PlaceSpec
from segue.spec.types import parse_schema

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.timeout(300)]

PLACE = PlaceSpec("cluster", "ray")
NAMED = pa.table({"a": [1, 2], "b": ["x", None]})


@pytest.fixture
def session(live_ray, tmp_path):
    with RayEngine().open(PLACE, tmp_path) as opened:
        yield opened


@pytest.fixture
def numbers(tmp_path):
    path = tmp_path / "numbers.parquet"
    table = pa.table({"n": range(1_000), "half": [n / 2 for n in range(1_000)]})
    pq.write_table(table, path, row_group_size=100)
    return Scan("parquet", (str(path),))


def test_tables_files_and_queries_meet_in_sql(session, numbers):
    session.bind("t", pa.table({"n": [1, 2, None], "name": ["a", "b", "c"]}))
    session.bind("numbers", numbers)
    session.bind("big", 'select n, half from "numbers" where n >= 2')
    query = "select t.name, big.half from t join big using (n)"
    assert str(session.describe(query)) == "name: string, half: float64"
    assert session.fetch(query).to_pylist() == [{"name": "b", "half": 1.0}]
    assert session.stream("select count(*) as n from big").read_all().to_pylist() == [{"n": 998}]


def test_types_come_back_as_they_were(session):
    zoned = dt.datetime(2020, 1, 2, 3, tzinfo=dt.UTC)
    table = pa.table(
        {
            "big": pa.array([2**53 + 1, None], pa.int64()),
            "small": pa.array([1, None], pa.uint8()),
            "real": pa.array([float("nan"), None]),
            "money": pa.array([Decimal("1.50"), None], pa.decimal128(18, 2)),
            "day": pa.array([dt.date(2020, 1, 2), None]),
            "when": pa.array([zoned, None], pa.timestamp("us", "UTC")),
            "took": pa.array([dt.timedelta(1), None], pa.duration("us")),
            "bits": pa.array([b"\0\xff", None]),
            "list": pa.array([[1, None], []], pa.list_(pa.int64())),
            "map": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
            "struct": pa.array([{"a": 1, "b": ["x"]}, None]),
        }
    )
    session.bind("t", table)
    for query in ('select * from "t"', "select * from t where true"):
        found = session.fetch(query)
        assert found.schema == table.schema
        assert str(found.to_pylist()) == str(table.to_pylist())


def test_no_rows_keep_their_columns(session):
    session.bind("t", pa.table({"a": pa.array([], pa.int64()), "b c": pa.array([], pa.string())}))
    assert session.fetch("select * from t where true").schema.names == ["a", "b c"]
    assert session.stream('select * from "t"').read_all().num_rows == 0


def test_a_stream_comes_in_batches_of_any_size(session, numbers):
    session.bind("numbers", numbers)
    reader = session.stream("select n from numbers order by n", 300)
    sizes = [batch.num_rows for batch in reader]
    assert sum(sizes) == 1_000
    assert max(sizes) <= 300
    session.stream("select n from numbers").read_next_batch()  # and left at that


def test_other_formats_and_files_that_store_the_nearest_type(session, tmp_path):
    other = tmp_path / "t.arrow"
    with pa.OSFile(str(other), "wb") as sink, pa.ipc.new_file(sink, NAMED.schema) as writer:
        writer.write_table(NAMED)
    session.bind("other", Scan("arrow", (str(other),)))
    assert session.fetch("select sum(a) as s from other").to_pylist() == [{"s": 3}]
    stored = tmp_path / "stored.parquet"
    pq.write_table(pa.table({"took": [1_000_000]}), stored)
    session.bind("t", Scan("parquet", (str(stored),), schema=parse_schema("took: duration(us)")))
    assert session.fetch('select * from "t"').to_pylist() == [{"took": dt.timedelta(seconds=1)}]


def test_names_are_no_accident(session):
    session.bind("t", pa.table({"a": [1]}))
    session.bind("T2 é", 'select a + 1 as a from "t"')
    session.bind("t3", 'select a from "T2 é"')
    session.bind("unrelated", pa.table({"a": [0]}))
    assert session.fetch("select * from t3 where a = 2").num_rows == 1
    session.bind("t", pa.table({"a": [5]}))
    assert session.fetch('select * from "t3"').to_pylist() == [{"a": 6}]
    session.unbind("t3")
    with pytest.raises(SqlError, match="t3"):
        session.describe("select * from t3")


def test_columns_that_sql_cannot_tell_apart(session):
    session.bind("twins", pa.table({"a": [1], "A": ["x"]}))
    assert str(session.describe('select * from "twins"')) == "a: int64, A: string"
    assert session.fetch('select * from "twins"').to_pylist() == [{"a": 1, "A": "x"}]
    with pytest.raises(SqlError, match="can't tell apart"):
        session.fetch("select a from twins")


def test_what_is_wrong_is_told_before_and_while_it_runs(session, tmp_path):
    session.bind("t", pa.table({"amount": [1]}))
    with pytest.raises(SqlError, match="'amuont'") as found:
        session.fetch("select\n amuont from t")
    assert (found.value.location.line, "amount" in found.value.hint) == (2, True)
    with pytest.raises(SqlError) as found:
        session.fetch("select ('x' || amount)::int64 as a from t")
    assert found.value.engine == "ray"
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"PAR1 and no more")
    with pytest.raises(SourceError):
        session.bind("bad", Scan("parquet", (str(bad),)))


def test_forks_have_names_of_their_own_and_end_with_the_first(live_ray, tmp_path):
    first = RayEngine().open(PLACE, tmp_path)
    fork = first.fork()
    first.bind("t", pa.table({"a": [1]}))
    fork.bind("t", pa.table({"a": [2]}))
    assert first.fetch('select * from "t"') != fork.fetch('select * from "t"')
    assert fork.fetch("select a from t").to_pylist() == [{"a": 2}]
    fork.close()
    assert first.fetch("select a from t").to_pylist() == [{"a": 1}]
    fork = first.fork()
    first.close()
    with pytest.raises(StepError, match="closed"):
        fork.bind("t", pa.table({"a": [1]}))


def test_the_users_ray_is_left_running(live_ray, tmp_path):
    import ray

    session = RayEngine().attach(ray, tmp_path)
    facts = session.facts()
    session.close()
    assert ray.is_initialized()
    assert (facts["engine"], facts["workers"], facts["version"]) == ("ray", 2, ray.__version__)
    assert session.driver_host


@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data")  # of its own options
def test_datasets_and_references_come_in_and_go_out(session):
    import ray
    import ray.data

    table = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})
    dataset = ray.data.from_arrow([table.slice(0, 2), table.slice(2)])
    refs = [ray.put(table.slice(0, 1)), ray.put(table.slice(1))]
    engine = RayEngine()
    assert engine.owns(dataset)
    assert engine.owns(refs)
    assert engine.owns(ray)
    assert not any(engine.owns(thing) for thing in (None, [], [1], table, "ray://x", sys))
    session.bind("d", dataset)
    session.bind("r", refs)
    query = "select a, b from d except select a, b from r"
    assert session.fetch(query).num_rows == 0
    assert session.fetch('select * from "d"').sort_by("a") == table
    native = session.native('select * from "r"')
    assert engine.owns(native)
    assert native.take_all() == table.to_pylist()
    assert session.native("select a from d where a > 5").schema().names == ["a"]


def test_blocks_that_know_less_than_others(session):
    import ray

    refs = [ray.put(pa.table({"a": pa.nulls(1)})), ray.put(pa.table({"a": [2**60], "b": ["x"]}))]
    session.bind("r", refs)
    assert str(session.describe('select * from "r"')) == "a: int64, b: string"
    assert session.fetch("select a, b from r order by a").to_pylist() == [
        {"a": 2**60, "b": "x"},
        {"a": None, "b": None},
    ]
    native = session.native('select * from "r"')
    assert str(native.schema().types) == "[DataType(int64), DataType(string)]"


def test_what_is_no_data_of_rays(session):
    import ray

    with pytest.raises(SqlError, match="type dict"):
        session.bind("t", {"a": 1})
    with pytest.raises(SqlError, match="one is of a int"):
        session.bind("t", [ray.put(1)])
