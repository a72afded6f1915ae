"""Databases that are polled: real ones, ties, writers at work, and processes that are killed."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from segue.errors import SourceError
from tests.fleet.brokers.taking import Taken, make_source, open_reader, take, take_chunk


@pytest.fixture
def taken(tmp_path):
    with closing(Taken(tmp_path / "taken.db")) as file:
        yield file


class Lite:
    """A SQLite database with a table of events."""

    def __init__(self, folder):
        self.path = folder / "shop.db"
        self.url = f"sqlite:///{self.path}"
        self.run("create table events (id integer primary key, at integer, name text)")

    def run(self, *statements):
        with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            for each in statements:
                connection.execute(each)

    def close(self):
        pass


class Post:
    """A PostgreSQL database with a table of events."""

    def __init__(self, server):
        self.server = server
        self.name = server.make_database()
        self.url = server.address(self.name)
        self.run("create table events (id bigserial primary key, at bigint, name text)")

    def run(self, *statements):
        self.server.run(statements, self.name)


@pytest.fixture(params=["sqlite", "postgres"])
def base(request, tmp_path):
    if request.param == "sqlite":
        return Lite(tmp_path)
    return Post(request.getfixturevalue("live_postgres"))


SCHEMA = "id: int64, at: int64, name: string"


def options(base, **more):
    stated = {"url": base.url, "table": "events", "rising": "at", "every": "10ms", "settle": 0}
    return {**stated, **more}


def add(base, *rows):
    values = ", ".join(f"({id_}, {at}, 'n{id_}')" for id_, at in rows)
    base.run(f"insert into events (id, at, name) values {values}")


def ids(taken):
    return [json.loads(line)["id"] for line in taken.lines()]


def count(lines):
    return lambda found: len(found) >= lines


@pytest.mark.parametrize("key", [[], ["id"]])
def test_rows_with_equal_values_come_once(tmp_path, base, taken, key):
    source = make_source("query", options(base, key=key), SCHEMA, "")
    add(base, *((n, n // 7) for n in range(100)))
    with closing(open_reader(source, taken, tmp_path)) as reader:
        take(reader, taken, count(100), most=600)
        assert reader.read(1000, 0.05) is None
        assert reader.exhausted()
        add(base, (100, 14), (101, 14), (102, 15))
        take(reader, taken, count(103), most=600)
    assert sorted(ids(taken)) == [*range(103)]
    with closing(open_reader(source, taken, tmp_path)) as reader:
        assert reader.read(1000, 0.05) is None
        add(base, (103, 15))
        take(reader, taken, count(104))
    assert sorted(ids(taken)) == [*range(104)]


def test_rows_that_are_equal_in_all_are_counted(tmp_path, taken):
    base = Lite(tmp_path)
    base.run("create table plain (at, name)", *["insert into plain values (1, 'a')"] * 5)
    stated = options(base, table="plain")
    source = make_source("query", stated, "at: int64, name: string", "")
    with closing(open_reader(source, taken, tmp_path)) as reader:
        take(reader, taken, count(5), most=400)
        base.run("insert into plain values (1, 'a')")
        take(reader, taken, count(6), most=400)
        assert reader.read(1000, 0.05) is None
    assert len(taken.lines()) == 6


def test_a_query_with_marks_of_the_driver(tmp_path, base, taken):
    query = "select id, at, name from events where name like 'n%' and name <> '?' -- all;"
    stated = options(base, table="", query=query, rising="id")
    add(base, (1, 1), (2, 1))
    with closing(open_reader(make_source("query", stated, SCHEMA, ""), taken, tmp_path)) as reader:
        take(reader, taken, count(2))
    assert ids(taken) == [1, 2]


@pytest.mark.parametrize("point", [1, 3])
def test_killed_after_the_spool_has_it_rows_come_once(tmp_path, base, taken, point):
    add(base, *((n, n // 7) for n in range(300)))
    told = {
        "path": str(tmp_path / "taken.db"),
        "scratch": str(tmp_path),
        "kind": "query",
        "options": options(base),
        "schema": SCHEMA,
        "lines": 300,
        "most": 1000,
    }
    for _ in range(3):
        process = subprocess.run(
            [sys.executable, "-m", "tests.fleet.brokers.taking", json.dumps(told)],
            env={**os.environ, "SEGUE_FAILPOINT": f"deliver.written=kill@{point}"},
            cwd=Path(__file__).parents[3],
            check=False,
        )
        assert process.returncode == -signal.SIGKILL
    source = make_source("query", told["options"], SCHEMA, "")
    with closing(open_reader(source, taken, tmp_path)) as reader:
        take(reader, taken, count(300))
        assert reader.read(1000, 0.05) is None
    assert sorted(ids(taken)) == [*range(300)]


def test_writers_that_commit_late_are_waited_for(tmp_path, live_postgres, taken):
    import psycopg

    base = Post(live_postgres)
    source = make_source("query", options(base, rising="id", settle="1s"), SCHEMA, "")

    def write(times):
        with psycopg.connect(base.url) as connection:
            for _ in range(times):
                connection.execute("insert into events (at) select 1 from generate_series(1, 5)")
                connection.execute("select pg_sleep(random() / 50)")
                connection.commit()

    writers = [threading.Thread(target=write, args=(60,)) for _ in range(4)]
    for each in writers:
        each.start()
    with closing(open_reader(source, taken, tmp_path)) as reader:
        take(reader, taken, count(1200))
        for each in writers:
            each.join()
        assert reader.read(10**6, 0.05) is None
    assert sorted(ids(taken)) == [*range(1, 1201)]


def test_types_of_sqlite_are_those_of_the_columns(tmp_path, taken):
    base = Lite(tmp_path)
    base.run(
        "create table odd (id integer, at text, ok integer, money text, day text)",
        "insert into odd values (1, '2024-01-01T00:00:00+02:00', 1, '1.25', '2024-02-29')",
        "insert into odd values (2, 'soon', 1, '1.25', '2024-02-29')",
        "insert into odd values (3, null, 7, '1.25', '2024-02-29')",
        "insert into odd values (4, null, 0, '1.259', null)",
        "insert into odd values (5, null, null, '3', null)",
    )
    schema = "id: int64, at: timestamp(us, UTC), ok: bool, money: decimal(9,2), day: date"
    stated = options(base, table="odd", rising="id")
    with closing(open_reader(make_source("query", stated, schema, ""), taken, tmp_path)) as reader:
        chunk = reader.read(10**6, 1)
        take_chunk(reader, taken, chunk)
    assert chunk.table.column("id").to_pylist() == [1, 5]
    assert str(chunk.table.column("at")[0]) == "2023-12-31 22:00:00+00:00"
    assert sorted(chunk.lost) == [
        (1, "column at is no timestamp(us, UTC)"),
        (1, "column money is no decimal(9,2)"),
        (1, "column ok is no bool"),
    ]


def test_what_can_not_be_read_is_told(tmp_path, base, taken):
    for wrong in ({"table": "nothing"}, {"rising": "nothing"}, {"key": ["nothing"]}):
        source = make_source("query", options(base, **wrong), SCHEMA, "")
        with (
            closing(open_reader(source, taken, tmp_path)) as reader,
            pytest.raises(SourceError, match="nothing"),
        ):
            reader.read(1000, 0.1)


def test_a_database_that_goes_and_comes_back(tmp_path, taken):
    base = Lite(tmp_path)
    source = make_source("query", options(base), SCHEMA, "")
    base.path.rename(tmp_path / "away.db")
    with pytest.raises(SourceError, match="unable to open"):
        open_reader(source, taken, tmp_path, seconds=0)
    (tmp_path / "away.db").rename(base.path)
    add(base, (1, 1))
    with closing(open_reader(source, taken, tmp_path)) as reader:
        take(reader, taken, count(1))
