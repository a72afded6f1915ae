"""Spark Connect: Spark's own server, and Sail."""

import pyarrow as pa
import pytest

import segue
from segue import registry
from segue.errors import EngineError, SqlError, StepError, UnsupportedError
from segue.spec.step import PlaceSpec
from tests.conformance.engines import spark_data
from tests.conformance.engines.spark_compare import expect_same
from tests.conformance.engines.spark_servers import find_port, serve_connect, serve_sail

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.timeout(300)]

ROWS = pa.table({"k": [2, 1, 2, None], "v": pa.array([4, 3, 2, 1], pa.uint8())})
EVERYWHERE = spark_data.read_queries(spark_data.EVERYWHERE)
SPARK = spark_data.read_queries(spark_data.SPARK)
DELEGATED = spark_data.read_queries(spark_data.DELEGATED)


@pytest.fixture(scope="module")
def connect(tmp_path_factory):
    with serve_connect(tmp_path_factory.mktemp("connect")) as address:
        yield address


@pytest.fixture(scope="module")
def sail(tmp_path_factory):
    pytest.importorskip("pysail")
    with serve_sail(tmp_path_factory.mktemp("sail")) as address:
        yield address


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    engine = registry.load_local_engine()
    with engine.open(PlaceSpec("local"), tmp_path_factory.mktemp("local")) as session:
        yield bind_all(session)


@pytest.fixture(scope="module")
def on_connect(connect, tmp_path_factory):
    with open_at(connect, tmp_path_factory) as session:
        yield bind_all(session)


@pytest.fixture(scope="module")
def on_sail(sail, tmp_path_factory):
    with open_at(sail, tmp_path_factory) as session:
        yield bind_all(session)


def open_at(address, tmp_path_factory):
    place = PlaceSpec("far", engine="spark", address=address)
    return registry.load_engine("spark").open(place, tmp_path_factory.mktemp("scratch"))


def bind_all(session):
    for name, table in (spark_data.TABLES | {"maps": spark_data.MAPS}).items():
        session.bind(name, table)
    return session


def double(rows: pa.Table) -> pa.Table:
    return rows.append_column("n", pa.array([rows.num_rows] * rows.num_rows))


def fail_at_two(rows: pa.Table) -> pa.Table:
    if rows["k"][0].as_py() == 2:
        raise ValueError("two is too many")
    return rows


# every sixth is more than enough to see that functions travel
@pytest.mark.parametrize("query", DELEGATED[::6])
def test_delegated_on_connect(on_connect, local, query):
    expect_same(on_connect, local, query)


def test_errors_of_delegated_expressions_arrive_from_connect(on_connect):
    with pytest.raises(SqlError) as caught:
        on_connect.fetch("select n::uuid::varchar from t")
    assert "UUID" in caught.value.message
    assert "\n" not in caught.value.message
    found = on_connect.fetch("select case when n = 'x' then n::uuid::varchar end a from t")
    assert found["a"].null_count == found.num_rows


@pytest.mark.parametrize("query", DELEGATED[::6])
def test_sail_refuses_what_it_would_delegate(on_sail, query):
    with pytest.raises((UnsupportedError, SqlError)) as caught:
        on_sail.native(query)
    assert caught.value.hint


# every third query of Spark's list: what is sent is the same as to a classic session
@pytest.mark.parametrize("query", EVERYWHERE + SPARK[::3])
def test_query_on_connect(on_connect, local, query):
    expect_same(on_connect, local, query)


@pytest.mark.parametrize("query", EVERYWHERE)
def test_query_on_sail(on_sail, local, query, request):
    expect_same(on_sail, local, query)


@pytest.mark.parametrize("query", SPARK)
def test_sail_answers_the_same_or_not_at_all(on_sail, local, query):
    try:
        on_sail.fetch(query)
    except (EngineError, StepError, UnsupportedError):
        return
    expect_same(on_sail, local, query)


def test_function_on_connect(connect):
    found = segue.transform(ROWS, double, by="k", sort="v", schema="*, n: int64", on=connect)
    assert found.schema.field("v").type == pa.uint8()
    assert sorted(found.to_pylist(), key=str) == [
        {"k": 1, "v": 3, "n": 1},
        {"k": 2, "v": 2, "n": 2},
        {"k": 2, "v": 4, "n": 2},
        {"k": None, "v": 1, "n": 1},
    ]


@pytest.mark.xfail(
    raises=EngineError,
    reason="upstream: Sail 0.7 runs Python functions with PySpark 4.2 at most, 4.3 is locked",
)
def test_function_on_sail(sail):
    found = segue.transform(ROWS, double, by="k", sort="v", schema="*, n: int64", on=sail)
    assert found.num_rows == 4


def test_failure_on_connect_arrives_whole(connect):
    with pytest.raises(StepError) as caught:
        segue.transform(ROWS, fail_at_two, by="k", schema="*", on=connect)
    error = caught.value
    assert "two is too many" in error.message
    assert (error.engine, error.group) == ("spark", "k=2")
    assert "fail_at_two" in error.trace
    assert error.sample


def test_rows_stream_from_connect(on_connect):
    reader = on_connect.stream("select i, du from t where i is not null", batch_rows=1)
    batches = list(reader)
    assert [batch.num_rows for batch in batches] == [1, 1, 1, 1]
    assert reader.schema.field("du").type == pa.duration("us")


def test_live_connect_session_and_frame(connect):
    from pyspark.sql.connect.session import SparkSession

    engine = registry.load_engine("spark")
    session = SparkSession.builder.remote(connect).create()
    try:
        frame = session.createDataFrame([(1, "a"), (2, "b")], "`a b` int, c string")
        assert engine.owns(session)
        assert engine.owns(frame)
        found = segue.query("select \"a b\" as x from t where c = 'b'", t=frame)
        assert found.collect() == [(2,)]
        # it is of the user's own session, and goes with its frames
        assert found.union(session.sql("select 5")).count() == 2
    finally:
        session.stop()


def test_settings_of_a_live_connect_session_are_left_and_heeded(connect):
    from pyspark.sql.connect.session import SparkSession

    session = SparkSession.builder.remote(connect).create()
    try:
        session.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
        frame = session.sql("select timestamp '2020-01-01 00:00:00' as t, 1 as n")
        assert segue.query("select n from t", t=frame.select("n")).collect() == [(1,)]
        with pytest.raises(UnsupportedError, match="Asia/Tokyo"):
            segue.query("select t::date as d from t", t=frame)
        assert session.conf.get("spark.sql.session.timeZone") == "Asia/Tokyo"
    finally:
        session.stop()


def test_nobody_listens():
    with pytest.raises(EngineError) as caught:
        segue.query("select 1", on=f"sc://127.0.0.1:{find_port()}")
    assert "reaching sc://127.0.0.1" in caught.value.message
    assert "\n" not in caught.value.message
