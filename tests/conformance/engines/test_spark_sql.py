"""SQL means on Spark what it means in DuckDB, or is refused before work starts."""

import pyarrow as pa
import pytest

from segue import registry
from segue.errors import SqlError, UnsupportedError
from segue.spec.step import PlaceSpec
from tests.conformance.engines import spark_data
from tests.conformance.engines.spark_compare import expect_same

TABLES = {**spark_data.TABLES, "maps": spark_data.MAPS}

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with registry.load_local_engine().open(
        PlaceSpec("local"), tmp_path_factory.mktemp("local")
    ) as session:
        for name, table in TABLES.items():
            session.bind(name, table)
        yield session


@pytest.fixture(scope="module")
def session(live_spark, tmp_path_factory):
    engine = registry.load_engine("spark")
    with engine.attach(live_spark, tmp_path_factory.mktemp("scratch")) as opened:
        for name, table in TABLES.items():
            opened.bind(name, table)
        yield opened


QUERIES = spark_data.EVERYWHERE + spark_data.SPARK + spark_data.FUNCTIONS + spark_data.DELEGATED


@pytest.mark.parametrize("query", spark_data.read_queries(QUERIES))
def test_query_means_what_it_means_in_duckdb(session, local, query):
    expect_same(session, local, query)


@pytest.mark.parametrize(("texts", "kind"), spark_data.READ)
def test_texts_that_can_not_be_read_are_null_as_in_duckdb(session, local, texts, kind):
    rows = ", ".join(f"({at}, '{text}')" for at, text in enumerate(texts.split("|")))
    expect_same(session, local, f"select n, try_cast(s as {kind}) x from (values {rows}) v(n, s)")


@pytest.mark.parametrize("text", ["1_000", "0x1F"])
def test_a_text_that_only_duckdb_reads_is_an_error_and_not_null(session, text):
    with pytest.raises(SqlError, match="only DuckDB"):
        session.fetch(f"select try_cast('{text}' as int)")


@pytest.mark.parametrize("text", ["2020/01/02", "infinity", "2020-01-02 03:04:05"])
def test_a_date_that_only_duckdb_reads_is_an_error_and_not_null(session, text):
    with pytest.raises(SqlError, match="only DuckDB"):
        session.fetch(f"select try_cast('{text}' as date)")


@pytest.mark.parametrize("query", spark_data.read_queries(spark_data.REFUSED))
def test_query_is_refused_before_work_starts(session, query):
    with pytest.raises(UnsupportedError) as caught:
        session.native(query)
    assert caught.value.hint


def test_sum_of_integers_is_exact_or_an_error(session):
    top = 2**63 - 1
    session.bind("big", pa.table({"x": [top, 1, -5], "y": [top, 1, 0]}))
    found = session.fetch("select sum(x) as s, avg(x) as a from big")
    assert found.to_pylist() == [{"s": top - 4, "a": (top - 4) / 3}]
    assert found.schema.field("s").type == pa.int64()
    with pytest.raises(SqlError, match="BIGINT"):
        session.fetch("select sum(y) as s from big")
    session.unbind("big")


def test_describing_runs_nothing_on_spark(session, live_spark):
    jobs = live_spark.sparkContext.statusTracker().getJobIdsForGroup
    before = len(jobs(None))
    session.describe("select g, sum(i) from t group by g")
    assert len(jobs(None)) == before


def test_names_that_differ_only_by_case_are_refused_in_sql(session):
    session.bind("twins", pa.table({"a": [1], "A": [2]}))
    with pytest.raises(SqlError, match="'a' and 'A'"):
        session.fetch("select a from twins")
    # as segue itself asks for all of it, names don't matter
    assert session.fetch('select * from "twins"').to_pylist() == [{"a": 1, "A": 2}]
    session.unbind("twins")


def test_names_find_their_table_in_any_case(session):
    session.bind("Größe x", pa.table({"Ä b": [1], "C.d": [2], "e`f": [3]}))
    found = session.fetch(
        'select "ä B" as "Ä b", "c.D" + "e`f" as s from "größe X"'.replace("ä", "Ä")
    )
    assert found.to_pylist() == [{"Ä b": 1, "s": 5}]
    session.unbind("Größe x")


def test_a_query_can_be_bound(session):
    session.bind("made", "select g, count(*) as n, max(du) as d from t group by g")
    found = session.fetch("select * from made where n > 1 order by g")
    assert [row["n"] for row in found.to_pylist()] == [2, 2]
    assert found.schema.field("d").type == pa.duration("us")
    session.unbind("made")


def test_an_error_while_a_query_runs_is_one_line(session):
    with pytest.raises(SqlError) as caught:
        session.fetch("select s::int from t")
    assert "'a'" in caught.value.message
    assert "\n" not in caught.value.message
    assert "ansi" not in caught.value.message
