"""Tables and queries of databases: SQLite is the one that is always there."""

import datetime as dt
import sqlite3
from decimal import Decimal

import pytest

from segue.errors import MissingExtraError, SourceError, UsageError
from segue.stores.sources import database

URL = "sqlite:///shop.db"
TYPES = (
    "id: int64, small: int64, price: decimal(10,2), share: float64, day: date, "
    "at: timestamp, ok: bool, name: string, raw: binary, odd: string"
)
ROW = (
    7,
    2,
    Decimal("1.10"),
    0.5,
    dt.date(2026, 1, 31),
    dt.datetime(2026, 1, 31, 9, 30),  # noqa: DTZ001 - SQLite has no zones
    True,
    "Zoë",
    b"\x00\x01",
    None,
)


@pytest.fixture
def shop(world):
    """A database with a table of all types, and what writes into it, as between two runs."""

    def run(*statements):
        world.scratch = world.scratch.with_name(f"scratch-{len(list(world.root.parent.iterdir()))}")
        with sqlite3.connect(world.root / "shop.db") as connection:
            for each in statements:
                connection.execute(each)
        connection.close()

    run(
        "create table t (id integer primary key, small smallint, price numeric(10,2), share real,"
        " day date, at datetime, ok boolean, name varchar(20), raw blob, odd)",
        "insert into t values (7, 2, 1.10, 0.5, '2026-01-31', '2026-01-31 09:30:00', 1, 'Zoë',"
        " x'0001', null)",
    )
    return run


def test_types_are_those_that_the_database_declares(world, shop):
    assert world.types("database", url=URL, table="t") == TYPES
    (row,) = world.read("database", url=URL, table="t").to_pylist()
    assert tuple(row.values()) == ROW
    shop("delete from t")
    assert world.types("database", url=URL, table="t") == TYPES
    assert world.read("database", url=URL, table="t").num_rows == 0


def test_a_view_and_a_query(world, shop):
    shop("create view v as select name, id from t")
    assert world.read("database", url=URL, table="v").to_pylist() == [{"name": "Zoë", "id": 7}]
    found = world.read("database", url=URL, query="select id * 2 as n, name from t")
    assert found.to_pylist() == [{"n": 14, "name": "Zoë"}]


def test_batches_agree_on_types(world, shop, monkeypatch):
    monkeypatch.setattr(database, "BATCH", 2)
    shop(
        "create table n (x)",
        *(f"insert into n values ({value})" for value in ("null", "null", 1, 2, 3, 3.5)),
    )
    found = world.read("database", url=URL, table="n")
    assert found["x"].to_pylist() == [None, None, 1.0, 2.0, 3.0, 3.5]
    shop("insert into n values ('text')")
    with pytest.raises(SourceError, match=r"column 'x'.* don't go together"):
        world.scan("database", url=URL, table="n")


def test_values_of_no_common_type_are_not_shown(world, shop):
    shop("create table n (x integer)", "insert into n values (1), ('hunter2')")
    with pytest.raises(SourceError, match=r"as int64, as it is declared.*int, str") as caught:
        world.scan("database", url=URL, table="n")
    assert "hunter2" not in str(caught.value)
    found = world.read("database", url=URL, query="select cast(x as varchar) as x from n")
    assert found["x"].to_pylist() == ["1", "hunter2"]


def test_a_run_sees_one_state(world, shop):
    assert world.read("database", url=URL, table="t").num_rows == 1
    with sqlite3.connect(world.root / "shop.db") as connection:
        connection.execute("delete from t")
    connection.close()
    assert world.read("database", url=URL, table="t").num_rows == 1
    shop()
    assert world.read("database", url=URL, table="t").num_rows == 0


def test_the_state_changes_with_the_file(world, shop):
    seen = world.observe("database", url=URL, table="t")
    assert world.observe("database", url=URL, table="t") == seen
    shop("insert into t (id) values (8)")
    assert world.observe("database", url=URL, table="t").identity != seen.identity
    elsewhere = "postgresql://me:secret@db/x"
    states = [world.observe("database", url=elsewhere, table="t") for _ in range(2)]
    assert states[0].identity != states[1].identity  # nobody can tell without reading


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"url": URL, "table": "tt"}, SourceError, "no table 'tt'.*did you mean 't'"),
        ({"url": "sqlite:///no.db", "table": "t"}, SourceError, "no database file no.db"),
        ({"url": URL, "query": "delete from t"}, UsageError, "not a SELECT"),
        ({"url": URL, "query": "select x from t"}, SourceError, "no such column: x"),
        ({"url": "nosql://a:hunter2@b/c", "table": "t"}, UsageError, r"nosql://a:\*\*\*@b/c"),
        ({"url": "mysql://a:hunter2@b/c", "table": "t"}, MissingExtraError, "pip install"),
        ({"url": "sqlite:///${NO_SUCH}", "table": "t"}, SourceError, "NO_SUCH is not set"),
    ],
)
def test_mistakes(world, shop, options, error, message):
    with pytest.raises(error, match=f"(?s){message}") as caught:
        world.scan("database", **options)
    assert "hunter2" not in str(caught.value)
    assert not (world.root / "no.db").exists()
