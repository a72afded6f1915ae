import threading

import pyarrow as pa
import pytest

from segue.engines.duckdb.engine import DuckDBEngine
from segue.errors import SqlError, StepError, StepMemoryError
from segue.frames.arrow_types import to_arrow
from segue.spec.step import PlaceSpec

ENDLESS = """
    select count(*) from range(1000000) a, range(1000000) b where hash(a.range + b.range) = 3
"""


@pytest.mark.parametrize(
    ("expression", "type_", "value"),
    [
        ("1::hugeint", "int64", 1),
        ("sum(1)", "int64", 1),
        ("1::ubigint", "uint64", 1),
        ("7 / 2", "float64", 3.5),
        ("'5fdb1f4e-3b2a-4a3e-8c56-94c5f0b1a111'::uuid", "string", None),
        ("'101'::bit", "string", "101"),
        ("'a'::enum('a', 'b')", "categorical<string>", "a"),
        ("['a'::enum('a', 'b')]", "list<string>", ["a"]),
        ("'{\"a\": 1}'::json", "string", '{"a": 1}'),
        ("timestamp_s '2020-01-01 00:00:01'", "timestamp", None),
        ("timestamp_ms '2020-01-01 00:00:01'", "timestamp", None),
        ("timestamp_ns '2020-01-01 00:00:01'", "timestamp(ns)", None),
        ("timestamptz '2020-01-01 00:00:01'", "timestamp(us, UTC)", None),
        ("interval 90 minutes", "duration(us)", None),
        ("[interval 1 hour]", "list<duration(us)>", None),
        ("[1, 2]::integer[2]", "list<int32>", [1, 2]),
        ("{'a': 1::hugeint}", "struct<a: int64>", {"a": 1}),
        ("map {'a': 1}", "map<string, int32>", [("a", 1)]),
        ("null", "null", None),
        ("[]", "list<null>", []),
    ],
)
def test_results_have_the_types_that_are_described(session, expression, type_, value):
    query = f"select {expression} as x"
    schema = session.describe(query)
    assert str(schema) == f"x: {type_}"
    for table in (session.fetch(query), session.stream(query).read_all()):
        assert table.schema == to_arrow(schema)
        if value is not None:
            assert table["x"].to_pylist() == [value]


@pytest.mark.parametrize(
    ("query", "message", "line"),
    [
        ("selec 1", "syntax error", 1),
        ("select order_di\nfrom orders", "no column called 'order_di'", 1),
        ("select 1,\n  'è', order_di\nfrom orders", "no column called 'order_di'", 2),
        ("select *\nfrom ordrs", "no table called 'ordrs'", 2),
        ("select 1,\n nope(1)", "no scalar function called 'nope'", 2),
        ("select order_id, sum(1) from orders", "GROUP BY", 1),
        ("select 1; select 2", "not one SELECT", None),
        ("create table x as select 1", "not one SELECT", None),
        ("-- nothing", "not one SELECT", None),
        ("select 1 as a, 2 as a", "'a' comes twice", None),
        ("select '01:00+02'::timetz as t", "column 't'", None),
        ("select row(1, 2) as r", "column 'r'", None),
    ],
)
def test_a_query_that_does_not_bind_says_where(session, query, message, line):
    session.bind("orders", pa.table({"order_id": [1]}))
    with pytest.raises(SqlError, match=message) as caught:
        session.describe(query)
    location = caught.value.location
    assert (location.line if location else None) == line


@pytest.mark.parametrize(
    ("query", "hint"),
    [("select order_di from orders", "order_id"), ("select * from ordres", "orders")],
)
def test_the_nearest_name_is_told(session, query, hint):
    session.bind("orders", pa.table({"order_id": [1]}))
    with pytest.raises(SqlError) as caught:
        session.describe(query)
    assert repr(hint) in caught.value.hint


@pytest.mark.parametrize(
    "query",
    [
        "select 'x'::int as a",
        "select 9223372036854775807 + range as a from range(2)",
        "select sum(9223372036854775807) as a from range(2)",
        "select interval 1 month as a",
        "select error('no such thing') as a",
    ],
)
def test_a_query_that_fails_is_the_users_error(session, query):
    with pytest.raises(SqlError):
        session.fetch(query)
    with pytest.raises(SqlError):
        session.stream(query).read_all()
    assert session.fetch("select 1 as a").num_rows == 1


