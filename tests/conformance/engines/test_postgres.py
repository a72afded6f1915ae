"""PostgreSQL computes checks of its tables: by a session that reads one state, and nothing else."""

from decimal import Decimal

import pyarrow as pa
import pytest

import segue
from segue.errors import EngineError, SourceError, SqlError, StepError, UnsupportedError, UsageError
from segue.registry import load_engine
from segue.spec.layout import Layout
from segue.spec.step import PlaceSpec
from tests.live_postgres import PASSWORD

pytestmark = [pytest.mark.xdist_group("postgres"), pytest.mark.timeout(120)]

TABLES = [
    "create schema sales",
    "create type mood as enum ('sad', 'ok')",
    "create domain price as numeric(10,2)",
    'create table sales."Orders" (id int primary key, store text, amount price, at timestamptz)',
    "create table odd_numbers (id int, amount numeric(10,2))",
    "insert into odd_numbers values (1, 'NaN'), (2, 1)",
    "create table stores (id text)",
    "insert into stores values ('east'), ('west'), (null)",
    """insert into sales."Orders" values (1, 'east', 1.5, '2026-01-01T00:00:00Z'),
       (2, 'nowhere', 2.5, null), (3, null, null, null)""",
    """create table odd (u uuid, j jsonb, m mood, c char(4), n numeric, k numeric(3,-1), a int[],
       w text[], t time, i interval, v varchar(3), x "char", f real)""",
    """insert into odd values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}', 'ok', 'ab',
       1.25, 120, '{1,null}', '{x}', '12:00', '1 month', 'abc', 'z', 0.1)""",
    'create view seen as select id, store from sales."Orders"',
    "create table many as select g as i, repeat('x', 20) as s from generate_series(1, 5000) g",
    "create view slow as select a.i from many a, many b, many c where a.s || b.s = c.s",
]


@pytest.fixture(scope="module")
def database(live_postgres):
    name = live_postgres.make_database()
    live_postgres.run(TABLES, name)
    return live_postgres.address(name)


@pytest.fixture
def session(database, tmp_path):
    with load_engine("postgres").attach(database, tmp_path) as opened:
        yield opened


def summarize(report):
    return {
        found.check: (str(found.verdict), found.failing, len(found.sample))
        for found in report.measurements
    }


CONTRACT = """
columns:
  id: {type: int32, required: true, unique: true}
  store: {required: true, references: stores.id, matches: '[a-z]+'}
rows: {min: 1}
"""


def test_a_table_is_checked_where_it_is(database):
    report = segue.check(
        f"{database}?table=sales.Orders", CONTRACT, stores=f"{database}?table=stores"
    )
    assert summarize(report) == {
        "id type": ("pass", None, 0),
        "id required": ("pass", 0, 0),
        "id unique": ("pass", 0, 0),
        "store required": ("fail", 1, 1),
        "store references": ("fail", 1, 1),
        "store matches": ("pass", 0, 0),
        "rows": ("pass", None, 0),
    }


def test_an_open_connection_leads_to_its_database(database):
    import psycopg
    import sqlalchemy

    contract = "stores: {columns: {id: {required: true}}}"
    with psycopg.connect(database) as connection:
        connection.execute("insert into stores values ('not committed')")
        report = segue.check(connection, contract)
        connection.rollback()
    assert (report.rows, report.measurements[0].failing) == (3, 1)

    engine = sqlalchemy.create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        assert segue.check(connection, contract).rows == 3
    assert segue.check(engine, contract).rows == 3
    engine.dispose()


def test_a_nan_among_decimals_is_an_error_of_its_check_alone(database):
    contract = "columns: {id: {required: true}, amount: {between: [0, ~]}}"
    report = segue.check(f"{database}?table=odd_numbers", contract)
    found = {each.check: each for each in report.measurements}
    assert found["id required"].verdict == "pass"
    assert found["amount between"].verdict == "error"
    assert "NaN" in found["amount between"].message


def test_types_are_those_of_segue_or_texts(session):
    session.bind("odd", "select * from odd")
    assert str(session.describe("select * from odd")) == (
        "u: string, j: string, m: string, c: string, n: decimal(38,2), k: decimal(4,0), "
        "a: list<int32>, w: list<string>, t: time, i: string, v: string, x: string, f: float32"
    )
    (row,) = session.fetch("select * from odd").to_pylist()
    assert (row["c"], row["n"], row["k"]) == ("ab", Decimal("1.25"), Decimal(120))
    assert (row["a"], row["w"], row["i"]) == ([1, None], ["x"], "1 mon")
    assert str(session.describe('select amount from sales."Orders"')) == "amount: decimal(10,2)"


def test_names_are_found_as_the_database_has_them(session):
    assert session.fetch("select count(*) as n from sales.Orders")["n"].to_pylist() == [3]
    assert session.fetch("select id from SEEN order by ID desc limit 1")["id"].to_pylist() == [3]
    query = 'select o.id from sales."Orders" as o join stores as s on o.store = s.id'
    assert session.fetch(query)["id"].to_pylist() == [1]
    with pytest.raises(SourceError, match="store") as caught:
        session.bind("store", object())
    assert "stores" in caught.value.hint


def test_nothing_is_written(session, database, live_postgres):
    import psycopg

    session.bind("t", pa.table({"a": [1]}))
    session.fetch("select count(*) from t, stores")
    for statement in ("create temp table x (a int)", "insert into stores values ('x')"):
        with pytest.raises(SqlError, match="read-only"):
            session._link.fetch(statement)
    assert session.fetch("select count(*) as n from stores")["n"].to_pylist() == [3]
    with psycopg.connect(database) as connection:
        left = "select count(*) from pg_class where relpersistence = 't'"
        assert connection.execute(left).fetchone() == (0,)


