"""How far a statement has come, told while it runs."""

import threading

import duckdb
import pytest

from segue.engines.duckdb.watch import Watch

LONG = "select sum(hash(i) % 7) from range(60_000_000) t(i)"


@pytest.fixture
def connection():
    with duckdb.connect(config={"threads": 1}) as made:
        yield made.cursor()


@pytest.fixture
def watch():
    made = Watch(tick=0.005, patience=0.0)
    yield made
    made.end()


def test_share_grows_while_a_statement_runs(connection, watch):
    shares = []
    with watch.follow(connection, shares.append):
        connection.execute(LONG).fetchall()
    assert shares
    assert shares == sorted(set(shares))
    assert 0 < shares[0] < shares[-1] <= 1


def test_nothing_is_told_behind_the_block(connection, watch):
    told = threading.Event()
    with watch.follow(connection, lambda _: told.set()):
        connection.execute("select 1").fetchall()
    told.clear()
    connection.execute(LONG).fetchall()
    assert not told.is_set()


def test_short_statements_are_not_asked_after(connection):
    shares = []
    patient = Watch(tick=0.001, patience=3600.0)
    with patient.follow(connection, shares.append):
        connection.execute(LONG).fetchall()
    patient.end()
    assert not shares


def test_without_a_listener_there_is_no_thread(connection, watch):
    before = threading.active_count()
    with watch.follow(connection, None):
        assert threading.active_count() == before


def test_a_closed_connection_ends_no_other_watch(connection, watch):
    shares = []
    other = connection.cursor()
    with watch.follow(other, shares.append):
        other.close()
        with watch.follow(connection, shares.append):
            connection.execute(LONG).fetchall()
    assert shares