@pytest.mark.parametrize("end", ["", ";", "; ;\n", "; -- the end\n-- really", " -- the end"])
def test_what_stands_behind_a_query_does_no_harm(session, end):
    session.bind("v", f"select 1::hugeint as a{end}")
    assert session.fetch(f"select * from v{end}").to_pylist() == [{"a": 1}]


def test_an_error_in_the_middle_of_a_stream(session):
    rows = session.stream(
        "select case when range = 300000 then error('bad row') end as a from range(400000)", 1000
    )
    with pytest.raises(SqlError, match="bad row"):
        rows.read_all()


def test_a_stream_leaves_the_session_free(session):
    session.bind("numbers", "select range as a from range(10000)")
    session.bind("words", pa.table({"w": ["x"]}))
    rows = session.stream("select a, w from numbers, words order by a", 100)
    first = rows.read_next_batch()
    session.unbind("words")
    assert session.fetch("select count(*) as n from numbers")["n"].to_pylist() == [10000]
    assert first.num_rows + sum(batch.num_rows for batch in rows) == 10000


def test_a_bound_name_shadows_and_can_be_forgotten(session):
    session.bind("duckdb_tables", pa.table({"mine": [1]}))
    session.bind('odd "name"', "select 2 as a")
    session.bind('odd "name"', pa.table({"a": [3]}))
    assert session.describe("from duckdb_tables").names == ("mine",)
    assert session.fetch('from "odd ""name"""').to_pylist() == [{"a": 3}]
    session.unbind('odd "name"')
    with pytest.raises(SqlError):
        session.fetch('from "odd ""name"""')


def test_python_variables_are_no_tables(session):
    frame = pa.table({"a": [1]})
    with pytest.raises(SqlError, match="'frame'"):
        session.fetch("select * from frame")
    assert frame.num_rows == 1


def test_names_keep_their_case_and_twins_are_refused(session):
    session.bind("t", pa.table({"Größe x": [1], "b": [2]}))
    assert session.fetch('select "Größe x", B from t').column_names == ["Größe x", "b"]
    with pytest.raises(SqlError, match="can't tell apart"):
        session.bind("u", pa.table({"a": [1], "A": [2]}))


def test_forks_have_names_of_their_own(session):
    session.bind("t", pa.table({"a": [1]}))
    with session.fork() as fork:
        with pytest.raises(SqlError):
            fork.fetch("from t")
        fork.bind("t", pa.table({"a": [2]}))
        assert fork.fetch("from t").to_pylist() == [{"a": 2}]
    assert session.fetch("from t").to_pylist() == [{"a": 1}]


def test_forks_work_side_by_side(session):
    found = {}

    def work(number):
        for _ in range(10):
            with session.fork() as fork:
                fork.bind("t", pa.table({"a": [number] * 5}))
                found[number] = fork.fetch("select sum(a) as s from t")["s"].to_pylist()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [5 * number] for number in range(6)}


def test_closing_ends_what_runs(tmp_path):
    session = DuckDBEngine().open(PlaceSpec("local", threads=2), tmp_path)
    fork = session.fork()
    rows = session.stream("select range as a from range(1000000)", 1000)
    rows.read_next_batch()
    begun, caught = threading.Event(), []

    def work():
        begun.set()
        try:
            fork.fetch(ENDLESS)
        except StepError as error:
            caught.append(error.message)

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    session.close()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert caught
    with pytest.raises(StepError):
        rows.read_all()
    with pytest.raises(StepError):
        session.fork()
    session.close()


def test_memory_is_limited(tmp_path):
    place = PlaceSpec("local", threads=1, memory=50_000_000)
    with (
        DuckDBEngine().open(place, tmp_path) as session,
        pytest.raises(StepMemoryError, match="memory"),
    ):
        session.fetch("select list(range) as a from range(50000000)")


def test_a_native_query_is_a_relation(session):
    session.bind("t", pa.table({"a": [1, 2]}))
    assert session.native("from t").filter("a > 1").fetchall() == [(2,)]


def test_columns_of_a_name_that_is_bound_anew_are_described_anew(session):
    session.bind("t", "select 1 as a")
    assert session.describe("select * from t").names == ("a",)
    session.bind("t", "select 1 as b, 2 as c")
    assert session.describe("select * from t").names == ("b", "c")