def test_a_session_sees_one_state(session, live_postgres, database):
    name = database.rpartition("/")[2]
    count = "select count(*) as n from many"
    before = session.fetch(count)["n"].to_pylist()
    live_postgres.run(["insert into many values (0, 'new')"], name)
    assert session.fetch(count)["n"].to_pylist() == before
    with session.fork() as later:
        assert later.fetch(count)["n"].to_pylist() == [before[0] + 1]
    live_postgres.run(["delete from many where i = 0"], name)


def test_rows_come_in_batches_and_queries_between_them(session):
    reader = session.stream("select i, s from many order by i", 1000)
    assert reader.read_next_batch().num_rows == 1000
    assert session.fetch("select max(i) as m from many")["m"].to_pylist() == [5000]
    with pytest.raises(SqlError):
        session.fetch("select s::int from many")
    assert reader.read_all().num_rows == 4000


def test_a_statement_has_a_limit_of_time(database, tmp_path):
    engine = load_engine("postgres")
    slow = "select count(*) from many a, many b, many c where a.s || b.s = c.s"
    with engine.attach(f"{database}?timeout=100ms", tmp_path) as session:
        with pytest.raises(StepError, match="timeout") as caught:
            session.fetch(slow)
        assert "timeout=" in caught.value.hint
        assert session.fetch("select 1 as a")["a"].to_pylist() == [1]
    place = PlaceSpec("db", "postgres", database, options={"statement_timeout": "100ms"})
    with engine.open(place, tmp_path) as session, pytest.raises(StepError, match="timeout"):
        session.fetch(slow)


def test_what_takes_too_long_is_no_pass(database):
    with pytest.raises(StepError, match="timeout"):
        segue.check(f"{database}?table=slow&timeout=100ms", {"columns": {"i": {"required": True}}})


def test_no_password_is_shown(live_postgres, tmp_path, database):
    engine = load_engine("postgres")
    wrong = database.replace("owner:", "stranger:")
    secrets = (PASSWORD, database.partition("owner:")[2].partition("@")[0])
    with engine.attach(wrong, tmp_path) as session:
        with pytest.raises(EngineError, match="stranger") as caught:
            session.facts()
        shown = f"{caught.value} {caught.value.hint} {session._target!r}"
    with engine.attach(database, tmp_path) as session:
        shown += str(session.facts())
    with pytest.raises(UsageError) as bad:
        engine.attach(f"{database}?table=a&query=b", tmp_path)
    shown += str(bad.value)
    assert not any(secret in shown for secret in secrets)


def test_another_database_is_another_session(session, live_postgres):
    with pytest.raises(UnsupportedError, match="another database"):
        session.bind("t", f"{live_postgres.address()}?table=x")


def test_other_encodings_are_refused(live_postgres, tmp_path):
    name = f"{live_postgres.make_database()}_ascii"
    plain = "encoding 'SQL_ASCII' locale 'C' template template0 locale_provider libc"
    live_postgres.run([f"create database {name} {plain}"])
    address = live_postgres.address(name)
    with (
        load_engine("postgres").attach(address, tmp_path) as session,
        pytest.raises(UnsupportedError, match="SQL_ASCII"),
    ):
        session.facts()


def test_functions_are_refused(session):
    with pytest.raises(UnsupportedError, match="functions"):
        session.apply("made", ["t"], None, Layout())


def test_large_tables_are_not_taken_along(session):
    with pytest.raises(UnsupportedError, match="bytes"):
        session.bind("big", pa.table({"a": pa.array(range(2_000_000), pa.int64())}))


def test_small_tables_are_taken_along(session):
    rows = pa.table(
        {
            "f": [float("nan"), -0.0, float("-inf"), None],
            "s": ["a\\b", '"{x},y"', "NULL", None],
            "b": [b"\x00\xff", b"", b"\\", None],
            "big": pa.array([2**64 - 1, 0, 1, None], pa.uint64()),
        }
    )
    session.bind("given", rows)
    assert str(session.fetch("select * from given").to_pylist()) == str(rows.to_pylist())


def test_who_does_not_say_where_is_told_how(tmp_path):
    with pytest.raises(UsageError, match="address"):
        load_engine("postgres").open(PlaceSpec("db", "postgres"), tmp_path)
    place = PlaceSpec("db", "postgres", "postgresql://x/y", options={"fsync": "off"})
    with pytest.raises(UsageError, match="option"):
        load_engine("postgres").open(place, tmp_path)


def test_what_is_refused_leaves_the_others_in_one_scan(database, monkeypatch):
    from segue.engines.postgres.driver import Link

    asked = []
    fetch = Link.fetch

    def note(self, query):
        asked.append(query)
        return fetch(self, query)

    monkeypatch.setattr(Link, "fetch", note)
    columns = {
        "i": {"required": True, "between": [1, 5000]},
        "s": {"required": True, "length": 20, "matches": r"\p{Greek}+"},
    }
    report = segue.check(f"{database}?table=many", {"columns": columns})
    verdicts = {each.check: str(each.verdict) for each in report.measurements}
    assert verdicts.pop("s matches") == "error"
    assert set(verdicts.values()) == {"pass"}
    assert len([each for each in asked if "count(" in each.lower()]) == 1
