"""SQL means on Spark what it means in DuckDB, or is refused before work starts."""

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor

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


NULL_IS_FALSE = """
select i, i in (select i from v) m from t
select i from t where (i in (select i from v)) is null
select i from t where not (o and i in (select i from v))
"""
"""What Spark has an answer for, and a wrong one."""


@pytest.mark.parametrize("query", spark_data.read_queries(spark_data.REFUSED + NULL_IS_FALSE))
def test_query_is_refused_before_work_starts(session, query):
    with pytest.raises(UnsupportedError) as caught:
        session.native(query)
    assert caught.value.hint
    assert "DUCKDB_" not in caught.value.message


def test_an_error_of_a_delegated_expression_is_duckdbs(session, local):
    query = "select n::uuid::varchar from t where i = 1"
    with pytest.raises(SqlError) as caught:
        session.fetch(query)
    with pytest.raises(SqlError) as expected:
        local.fetch(query)
    assert caught.value.message == expected.value.message
    assert caught.value.hint == expected.value.hint
    assert caught.value.engine == "spark"


def test_errors_of_many_rows_are_told_where_they_are_reached(session):
    rows = 5_000
    texts = [f"text {at}" for at in range(rows)]
    session.bind("many", pa.table({"n": list(range(rows)), "s": texts}))
    query = "select sum(case when n < {} then 1 else s::utinyint end) a from many"
    assert session.fetch(query.format(rows)).to_pylist() == [{"a": rows}]
    with pytest.raises(SqlError, match=r"CAST\(\"s\" AS UTINYINT\)"):
        session.fetch(query.format(rows - 1))
    session.unbind("many")


def test_functions_of_delegated_expressions_do_not_stay(session):
    frame = session.native("select exp(y) a from t")
    assert "DUCKDB_" in frame._jdf.queryExecution().executedPlan().toString()
    spark = session._driver.spark
    names = [each.name for each in spark.catalog.listFunctions() if each.isTemporary]
    assert not [name for name in names if name.upper().startswith("DUCKDB_")]
    # the frame keeps what it needs
    assert frame.count() == 5


def test_forks_that_delegate_the_same_do_not_disturb_each_other(session):
    def resolve(_):
        with session.fork() as fork:
            fork.bind("o", spark_data.OTHER)
            return fork.native("select exp(h) a from o").schema.simpleString()

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(resolve, range(12))) == {"struct<a:double>"}


def test_equal_expressions_share_a_function(session):
    frame = session.native("select exp(y) a, exp(y) + 1 b from t where exp(y) > 0")
    plan = frame._jdf.queryExecution().analyzed().toString()
    assert len(set(re.findall(r"DUCKDB_[0-9A-F]+", plan))) == 1


def test_a_query_of_delegated_expressions_can_be_bound(session):
    session.bind(
        "made",
        "select format('{}', i) as p, du * 2 as d, ul + 1::ubigint - 1 as u from t where u < 5",
    )
    found = session.fetch("select upper(p) p, d, u, printf('%d', u) v from made where p = '-7'")
    assert found.to_pylist() == [{"p": "-7", "d": dt.timedelta(milliseconds=10), "u": 1, "v": "1"}]
    session.unbind("made")


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
